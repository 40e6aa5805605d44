import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clearAhead, clearanceMetres, judgePath, speedCeiling } from '../../../core/rules/path.ts'
import type { Point } from '../../../core/vocabulary/geometry.ts'
import type { Scene, Sector } from '../../../core/vocabulary/scene.ts'

const braking = { linearBraking: 2, angularBraking: 12 }
const allAround: Sector = { facing: 0, halfAngle: Math.PI, whole: true }
const seen = (...obstacles: readonly Point[]): Scene => ({
  footprintMetres: 0.15,
  obstacles,
  sectors: [allAround],
  stale: [],
  blindCreep: false,
})
const forward = (linear: number, angular = 0) => ({ linear, angular })

describe('the way ahead', () => {
  test('is free as far as reaction and braking need, and the clearance', () => {
    // 0.4 m/s: 0.12 m of reaction, 0.04 m of braking, 0.15 m of robot, 0.03 m to spare.
    expect(judgePath(forward(0.4), seen({ x: 0.345, y: 0 }), braking)).toBe(undefined)
    expect(judgePath(forward(0.4), seen({ x: 0.335, y: 0 }), braking)).toMatchObject({
      permitted: false,
      rule: 'path',
      value: 0.185,
      limit: clearanceMetres,
      message:
        "the way is occupied 0.19 m from the robot's edge; 0.16 m and 0.03 m to spare are needed",
    })
  })

  test('reckons with the slower of both brakes', () => {
    const scene = seen({ x: 0.39, y: 0 })
    expect(judgePath(forward(0.4, 0.01), scene, braking)).toBe(undefined)
    const slowToTurn = { linearBraking: 2, angularBraking: 0.02 }
    expect(judgePath(forward(0.4, 0.01), scene, slowToTurn)).toMatchObject({ rule: 'path' })
  })

  test('is as wide as the robot, forwards, backwards and around the bend', () => {
    expect(judgePath(forward(0.3), seen({ x: 0.2, y: 0.19 }), braking)).toBe(undefined)
    expect(judgePath(forward(0.3), seen({ x: 0.2, y: 0.1 }), braking)).toMatchObject({
      rule: 'path',
    })
    expect(judgePath(forward(-0.3), seen({ x: 0.2, y: 0 }), braking)).toBe(undefined)
    expect(judgePath(forward(-0.3), seen({ x: -0.2, y: 0 }), braking)).toMatchObject({
      rule: 'path',
    })
    const besideTheBend = seen({ x: 0.2, y: -0.16 })
    expect(judgePath(forward(0.4, 3), besideTheBend, braking)).toBe(undefined)
    expect(judgePath(forward(0.4, -3), besideTheBend, braking)).toMatchObject({ rule: 'path' })
  })

  test('may lead away from what is too near already, and not nearer to it', () => {
    const wallAhead = seen({ x: 0.16, y: 0 })
    expect(judgePath(forward(0.05), wallAhead, braking)).toMatchObject({ rule: 'path' })
    expect(judgePath(forward(-0.3), wallAhead, braking)).toBe(undefined)
    expect(judgePath(forward(0, 1), wallAhead, braking)).toBe(undefined)
  })

  test('is not believed while a sensor is stale, for turning neither', () => {
    const stale = { ...seen(), stale: ['lidar', 'front'] }
    expect(judgePath(forward(0.1), stale, braking)).toMatchObject({ rule: 'stale', value: 'lidar' })
    expect(judgePath(forward(0, 0.1), stale, braking)).toMatchObject({ rule: 'stale' })
    expect(judgePath(forward(0, 0), stale, braking)).toBe(undefined)
  })
})

describe('unknown space', () => {
  const ahead: Sector = { facing: 0, halfAngle: Math.PI / 4, whole: false }
  const seenBy = (sectors: readonly Sector[], blindCreep = false): Scene => ({
    ...seen(),
    sectors,
    blindCreep,
  })

  test('is entered at 0.10 m/s where a sensor covers the direction', () => {
    expect(judgePath(forward(0.1), seenBy([ahead]), braking)).toBe(undefined)
    expect(judgePath(forward(0.101), seenBy([ahead]), braking)).toMatchObject({
      rule: 'unseen',
      value: 0.101,
      limit: 0.1,
      message: 'no sensor sees the whole way ahead: at most 0.1 m/s',
    })
    expect(judgePath(forward(-0.05), seenBy([ahead]), braking)).toMatchObject({
      rule: 'unseen',
      limit: 0,
      message: 'no sensor sees the whole way behind: no motion that way',
    })
  })

  test('is entered without any sensor only where that was asked for', () => {
    expect([speedCeiling(true, seenBy([])), speedCeiling(true, seenBy([], true))]).toEqual([0, 0.1])
    expect(judgePath(forward(0.1), seenBy([]), braking)).toMatchObject({ rule: 'unseen' })
    expect(judgePath(forward(-0.1), seenBy([], true), braking)).toBe(undefined)
    expect(judgePath(forward(0, 1), seenBy([]), braking)).toBe(undefined)
  })

  test('is none for who sees the whole way', () => {
    expect([speedCeiling(true, seen()), speedCeiling(false, seen())]).toEqual([Infinity, Infinity])
  })

  test('behind is behind, whichever way an angle is written', () => {
    const behind: Sector = { facing: -Math.PI, halfAngle: 0.5, whole: true }
    expect([speedCeiling(false, seenBy([behind])), speedCeiling(true, seenBy([behind]))]).toEqual([
      Infinity,
      0,
    ])
  })
})

describe('room along a straight line', () => {
  test('ends where the footprint comes too near', () => {
    expect(clearAhead(0, seen({ x: 1, y: 0 }))).toBeCloseTo(1 - 0.18, 9)
    expect(clearAhead(Math.PI / 2, seen({ x: 0, y: 0.5 }))).toBeCloseTo(0.5 - 0.18, 9)
    expect(clearAhead(0, seen({ x: -1, y: 0 }))).toBe(Infinity)
    expect(clearAhead(0, seen({ x: 1, y: 0.2 }))).toBe(Infinity)
    expect(clearAhead(0, seen({ x: 0.1, y: 0 }))).toBe(0)
  })
})

test('who brakes as he said never comes nearer than his edge to what he saw', () => {
  const point = fc.record({
    x: fc.double({ min: -1, max: 1, noNaN: true }),
    y: fc.double({ min: -1, max: 1, noNaN: true }),
  })
  const twist = fc.record({
    linear: fc.double({ min: -0.6, max: 0.6, noNaN: true }),
    angular: fc.double({ min: -3, max: 3, noNaN: true }),
  })
  fc.assert(
    fc.property(twist, point, (driven, obstacle) => {
      const start = Math.hypot(obstacle.x, obstacle.y)
      fc.pre(start > 0.18 && driven.linear !== 0)
      fc.pre(judgePath(driven, seen(obstacle), braking) === undefined)
      return nearestWhileBraking(driven, obstacle) >= 0.15
    }),
    { numRuns: 5_000 },
  )
})

/** Drives on for the reaction time, then brakes both components by one ratio, and says how near it came. */
function nearestWhileBraking(twist: { linear: number; angular: number }, obstacle: Point): number {
  const brakingSeconds = Math.max(
    Math.abs(twist.linear) / braking.linearBraking,
    Math.abs(twist.angular) / braking.angularBraking,
  )
  const dt = 0.002
  let [x, y, heading, nearest] = [0, 0, 0, Infinity]
  for (let time = 0; time < 0.3 + brakingSeconds; time += dt) {
    const share = time < 0.3 ? 1 : Math.max(0, 1 - (time - 0.3) / brakingSeconds)
    heading += twist.angular * share * dt
    x += twist.linear * share * dt * Math.cos(heading)
    y += twist.linear * share * dt * Math.sin(heading)
    nearest = Math.min(nearest, Math.hypot(obstacle.x - x, obstacle.y - y))
  }
  return nearest
}
