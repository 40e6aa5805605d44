import { type ChildName, childNames, guidingChildren, policies } from '../supervision.ts'

const moverNames: readonly string[] = [
  'board',
  'guardian',
  'failsafe',
  'kernel',
  'motion',
  'arm',
  'relays',
]

/**
 * Whoever moves the robot, or lets it be moved: their failure halts it, whatever `supervision.ts` says. Said here a
 * second time, so that one slip of the pen does not change it; a child that is not named here goes by its policy.
 */
export const movers: readonly ChildName[] = childNames.filter(
  (child) => moverNames.includes(child) || policies[child].lastResort === 'halt',
)

/** Whoever must be there while anything moves. */
export const guides: readonly ChildName[] = [
  ...new Set([...movers, ...guidingChildren, 'perception' as const]),
]

/** Nobody is started again more often than that within a minute, nor faster, in ms. */
export const restarts = { max: 5, periodMs: 60_000, backoffMinMs: 100, backoffMaxMs: 10_000 }
