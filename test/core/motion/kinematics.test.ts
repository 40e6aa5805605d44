import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DriveGeometry, twistFor, wheelSpeedsFor } from '../../../core/motion/kinematics.ts'

const rover: DriveGeometry = { leftRadiusMetres: 0.03, rightRadiusMetres: 0.03, trackMetres: 0.15 }
const lame: DriveGeometry = { leftRadiusMetres: 0.5, rightRadiusMetres: 0.25, trackMetres: 1 }

describe('wheel speeds of a differential drive', () => {
  test('driving straight turns both wheels alike, and the smaller one faster', () => {
    expect(wheelSpeedsFor({ linear: 1, angular: 0 }, lame)).toEqual({ left: 2, right: 4 })
  })

  test('turning left in place turns the right wheel forward', () => {
    expect(wheelSpeedsFor({ linear: 0, angular: 2 }, lame)).toEqual({ left: -2, right: 4 })
  })

  test('a twist that is not finite stands still', () => {
    for (const bad of [NaN, Infinity, -Infinity, 1e308]) {
      const still = { left: 0, right: 0 }
      expect(wheelSpeedsFor({ linear: bad, angular: 0 }, rover)).toEqual(still)
      expect(wheelSpeedsFor({ linear: 0, angular: bad * 100 }, rover)).toEqual(still)
    }
  })

  test('whatever is asked, the wheels get finite numbers', () => {
    fc.assert(
      fc.property(fc.double(), fc.double(), (linear, angular) => {
        const { left, right } = wheelSpeedsFor({ linear, angular }, rover)
        expect([Number.isFinite(left), Number.isFinite(right)]).toEqual([true, true])
      }),
    )
  })
})

describe('the twist that wheels make', () => {
  test('it is what the wheels were told', () => {
    const speed = fc.double({ min: -10, max: 10, noNaN: true })
    fc.assert(
      fc.property(speed, speed, (linear, angular) => {
        const twist = twistFor(wheelSpeedsFor({ linear, angular }, lame), lame)
        expect(twist.linear).toBeCloseTo(linear, 9)
        expect(twist.angular).toBeCloseTo(angular, 9)
      }),
    )
  })

  test('a reading that is not finite is refused, and not a robot that stands still', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      expect(() => twistFor({ left: bad, right: 0 }, rover)).toThrow(TypeError)
      expect(() => twistFor({ left: 0, right: bad }, rover)).toThrow(TypeError)
    }
  })

  test('a drive without width or radius is refused', () => {
    for (const bad of [0, -1, NaN, Infinity]) {
      for (const name of ['leftRadiusMetres', 'rightRadiusMetres', 'trackMetres']) {
        const geometry = { ...rover, [name]: bad }
        expect(() => twistFor({ left: 1, right: 1 }, geometry)).toThrow(TypeError)
        expect(() => wheelSpeedsFor({ linear: 1, angular: 0 }, geometry)).toThrow(TypeError)
      }
    }
  })
})
