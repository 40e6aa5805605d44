import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  certain,
  type Covariance,
  ellipseOf,
  rolledOn,
  wheelVariancePerMetre,
} from '../../../core/motion/covariance.ts'
import { advanceByTwist, advanceByWheels, initialOdometry } from '../../../core/motion/odometry.ts'

const trackMetres = 0.2
const { measured: k, commanded } = wheelVariancePerMetre
const geometry = { leftRadiusMetres: 0.05, rightRadiusMetres: 0.05, trackMetres }

/** After `steps` equal parts of a motion that rolls the wheels so far, from the heading 0. */
function after(left: number, right: number, steps = 1_000): Covariance {
  let covariance = certain
  const rolled = { left: left / steps, right: right / steps }
  for (let step = 0; step < steps; step++) {
    const heading = ((right - left) / trackMetres) * (step / steps)
    covariance = rolledOn(covariance, rolled, heading, trackMetres, k)
  }
  return covariance
}

describe('how unsure a pose becomes', () => {
  test('on a straight line: a little along it, and across it with the third power of the way', () => {
    const oneMetre = after(1, 1)
    expect(oneMetre.xx).toBeCloseTo(k / 2, 9)
    expect(oneMetre.headingHeading).toBeCloseTo((2 * k) / trackMetres ** 2, 9)
    expect(oneMetre.yy).toBeCloseTo((2 * k) / (3 * trackMetres ** 2), 5)
    expect(oneMetre.xy).toBeCloseTo(0, 12)
    const two = after(2, 2)
    expect(two.xx / oneMetre.xx).toBeCloseTo(2, 6)
    expect(two.yy / oneMetre.yy).toBeCloseTo(8, 1)
    const { direction, major, minor } = ellipseOf(two, 2)
    expect([direction, major / minor > 10]).toEqual([expect.closeTo(Math.PI / 2, 9), true])
  })

  test('turning in place: of its heading in proportion to the turn, and hardly of its place', () => {
    const turn = Math.PI
    const rim = (turn * trackMetres) / 2
    const turned = after(-rim, rim)
    expect(turned.headingHeading).toBeCloseTo((k * turn) / trackMetres, 9)
    expect(turned.xx + turned.yy).toBeCloseTo((k * turn * trackMetres) / 4, 9)
  })

  test('standing still: no more than it was', () => {
    const before = after(1, 1)
    expect(rolledOn(before, { left: 0, right: 0 }, 0, trackMetres, k)).toEqual(before)
  })

  test('without encoders more than with them, and backwards as much as forward', () => {
    const told = advanceByTwist(initialOdometry(), { linear: 1, angular: 0 }, 1, geometry).state
    const read = advanceByWheels(initialOdometry(), { left: 20, right: 20 }, 1, geometry).state
    const back = advanceByWheels(initialOdometry(), { left: -20, right: -20 }, 1, geometry).state
    expect(told.pose).toEqual(read.pose)
    expect(told.covariance.xx / read.covariance.xx).toBeCloseTo(commanded / k, 9)
    expect(back.covariance.yy).toBeCloseTo(read.covariance.yy, 12)
  })

  test('is never what no pose can have: it stays symmetric, positive and a number', () => {
    const way = fc.double({ min: -0.5, max: 0.5, noNaN: true })
    const moves = fc.array(fc.tuple(way, way), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(moves, fc.double({ min: -10, max: 10, noNaN: true }), (all, start) => {
        let heading = start
        let covariance = certain
        for (const [left, right] of all) {
          covariance = rolledOn(covariance, { left, right }, heading, trackMetres, k)
          heading += (right - left) / trackMetres
        }
        expect(leastMinor(covariance)).toBeGreaterThanOrEqual(-1e-9)
      }),
    )
  })

  test('stays as it was where it would be no number', () => {
    fc.assert(
      fc.property(fc.double(), fc.double(), fc.double(), (left, right, heading) => {
        const before = after(1, 1, 10)
        const next = rolledOn(before, { left, right }, heading, trackMetres, k)
        expect(Object.values(next).every(Number.isFinite)).toBe(true)
      }),
    )
    const before = after(1, 1, 10)
    expect(rolledOn(before, { left: Number.NaN, right: 1 }, 0, trackMetres, k)).toBe(before)
    const { minor } = ellipseOf({ ...certain, xx: 1, yy: 1, xy: 1 + 1e-12 }, 2)
    expect(minor).toBe(0)
  })
})

/** The least of all principal minors, each divided by what it would be without any correlation. */
function leastMinor(covariance: Covariance): number {
  const { headingHeading: hh, xHeading: xh, xx, xy, yHeading: yh, yy } = covariance
  const whole = xx * (yy * hh - yh * yh) - xy * (xy * hh - yh * xh) + xh * (xy * yh - yy * xh)
  const share = (minor: number, of: number) => (of > 0 ? minor / of : 0)
  return Math.min(
    xx,
    yy,
    hh,
    share(xx * yy - xy * xy, xx * yy),
    share(xx * hh - xh * xh, xx * hh),
    share(yy * hh - yh * yh, yy * hh),
    share(whole, xx * yy * hh),
  )
}
