import { computed, signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import type { LoopView } from '../protocol.ts'
import { turns } from './known.ts'
import { Nothing, Panel } from './panel.tsx'

/** The turn that somebody has picked; null for the youngest, whichever that is. */
const picked = signal<number | null>(null)

/** The turn that is shown in full. */
export const traced = computed(
  () => turns.value.find(({ id }) => id === picked.value) ?? turns.value[0],
)

/** The agent's loop, a line a turn, the youngest first: what it was told, proposed, was allowed, did. */
export function Loop() {
  const turn = traced.value
  return (
    <Panel area="loop" title="The agent’s loop">
      {turn ? (
        <>
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
                {turns.value.map((each) => (
                  <Turn key={each.id} turn={each} isTraced={each === turn} />
                ))}
              </tbody>
            </table>
          </div>
          <Trace turn={turn} />
        </>
      ) : (
        <Nothing>The agent has decided nothing since this page has watched.</Nothing>
      )}
    </Panel>
  )
}

function Turn({ turn, isTraced }: { readonly turn: LoopView; readonly isTraced: boolean }) {
  const { id, atMs, prompt, proposal, verdict, action } = turn
  const isRefused = verdict !== null && verdict.startsWith('refused')
  return (
    <tr class={isRefused ? 'refused' : ''}>
      <th scope="row" title={secondsOf(atMs)}>
        <button
          type="button"
          class="small"
          aria-label={`Trace turn ${id}`}
          aria-pressed={isTraced}
          onClick={() => (picked.value = picked.value === id ? null : id)}
        >
          {id}
        </button>
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

/** One turn in full, a line for each of its steps. */
function Trace({ turn }: { readonly turn: LoopView }) {
  const { id, atMs, sent, reply, proposal, verdict, action } = turn
  return (
    <section class="trace" aria-labelledby="trace-title">
      <h3 id="trace-title">
        Turn {id} <small>at {secondsOf(atMs)}</small>
      </h3>
      <dl class="pairs">
        <dt>prompt</dt>
        <dd>
          {sent ? (
            <Long id={id} line={sent.map(({ content }) => content).join(' ')}>
              {sent.map(({ role, content }, index) => (
                // oxlint-disable-next-line react/no-array-index-key -- messages stay where they are
                <pre key={index}>{`${role}: ${content}`}</pre>
              ))}
            </Long>
          ) : (
            'no model’s, as far as it is kept'
          )}
        </dd>
        <dt>reply</dt>
        <dd>
          {reply === null || reply === '' ? (
            (reply ?? 'none') || 'an empty one'
          ) : (
            <Long id={id} line={reply}>
              <pre>{reply}</pre>
            </Long>
          )}
        </dd>
        <dt>intent</dt>
        <dd>{proposal ?? '…'}</dd>
        <dt>verdict</dt>
        <dd>{verdict ?? '…'}</dd>
        <dt>action</dt>
        <dd>{action ?? '…'}</dd>
      </dl>
    </section>
  )
}

/** A long text, of which a line is shown until somebody opens it. The turn that is read then does not run away. */
function Long({
  id,
  line,
  children,
}: {
  readonly id: number
  readonly line: string
  readonly children: ComponentChildren
}) {
  return (
    <details
      onToggle={({ currentTarget }) => {
        if (currentTarget.open) picked.value = id
      }}
    >
      <summary>{line.slice(0, lineMax)}</summary>
      {children}
    </details>
  )
}

/** The characters of a line. */
const lineMax = 160

function secondsOf(atMs: number): string {
  return `${(atMs / 1_000).toFixed(1)} s`
}
