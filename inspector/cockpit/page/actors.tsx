import { signal } from '@preact/signals'
import type { ActorView } from '../protocol.ts'
import { actors, drawings } from './known.ts'
import { Nothing, Panel } from './panel.tsx'

/** The actor whose chart is shown. */
export const chosen = signal('robot')

/** Everybody who runs, as a tree, and how each is. */
export function Actors() {
  const all = [...actors.value.values()]
  return (
    <Panel area="actors" title="Actors">
      {all.length > 0 ? (
        <Branch of={null} all={all} />
      ) : (
        <Nothing>No actor was heard of yet.</Nothing>
      )}
    </Panel>
  )
}

function Branch({ of, all }: { readonly of: string | null; readonly all: readonly ActorView[] }) {
  const own = all.filter(({ parent }) => parent === of)
  if (own.length === 0) return null
  return (
    <ul class="tree">
      {own.map((actor) => (
        <li key={actor.id}>
          <Entry actor={actor} />
          <Branch of={actor.id} all={all} />
        </li>
      ))}
    </ul>
  )
}

function Entry({ actor }: { readonly actor: ActorView }) {
  const { id, machine, status } = actor
  const health = status === 'active' ? 'well' : status === 'done' ? 'ended' : 'ill'
  const words = (
    <>
      <i class={`health ${health}`} aria-hidden="true" />
      <span class="id">{id}</span>
      <span class="where">{status === 'active' ? whereOf(actor) : status}</span>
    </>
  )
  if (!drawings.value.has(machine)) return <span class="actor">{words}</span>
  return (
    <button
      type="button"
      class="actor"
      aria-pressed={chosen.value === id}
      onClick={() => (chosen.value = id)}
    >
      {words}
    </button>
  )
}

/** The innermost states, without what they have in common. */
function whereOf({ active, machine }: ActorView): string {
  return active
    .filter((id) => !active.some((other) => other.startsWith(`${id}.`)))
    .map((id) => id.slice(machine.length + 1))
    .join(', ')
}
