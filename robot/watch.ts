import { hasPulse } from '../actors/pulse.ts'
import { refuseToMove } from './halt.ts'
import type { Parts } from './parts.ts'

/**
 * Looks after the robot, once a tick: who commands, what should not be, an explicit zero when nobody commands any more,
 * and every 100 ms whether each chart still lives. Returns what to call with the time of each tick, in ms.
 */
export function watchOver(parts: Parts): (now: number) => void {
  const { children, commanders, hazards, times } = parts
  let pulseTakenMs = times.startedMs
  return (now) => {
    // Where time is no number it is taken on every tick: rather too often than never.
    if (!(now - pulseTakenMs < pulseMs)) {
      pulseTakenMs = now
      takePulse(parts)
    }
    const { silent, zero } = commanders.look()
    hazards.look(now, silent)
    if (zero) children.motion()?.send({ type: 'motion.stop' })
  }
}

/** How often each chart is asked whether it still takes events, in ms. */
const pulseMs = 100

/**
 * A chart that XState has left deaf says that it is well. Where a child takes no event any more the robot is halted; where
 * the root takes none, only the gate is left.
 */
function takePulse(parts: Parts): void {
  const { enabling, halting, listen, log, reach, root, stateListeners } = parts
  const { children, status } = root.getSnapshot()
  const hand = enabling.chart
  if (hand?.getSnapshot().status === 'active' && !hasPulse(hand))
    enabling.fail('it does not answer')
  for (const [name, child] of Object.entries(children)) {
    if (child?.getSnapshot().status === 'active' && !hasPulse(child)) {
      refuseToMove(parts, `${name} does not answer`)
    }
  }
  if (status !== 'active' || reach.lost !== undefined || hasPulse(root)) return
  reach.lost = 'the root does not answer'
  void halting.trip(reach.lost)
  log.error({}, `${reach.lost}; the motion gate is shut for good`)
  for (const listener of stateListeners) listen('state', listener)('failed')
}
