import type { Battery } from './battery.ts'
import type { Chassis } from './chassis.ts'
import type { Room } from './room.ts'

/** What sensors can sense. */
export interface Surroundings {
  readonly chassis: Chassis
  readonly room: Room
  readonly battery: Battery
  /** The contacts that are open: pressed stop buttons, and the motor supply when it is off. */
  readonly open: ReadonlySet<string>
  readonly seed: number
}
