import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judgeFence } from '../../../core/rules/fence.ts'
import { judge } from '../../../core/rules/gatekeeper.ts'
import { stoppingMetres, wayAhead } from '../../../core/rules/path.ts'
import { marginWithin } from '../../../core/space/polygon.ts'
import { intoOdom } from '../../../core/space/world.ts'
import type { Pose } from '../../../core/vocabulary/geometry.ts'
import type { Scene } from '../../../core/vocabulary/scene.ts'

const braking = { linearBraking: 2, angularBraking: 12 }
const fence = [
  { x: -1, y: -1 },
  { x: 1, y: -1 },
  { x: 1, y: 1 },
  { x: -1, y: 1 },
]
const from = (pose?: Partial<Pose>): Scene => ({
  footprintMetres: 0.15,
  obstacles: [],
  sectors: [{ facing: 0, halfAngle: Math.PI, whole: true }],
  stale: [],
  blindCreep: false,
  ...(pose && { pose: { x: 0, y: 0, heading: 0, ...pose } }),
})
const drive = (linear: number, angular = 0) => ({ linear, angular })

describe('a geofence', () => {
  test('is kept as far ahead as stopping takes', () => {
    // 0.4 m/s: 0.16 m until it stands, and 0.15 m of robot.
    expect(judgeFence(drive(0.4), from({ x: 0.68 }), braking, fence)).toBe(undefined)
    expect(judgeFence(drive(0.4), from({ x: 0.7 }), braking, fence)).toEqual({
      permitted: false,
      rule: 'geofence',
      value: 0.3,
      limit: 0.15,
      message: 'the way leads out of the geofence: it is 0.30 m within it, and needs 0.15 m',
    })
    expect(judgeFence(drive(-0.4), from({ x: 0.7 }), braking, fence)).toBe(undefined)
    expect(judgeFence(drive(0, 1.5), from({ x: 0.99 }), braking, fence)).toBe(undefined)
    expect(judgeFence(drive(0.4), from({ x: 0.7, heading: Math.PI }), braking, fence)).toBe(
      undefined,
    )
  })

  test('lets one that is too near or outside come further in, and not further out', () => {
    const outside = from({ x: 1.5 })
    expect(judgeFence(drive(-0.4), outside, braking, fence)).toBe(undefined)
    expect(judgeFence(drive(0.4), outside, braking, fence)).toMatchObject({
      value: -0.5,
      message: 'the way leads out of the geofence: it is 0.50 m outside of it, and needs 0.15 m',
    })
    const near = from({ x: 0.95 })
    expect(judgeFence(drive(-0.1), near, braking, fence)).toBe(undefined)
    expect(judgeFence(drive(0.1), near, braking, fence)).toMatchObject({ rule: 'geofence' })
  })

  test('is not crept out of, a little on every tick', () => {
    for (const [linear, heading] of [
      [0.003, Math.PI / 2],
      [0.01, 0.3],
      [0.1, 0.02],
    ] as const) {
      let pose = { x: 0, y: 0.8, heading }
      for (let tick = 0; tick < 30_000; tick++) {
        const scene = from(pose)
        if (judgeFence(drive(linear), scene, braking, fence)) break
        const step = linear * 0.02
        const { x, y } = pose
        pose = { x: x + step * Math.cos(heading), y: y + step * Math.sin(heading), heading }
      }
      expect(marginWithin(pose, fence)).toBeGreaterThan(0.149)
    }
  })

  test('refuses motion where nobody knows where the robot is', () => {
    for (const scene of [from(), from({ x: Number.NaN }), from({ y: Number.POSITIVE_INFINITY })]) {
      expect(judgeFence(drive(0.1), scene, braking, fence)).toMatchObject({ rule: 'geofence' })
    }
    const lost = from({ heading: Number.NaN })
    expect(judgeFence(drive(0.1), lost, braking, fence)).toMatchObject({ rule: 'geofence' })
  })

  test('is a hard limit of the gatekeeper, after the limits of speed and the way ahead', () => {
    const rules = { limits: { linear: 0.5, angular: 2, ...braking }, geofence: fence }
    const intent = { type: 'drive', linear: 0.4, angular: 0, durationMs: 500 }
    const grants = new Set(['drive'])
    expect(judge(intent, rules, grants, from({ x: 0 }))).toMatchObject({ permitted: true })
    expect(judge(intent, rules, grants, from({ x: 0.9 }))).toMatchObject({ rule: 'geofence' })
    const fast = { ...intent, linear: 0.6 }
    expect(judge(fast, rules, grants, from({ x: 0.9 }))).toMatchObject({ rule: 'limits.linear' })
  })

  test('holds for every motion: whoever obeys its verdicts leaves it nowhere on the way to a stop', () => {
    const share = fc.double({ min: -1, max: 1, noNaN: true })
    fc.assert(
      fc.property(share, share, share, share, share, (x, y, turn, linear, angular) => {
        const pose = { x, y, heading: turn * 4 }
        const twist = drive(linear * 2, angular * 6)
        const margin = marginWithin(pose, fence)
        if (judgeFence(twist, from(pose), braking, fence)) return
        for (const point of wayAhead(twist, braking)) {
          const after = marginWithin(intoOdom(point, pose), fence)
          expect(after).toBeGreaterThanOrEqual(Math.min(0.15, margin) - 1e-8)
        }
        expect(stoppingMetres(twist, braking)).toBeLessThan(10)
      }),
    )
  })
})
