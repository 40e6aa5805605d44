import { z } from 'zod'
import {
  limitAcceleration,
  limitJerk,
  type LimitedRate,
  limitRate,
  limitValue,
} from '../../core/motion/limiter.ts'
import { type RateLimits, rateLimits } from '../../core/motion/limits.ts'
import { type Binding, near, numeral, same, strictly } from './binding.ts'

const maybe = numeral.optional()

/** The peer's signed limits, as ours: magnitudes named by what they do. */
const limits = z
  .strictObject({
    min_value: maybe,
    max_value: maybe,
    min_first_neg: maybe,
    max_first_pos: maybe,
    min_first_pos: maybe,
    max_first_neg: maybe,
    min_second: maybe,
    max_second: maybe,
  })
  .transform((given) => ({
    max: given.max_value,
    min: given.min_value,
    accelerate: given.max_first_pos,
    reverseAccelerate: negated(given.min_first_neg),
    brake: negated(given.min_first_pos),
    reverseBrake: given.max_first_neg,
    jerkMax: given.max_second,
    jerkMin: given.min_second,
  }))

const v = numeral
const whole = { v, v0: numeral, v1: numeral, dt: numeral }
const expect = z.strictObject({ v: z.number(), factor: z.number() })
const call = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('limit'), ...whole, expect }),
  z.strictObject({ op: z.literal('second'), ...whole, expect }),
  z.strictObject({ op: z.literal('first'), v, v0: numeral, dt: numeral, expect }),
  z.strictObject({ op: z.literal('value'), v, expect }),
])
const named = { name: z.string(), source_test: z.string().optional() }

const constructed = z.strictObject({ ...named, limits, construct_error: z.literal(true) })
const called = z.strictObject({ ...named, limits, calls: z.array(call).min(1) })
const ramp = z.strictObject({
  ...named,
  limits,
  dt: z.number().positive(),
  note: z.string().optional(),
  phases: z
    .array(
      z.strictObject({
        target: z.number(),
        reached_after_steps: z.int().positive(),
        reached_after_s: z.number(),
        final: z.number(),
      }),
    )
    .min(1),
})
const better = z.strictObject({
  ...named,
  limits,
  then_limits: limits.optional(),
  call: z.strictObject({ op: z.literal('limit'), ...whole }),
  peer_result: z.string().optional(),
  required: z.string(),
})

/** speed_limiter.json, through `rateLimits` and the limiter. */
export const speedLimiter: Binding = {
  file: 'speed_limiter.json',
  title: 'Velocity / acceleration / jerk limiter',
  sections: {
    cases: strictly(z.union([constructed, called]), (item, context) => {
      if (!('calls' in item)) return same('construct error', refusalOf(item.limits), 'TypeError')
      const checked = rateLimits(item.limits)
      return item.calls.flatMap((each, index) => {
        const { value, factor, rejected } = answerTo(each, checked)
        return [
          ...near(`calls[${index}].v`, value, each.expect.v, context.tolerance),
          ...near(`calls[${index}].factor`, factor, each.expect.factor, context.tolerance),
          ...same(`calls[${index}].rejected`, rejected, false),
        ]
      })
    }),
    ramps: strictly(ramp, (item, context) => checkRamp(item, context.tolerance)),
    must_beat_peer: strictly(better, (item, context) => {
      rateLimits(item.limits)
      const result = limitRate(rateLimits(item.then_limits ?? item.limits), requestOf(item.call))
      return judge(item.required, result, context.tolerance)
    }),
  },
}

/** The free-text demands that we know how to check. */
function judge(required: string, result: LimitedRate, tolerance: number) {
  const value = /^v = (-?[\d.]+)\b/.exec(required)?.[1]
  if (value !== undefined) return near('v', result.value, Number(value), tolerance)
  if (!/^must not return NaN|^either reject/.test(required)) {
    return { unbound: `nobody has bound "${required}"` }
  }
  return [...same('rejected', result.rejected, true), ...near('v', result.value, 0, 0)]
}

function checkRamp({ limits: settings, dt, phases }: z.output<typeof ramp>, tolerance: number) {
  const checked = rateLimits(settings)
  let [before, current] = [0, 0]
  return phases.flatMap((phase, index) => {
    // Each target was held for a while before the next one came.
    before = current
    const stepsMax = phase.reached_after_steps * 2
    let steps = 0
    while (!(Math.abs(current - phase.target) <= tolerance) && steps < stepsMax) {
      const request = { wanted: phase.target, current, before, dtSeconds: dt }
      ;[before, current] = [current, limitRate(checked, request).value]
      steps += 1
    }
    const at = `phases[${index}]`
    return [
      ...same(`${at}.reached_after_steps`, steps, phase.reached_after_steps),
      ...near(`${at}.reached_after_s`, steps * dt, phase.reached_after_s, tolerance),
      ...near(`${at}.final`, current, phase.final, tolerance),
    ]
  })
}

function answerTo(each: z.output<typeof call>, checked: RateLimits): LimitedRate {
  if (each.op === 'limit') return limitRate(checked, requestOf(each))
  if (each.op === 'second') return limitJerk(checked, requestOf(each))
  if (each.op === 'value') return limitValue(checked, each.v)
  return limitAcceleration(checked, { wanted: each.v, current: each.v0, dtSeconds: each.dt })
}

function requestOf(given: { v: number; v0: number; v1: number; dt: number }) {
  return { wanted: given.v, current: given.v0, before: given.v1, dtSeconds: given.dt }
}

function refusalOf(settings: z.output<typeof limits>): string {
  try {
    rateLimits(settings)
    return 'nothing'
  } catch (thrown) {
    return thrown instanceof TypeError ? 'TypeError' : String(thrown)
  }
}

function negated(value: number | undefined): number | undefined {
  return value === undefined ? undefined : -value
}
