import type { DriveGeometry } from '../motion/kinematics.ts'
import { advanceByTwist, advanceByWheels } from '../motion/odometry.ts'
import type { Point, Pose, Twist } from '../vocabulary/geometry.ts'
import {
  type EncoderReading,
  isSound,
  type LidarReading,
  type Reading,
  sensorOf,
} from '../vocabulary/reading.ts'
import { intoOdom, poseOf, type World } from './world.ts'

/** Where the parts of a robot sit: what readings need in order to become points and poses. */
export interface Anatomy {
  readonly drive: DriveGeometry | undefined
  readonly footprintMetres: number
  readonly ranges: ReadonlyMap<
    string,
    { readonly facing: number; readonly x: number; readonly y: number }
  >
  readonly bumpers: ReadonlyMap<string, { readonly facing: number }>
}

/** What the wheels were told for the last `seconds`: the odometry of a robot without encoders. */
export interface Commanded {
  readonly kind: 'commanded'
  readonly twist: Twist
  readonly seconds: number
}

/**
 * One reading later. An unsound reading changes nothing but the name of its sensor being among the unsound. Obstacles are kept in `odom`, so
 * that they stay where they are while the robot turns.
 */
export function perceive(world: World, reading: Reading | Commanded, anatomy: Anatomy): World {
  if (reading.kind === 'commanded') return dead(world, reading, anatomy)
  const name = sensorOf(reading)
  if (!isSound(reading)) return { ...world, unsound: new Set(world.unsound).add(name) }
  const heardMs = new Map(world.heardMs).set(name, reading.stampMs)
  const unsound = world.unsound.has(name) ? without(world.unsound, name) : world.unsound
  const heard = { ...world, heardMs, unsound }
  switch (reading.kind) {
    case 'encoders':
      return roll(heard, reading, anatomy)
    case 'lidar':
      return { ...heard, scan: pointsOf(reading, poseOf(world)) }
    case 'range':
      return near(
        heard,
        reading.name,
        rangePoints(reading.metres, anatomy.ranges.get(reading.name)),
      )
    case 'bumper':
      return near(heard, reading.name, bumperPoints(reading.pressed, reading.name, anatomy))
    case 'imu':
      return { ...heard, turnRate: reading.turnRate }
    case 'battery':
      return { ...heard, battery: reading }
    case 'contact':
      return { ...heard, contacts: new Map(world.contacts).set(reading.name, reading.closed) }
    case 'image':
      return heard
  }
}

function without(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  return new Set([...names].filter((other) => other !== name))
}

function dead(world: World, commanded: Commanded, { drive }: Anatomy): World {
  const step = advanceByTwist(world.odometry, commanded.twist, commanded.seconds, drive)
  const moved = step.ok ? Math.abs(commanded.twist.linear) * commanded.seconds : 0
  return { ...world, odometry: step.state, distanceMetres: world.distanceMetres + moved }
}

function roll(world: World, reading: EncoderReading, anatomy: Anatomy): World {
  const last = world.encoders
  const { left, right, stampMs } = reading
  const next = { ...world, encoders: { left, right, stampMs } }
  if (!last || !anatomy.drive) return next
  const seconds = (stampMs - last.stampMs) / 1000
  if (!(seconds > 0)) return world
  const wheels = { left: (left - last.left) / seconds, right: (right - last.right) / seconds }
  const step = advanceByWheels(world.odometry, wheels, seconds, anatomy.drive)
  const dx = step.state.pose.x - world.odometry.pose.x
  const dy = step.state.pose.y - world.odometry.pose.y
  const distanceMetres = world.distanceMetres + Math.sqrt(dx * dx + dy * dy)
  return { ...next, odometry: step.state, distanceMetres }
}

function pointsOf(scan: LidarReading, pose: Pose): readonly Point[] {
  return scan.ranges.flatMap((range, index) => {
    if (!Number.isFinite(range)) return []
    const angle = scan.firstAngle + index * scan.angleStep
    return [intoOdom({ x: range * Math.cos(angle), y: range * Math.sin(angle) }, pose)]
  })
}

function near(world: World, name: string, points: readonly Point[]): World {
  const placed = points.map((point) => intoOdom(point, poseOf(world)))
  return { ...world, nearby: new Map(world.nearby).set(name, placed) }
}

function rangePoints(
  metres: number,
  mount: { readonly facing: number; readonly x: number; readonly y: number } | undefined,
): readonly Point[] {
  if (!mount || !Number.isFinite(metres)) return []
  return [
    {
      x: mount.x + metres * Math.cos(mount.facing),
      y: mount.y + metres * Math.sin(mount.facing),
    },
  ]
}

/** A pressed bumper is an obstacle at the robot's edge, on the side where the bumper is. */
function bumperPoints(pressed: boolean, name: string, anatomy: Anatomy): readonly Point[] {
  const facing = anatomy.bumpers.get(name)?.facing
  if (!pressed || facing === undefined) return []
  const edge = anatomy.footprintMetres
  return [{ x: edge * Math.cos(facing), y: edge * Math.sin(facing) }]
}
