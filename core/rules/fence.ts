import { marginWithin } from '../space/polygon.ts'
import { intoOdom } from '../space/world.ts'
import type { Point, Twist } from '../vocabulary/geometry.ts'
import type { Scene } from '../vocabulary/scene.ts'
import type { Refusal } from '../vocabulary/verdict.ts'
import { type Braking, wayAhead } from './path.ts'

const roundingMetres = 1e-9

/**
 * Refuses a command whose way ahead, as far as reaction and braking need, takes the footprint out of the fence, a polygon
 * in `odom`. Where it is too near already, or outside, it may come further in and not further out. Turning in place
 * moves no footprint and is allowed. It is as good as the odometry: a place that is no number is nowhere within.
 */
export function judgeFence(
  twist: Twist,
  { footprintMetres, pose }: Scene,
  braking: Braking,
  fence: readonly Point[],
): Refusal | undefined {
  if (twist.linear === 0) return undefined
  const here = pose ? marginWithin(pose, fence) : Number.NaN
  if (!pose || Number.isNaN(here)) {
    return refusal('unknown', footprintMetres, 'nobody knows where the robot is: no motion')
  }
  // Judged anew on every tick: whatever were given away here would be given away fifty times a second.
  const allowed = Math.min(footprintMetres, here) - roundingMetres
  for (const point of wayAhead(twist, braking)) {
    const margin = marginWithin(intoOdom(point, pose), fence)
    if (margin >= allowed) continue
    const side = here < 0 ? 'outside of' : 'within'
    const message = `the way leads out of the geofence: it is ${Math.abs(here).toFixed(2)} m ${side} it, and needs ${footprintMetres.toFixed(2)} m`
    return refusal(Math.round(here * 1000) / 1000, footprintMetres, message)
  }
  return undefined
}

function refusal(value: unknown, limit: number, message: string): Refusal {
  return { permitted: false, rule: 'geofence', value, limit, message }
}
