/** Milliseconds of the machine's monotonic clock, to the microsecond: the same in every process, so comparable across them. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
