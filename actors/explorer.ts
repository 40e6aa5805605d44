import { type Behaviour, condition, fallback, sequence } from '../core/behaviour/tree.ts'
import { clearAhead, creepMetresPerSecond, speedCeiling } from '../core/rules/path.ts'
import type { DriveIntent, Intent, Proposal } from '../core/vocabulary/intent.ts'
import type { Observation } from '../core/vocabulary/observation.ts'
import type { Brain } from './deliberation.ts'

/** Distance in metres ahead that is wanted for driving on. */
const roomWanted = 0.45
/** Distance in metres ahead at which turning ends: more than `roomWanted`, so that it does not turn to and fro. */
const roomToLeave = 0.8
/** Distance in metres beyond which a side is free: endless room in one direction must not hide a wall in another. */
const roomEnough = 6

const driveMs = 400

interface Blackboard {
  readonly seen: Observation
  /** Which way it is turning, or 0 while it drives on. Kept between ticks. */
  turning: -1 | 0 | 1
  /** Slowly changing inclination to the left, from -1 to 1. */
  drift: number
  proposal: Proposal
}

/**
 * A behaviour tree that wanders and avoids: turn away while the way ahead is short, otherwise drive on in slow curves.
 * It does not think and needs no model. `random` gives numbers from 0 up to 1, and is the only source of chance.
 */
export function explorer(random: () => number): Brain {
  const tree = fallback(sequence(condition(isBlocked), turnAway(random)), driveOn(random))
  let turning: Blackboard['turning'] = 0
  let drift = 0
  return {
    name: 'explorer',
    async decide(seen) {
      const board: Blackboard = { seen, turning, drift, proposal: rest }
      tree(board)
      turning = board.turning
      drift = board.drift
      return board.proposal
    },
  }
}

const rest: Proposal = { reason: 'nothing to do', intent: { type: 'wait', durationMs: 500 } }

function isBlocked(board: Blackboard): boolean {
  const { scene } = board.seen
  if (speedCeiling(true, scene) === 0) return true
  return clearAhead(0, scene) < (board.turning === 0 ? roomWanted : roomToLeave)
}

function turnAway(random: () => number): Behaviour<Blackboard> {
  return (board) => {
    if (board.turning === 0) board.turning = freerSide(board.seen, random)
    const rate = Math.min(board.seen.limits.angular, 1)
    board.proposal = propose('the way ahead is short: turning', drive(0, board.turning * rate))
    return 'running'
  }
}

function driveOn(random: () => number): Behaviour<Blackboard> {
  return (board) => {
    const { limits, scene } = board.seen
    board.turning = 0
    board.drift = Math.max(-1, Math.min(1, board.drift * 0.9 + (random() - 0.5) * 0.4))
    const ahead = clearAhead(0, scene)
    const ceiling = speedCeiling(true, scene)
    const cruise = Math.min(limits.linear, ceiling, Math.max(creepMetresPerSecond, ahead * 0.5))
    const curve =
      board.drift * 0.3 + 0.15 * tendency(clearAhead(0.6, scene), clearAhead(-0.6, scene))
    const angular = Math.max(-limits.angular, Math.min(limits.angular, curve))
    board.proposal = propose('the way ahead is free', drive(cruise, angular))
    return 'running'
  }
}

/** Which side has more room: 1 left, -1 right, 0 where both are alike. */
function tendency(left: number, right: number): -1 | 0 | 1 {
  if (left === right) return 0
  return left > right ? 1 : -1
}

/** The side with more room, chance where both are alike. */
function freerSide(seen: Observation, random: () => number): -1 | 1 {
  const roomAt = (angle: number) => Math.min(roomEnough, clearAhead(angle, seen.scene))
  const left = roomAt(Math.PI / 2) + roomAt(Math.PI / 4)
  const right = roomAt(-Math.PI / 2) + roomAt(-Math.PI / 4)
  return tendency(left, right) || (random() < 0.5 ? -1 : 1)
}

function drive(linear: number, angular: number): DriveIntent {
  return { type: 'drive', linear, angular, durationMs: driveMs }
}

function propose(reason: string, intent: Intent): Proposal {
  return { reason, intent }
}
