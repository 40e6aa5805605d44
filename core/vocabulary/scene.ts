import type { Point, Pose } from './geometry.ts'

/** A direction that a sensor looks into. `whole` sensors see the full width of the robot's way, others only a part. */
export interface Sector {
  readonly facing: number
  readonly halfAngle: number
  readonly whole: boolean
}

/** What is known of the surroundings when a command is judged, in `base_link`, metres and radians. */
export interface Scene {
  readonly footprintMetres: number
  readonly obstacles: readonly Point[]
  readonly sectors: readonly Sector[]
  /** Sensors that guard motion and have not been heard of for too long, or never. */
  readonly stale: readonly string[]
  readonly blindCreep: boolean
  /** Where the robot believes to be, in `odom`; absent where nothing is known of that. */
  readonly pose?: Pose
}
