import type { Interval, RateLimits } from './limits.ts'

/** One step of one speed, in m/s or rad/s: the one wanted now, the last one, and the one before it. */
export interface RateRequest {
  readonly wanted: number
  readonly current: number
  readonly before: number
  readonly dtSeconds: number
}

/** A speed that may be sent. Always finite. */
export interface LimitedRate {
  readonly value: number
  /** `value / wanted`; 1 when nothing was wanted or the quotient has no finite value, 0 when refused. */
  readonly factor: number
  /** The request was not finite, or time did not run forward: `value` is zero, whatever the limits say. */
  readonly rejected: boolean
}

/**
 * Limits jerk, then acceleration, then value. The limits arrive with each call, so a change takes effect at once.
 * NaN and both infinities are refused and not saturated: a speed that nobody can mean is not a wish to go fast.
 * Formula: RateLimiter of control_toolbox (ros-controls).
 */
export function limitRate(limits: RateLimits, request: RateRequest): LimitedRate {
  const calm = jerkLimited(limits, request)
  const gentle = accelerationLimited(limits, { ...request, wanted: calm })
  return answer(request, valueLimited(limits, gentle))
}

/** Limits the value of one speed and nothing else; refuses as `limitRate` does. */
export function limitValue(limits: RateLimits, wanted: number): LimitedRate {
  return answer({ wanted, current: 0, before: 0, dtSeconds: 0 }, valueLimited(limits, wanted))
}

/**
 * Limits acceleration and nothing else; refuses as `limitRate` does. The direction of `current` picks the pair of
 * rates for the whole step, also when the step crosses zero.
 */
export function limitAcceleration(
  limits: RateLimits,
  request: Omit<RateRequest, 'before'>,
): LimitedRate {
  const whole = { ...request, before: request.current }
  return answer(whole, accelerationLimited(limits, whole))
}

/**
 * Limits jerk and nothing else; refuses as `limitRate` does. It acts while acceleration grows in the direction of the
 * change and only then, because otherwise a closed loop would swing.
 */
export function limitJerk(limits: RateLimits, request: RateRequest): LimitedRate {
  return answer(request, jerkLimited(limits, request))
}

function valueLimited({ value }: RateLimits, wanted: number): number {
  return value ? clamp(wanted, value, 1) : wanted
}

function accelerationLimited({ acceleration }: RateLimits, request: RateRequest): number {
  if (!acceleration) return request.wanted
  const { wanted, current, dtSeconds } = request
  const pair =
    current > 0 ? acceleration.forward : current < 0 ? acceleration.reverse : acceleration.still
  const change = wanted - current
  const allowed = clamp(change, pair, dtSeconds)
  return allowed === change ? wanted : current + allowed
}

function jerkLimited({ jerk }: RateLimits, request: RateRequest): number {
  const { wanted, current, before, dtSeconds } = request
  const change = wanted - current
  const lastChange = current - before
  const growth = change - lastChange
  if (!jerk || !(growth * change > 0)) return wanted
  const allowed = clamp(growth, jerk, dtSeconds * dtSeconds)
  return allowed === growth ? wanted : current + lastChange + allowed
}

function clamp(value: number, { min, max }: Interval, scale: number): number {
  return Math.min(Math.max(value, min * scale), max * scale)
}

function answer(request: RateRequest, value: number): LimitedRate {
  const { wanted, current, before, dtSeconds } = request
  const isSane =
    [wanted, current, before, dtSeconds, value].every(Number.isFinite) && dtSeconds >= 0
  if (!isSane) return { value: 0, factor: 0, rejected: true }
  const factor = value / wanted
  return { value, factor: Number.isFinite(factor) ? factor : 1, rejected: false }
}
