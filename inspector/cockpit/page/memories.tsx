import { status } from './known.ts'
import { traced } from './loop.tsx'
import { Nothing, Panel } from './panel.tsx'

/** What was recalled for the turn that the loop shows. */
export function Memories() {
  const memory = status.value?.memory
  return (
    <Panel
      area="memories"
      title="Memories recalled"
      aside={memory && `${memory.episodes} turns, ${memory.notes} notes kept`}
    >
      {memory === undefined && <Nothing>Nothing was heard of a memory yet.</Nothing>}
      {memory === null && <Nothing>This robot has no memory.</Nothing>}
      {memory && memory.cause !== null && <p class="warm">{memory.cause}</p>}
      {memory && <Recalled />}
    </Panel>
  )
}

function Recalled() {
  const turn = traced.value
  if (!turn) return <Nothing>Nothing was decided since this page has watched.</Nothing>
  const { id, memories } = turn
  if (!memories) return <Nothing>Who decided turn {id} reads no memories.</Nothing>
  if (memories.length === 0) return <Nothing>Nothing was recalled for turn {id}.</Nothing>
  return (
    <ol class="recalled" aria-label={`Recalled for turn ${id}`}>
      {memories.map(({ age, id: number, score, text }) => (
        <li key={number ?? text}>
          <p>{text}</p>
          <small>
            {number === null ? 'without a number' : `memory ${number}`} · {age}
            {score === null ? '' : ` · score ${score.toFixed(2)}`}
          </small>
        </li>
      ))}
    </ol>
  )
}
