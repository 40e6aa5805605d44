import type { Status } from '../../../core/vocabulary/status.ts'
import { status } from './known.ts'
import { Nothing, Panel } from './panel.tsx'

const rungs = ['none', 'warn', 'slow', 'hold', 'return', 'halt'] as const

/** How hard the failsafe acts, and on what; and how each sensor is. */
export function Faults() {
  const now = status.value
  return (
    <Panel area="faults" title="Failsafe and sensors">
      {now ? (
        <>
          <Ladder failsafe={now.failsafe} />
          <Sensors sensors={now.sensors} />
        </>
      ) : (
        <Nothing>Nothing was heard of it yet.</Nothing>
      )}
    </Panel>
  )
}

function Ladder({ failsafe: { rung, reasons } }: Pick<Status, 'failsafe'>) {
  return (
    <>
      <ol class="scale ladder" aria-label="The failsafe ladder">
        {rungs.map((each) => (
          <li
            key={each}
            class={`${each} ${each === rung ? 'on' : ''}`}
            aria-current={each === rung}
          >
            {each}
          </li>
        ))}
      </ol>
      {reasons.length > 0 ? (
        <ul class="warm">
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      ) : (
        <Nothing>Nothing is as it should not be.</Nothing>
      )}
    </>
  )
}

function Sensors({ sensors }: Pick<Status, 'sensors'>) {
  const all = Object.entries(sensors)
  if (all.length === 0) return <Nothing>This robot has no sensors.</Nothing>
  return (
    <ul class="chips">
      {all.map(([name, state]) => (
        <li key={name}>
          <i class={`health ${healthOf(state)}`} aria-hidden="true" />
          {name} <span class="where">{state}</span>
        </li>
      ))}
    </ul>
  )
}

function healthOf(state: string): string {
  if (state === 'live') return 'well'
  return state === 'warming' ? 'ended' : 'ill'
}
