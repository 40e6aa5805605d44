import { initialOdometry, type OdometryState } from '../motion/odometry.ts'
import type { Point, Pose, Twist } from '../vocabulary/geometry.ts'
import type { BatteryReading } from '../vocabulary/reading.ts'
import type { Sector } from '../vocabulary/scene.ts'

/** What the robot believes, all of it from its own sensors. Poses are in `odom`, obstacles in `odom` too. */
export interface World {
  readonly odometry: OdometryState
  /** How far the robot has driven by its own odometry, in metres. */
  readonly distanceMetres: number
  readonly encoders:
    | { readonly left: number; readonly right: number; readonly stampMs: number }
    | undefined
  readonly scan: readonly Point[]
  readonly nearby: ReadonlyMap<string, readonly Point[]>
  readonly turnRate: number | undefined
  readonly battery: BatteryReading | undefined
  /** Which contacts are closed, by name, as last heard. */
  readonly contacts: ReadonlyMap<string, boolean>
  /** When each sensor was last heard of, in ms on the robot's clock. */
  readonly heardMs: ReadonlyMap<string, number>
  /** Sensors whose last reading was refused, because a number in it was not sound. */
  readonly unsound: ReadonlySet<string>
}

/** The world at one moment, in ms on the robot's clock. */
export interface Sighting {
  readonly stampMs: number
  readonly world: World
}

export function emptyWorld(): World {
  return {
    odometry: initialOdometry(),
    distanceMetres: 0,
    encoders: undefined,
    scan: [],
    nearby: new Map(),
    turnRate: undefined,
    battery: undefined,
    contacts: new Map(),
    heardMs: new Map(),
    unsound: new Set(),
  }
}

export function poseOf(world: World): Pose {
  return world.odometry.pose
}

export function velocityOf(world: World): Twist {
  return world.odometry.velocity
}

/** Every obstacle that is known, seen from the robot as it stands now: `base_link`, metres. */
export function obstaclesOf(world: World): readonly Point[] {
  const pose = poseOf(world)
  const points = [...world.scan]
  for (const near of world.nearby.values()) points.push(...near)
  return points.map((point) => intoBase(point, pose))
}

/** A point of `odom` seen from `pose`. */
export function intoBase(point: Point, pose: Pose): Point {
  const cos = Math.cos(pose.heading)
  const sin = Math.sin(pose.heading)
  const dx = point.x - pose.x
  const dy = point.y - pose.y
  return { x: dx * cos + dy * sin, y: dy * cos - dx * sin }
}

/** A point of `base_link` at `pose`, in `odom`. */
export function intoOdom(point: Point, pose: Pose): Point {
  const cos = Math.cos(pose.heading)
  const sin = Math.sin(pose.heading)
  return { x: pose.x + point.x * cos - point.y * sin, y: pose.y + point.x * sin + point.y * cos }
}

/** The directions that a robot's declared sensors look into. */
export function sectorsOf(sensors: {
  readonly lidar: boolean
  readonly ranges: readonly { readonly facing: number }[]
  readonly bumpers: readonly { readonly facing: number }[]
}): readonly Sector[] {
  return [
    ...(sensors.lidar ? [{ facing: 0, halfAngle: Math.PI, whole: true }] : []),
    ...sensors.ranges.map(partial),
    ...sensors.bumpers.map(partial),
  ]
}

/** A sensor that sees a part of the way only. */
function partial({ facing }: { readonly facing: number }): Sector {
  return { facing, halfAngle: Math.PI / 4, whole: false }
}
