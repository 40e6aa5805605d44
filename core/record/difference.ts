/** Where a replay does something else than the run did. */
export interface Difference {
  /** The place in the record, counted from 0. */
  readonly entry: number
  /** The robot's clock, in ms. */
  readonly atMs: number
  /** What had come in last: the cause is there, or in what the robot makes of it. */
  readonly after: string
  /** What the record says; null when the replay did more. */
  readonly recorded: string | null
  /** What the replay did; null when it did less. */
  readonly replayed: string | null
}

/** In one line, for people. */
export function differenceLine({ after, atMs, entry, recorded, replayed }: Difference): string {
  const at = `entry ${entry}, ${(atMs / 1000).toFixed(3)} s, after ${after}`
  if (recorded === null) return `${at}: the replay also did ${replayed}`
  if (replayed === null) return `${at}: the replay did not do ${recorded}`
  return `${at}: the run did ${recorded}, the replay ${replayed}`
}
