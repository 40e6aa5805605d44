import { describe, expect, test } from 'vitest'
import { gapAt } from '../../../drivers/simulated/contact.ts'
import { castRay } from '../../../drivers/simulated/ray.ts'
import { boxWalls, makeRoom } from '../../../drivers/simulated/room.ts'

const start = { x: 0, y: 0 }
const seeds = Array.from({ length: 300 }, (_, seed) => seed)

describe('a room', () => {
  test('is the same for the same seed and another for another', () => {
    expect(makeRoom(1)).toEqual(makeRoom(1))
    expect(makeRoom(1)).not.toEqual(makeRoom(2))
  })

  test('leaves at least 1 m around the start', () => {
    for (const seed of seeds) expect(gapAt(makeRoom(seed), start, 1)).toBeGreaterThanOrEqual(0)
  })

  test('has six to eight obstacles within closed walls', () => {
    for (const seed of seeds) {
      const { walls, discs } = makeRoom(seed)
      const obstacles = (walls.length - 4) / 4 + discs.length
      expect(obstacles).toBeGreaterThanOrEqual(6)
      expect(obstacles).toBeLessThanOrEqual(8)
      const outer = { walls: walls.slice(0, 4), discs: [] }
      const [ahead, left, back, right] = [0, 1, 2, 3].map((quarter) =>
        castRay(outer, start, (quarter * Math.PI) / 2, 10),
      )
      expect((ahead ?? NaN) + (back ?? NaN)).toBeCloseTo(6)
      expect((left ?? NaN) + (right ?? NaN)).toBeCloseTo(5)
    }
  })

  test('leaves a passage of 0.5 m between any two things', () => {
    for (const seed of seeds) {
      const { walls, discs } = makeRoom(seed)
      for (const disc of discs) {
        const others = { walls, discs: discs.filter((other) => other !== disc) }
        expect(gapAt(others, disc.centre, disc.radius)).toBeGreaterThanOrEqual(0.5)
      }
    }
  })
})

describe('a ray', () => {
  const room = {
    walls: boxWalls(start, { x: 4, y: 2 }, 0),
    discs: [{ centre: { x: -1, y: 0 }, radius: 0.25 }],
  }

  test('ends at the first thing in its way', () => {
    expect(castRay(room, start, 0, 10)).toBeCloseTo(2)
    expect(castRay(room, start, Math.PI / 2, 10)).toBeCloseTo(1)
    expect(castRay(room, start, Math.PI, 10)).toBeCloseTo(0.75)
    expect(castRay(room, start, 0.25, 10)).toBeCloseTo(2 / Math.cos(0.25))
  })

  test('reaches no further than it may, and nothing behind it', () => {
    expect(castRay(room, start, 0, 1.9)).toBe(Infinity)
    expect(castRay(room, { x: 3, y: 0 }, 0, 10)).toBe(Infinity)
  })

  test('along a wall passes it by, and from within a column is 0', () => {
    expect(castRay(room, { x: -3, y: 1 }, 0, 0.5)).toBe(Infinity)
    expect(castRay(room, { x: -1, y: 0.1 }, 0, 10)).toBe(0)
  })
})

describe('a gap', () => {
  test('is measured from the rim to the nearest point of anything', () => {
    const walls = [{ from: { x: 1, y: 0 }, to: { x: 1, y: 1 } }]
    expect(gapAt({ walls, discs: [] }, { x: 0, y: 0.5 }, 0.2)).toBeCloseTo(0.8)
    expect(gapAt({ walls, discs: [] }, { x: 1, y: -1 }, 0.2)).toBeCloseTo(0.8)
    const discs = [{ centre: { x: 0, y: 0 }, radius: 0.5 }]
    expect(gapAt({ walls: [], discs }, { x: 1, y: 0 }, 0.2)).toBeCloseTo(0.3)
    expect(gapAt({ walls: [], discs }, { x: 0.1, y: 0 }, 0.2)).toBeCloseTo(-0.6)
    expect(gapAt({ walls: [], discs: [] }, start, 0.2)).toBe(Infinity)
  })
})
