import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Box, boxesAround, boxesMax } from '../../../core/space/boxes.ts'
import type { Point } from '../../../core/vocabulary/geometry.ts'

const box = (xMin: number, xMax: number, yMin: number, yMax: number): Box => ({
  xMin,
  xMax,
  yMin,
  yMax,
})
const line = (from: Point, to: Point, count: number): readonly Point[] =>
  Array.from({ length: count }, (_, index) => {
    const share = index / (count - 1)
    return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share }
  })
const round = (boxes: readonly Box[]) =>
  boxes.map(({ xMin, xMax, yMin, yMax }) =>
    [xMin, xMax, yMin, yMax].map((value) => Math.round(value * 100) / 100),
  )
const distanceOf = ({ xMin, xMax, yMin, yMax }: Box) =>
  Math.hypot(Math.max(xMin, 0, -xMax), Math.max(yMin, 0, -yMax))
const holds = ({ xMin, xMax, yMin, yMax }: Box, { x, y }: Point) =>
  x >= xMin && x <= xMax && y >= yMin && y <= yMax

describe('the surroundings as boxes', () => {
  test('are none where nothing is near, or nothing is finite', () => {
    expect(boxesAround([])).toEqual([])
    expect(
      boxesAround([
        { x: NaN, y: 1 },
        { x: 1, y: Infinity },
      ]),
    ).toEqual([])
  })

  test('are one box for what belongs together, nearest first', () => {
    const leg = line({ x: 0.5, y: 0.05 }, { x: 0.5, y: -0.05 }, 3)
    const wall = line({ x: 2, y: -1 }, { x: 2, y: 1 }, 30)
    expect(round(boxesAround([...wall, ...leg, { x: -1, y: 0 }]))).toEqual([
      [0.5, 0.5, -0.05, 0.05],
      [-1, -1, 0, 0],
      [2, 2, -1, 1],
    ])
  })

  test('keep a gap that the robot could pass', () => {
    const gate = [
      ...line({ x: 1, y: 0.2 }, { x: 1, y: 1 }, 12),
      ...line({ x: 1, y: -1 }, { x: 1, y: -0.2 }, 12),
    ]
    expect(round(boxesAround(gate))).toEqual([
      [1, 1, -1, -0.2],
      [1, 1, 0.2, 1],
    ])
  })

  test('of a room are its walls, and leave it free', () => {
    const corners: readonly Point[] = [
      { x: 2, y: -1 },
      { x: 2, y: 1 },
      { x: -2, y: 1 },
      { x: -2, y: -1 },
      { x: 2, y: -1 },
    ]
    const walls = corners.slice(1).flatMap((to, index) => line(corners[index] ?? to, to, 60))
    const boxes = boxesAround(walls)
    expect(boxes.length).toBeLessThanOrEqual(6)
    expect(boxes.map(distanceOf).every((distance) => distance > 0.85)).toBe(true)
  })

  test('say no more than eight times where there is more to say, and the nearest', () => {
    const posts = Array.from({ length: 20 }, (_, index) => ({
      x: (1 + index / 10) * Math.cos(index),
      y: (1 + index / 10) * Math.sin(index),
    }))
    const boxes = boxesAround(posts)
    expect(boxes).toHaveLength(8)
    expect(boxes[0]).toEqual(box(1, 1, 0, 0))
  })

  test('are never more than eight, in order, hold the nearest thing, and never the robot', () => {
    const coordinate = fc.double({ min: -6, max: 6, noNaN: true })
    const point = fc
      .record({ x: coordinate, y: coordinate })
      .filter(({ x, y }) => Math.hypot(x, y) > 0.05)
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 200 }), (points) => {
        const boxes = boxesAround(points)
        const distances = boxes.map(distanceOf)
        expect(boxes.length).toBeLessThanOrEqual(boxesMax)
        expect(distances).toEqual(distances.toSorted((a, b) => a - b))
        expect(Math.min(...distances)).toBeGreaterThan(0)
        const [nearest] = points.toSorted((a, b) => Math.hypot(a.x, a.y) - Math.hypot(b.x, b.y))
        expect(boxes.some((one) => nearest !== undefined && holds(one, nearest))).toBe(true)
      }),
    )
  })
})
