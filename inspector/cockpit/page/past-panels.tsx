import type { ActorView } from '../protocol.ts'
import { past } from './known.ts'
import { Nothing, Panel } from './panel.tsx'

/** How the robot was at the moment that is shown, as far as the record of its charts tells. */
export function Then() {
  const then = past.value
  return (
    <Panel area="now" title="Then">
      {then ? (
        <>
          <dl class="pairs">
            {['robot', 'agent', 'motion', 'failsafe'].map((id) => [
              <dt key={id}>{id === 'robot' ? 'state' : id}</dt>,
              <dd key={`${id}:`}>{whereOf(then.actors.find((actor) => actor.id === id))}</dd>,
            ])}
            <dt>proposal</dt>
            <dd>{then.turns.at(-1)?.proposal ?? 'none'}</dd>
            <dt>verdict</dt>
            <dd>{then.turns.at(-1)?.verdict ?? 'none'}</dd>
          </dl>
          {then.causes.length > 0 && (
            <div class="causes">
              <h3>Halted because</h3>
              <ul>
                {then.causes.map((cause) => (
                  <li key={cause}>{cause}</li>
                ))}
              </ul>
            </div>
          )}
          <Ill actors={then.actors} />
          <Nothing>Go live to drive, give a goal, answer, reset or arm.</Nothing>
        </>
      ) : (
        <Nothing>It is being looked up.</Nothing>
      )}
    </Panel>
  )
}

/** The sensors that were not as they should be. */
function Ill({ actors }: { readonly actors: readonly ActorView[] }) {
  const ill = actors.filter(
    ({ machine, active }) => machine === 'sensor' && !active.includes('sensor.live'),
  )
  if (ill.length === 0) return <Nothing>Every sensor was live.</Nothing>
  return (
    <ul class="chips">
      {ill.map((actor) => (
        <li key={actor.id}>
          <i class="health ill" aria-hidden="true" />
          {actor.id.replace('sensor.', '')} <span class="where">{whereOf(actor)}</span>
        </li>
      ))}
    </ul>
  )
}

/** What was said and what went wrong before the moment that is shown, the youngest first. */
export function Before() {
  const events = past.value?.events.toReversed() ?? []
  return (
    <Panel area="notices" title="Before that">
      {events.length > 0 ? (
        <ul class="told">
          {events.map(({ atMs, kind, text }) => (
            <li
              key={`${atMs} ${text}`}
              class={kind === 'command' || kind === 'notice' ? 'notice' : 'refused'}
            >
              <b>{(atMs / 1_000).toFixed(1)} s</b> {text}
            </li>
          ))}
        </ul>
      ) : (
        <Nothing>Nothing was said, and nothing went wrong.</Nothing>
      )}
    </Panel>
  )
}

function whereOf(actor: ActorView | undefined): string {
  if (!actor) return 'did not run'
  const leaves = actor.active.filter(
    (id) => !actor.active.some((other) => other.startsWith(`${id}.`)),
  )
  return leaves.map((id) => id.slice(actor.machine.length + 1)).join(', ')
}
