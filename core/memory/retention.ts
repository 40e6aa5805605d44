import type { Memory, Tally } from '../vocabulary/memory.ts'

/** How many memories are kept, and how long, in ms. Notes outlive episodes. */
export const retention = {
  episodes: { countMax: 9_000, ageMsMax: 30 * 24 * 3_600_000 },
  notes: { countMax: 1_000, ageMsMax: 3_650 * 24 * 3_600_000 },
} as const

/** So many are forgotten at once: after a long rest all may be too old, and a robot that drives has no time for that. */
export const forgetMax = 100

/**
 * The ids of what is to be forgotten now, the oldest first, at most `forgetMax`: what is too old or too many. `memories`
 * are in the order in which they were kept, and `tally` says how many they are. Looks no further than it must: behind an
 * episode that is young enough nothing is too old. A clock that was set back makes nothing too old.
 */
export function toForget(
  memories: Iterable<Memory>,
  tally: Tally,
  wallMs: number,
): readonly number[] {
  const surplus = {
    episode: tally.episodes - retention.episodes.countMax,
    note: tally.notes - retention.notes.countMax,
  }
  const forgotten: number[] = []
  for (const { id, kind, wallMs: keptMs } of memories) {
    const { ageMsMax } = kind === 'note' ? retention.notes : retention.episodes
    const isOld = wallMs - keptMs > ageMsMax
    if (forgotten.length >= forgetMax) break
    if (surplus[kind] > 0 || isOld) {
      forgotten.push(id)
      surplus[kind] -= 1
    } else if (kind === 'episode' && surplus.note <= 0) break
  }
  return forgotten
}
