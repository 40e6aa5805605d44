import type { Point, Pose, Twist } from '../vocabulary/geometry.ts'
import { advanceByTwist, initialOdometry } from './odometry.ts'

/** The most points of a course beside its first. */
export const coursePointsMax = 60

const stepMetres = 0.05
const stepRadians = 0.1

/**
 * The way that a constant `twist` takes from `pose` in so many seconds: points in the frame of the pose, the first of them
 * the pose itself, no further apart than 5 cm or 0.1 rad as long as 60 suffice. One that turns in place, or takes no time,
 * has but its first; one with anything in it that is not finite has none.
 */
export function courseOf(pose: Pose, twist: Twist, seconds: number): readonly Point[] {
  const { linear, angular } = twist
  if (![pose.x, pose.y, pose.heading, linear, angular, seconds].every(Number.isFinite)) return []
  const start = { x: pose.x, y: pose.y }
  if (linear === 0 || !(seconds > 0)) return [start]
  const wanted = Math.max(
    Math.abs(linear * seconds) / stepMetres,
    Math.abs(angular * seconds) / stepRadians,
  )
  const steps = Math.min(coursePointsMax, Math.ceil(wanted))
  const from = initialOdometry(pose)
  const points = Array.from({ length: steps }, (_, step): Point => {
    const { x, y } = advanceByTwist(from, twist, (seconds * (step + 1)) / steps).state.pose
    return { x, y }
  })
  return [start, ...points]
}
