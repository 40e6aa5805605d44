/** Both ends allowed. */
export interface Interval {
  readonly min: number
  readonly max: number
}

/**
 * Limits of one speed, m/s or rad/s ("unit" below), as a person writes them. A missing limit does not limit.
 * Accelerations are magnitudes, named by what they do to a robot that moves forward or in reverse.
 */
export interface RateSettings {
  /** Highest speed, unit. Without it there is no limit of value, whatever `min` says. */
  readonly max?: number | undefined
  /** Lowest speed, unit, at most 0; `-max` when missing. */
  readonly min?: number | undefined
  /** Forward, faster: unit/s². Without it nothing limits acceleration. */
  readonly accelerate?: number | undefined
  /** Reverse, faster: unit/s²; as `accelerate` when missing. */
  readonly reverseAccelerate?: number | undefined
  /** Forward, slower: unit/s²; as `reverseAccelerate` when missing. */
  readonly brake?: number | undefined
  /** Reverse, slower: unit/s²; as `brake` when missing. */
  readonly reverseBrake?: number | undefined
  /** Fastest growth of acceleration: unit/s³. Without it nothing limits jerk. */
  readonly jerkMax?: number | undefined
  /** Fastest fall of acceleration: unit/s³, below 0; `-jerkMax` when missing. */
  readonly jerkMin?: number | undefined
}

/** Checked limits with the defaults filled in; accelerations signed, by the direction in which the robot moves. */
export interface RateLimits {
  readonly value?: Interval
  readonly acceleration?: {
    readonly forward: Interval
    readonly reverse: Interval
    readonly still: Interval
  }
  readonly jerk?: Interval
}

/**
 * Checks and completes `settings`. Every interval holds zero, so that a robot may always stand still; every rate is
 * above zero and finite, so that it gets where it is told in finite time. Anything else, `min` above `max` and NaN
 * included, is a TypeError. Defaults: RateLimiter of control_toolbox.
 */
export function rateLimits(settings: RateSettings): RateLimits {
  requireNumbers(settings)
  return { ...valueFrom(settings), ...accelerationFrom(settings), ...jerkFrom(settings) }
}

function valueFrom({ max, min }: RateSettings): Pick<RateLimits, 'value'> {
  if (max === undefined) return {}
  const value = { min: min ?? -max, max }
  if (!(value.min <= 0 && value.max >= 0)) refuse('speeds from min to max must hold 0', value)
  return { value }
}

function accelerationFrom(settings: RateSettings): Pick<RateLimits, 'acceleration'> {
  const { accelerate } = settings
  if (accelerate === undefined) return {}
  const reverseAccelerate = settings.reverseAccelerate ?? accelerate
  const brake = settings.brake ?? reverseAccelerate
  const reverseBrake = settings.reverseBrake ?? brake
  const rates = { accelerate, brake, reverseAccelerate, reverseBrake }
  for (const rate of Object.values(rates)) {
    if (!(rate > 0)) refuse('accelerations must be above 0', rates)
  }
  return {
    acceleration: {
      forward: { min: -brake, max: accelerate },
      reverse: { min: -reverseAccelerate, max: reverseBrake },
      still: { min: -reverseAccelerate, max: accelerate },
    },
  }
}

function jerkFrom({ jerkMax, jerkMin }: RateSettings): Pick<RateLimits, 'jerk'> {
  if (jerkMax === undefined) return {}
  const jerk = { min: jerkMin ?? -jerkMax, max: jerkMax }
  if (!(jerk.min < 0 && jerk.max > 0)) refuse('jerk must run from below 0 to above 0', jerk)
  return { jerk }
}

function requireNumbers(settings: RateSettings): void {
  for (const [name, value] of Object.entries(settings)) {
    if (value !== undefined && !Number.isFinite(value)) {
      throw new TypeError(`${name} must be finite, got ${value}`)
    }
  }
}

function refuse(rule: string, got: object): never {
  throw new TypeError(`${rule}, got ${JSON.stringify(got)}`)
}
