import type { Sensor } from './sensor.ts'
import type { Surroundings } from './surroundings.ts'
import { subStepsAt } from './sub-step.ts'

/** The contact of a stop button or of the motor supply, at 50 Hz. */
export function makeContact(name: string, { open }: Surroundings): Sensor {
  return {
    everySubSteps: subStepsAt(50),
    sample: (stampMs) => ({ kind: 'contact', stampMs, name, closed: !open.has(name) }),
  }
}
