import { z } from 'zod'
import { type DriveGeometry, wheelSpeedsFor } from '../../core/motion/kinematics.ts'
import type { Twist } from '../../core/vocabulary/geometry.ts'
import { near, strictly, tolerance } from './binding.ts'

const base = z.strictObject({
  width_mm: z.number(),
  wheel_circumference_mm: z.number(),
  cases: z.array(z.unknown()),
})
const tol = tolerance.optional()
const turned = z.strictObject({ rpm: z.number(), revolutions: z.number() })
const each = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('straight'),
    distance_mm: z.number(),
    speed_mm_s: z.number(),
    expect: turned,
    tol,
  }),
  z.strictObject({
    op: z.literal('spin'),
    angle_deg: z.number(),
    speed_deg_s: z.number(),
    expect: turned,
    tol,
  }),
  z.strictObject({
    op: z.literal('velocity'),
    linear_mm_s: z.number(),
    angular_deg_s: z.number(),
    expect: z.strictObject({ left_rpm: z.number(), right_rpm: z.number() }),
    tol,
  }),
])

/** Viam's wheeled base in mm, degrees and revolutions a minute, through kinematics in SI. */
export const wheeledBase = strictly(each, (item, context) => {
  const geometry = geometryOf(base.parse(context.neighbours))
  const allowed = item.tol ?? context.tolerance
  const { left, right } = rpmOf(twistOf(item), geometry)
  if (item.op === 'velocity') {
    return [
      ...near('left_rpm', left, item.expect.left_rpm, allowed),
      ...near('right_rpm', right, item.expect.right_rpm, allowed),
    ]
  }
  const mirrored = item.op === 'spin' ? -left : left
  return [
    ...near('rpm', right, item.expect.rpm, allowed),
    ...near('rpm of the left wheel', mirrored, item.expect.rpm, allowed),
    ...near(
      'revolutions',
      Math.abs(right / 60) * secondsOf(item),
      item.expect.revolutions,
      allowed,
    ),
  ]
})

type Item = z.output<typeof each>

function twistOf(item: Item): Twist {
  if (item.op === 'straight') return { linear: item.speed_mm_s / 1000, angular: 0 }
  if (item.op === 'spin') return { linear: 0, angular: radians(item.speed_deg_s) }
  return { linear: item.linear_mm_s / 1000, angular: radians(item.angular_deg_s) }
}

function secondsOf(item: Exclude<Item, { op: 'velocity' }>): number {
  return item.op === 'spin'
    ? Math.abs(item.angle_deg / item.speed_deg_s)
    : Math.abs(item.distance_mm / item.speed_mm_s)
}

function rpmOf(twist: Twist, geometry: DriveGeometry): { left: number; right: number } {
  const { left, right } = wheelSpeedsFor(twist, geometry)
  const rpm = 60 / (2 * Math.PI)
  return { left: left * rpm, right: right * rpm }
}

function geometryOf(given: z.output<typeof base>): DriveGeometry {
  const radius = given.wheel_circumference_mm / 1000 / (2 * Math.PI)
  return {
    leftRadiusMetres: radius,
    rightRadiusMetres: radius,
    trackMetres: given.width_mm / 1000,
  }
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180
}
