import type { Reading } from '../../core/vocabulary/reading.ts'

/** One simulated sensor: how often it is read, and what it then says. */
export interface Sensor {
  readonly everySubSteps: number
  sample(stampMs: number): Reading
}
