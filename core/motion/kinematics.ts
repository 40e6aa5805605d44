import type { Twist } from '../vocabulary/geometry.ts'

/** A differential drive as built: the radius of each wheel and the distance between their tracks, in metres. */
export interface DriveGeometry {
  readonly leftRadiusMetres: number
  readonly rightRadiusMetres: number
  readonly trackMetres: number
}

/** Turning rates of the two wheels in rad/s; positive rolls the robot forward. */
export interface WheelSpeeds {
  readonly left: number
  readonly right: number
}

/**
 * The wheel speeds (rad/s) that give `twist` (m/s and rad/s, in `base_link`). Always finite: a twist that is not, or
 * that no number can hold at the wheels, gives wheels that stand still.
 * Formula: inverse kinematics of diff_drive_controller (ros2_controllers). Throws a TypeError for impossible geometry.
 */
export function wheelSpeedsFor(twist: Twist, geometry: DriveGeometry): WheelSpeeds {
  requireGeometry(geometry)
  const rim = (twist.angular * geometry.trackMetres) / 2
  const left = (twist.linear - rim) / geometry.leftRadiusMetres
  const right = (twist.linear + rim) / geometry.rightRadiusMetres
  return Number.isFinite(left) && Number.isFinite(right) ? { left, right } : { left: 0, right: 0 }
}

/**
 * The twist (m/s and rad/s, in `base_link`) of a robot whose wheels turn at `wheels` (rad/s) without slip.
 * Throws a TypeError for readings that are not finite: taken for zero they would look like a robot that stands still.
 * Ask `measuredTwist` where they may occur. Throws a TypeError for impossible geometry.
 */
export function twistFor(wheels: WheelSpeeds, geometry: DriveGeometry): Twist {
  const twist = measuredTwist(wheels, geometry)
  if (twist) return twist
  throw new TypeError(`wheel speeds must be finite, got ${wheels.left} and ${wheels.right} rad/s`)
}

/** As `twistFor`, for readings that come from the world: undefined when they tell no finite twist. */
export function measuredTwist(wheels: WheelSpeeds, geometry: DriveGeometry): Twist | undefined {
  requireGeometry(geometry)
  const left = wheels.left * geometry.leftRadiusMetres
  const right = wheels.right * geometry.rightRadiusMetres
  const linear = (left + right) / 2
  const angular = (right - left) / geometry.trackMetres
  return Number.isFinite(linear) && Number.isFinite(angular) ? { linear, angular } : undefined
}

function requireGeometry(geometry: DriveGeometry): void {
  for (const length of [
    geometry.leftRadiusMetres,
    geometry.rightRadiusMetres,
    geometry.trackMetres,
  ]) {
    if (!(length > 0 && length < Infinity)) {
      throw new TypeError(`a drive is measured in metres above zero, got ${length}`)
    }
  }
}
