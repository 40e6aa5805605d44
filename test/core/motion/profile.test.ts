import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DriveGeometry, wheelSpeedsFor } from '../../../core/motion/kinematics.ts'
import { rateLimits } from '../../../core/motion/limits.ts'
import {
  comfortLimits,
  nextTwist,
  scaleToWheelLimits,
  type TwistLimits,
} from '../../../core/motion/profile.ts'
import type { Twist } from '../../../core/vocabulary/geometry.ts'

const gentle: TwistLimits = {
  linear: rateLimits({ accelerate: 1, brake: 2 }),
  angular: rateLimits({ accelerate: 4, brake: 8 }),
}
const calm: TwistLimits = {
  linear: rateLimits({ accelerate: 1, brake: 2, jerkMax: 5 }),
  angular: rateLimits({ accelerate: 4, brake: 8, jerkMax: 20 }),
}
const capped: TwistLimits = {
  linear: rateLimits({ max: 0.5, min: -0.25, accelerate: 1 }),
  angular: rateLimits({ max: 2, accelerate: 4 }),
}
const rover: DriveGeometry = { leftRadiusMetres: 0.03, rightRadiusMetres: 0.03, trackMetres: 0.15 }
const still: Twist = { linear: 0, angular: 0 }
const unknown = { linear: 0, angular: 0, ratio: 0, rejected: true }

const twist = fc.record({
  linear: fc.double({ min: -3, max: 3, noNaN: true }),
  angular: fc.double({ min: -6, max: 6, noNaN: true }),
})
const anyTwist = fc.record({ linear: fc.double(), angular: fc.double() })

describe('one step towards a twist', () => {
  test('the component with the longest way decides the ratio of both', () => {
    const step = nextTwist(still, { linear: 1, angular: 1 }, gentle, 0.1)
    expect(step).toEqual({ linear: 0.1, angular: 0.1, ratio: 0.1, rejected: false })
  })

  test('braking may be faster than speeding up', () => {
    const fast = { linear: 1, angular: 0 }
    expect(nextTwist(fast, still, gentle, 0.1).linear).toBeCloseTo(0.8, 12)
    expect(nextTwist(fast, { linear: 2, angular: 0 }, gentle, 0.1).linear).toBeCloseTo(1.1, 12)
  })

  test('from rest every step has the curvature of the target', () => {
    fc.assert(
      fc.property(twist, (target) => {
        const step = nextTwist(still, target, gentle, 0.02)
        const cross = step.linear * target.angular - step.angular * target.linear
        expect(cross).toBeCloseTo(0, 12)
      }),
    )
  })

  test('both components make the same share of their way', () => {
    fc.assert(
      fc.property(twist, twist, (current, target) => {
        const step = nextTwist(current, target, gentle, 0.02)
        const { linear, angular, ratio } = step
        expect(linear).toBeCloseTo(current.linear + ratio * (target.linear - current.linear), 12)
        expect(angular).toBeCloseTo(
          current.angular + ratio * (target.angular - current.angular),
          12,
        )
      }),
    )
  })

  test('no component changes faster than its limit', () => {
    fc.assert(
      fc.property(twist, twist, (current, target) => {
        const step = nextTwist(current, target, gentle, 0.02)
        const slack = 1e-9
        expect(Math.abs(step.linear - current.linear)).toBeLessThanOrEqual(2 * 0.02 + slack)
        expect(Math.abs(step.angular - current.angular)).toBeLessThanOrEqual(8 * 0.02 + slack)
        if (Math.abs(step.linear) > Math.abs(current.linear) && step.linear * current.linear > 0) {
          expect(Math.abs(step.linear - current.linear)).toBeLessThanOrEqual(0.02 + slack)
        }
      }),
    )
  })
})

describe('the way to a twist', () => {
  for (const [name, limits] of Object.entries({ gentle, calm })) {
    test(`is monotone, passes nothing and arrives exactly: ${name}`, () => {
      fc.assert(
        fc.property(twist, twist, (from, target) => {
          let previous = from
          let current: Twist = from
          for (let step = 0; step < 2000 && !isSame(current, target); step++) {
            const { linear, angular } = nextTwist(current, target, limits, 0.02, previous)
            expectBetween(linear, current.linear, target.linear)
            expectBetween(angular, current.angular, target.angular)
            previous = current
            current = { linear, angular }
          }
          expect(current).toEqual(target)
        }),
      )
    })
  }

  test('from spinning in place to driving both still arrive', () => {
    const path = pathOf({ linear: 0, angular: 4 }, { linear: 0.5, angular: 0 }, 0.1)
    expect(path.at(-1)).toEqual({ linear: 0.5, angular: 0 })
    expect(path).toHaveLength(6)
  })

  test('stopping takes the longer of the two times, on the curve that was driven', () => {
    const path = pathOf({ linear: 0.5, angular: 4 }, still, 0.125)
    expect(path).toEqual([
      { linear: 0.5, angular: 4 },
      { linear: 0.375, angular: 3 },
      { linear: 0.25, angular: 2 },
      { linear: 0.125, angular: 1 },
      { linear: 0, angular: 0 },
    ])
  })

  test('jerk holds a start back, and less when the robot already gains speed', () => {
    const target = { linear: 1, angular: 0 }
    const first = nextTwist(still, target, calm, 0.1)
    expect(first.linear).toBeCloseTo(0.05, 12)
    expect(nextTwist(first, target, calm, 0.1, still).linear).toBeCloseTo(0.15, 12)
  })

  test('jerk does not delay braking', () => {
    const fast = { linear: 1, angular: 0 }
    expect(nextTwist(fast, still, calm, 0.1).linear).toBeCloseTo(0.8, 12)
  })
})

describe('limits of value', () => {
  test('a target above one of them is scaled back by one ratio', () => {
    const from = { linear: 0.5, angular: 1 }
    expect(nextTwist(from, { linear: 1, angular: 2 }, capped, 1)).toEqual({
      linear: 0.5,
      angular: 1,
      ratio: 1,
      rejected: false,
    })
  })

  test('reverse has its own', () => {
    const from = { linear: -0.25, angular: 0.5 }
    const step = nextTwist(from, { linear: -1, angular: 2 }, capped, 1)
    expect(step).toEqual({ linear: -0.25, angular: 0.5, ratio: 1, rejected: false })
  })
})

describe('what is not finite', () => {
  test('a target counts as zero, and is braked for', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const step = nextTwist({ linear: 1, angular: 0 }, { linear: bad, angular: 1 }, gentle, 0.25)
      expect(step).toEqual({ linear: 0.5, angular: 0, ratio: 0.5, rejected: true })
    }
  })

  test('a state or a time that nobody knows gives zero at once', () => {
    const fast = { linear: 1, angular: 1 }
    const lost = { linear: NaN, angular: 0 }
    expect(nextTwist(lost, fast, gentle, 0.1)).toEqual(unknown)
    expect(nextTwist(fast, still, calm, 0.1, lost)).toEqual(unknown)
    for (const dt of [NaN, -0.1, Infinity]) {
      expect(nextTwist(fast, still, gentle, dt)).toEqual(unknown)
    }
  })

  test('nothing that is not finite comes out', () => {
    fc.assert(
      fc.property(anyTwist, anyTwist, anyTwist, fc.double(), (current, target, previous, dt) => {
        for (const limits of [gentle, calm, capped]) {
          const step = nextTwist(current, target, limits, dt, previous)
          const numbers = [step.linear, step.angular, step.ratio]
          expect(numbers.every(Number.isFinite)).toBe(true)
        }
      }),
    )
  })
})

describe('wheels that turn no faster than they can', () => {
  test('a twist within reach is left alone', () => {
    const slow = { linear: 0.1, angular: 0.5 }
    expect(scaleToWheelLimits(slow, rover, 20)).toBe(slow)
  })

  test('a fast one is driven slower on the same curve', () => {
    const max = 20
    fc.assert(
      fc.property(twist, (asked) => {
        const given = scaleToWheelLimits(asked, rover, max)
        const { left, right } = wheelSpeedsFor(given, rover)
        expect(Math.max(Math.abs(left), Math.abs(right))).toBeLessThanOrEqual(max * (1 + 1e-12))
        expect(given.linear * asked.angular - given.angular * asked.linear).toBeCloseTo(0, 9)
        expect(Math.abs(given.linear)).toBeLessThanOrEqual(Math.abs(asked.linear))
        expect(given.linear * asked.linear).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  test('a twist that no wheel can hold stands still', () => {
    for (const bad of [NaN, Infinity, -Infinity, 1e308]) {
      expect(scaleToWheelLimits({ linear: bad, angular: 0 }, rover, 20)).toEqual(still)
    }
  })

  test('wheels that may not turn are no wheels', () => {
    for (const bad of [0, -1, NaN, Infinity]) {
      expect(() => scaleToWheelLimits(still, rover, bad)).toThrow(TypeError)
    }
  })
})

test('a configuration declares how fast speed may grow and fall', () => {
  const limits = comfortLimits({
    linear: 0.3,
    angular: 1.5,
    linearAcceleration: 1,
    linearBraking: 2,
    angularAcceleration: 4,
    angularBraking: 8,
  })
  expect(limits).toEqual(gentle)
})

function pathOf(from: Twist, target: Twist, dtSeconds: number): Twist[] {
  const path = [from]
  for (let current = from; !isSame(current, target) && path.length < 1000;) {
    const { linear, angular } = nextTwist(current, target, gentle, dtSeconds)
    current = { linear, angular }
    path.push(current)
  }
  return path
}

function isSame(one: Twist, other: Twist): boolean {
  return one.linear === other.linear && one.angular === other.angular
}

function expectBetween(value: number, one: number, other: number): void {
  expect(value).toBeGreaterThanOrEqual(Math.min(one, other))
  expect(value).toBeLessThanOrEqual(Math.max(one, other))
}
