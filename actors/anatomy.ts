import type { DriveGeometry } from '../core/motion/kinematics.ts'
import type { Anatomy } from '../core/space/perceive.ts'
import { sectorsOf } from '../core/space/world.ts'
import { type Configuration, footprintOf } from '../core/vocabulary/configuration.ts'
import { contactsOf } from '../core/vocabulary/parts.ts'
import type { Sector } from '../core/vocabulary/scene.ts'
import type { WatchedSensor } from '../machines/perception.machine.ts'
import type { Watched } from './freshness.ts'

/** What a configuration says of a robot's build, in the forms that perception and supervision need. */
export interface Build {
  readonly anatomy: Anatomy
  readonly sectors: readonly Sector[]
  readonly sensors: readonly (Watched & WatchedSensor)[]
}

/** Milliseconds after which a reading is worth nothing: about three of its periods, 500 at most for what guards motion. */
const staleMs = {
  encoders: 200,
  lidar: 300,
  range: 300,
  bumper: 300,
  contact: 300,
  imu: 300,
  battery: 5_000,
  image: 2_000,
} as const

/** `senses` is what the body reports beside the sensors that the configuration declares. */
export function buildOf(configuration: Configuration, senses: readonly string[]): Build {
  const { body } = configuration
  const lidar = body.kind === 'simulated' && body.lidar !== undefined
  return {
    anatomy: {
      drive: geometryOf(configuration),
      footprintMetres: footprintOf(body),
      ranges: new Map(body.ranges.map((range) => [range.name, range])),
      bumpers: new Map(body.bumpers.map((bumper) => [bumper.name, bumper])),
    },
    sectors: sectorsOf({ lidar, ranges: body.ranges, bumpers: body.bumpers }),
    sensors: [
      ...(senses.includes('encoders') ? [guard('encoders', 'encoders')] : []),
      ...(lidar ? [guard('lidar', 'lidar')] : []),
      ...body.ranges.map(({ name }) => guard(name, 'range')),
      ...body.bumpers.map(({ name }) => guard(name, 'bumper')),
      ...contactsOf(body).map(({ name }) => guard(name, 'contact')),
      ...(senses.includes('imu') ? [watch('imu', 'imu')] : []),
      ...(senses.includes('battery') ? [watch('battery', 'battery')] : []),
      ...body.cameras.map(({ name }) => watch(name, 'image')),
    ],
  }
}

function geometryOf({ body }: Configuration): DriveGeometry | undefined {
  if (!body.wheels) return undefined
  const { radiusMetres, trackMetres } = body.wheels
  return { leftRadiusMetres: radiusMetres, rightRadiusMetres: radiusMetres, trackMetres }
}

type Kind = keyof typeof staleMs

/** A sensor without which nothing moves. */
function guard(name: string, kind: Kind): Watched & WatchedSensor {
  return { name, staleMs: staleMs[kind], guardsMotion: true }
}

/** A sensor that is only watched. */
function watch(name: string, kind: Kind): Watched & WatchedSensor {
  return { name, staleMs: staleMs[kind], guardsMotion: false }
}
