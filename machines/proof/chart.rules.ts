import { type ExploredChart, stateOf } from './charts.ts'
import { wayTo } from './explore.ts'

/** What a chart of the robot must do wherever it is told to, but at its end. */
interface Obedience {
  readonly order: string
  readonly state: string
}

const obedience: Readonly<Record<string, Obedience>> = {
  board: { order: 'board.close', state: 'closing' },
  kernel: { order: 'kernel.lock', state: 'locked' },
  motion: { order: 'motion.inhibit', state: 'inhibited' },
  relays: { order: 'relays.inhibit', state: 'inhibited' },
  agent: { order: 'agent.pause', state: 'holding.paused' },
}

/** The rules that a chart other than the root breaks, each with the way there. */
export function chartBreaches({
  marked: { machine },
  steps,
}: ExploredChart): readonly { says: string; way: string }[] {
  const { id } = machine
  const broken = steps.find(
    ({ to, thrown }) => thrown !== undefined || to.snapshot.status === 'error',
  )
  const { order, state } = obedience[id] ?? {}
  const deaf = steps.find(({ event, to }) => event.type === order && stateOf(to) !== state)
  const begins = steps.find(
    ({ to }) => order !== 'board.close' && state !== undefined && stateOf(to) !== state,
  )
  return [
    ...(broken ? [{ says: `nothing leaves ${id} in error`, way: wayTo(broken.to) }] : []),
    ...(deaf
      ? [{ says: `${order} leads ${id} to ${state} from everywhere`, way: wayTo(deaf.to) }]
      : []),
    ...(begins?.to.reached === undefined && begins
      ? [{ says: `${id} begins in ${state}`, way: wayTo(begins.to) }]
      : []),
  ]
}
