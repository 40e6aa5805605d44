import type { Reading } from '../../core/vocabulary/reading.ts'
import type { Battery } from './battery.ts'
import type { Chassis } from './chassis.ts'
import type { Room } from './room.ts'

/** One simulated sensor: how often it is read, and what it then says. */
export interface Sensor {
  readonly everySubSteps: number
  sample(stampMs: number): Reading
}

/** What sensors can sense. */
export interface Surroundings {
  readonly chassis: Chassis
  readonly room: Room
  readonly battery: Battery
  readonly seed: number
}
