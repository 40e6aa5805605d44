import type { Clock } from './drivers/clock.ts'

/** How often the two clocks are compared, in ms. */
const lookMs = 200
/** By how much they may drift apart between two looks, in ms: less than the shortest sleep of a computer. */
const driftMsMax = 500

/**
 * Calls back each time that this computer has slept: its monotonic clock stands still then, the time since it was
 * booted does not. `sinceBoot` is in seconds. Whatever was commanded before belongs to another day. Returns how to stop.
 */
export function watchSuspend(
  clock: Clock,
  sinceBoot: () => number,
  onWake: (seconds: number) => void,
): () => void {
  const asleepMs = () => sinceBoot() * 1000 - clock.now()
  let knownMs = asleepMs()
  let timer: number
  const look = (): void => {
    const sleptMs = asleepMs() - knownMs
    knownMs += sleptMs
    if (sleptMs > driftMsMax) onWake(Math.round(sleptMs / 1000))
    timer = clock.setTimeout(look, lookMs)
  }
  timer = clock.setTimeout(look, lookMs)
  return () => clock.clearTimeout(timer)
}
