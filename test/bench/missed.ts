const tickMs = 20

/** How many ticks of the reflex loop did not come before the next one was due, by the times of those that came, in ms. */
export function missedIn(beatsMs: readonly number[]): number {
  let missed = 0
  for (const [at, beatMs] of beatsMs.entries()) {
    const gapMs = beatMs - (beatsMs[at - 1] ?? beatMs)
    missed += Math.max(0, Math.floor(gapMs / tickMs) - 1)
  }
  return missed
}
