import type { HaltReport } from '../core/vocabulary/status.ts'
import type { Parts } from './parts.ts'

/** Trips the gate first and tells the root afterwards: a root that is deaf cannot stand in the way. */
export async function halt({ halting, root }: Parts, cause: string): Promise<HaltReport> {
  const evidence = halting.trip(cause)
  if (root.getSnapshot().status === 'active') root.send({ type: 'robot.halt', cause })
  await halting.settled()
  return halting.report ?? evidence
}

/**
 * Trips the gate, and then has the root halted, once for each cause: called wherever something fails, also by what is
 * called because of that. A root that has ended is told nothing. Never throws.
 */
export function refuseToMove({ gate, halting, reach, root }: Parts, cause: string): void {
  const snapshot = root.getSnapshot()
  const isHalted = snapshot.matches('halted') && snapshot.context.causes.includes(cause)
  if (isHalted && !gate.isOpen) return
  void halting.trip(cause)
  if (isHalted || reach.isTelling || root.getSnapshot().status !== 'active') return
  reach.isTelling = true
  try {
    root.send({ type: 'robot.halt', cause })
  } finally {
    reach.isTelling = false
  }
}
