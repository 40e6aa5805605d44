import type { Random } from '../random.ts'
import type { Sensor } from './sensor.ts'
import type { Surroundings } from './surroundings.ts'
import { subStepSeconds, subStepsAt } from './sub-step.ts'

const everySubSteps = subStepsAt(50)
const biasSigma = { turnRate: 0.002, acceleration: 0.02 }
const noiseSigma = { turnRate: 0.005, acceleration: 0.05 }

/** An IMU in `base_link` at 50 Hz: turn rate (bias 0.002, noise 0.005 rad/s) and acceleration (0.02 and 0.05 m/s²). */
export function makeImu({ chassis }: Surroundings, random: Random): Sensor {
  const bias = {
    turnRate: biasSigma.turnRate * random.gaussian(),
    x: biasSigma.acceleration * random.gaussian(),
    y: biasSigma.acceleration * random.gaussian(),
  }
  let lastLinear = 0
  return {
    everySubSteps,
    sample(stampMs) {
      const { linear, angular } = chassis.velocity
      const along = (linear - lastLinear) / (everySubSteps * subStepSeconds)
      lastLinear = linear
      return {
        kind: 'imu',
        stampMs,
        turnRate: angular + bias.turnRate + noiseSigma.turnRate * random.gaussian(),
        accelerationX: along + bias.x + noiseSigma.acceleration * random.gaussian(),
        accelerationY: linear * angular + bias.y + noiseSigma.acceleration * random.gaussian(),
      }
    },
  }
}
