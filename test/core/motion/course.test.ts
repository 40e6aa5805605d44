import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { courseOf, coursePointsMax } from '../../../core/motion/course.ts'

const here = { x: 1, y: 2, heading: 0 }
const number = fc.double()

describe('the course of a drive', () => {
  test('is a straight line where it does not turn, from where the robot is', () => {
    expect(courseOf(here, { linear: 0.1, angular: 0 }, 1)).toEqual([
      { x: 1, y: 2 },
      { x: 1.05, y: 2 },
      { x: 1.1, y: 2 },
    ])
  })

  test('is the arc of a circle where it does, and ends across its diameter after half a turn', () => {
    const course = courseOf(here, { linear: Math.PI, angular: Math.PI }, 1)
    expect(course.at(-1)).toEqual({ x: expect.closeTo(1, 12), y: expect.closeTo(4, 12) })
    for (const { x, y } of course) expect(Math.hypot(x - 1, y - 3)).toBeCloseTo(1, 12)
  })

  test('is but a point for a robot that turns in place, stands still, or has no time left', () => {
    const point = [{ x: 1, y: 2 }]
    expect(courseOf(here, { linear: 0, angular: 1 }, 1)).toEqual(point)
    expect(courseOf(here, { linear: 1, angular: 1 }, 0)).toEqual(point)
    expect(courseOf(here, { linear: 1, angular: 1 }, -1)).toEqual(point)
  })

  test('has no point that is no number, and no more than there may be, whatever it is told', () => {
    fc.assert(
      fc.property(number, number, number, number, (x, linear, angular, seconds) => {
        const course = courseOf({ ...here, x }, { linear, angular }, seconds)
        expect(course.length).toBeLessThanOrEqual(coursePointsMax + 1)
        expect(course.flatMap((point) => [point.x, point.y]).every(Number.isFinite)).toBe(true)
      }),
    )
    expect(courseOf(here, { linear: Number.NaN, angular: 0 }, 1)).toEqual([])
  })
})
