/** What the root does when a child fails once more than its policy forgives. */
export type LastResort = 'halt' | 'hold'

/** How often a child may fail within `restartPeriod` before its last resort, and what that is. */
export interface Policy {
  readonly restartsMax: number
  readonly lastResort: LastResort
}

/** The children of the root, in the order in which they start. */
export const childNames = [
  'guardian',
  'board',
  'failsafe',
  'kernel',
  'motion',
  'relays',
  'perception',
  'llm',
  'agent',
] as const

export type ChildName = (typeof childNames)[number]

/** Supervision is data: whoever moves the robot halts it by failing; whoever advises it is restarted, and then holds it. */
export const policies: Readonly<Record<ChildName, Policy>> = {
  guardian: { restartsMax: 0, lastResort: 'halt' },
  board: { restartsMax: 0, lastResort: 'halt' },
  failsafe: { restartsMax: 0, lastResort: 'halt' },
  kernel: { restartsMax: 0, lastResort: 'halt' },
  motion: { restartsMax: 0, lastResort: 'halt' },
  relays: { restartsMax: 0, lastResort: 'halt' },
  perception: { restartsMax: 5, lastResort: 'hold' },
  llm: { restartsMax: 0, lastResort: 'hold' },
  agent: { restartsMax: 5, lastResort: 'hold' },
}

/** Children that a robot cannot stand by without. */
export const vitalChildren: readonly ChildName[] = childNames.filter(
  (child) => policies[child].lastResort === 'halt',
)

/** Children without which it must not move. */
export const guidingChildren: readonly ChildName[] = [...vitalChildren, 'perception']

/**
 * The child that is never started a second time: a fresh one would know neither of calls under way nor of endpoints that are
 * to be left alone, and would ask, and pay, again.
 */
export const irreplaceable: ChildName = 'llm'

/** Milliseconds after which a failure is forgiven. */
export const restartPeriodMs = 60_000

/** Milliseconds before restart number `failures`: 100, doubling, to 10 000. */
export function backoffMs(failures: number): number {
  let delay = 100
  for (let step = 1; step < failures && delay < 10_000; step++) delay *= 2
  return Math.min(delay, 10_000)
}
