import type { Random } from '../random.ts'
import type { Sensor } from './sensor.ts'
import type { Surroundings } from './surroundings.ts'
import { subStepsAt } from './sub-step.ts'
import type { Wheel } from './wheel.ts'

const ticksPerTurn = 1200
const radiansPerTick = (2 * Math.PI) / ticksPerTurn
const travelSigma = 0.002

/** Encoders at 50 Hz that count 1200 ticks a turn and miss or add 0.2 % of a wheel's rotation. They do not see slip. */
export function makeEncoders({ chassis }: Surroundings, random: Random): Sensor {
  const left = makeCounter(chassis.left, random)
  const right = makeCounter(chassis.right, random)
  return {
    everySubSteps: subStepsAt(50),
    sample: (stampMs) => ({ kind: 'encoders', stampMs, left: left(), right: right() }),
  }
}

/** The noise is a part of the travel, so that the encoder of a wheel at rest is at rest. */
function makeCounter(wheel: Wheel, random: Random): () => number {
  let seen = wheel.turned
  let counted = 0
  return () => {
    counted += (wheel.turned - seen) * (1 + travelSigma * random.gaussian())
    seen = wheel.turned
    return (Math.round(counted / radiansPerTick) + 0) * radiansPerTick
  }
}
