import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { certain } from '../../../core/motion/covariance.ts'
import type { DriveGeometry } from '../../../core/motion/kinematics.ts'
import {
  advanceByTwist,
  advanceByWheels,
  initialOdometry,
  type OdometryState,
  placeAt,
} from '../../../core/motion/odometry.ts'

const unit: DriveGeometry = { leftRadiusMetres: 1, rightRadiusMetres: 1, trackMetres: 1 }
const speed = fc.double({ min: -5, max: 5, noNaN: true })
const interval = fc.double({ min: 0.001, max: 1, noNaN: true })

describe('rolling on', () => {
  test('a straight second is a straight metre', () => {
    expect(advanceByWheels(initialOdometry(), { left: 1, right: 1 }, 1, unit)).toEqual({
      ok: true,
      state: {
        pose: { x: 1, y: 0, heading: 0 },
        covariance: {
          xx: 5e-5,
          xy: 0,
          yy: 5e-5,
          xHeading: 0,
          yHeading: 1e-4,
          headingHeading: 2e-4,
        },
        velocity: { linear: 1, angular: 0 },
        readings: [{ linear: 1, angular: 0 }],
        readingsMax: 10,
      },
    })
  })

  test('half a turn on a circle ends across its diameter', () => {
    const { state } = advanceByTwist(initialOdometry(), { linear: Math.PI, angular: Math.PI }, 1)
    expect(state.pose.x).toBeCloseTo(0, 12)
    expect(state.pose.y).toBeCloseTo(2, 12)
    expect(state.pose.heading).toBe(Math.PI)
  })

  test('the heading is not wrapped', () => {
    const { state } = advanceByTwist(initialOdometry(), { linear: 0, angular: 10 }, 1)
    expect(state.pose).toEqual({ x: 0, y: 0, heading: 10 })
  })

  test('an arc is the sum of its halves', () => {
    fc.assert(
      fc.property(speed, speed, interval, (linear, angular, dt) => {
        const start = initialOdometry({ x: 1, y: -2, heading: 0.5 })
        const whole = advanceByTwist(start, { linear, angular }, dt).state
        const half = advanceByTwist(start, { linear, angular }, dt / 2).state
        const halves = advanceByTwist(half, { linear, angular }, dt / 2).state
        expectNear(halves, whole)
      }),
    )
  })

  test('driving an arc backwards in time leads back to its start', () => {
    fc.assert(
      fc.property(speed, speed, interval, (linear, angular, dt) => {
        const start = initialOdometry({ x: 1, y: -2, heading: 0.5 })
        const there = advanceByTwist(start, { linear, angular }, dt).state
        expectNear(advanceByTwist(there, { linear, angular }, -dt).state, start)
      }),
    )
  })

  test('nothing jumps where an arc becomes straight', () => {
    const [straight, arc] = [0.999e-6, 1.001e-6].map(
      (angular) => advanceByTwist(initialOdometry(), { linear: 1, angular }, 1).state,
    )
    expect(straight?.pose.x).toBeCloseTo(arc?.pose.x ?? NaN, 12)
    expect(straight?.pose.y).toBeCloseTo(arc?.pose.y ?? NaN, 8)
  })
})

describe('velocity', () => {
  test('it is the mean of the last readings, and of no older one', () => {
    let state = initialOdometry(undefined, 3)
    const seen = [1, 2, 3, 4, 5].map((rate) => {
      state = advanceByWheels(state, { left: rate, right: rate }, 0.1, unit).state
      return state.velocity
    })
    expect(seen.map(({ linear }) => linear)).toEqual([1, 1.5, 2, 3, 4])
    expect(state.readings.map(({ linear }) => linear)).toEqual([3, 4, 5])
  })

  test('open loop it is the command, and the readings stay', () => {
    const measured = advanceByWheels(initialOdometry(), { left: 2, right: 2 }, 0.1, unit).state
    const open = advanceByTwist(measured, { linear: 0.5, angular: 0.25 }, 0.1).state
    expect(open.velocity).toEqual({ linear: 0.5, angular: 0.25 })
    expect(open.readings).toEqual([{ linear: 2, angular: 0 }])
  })

  test('being placed keeps the velocity and starts a new mean', () => {
    const fast = advanceByWheels(initialOdometry(), { left: 3, right: 3 }, 0.1, unit).state
    const placed = placeAt(fast, { x: 7, y: 8, heading: 9 })
    expect(placed).toEqual({
      ok: true,
      state: {
        pose: { x: 7, y: 8, heading: 9 },
        covariance: certain,
        velocity: { linear: 3, angular: 0 },
        readings: [],
        readingsMax: 10,
      },
    })
    const next = advanceByWheels(placed.state, { left: 1, right: 1 }, 0.1, unit).state
    expect(next.velocity).toEqual({ linear: 1, angular: 0 })
  })
})

describe('what is refused leaves the state alone', () => {
  const start = initialOdometry({ x: 1, y: 2, heading: 3 })

  test('an interval too short to tell a speed', () => {
    for (const dt of [0, 1e-7, -1e-7, NaN, Infinity]) {
      expect(advanceByTwist(start, { linear: 1, angular: 1 }, dt)).toEqual({
        ok: false,
        state: start,
      })
      expect(advanceByWheels(start, { left: 1, right: 1 }, dt, unit)).toEqual({
        ok: false,
        state: start,
      })
    }
  })

  test('a pose that is not finite', () => {
    expect(placeAt(start, { x: NaN, y: 0, heading: 0 })).toEqual({ ok: false, state: start })
    expect(placeAt(start, { x: 0, y: Infinity, heading: 0 })).toEqual({ ok: false, state: start })
    expect(placeAt(start, { x: 0, y: 0, heading: NaN })).toEqual({ ok: false, state: start })
    expect(() => initialOdometry({ x: NaN, y: 0, heading: 0 })).toThrow(TypeError)
  })

  test('a window that holds nothing, or everything', () => {
    for (const size of [0, -1, 1.5, NaN, Infinity, 1001]) {
      expect(() => initialOdometry(undefined, size)).toThrow(TypeError)
    }
  })

  test('whatever is read, no number in the state becomes NaN', () => {
    fc.assert(
      fc.property(fc.double(), fc.double(), fc.double(), (one, other, dt) => {
        for (const step of [
          advanceByWheels(start, { left: one, right: other }, dt, unit),
          advanceByTwist(start, { linear: one, angular: other }, dt),
          placeAt(start, { x: one, y: other, heading: dt }),
        ]) {
          const { pose, velocity } = step.state
          const numbers = [...Object.values(pose), ...Object.values(velocity)]
          expect(numbers.every(Number.isFinite)).toBe(true)
          if (!step.ok) expect(step.state).toBe(start)
        }
      }),
    )
  })
})

function expectNear(got: OdometryState, expected: OdometryState): void {
  expect(got.pose.x).toBeCloseTo(expected.pose.x, 9)
  expect(got.pose.y).toBeCloseTo(expected.pose.y, 9)
  expect(got.pose.heading).toBeCloseTo(expected.pose.heading, 9)
}
