import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  limitAcceleration,
  limitJerk,
  limitRate,
  limitValue,
} from '../../../core/motion/limiter.ts'
import { rateLimits } from '../../../core/motion/limits.ts'

const full = rateLimits({
  max: 1,
  min: -0.5,
  accelerate: 1,
  reverseAccelerate: 0.5,
  brake: 5,
  reverseBrake: 10,
  jerkMax: 5,
  jerkMin: -2,
})
const refused = { value: 0, factor: 0, rejected: true }

describe('what the limiter lets through', () => {
  test('without limits it lets everything through', () => {
    const request = { wanted: 10, current: 0, before: 0, dtSeconds: 0.5 }
    expect(limitRate(rateLimits({}), request)).toEqual({ value: 10, factor: 1, rejected: false })
  })

  test('value is limited at both ends', () => {
    expect(limitValue(full, 10)).toEqual({ value: 1, factor: 0.1, rejected: false })
    expect(limitValue(full, -10)).toEqual({ value: -0.5, factor: 0.05, rejected: false })
    expect(limitValue(full, 0)).toEqual({ value: 0, factor: 1, rejected: false })
  })

  test('the direction of motion picks the pair of accelerations', () => {
    expect(changesFrom(2)).toEqual([0.1, -0.5])
    expect(changesFrom(-2)).toEqual([1, -0.05])
    expect(changesFrom(0)).toEqual([0.1, -0.05])
  })

  test('jerk is limited while acceleration grows and not while it falls', () => {
    const limits = rateLimits({ jerkMax: 1 })
    const growing = { wanted: 10, current: 0, before: 0, dtSeconds: 0.5 }
    expect(limitJerk(limits, growing)).toEqual({ value: 0.25, factor: 0.025, rejected: false })
    const falling = { wanted: 1.1, current: 1, before: 0.5, dtSeconds: 0.5 }
    expect(limitJerk(limits, falling)).toEqual({ value: 1.1, factor: 1, rejected: false })
  })

  test('the tightest of the three decides', () => {
    const request = { wanted: 10, current: 0, before: 0, dtSeconds: 0.5 }
    expect(limitRate(full, request).value).toBe(0.5)
    expect(limitRate(full, { ...request, wanted: -10 }).value).toBe(-0.25)
    expect(limitRate(rateLimits({ max: 0.1, accelerate: 1 }), request).value).toBe(0.1)
  })

  test('limits that change at run time hold from the next call on', () => {
    const request = { wanted: 10, current: 0, before: 0, dtSeconds: 0.1 }
    expect(limitRate(rateLimits({}), request).value).toBe(10)
    expect(limitRate(rateLimits({ max: 1 }), request).value).toBe(1)
  })
})

describe('what the limiter refuses', () => {
  test('a wish that is not finite comes out as zero, and so do both infinities', () => {
    const sane = { wanted: 1, current: 0.5, before: 0.5, dtSeconds: 0.1 }
    for (const bad of [NaN, Infinity, -Infinity]) {
      expect(limitValue(full, bad)).toEqual(refused)
      for (const name of ['wanted', 'current', 'before', 'dtSeconds']) {
        expect(limitRate(full, { ...sane, [name]: bad })).toEqual(refused)
        expect(limitJerk(full, { ...sane, [name]: bad })).toEqual(refused)
      }
    }
  })

  test('time that runs backwards', () => {
    const request = { wanted: 1, current: 0, before: 0, dtSeconds: -0.1 }
    expect(limitRate(full, request)).toEqual(refused)
  })

  test('no input whatever brings NaN or infinity out', () => {
    const number = fc.double()
    fc.assert(
      fc.property(number, number, number, number, (wanted, current, before, dtSeconds) => {
        for (const limits of [full, rateLimits({}), rateLimits({ accelerate: 1e300 })]) {
          const { value, factor } = limitRate(limits, { wanted, current, before, dtSeconds })
          expect([Number.isFinite(value), Number.isFinite(factor)]).toEqual([true, true])
        }
      }),
    )
  })

  test('without jerk it never passes what is wanted, nor moves away from it', () => {
    const limits = rateLimits({ accelerate: 1, brake: 4, reverseAccelerate: 2, reverseBrake: 8 })
    const speed = fc.double({ min: -10, max: 10, noNaN: true })
    const interval = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(speed, speed, interval, (wanted, current, dtSeconds) => {
        const { value } = limitAcceleration(limits, { wanted, current, dtSeconds })
        expect(value).toBeGreaterThanOrEqual(Math.min(current, wanted))
        expect(value).toBeLessThanOrEqual(Math.max(current, wanted))
      }),
    )
  })
})

describe('limits as written', () => {
  test('a missing limit takes the one that is nearest in meaning', () => {
    expect(rateLimits({ max: 1, accelerate: 2, brake: 4, jerkMax: 3 })).toEqual({
      value: { min: -1, max: 1 },
      acceleration: {
        forward: { min: -4, max: 2 },
        reverse: { min: -2, max: 4 },
        still: { min: -2, max: 2 },
      },
      jerk: { min: -3, max: 3 },
    })
    expect(rateLimits({ accelerate: 1, reverseAccelerate: 3 })).toEqual({
      acceleration: {
        forward: { min: -3, max: 1 },
        reverse: { min: -3, max: 3 },
        still: { min: -3, max: 1 },
      },
    })
  })

  test('a lower end without an upper one limits nothing', () => {
    expect(rateLimits({ min: -1, reverseAccelerate: 1, jerkMin: -1 })).toEqual({})
  })

  test('limits that forbid standing still, or that never let it arrive, are refused', () => {
    for (const settings of [
      { min: 1, max: -1 },
      { min: 0.1, max: 1 },
      { max: -1 },
      { accelerate: 0 },
      { accelerate: 1, brake: 0 },
      { accelerate: 1, reverseBrake: -1 },
      { accelerate: 1, reverseAccelerate: -1 },
      { jerkMax: 0 },
      { jerkMax: 1, jerkMin: 0 },
    ]) {
      expect(() => rateLimits(settings), JSON.stringify(settings)).toThrow(TypeError)
    }
  })

  test('NaN and infinity are no limits', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (const name of ['max', 'min', 'accelerate', 'brake', 'jerkMax', 'jerkMin']) {
        expect(() => rateLimits({ max: 1, accelerate: 1, [name]: bad })).toThrow(
          `${name} must be finite, got ${bad}`,
        )
      }
    }
  })
})

function changesFrom(current: number): number[] {
  return [10, -10].map((wanted) => {
    const { value } = limitAcceleration(full, { wanted, current, dtSeconds: 0.1 })
    return Math.round((value - current) * 1e9) / 1e9
  })
}
