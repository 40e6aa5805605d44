import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { VirtualClock } from './clock.ts'

/** One step of a paced virtual clock, in ms. */
const stepMs = 20

/** When the machine was held up for longer than this, in ms, virtual time is not made to catch up. */
const lagMsMax = 200

/**
 * Lets a virtual clock run: as fast as it can (`max`), or `speed` times as fast as the wall. Ends when `forMs` of virtual
 * time have passed, or when `signal` aborts.
 */
export async function pace(
  clock: VirtualClock,
  options: {
    readonly speed: number | 'max'
    readonly forMs: number
    readonly signal: AbortSignal
    /** Time stands while this says so. */
    isBehind?(): boolean
  },
): Promise<void> {
  const { isBehind = never, speed, forMs, signal } = options
  const endMs = clock.now() + forMs
  let wallMs = performance.now()
  while (clock.now() < endMs && !signal.aborted) {
    while (isBehind() && !signal.aborted) await sleep(1)
    await clock.advance(Math.min(stepMs, endMs - clock.now()))
    if (speed === 'max') continue
    wallMs = Math.max(wallMs + stepMs / speed, performance.now() - lagMsMax)
    const aheadMs = wallMs - performance.now()
    if (aheadMs > 1) await sleep(aheadMs)
  }
}

function never(): boolean {
  return false
}
