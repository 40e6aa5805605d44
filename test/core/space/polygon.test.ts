import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isSimple, marginWithin } from '../../../core/space/polygon.ts'
import type { Point } from '../../../core/vocabulary/geometry.ts'

const at = (x: number, y: number): Point => ({ x, y })
const square = [at(-1, -1), at(1, -1), at(1, 1), at(-1, 1)]
/** An L: the corner that points inwards is at 0, 0. */
const bent = [at(0, 0), at(2, 0), at(2, 2), at(-2, 2), at(-2, -2), at(0, -2)]

describe('how far within a polygon a point is', () => {
  test('is the distance to its nearest side, negative outside', () => {
    expect(marginWithin(at(0, 0), square)).toBe(1)
    expect(marginWithin(at(0.75, 0), square)).toBe(0.25)
    expect(marginWithin(at(1.5, 0), square)).toBe(-0.5)
    expect(marginWithin(at(4, 5), square)).toBe(-5)
    expect(marginWithin(at(1, 0.5), square)).toBeCloseTo(0, 12)
  })

  test('counts what is cut out of it as outside', () => {
    expect(marginWithin(at(1, -1), bent)).toBe(-1)
    expect(marginWithin(at(-1, -1), bent)).toBe(1)
  })

  test('is not known for a point that is none', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(marginWithin(at(bad, 0), square)).toBeNaN()
      expect(marginWithin(at(0, bad), square)).toBeNaN()
    }
  })

  test('does not depend on where the corners begin, nor on their direction', () => {
    const coordinate = fc.double({ min: -4, max: 4, noNaN: true })
    fc.assert(
      fc.property(coordinate, coordinate, fc.nat(5), (x, y, first) => {
        const turned = [...bent.slice(first), ...bent.slice(0, first)]
        const margin = marginWithin(at(x, y), bent)
        expect(marginWithin(at(x, y), turned)).toBeCloseTo(margin, 9)
        expect(marginWithin(at(x, y), turned.toReversed())).toBeCloseTo(margin, 9)
      }),
    )
  })

  test('changes by no more than the point moves', () => {
    const coordinate = fc.double({ min: -4, max: 4, noNaN: true })
    fc.assert(
      fc.property(coordinate, coordinate, coordinate, coordinate, (x, y, u, v) => {
        const change = Math.abs(marginWithin(at(x, y), bent) - marginWithin(at(u, v), bent))
        expect(change).toBeLessThanOrEqual(Math.hypot(x - u, y - v) + 1e-9)
      }),
    )
  })
})

describe('a polygon', () => {
  test('is simple when its sides meet in corners only', () => {
    expect(isSimple(square)).toBe(true)
    expect(isSimple(bent)).toBe(true)
    expect(isSimple(bent.toReversed())).toBe(true)
    expect(isSimple([at(0, 0), at(1, 0), at(2, 0), at(0, 3)])).toBe(true)
  })

  test('is not when two sides cross, touch, go back over each other, or have no length', () => {
    expect(isSimple([at(0, 0), at(1, 1), at(1, 0), at(0, 1)])).toBe(false)
    expect(isSimple([at(0, 0), at(4, 0), at(4, 2), at(2, 0), at(0, 2)])).toBe(false)
    expect(isSimple([at(0, 0), at(2, 0), at(1, 0)])).toBe(false)
    expect(isSimple([at(0, 0), at(0, 0), at(1, 0), at(1, 1)])).toBe(false)
  })
})
