import type { LoopView } from '../protocol.ts'
import { turns } from './known.ts'
import { Nothing, Panel } from './panel.tsx'

/** The agent's loop, a line a turn, the youngest first: what it was told, proposed, was allowed, did. */
export function Loop() {
  return (
    <Panel area="loop" title="The agent’s loop">
      {turns.value.length > 0 ? (
        <div class="scroll" tabIndex={0} role="region" aria-label="Turns of the loop">
          <table>
            <thead>
              <tr>
                <th scope="col">turn</th>
                <th scope="col">told</th>
                <th scope="col">proposal</th>
                <th scope="col">verdict</th>
                <th scope="col">action</th>
              </tr>
            </thead>
            <tbody>
              {turns.value.map((turn) => (
                <Turn key={turn.id} turn={turn} />
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <Nothing>The agent has decided nothing since this page has watched.</Nothing>
      )}
    </Panel>
  )
}

function Turn({ turn }: { readonly turn: LoopView }) {
  const { id, atMs, prompt, proposal, verdict, action } = turn
  const isRefused = verdict !== null && verdict.startsWith('refused')
  return (
    <tr class={isRefused ? 'refused' : ''}>
      <th scope="row" title={`${(atMs / 1_000).toFixed(1)} s`}>
        {id}
      </th>
      {[prompt, proposal, verdict, action].map((part, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- the columns stay where they are
        <td key={index} title={part ?? ''}>
          {part ?? '…'}
        </td>
      ))}
    </tr>
  )
}
