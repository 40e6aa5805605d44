import { status } from './known.ts'
import { Nothing, Panel } from './panel.tsx'

const states = ['ample', 'low', 'exhausted'] as const

/** What the models may still cost today. */
export function Budget() {
  const now = status.value
  if (!now) {
    return (
      <Panel area="budget" title="Budget">
        <Nothing>No budget was heard of yet.</Nothing>
      </Panel>
    )
  }
  const { state, spent, assumed, limit, usd } = now.budget
  const isPaid = states.some((known) => known === state)
  return (
    <Panel area="budget" title="Budget of the day" aside={`circuit ${now.llm.circuit}`}>
      <ol class="scale" aria-label="State of the budget">
        {states.map((known) => (
          <li
            key={known}
            class={`${known} ${known === state ? 'on' : ''}`}
            aria-current={known === state}
          >
            {known}
          </li>
        ))}
      </ol>
      {isPaid ? (
        <>
          <Gauge name="tokens" used={spent + assumed} limit={limit} />
          <p class="small">
            {spent} of {limit} tokens by what servers said
            {assumed > 0 ? `, ${assumed} assumed` : ''}; {usd.spent.toFixed(4)} of {usd.limit} USD
          </p>
        </>
      ) : (
        <Nothing>No model is asked.</Nothing>
      )}
      {now.llm.lastError !== null && <p class="warm">{now.llm.lastError}</p>}
    </Panel>
  )
}

function Gauge({
  name,
  used,
  limit,
}: {
  readonly name: string
  readonly used: number
  readonly limit: number
}) {
  const share = limit > 0 ? Math.min(1, used / limit) : 1
  return (
    <svg
      class="gauge"
      viewBox="0 0 100 4"
      preserveAspectRatio="none"
      role="meter"
      aria-label={name}
      aria-valuenow={used}
      aria-valuemin={0}
      aria-valuemax={limit}
    >
      <rect class="whole" width="100" height="4" />
      <rect class={share > 0.8 ? 'used high' : 'used'} width={share * 100} height="4" />
    </svg>
  )
}
