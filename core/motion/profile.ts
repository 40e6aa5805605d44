import type { Limits } from '../vocabulary/configuration.ts'
import { STILL, type Twist } from '../vocabulary/geometry.ts'
import { type DriveGeometry, wheelSpeedsFor } from './kinematics.ts'
import { limitAcceleration, limitJerk } from './limiter.ts'
import { type Interval, type RateLimits, rateLimits } from './limits.ts'

/** Comfort limits of both components: m/s, m/s², m/s³ and rad/s, rad/s², rad/s³. */
export interface TwistLimits {
  readonly linear: RateLimits
  readonly angular: RateLimits
}

/** A twist that may be sent, in m/s and rad/s. Always finite. */
export interface ProfiledTwist extends Twist {
  /** Share of the wanted change that this step makes, 0 to 1: the same for both components. */
  readonly ratio: number
  /** The target was not finite and counted as zero; or the step could not be computed and the twist is zero. */
  readonly rejected: boolean
}

/** The comfort limits that a configuration declares. The absolute speeds are for `core/rules`, which refuses. */
export function comfortLimits(limits: Limits): TwistLimits {
  return {
    linear: rateLimits({ accelerate: limits.linearAcceleration, brake: limits.linearBraking }),
    angular: rateLimits({ accelerate: limits.angularAcceleration, brake: limits.angularBraking }),
  }
}

/**
 * One step of `dtSeconds` from `current` towards `target`. Both components change by one ratio, so a path that keeps
 * its curvature in the command keeps it on the floor; each moves monotonically, never passes its target, and both
 * arrive exactly, in finitely many steps. A target above a limit of value is scaled back first, by one ratio too.
 * The price of one ratio: stopping takes as long as the slower component needs, max(v/brake, w/brake), and a stopping
 * distance has to reckon with that.
 * Jerk is limited for a component that gains speed and not for one that brakes; it needs `previous`, the twist one
 * step before `current`, and takes a robot without one to have moved steadily.
 * Formula: eta of nav2_velocity_smoother, with the rates of RateLimiter of control_toolbox. A halt does not come here.
 */
export function nextTwist(
  current: Twist,
  target: Twist,
  limits: TwistLimits,
  dtSeconds: number,
  previous: Twist = current,
): ProfiledTwist {
  if (!isFiniteTwist(current) || !isFiniteTwist(previous) || !(dtSeconds >= 0)) return unknown
  const rejected = !isFiniteTwist(target)
  const goal = rejected ? STILL : withinValues(target, limits)
  const ratio = Math.min(
    shareOf(current.linear, goal.linear, previous.linear, limits.linear, dtSeconds),
    shareOf(current.angular, goal.angular, previous.angular, limits.angular, dtSeconds),
  )
  const twist = {
    linear: between(current.linear, goal.linear, ratio),
    angular: between(current.angular, goal.angular, ratio),
  }
  return isFiniteTwist(twist) && ratio >= 0 ? { ...twist, ratio, rejected } : unknown
}

/**
 * `twist`, or the same curve driven slower, so that neither wheel turns faster than `wheelSpeedMax` (rad/s) to within
 * rounding. A twist that is not finite becomes zero. Throws a TypeError for a limit or a geometry that is not above zero.
 */
export function scaleToWheelLimits(
  twist: Twist,
  geometry: DriveGeometry,
  wheelSpeedMax: number,
): Twist {
  if (!(wheelSpeedMax > 0 && wheelSpeedMax < Infinity)) {
    throw new TypeError(`wheels turn at a finite speed above 0 rad/s, got ${wheelSpeedMax}`)
  }
  const wheels = wheelSpeedsFor(twist, geometry)
  const fastest = Math.max(Math.abs(wheels.left), Math.abs(wheels.right))
  if (fastest === 0) return STILL
  return fastest <= wheelSpeedMax ? twist : scaled(twist, wheelSpeedMax / fastest)
}

/** So near to its goal a step goes all the way: what is left is rounding, and not worth a step of its own. */
const roundingShare = 1e-9
const unknown: ProfiledTwist = Object.freeze({ ...STILL, ratio: 0, rejected: true })

/** How much of the way from `current` to `goal` one step may go. NaN when there is no telling. */
function shareOf(
  current: number,
  goal: number,
  previous: number,
  limits: RateLimits,
  dtSeconds: number,
): number {
  const change = goal - current
  if (change === 0) return 1
  const gentle = limitAcceleration(limits, { wanted: goal, current, dtSeconds })
  const gainsSpeed = goal * current >= 0 && Math.abs(goal) >= Math.abs(current)
  const lastChange = current - previous
  const before = lastChange * change > 0 ? previous : current
  const calm = gainsSpeed ? limitJerk(limits, { wanted: goal, current, before, dtSeconds }) : gentle
  if (gentle.rejected || calm.rejected) return NaN
  const step = Math.min(Math.abs(gentle.value - current), Math.abs(calm.value - current))
  const share = step / Math.abs(change)
  return share > 1 - roundingShare ? 1 : share
}

/** Rounding must neither pass the goal nor miss it. */
function between(current: number, goal: number, ratio: number): number {
  if (ratio === 1) return goal
  const next = current + ratio * (goal - current)
  return Math.min(Math.max(next, Math.min(current, goal)), Math.max(current, goal))
}

function withinValues(target: Twist, { linear, angular }: TwistLimits): Twist {
  const ratio = Math.min(
    roomFor(target.linear, linear.value),
    roomFor(target.angular, angular.value),
  )
  return ratio === 1 ? target : scaled(target, ratio)
}

function roomFor(speed: number, interval: Interval | undefined): number {
  if (!interval) return 1
  const end = speed > 0 ? interval.max : interval.min
  return Math.abs(speed) > Math.abs(end) ? end / speed : 1
}

function scaled({ linear, angular }: Twist, ratio: number): Twist {
  return { linear: linear * ratio, angular: angular * ratio }
}

function isFiniteTwist({ linear, angular }: Twist): boolean {
  return Number.isFinite(linear) && Number.isFinite(angular)
}
