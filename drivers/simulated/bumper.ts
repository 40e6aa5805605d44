import type { BodyConfiguration } from '../../core/vocabulary/parts.ts'
import type { Sensor } from './sensor.ts'
import type { Surroundings } from './surroundings.ts'
import { subStepsAt } from './sub-step.ts'

const halfWidthCosine = Math.cos(Math.PI / 3)

/** A bumper at 50 Hz, pressed by whatever the footprint touches within 60 degrees of where it faces. */
export function makeBumper(
  { name, facing }: BodyConfiguration['bumpers'][number],
  { chassis }: Surroundings,
): Sensor {
  return {
    everySubSteps: subStepsAt(50),
    sample: (stampMs) => ({
      kind: 'bumper',
      stampMs,
      name,
      pressed: chassis.contacts.some((bearing) => Math.cos(bearing - facing) >= halfWidthCosine),
    }),
  }
}
