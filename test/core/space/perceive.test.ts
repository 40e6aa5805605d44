import { describe, expect, test } from 'vitest'
import { type Anatomy, perceive } from '../../../core/space/perceive.ts'
import {
  emptyWorld,
  obstaclesOf,
  poseOf,
  sectorsOf,
  type World,
} from '../../../core/space/world.ts'
import type { Reading } from '../../../core/vocabulary/reading.ts'

const anatomy: Anatomy = {
  drive: { leftRadiusMetres: 0.05, rightRadiusMetres: 0.05, trackMetres: 0.2 },
  footprintMetres: 0.15,
  ranges: new Map([
    ['front', { facing: 0, x: 0.1, y: 0 }],
    ['left', { facing: Math.PI / 2, x: 0, y: 0.05 }],
  ]),
  bumpers: new Map([['back', { facing: Math.PI }]]),
}

function after(...readings: readonly Parameters<typeof perceive>[1][]): World {
  return readings.reduce((world, reading) => perceive(world, reading, anatomy), emptyWorld())
}
const encoders = (stampMs: number, left: number, right: number): Reading => ({
  kind: 'encoders',
  stampMs,
  left,
  right,
})
const scan = (ranges: readonly number[], stampMs = 1): Reading => ({
  kind: 'lidar',
  stampMs,
  firstAngle: 0,
  angleStep: Math.PI / 2,
  reachMetres: 6,
  // A scan goes all around; where a test says nothing there is nothing.
  ranges: Array.from({ length: 4 }, (_, beam) => ranges[beam] ?? Infinity),
})

function expectPoints(world: World, ...points: readonly [number, number][]): void {
  const found = obstaclesOf(world)
  expect(found).toHaveLength(points.length)
  for (const [index, [x, y]] of points.entries()) {
    expect(found[index]?.x).toBeCloseTo(x, 9)
    expect(found[index]?.y).toBeCloseTo(y, 9)
  }
}

describe('the pose', () => {
  test('follows the wheels, from whatever they showed first', () => {
    const world = after(encoders(0, 100, 50), encoders(100, 102, 52), encoders(200, 104, 54))
    expect(poseOf(world)).toEqual({ x: expect.closeTo(0.2, 9), y: 0, heading: 0 })
    expect(world.distanceMetres).toBeCloseTo(0.2, 9)
  })

  test('turns left when the right wheel runs ahead', () => {
    const world = after(encoders(0, 0, 0), encoders(100, -1, 1))
    expect(poseOf(world)).toEqual({
      x: expect.closeTo(0, 9),
      y: 0,
      heading: expect.closeTo(0.5, 9),
    })
  })

  test('follows the commands where nobody counts the wheels', () => {
    const world = after({ kind: 'commanded', twist: { linear: -0.5, angular: 0 }, seconds: 2 })
    expect(poseOf(world)).toEqual({ x: -1, y: 0, heading: 0 })
    expect(world.distanceMetres).toBe(1)
  })

  test('is not moved by a reading that came twice, or late', () => {
    const before = after(encoders(100, 0, 0))
    for (const stampMs of [100, 50]) {
      const { odometry, distanceMetres } = perceive(before, encoders(stampMs, 5, 5), anatomy)
      expect([odometry, distanceMetres]).toEqual([before.odometry, 0])
    }
  })
})

describe('an obstacle', () => {
  test('stands where a beam ended', () => {
    expectPoints(after(scan([1, 2, Infinity, 3])), [1, 0], [0, 2], [0, -3])
  })

  test('stays where it is while the robot moves and turns', () => {
    const half = Math.PI * 2
    const driven = after(scan([2]), encoders(0, 0, 0), encoders(100, 20, 20))
    expectPoints(driven, [1, 0])
    const turned = after(scan([2]), encoders(0, 0, 0), encoders(100, -half / 2, half / 2))
    expectPoints(turned, [0, -2])
  })

  test('is forgotten with the next scan', () => {
    expectPoints(after(scan([1, 1]), scan([Infinity, 1], 2)), [0, 1])
  })

  test('stands before a range finder, from where that is mounted', () => {
    expectPoints(after({ kind: 'range', stampMs: 1, name: 'front', metres: 0.4 }), [0.5, 0])
    expectPoints(after({ kind: 'range', stampMs: 1, name: 'left', metres: 0.4 }), [0, 0.45])
    expectPoints(after({ kind: 'range', stampMs: 1, name: 'front', metres: Infinity }))
    expectPoints(after({ kind: 'range', stampMs: 1, name: 'nobody', metres: 1 }))
  })

  test('presses a bumper at the edge, until it does not', () => {
    const bump = (pressed: boolean): Reading => ({
      kind: 'bumper',
      stampMs: 1,
      name: 'back',
      pressed,
    })
    expectPoints(after(bump(true)), [-0.15, 0])
    expectPoints(after(bump(true), bump(false)))
  })
})

describe('a reading that is not sound', () => {
  test('names its sensor among the unsound until it says something sound, and is not heard', () => {
    const before = after(scan([1]))
    const next = perceive(before, scan([1, NaN], 500), anatomy)
    expect(next).toEqual({ ...before, unsound: new Set(['lidar']) })
    expect(next.heardMs.get('lidar')).toBe(1)
    expect(perceive(next, encoders(NaN, 1, 1), anatomy).unsound).toEqual(
      new Set(['lidar', 'encoders']),
    )
    expect(perceive(next, scan([1], 600), anatomy).unsound).toEqual(new Set())
  })
})

test('a sensor was last heard at the stamp of its reading', () => {
  const world = after(scan([1], 40), { kind: 'bumper', stampMs: 60, name: 'back', pressed: false })
  expect([...world.heardMs]).toEqual([
    ['lidar', 40],
    ['back', 60],
  ])
})

test('battery and turn rate are kept as they were told', () => {
  const battery: Reading = { kind: 'battery', stampMs: 1, charge: 0.4, volts: 7 }
  const world = after(battery, {
    kind: 'imu',
    stampMs: 2,
    turnRate: 0.3,
    accelerationX: 0,
    accelerationY: 0,
  })
  expect([world.battery, world.turnRate]).toEqual([battery, 0.3])
})

test('a lidar sees the whole way all around, range finders and bumpers a part of it', () => {
  expect(sectorsOf({ lidar: true, ranges: [{ facing: 0.5 }], bumpers: [{ facing: 3 }] })).toEqual([
    { facing: 0, halfAngle: Math.PI, whole: true },
    { facing: 0.5, halfAngle: Math.PI / 4, whole: false },
    { facing: 3, halfAngle: Math.PI / 4, whole: false },
  ])
})
