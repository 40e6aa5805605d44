import { ranges } from '../vocabulary/parts.ts'

/**
 * Leave to move until a moment of the robot's own clock. Times are milliseconds of that one monotonic clock. Never
 * changed in place.
 */
export interface Lease {
  /** The last moment at which it still holds. */
  readonly untilMs: number
  /** The latest moment at which anyone looked. A clock that shows less has run backwards. */
  readonly seenMs: number
}

/** The lease of nobody: never live. */
export const spentLease: Lease = Object.freeze({ untilMs: -Infinity, seenMs: Infinity })

/**
 * A lease of `leaseMs` from the moment the command arrived. `stampMs`, the sender's word on when it spoke, can shorten
 * the lease and never lengthen it: an old stamp counts, one from the future is the moment of arrival, and one that is
 * no number gives a spent lease.
 * Throws a TypeError when `leaseMs` is outside 50 to 2000 (no lease is endless, and 0 does not mean never) and when the
 * clock shows no finite time.
 */
export function grantLease(nowMs: number, leaseMs: number, stampMs: number = nowMs): Lease {
  const { min, max } = ranges.leaseMs
  if (!(leaseMs >= min && leaseMs <= max)) {
    throw new TypeError(`a lease lasts ${min} to ${max} ms, got ${leaseMs}`)
  }
  if (!Number.isFinite(nowMs)) throw new TypeError(`a clock shows finite times, got ${nowMs}`)
  if (!Number.isFinite(stampMs)) return spentLease
  return { untilMs: Math.min(nowMs, stampMs) + leaseMs, seenMs: nowMs }
}

/** True up to and including the last moment of the lease. A clock that ran backwards, or shows NaN, ends it. */
export function isLeaseLive(lease: Lease, nowMs: number): boolean {
  return nowMs >= lease.seenMs && nowMs <= lease.untilMs
}

/**
 * The lease after somebody looked at `nowMs`. One that was seen to have ended stays ended, whatever the clock does
 * next, and from now on no earlier time is believed.
 */
export function observeLease(lease: Lease, nowMs: number): Lease {
  return isLeaseLive(lease, nowMs) ? { ...lease, seenMs: nowMs } : spentLease
}
