import type { SimulatedConfiguration } from '../../core/vocabulary/parts.ts'
import type { Random } from '../random.ts'
import { castRay } from './ray.ts'
import type { Sensor } from './sensor.ts'
import type { Surroundings } from './surroundings.ts'
import { subStepsAt } from './sub-step.ts'

const sigmaMetres = 0.005

/** A lidar at 10 Hz in the middle of the robot, its first beam backwards, its noise 5 mm. A scan takes no time. */
export function makeLidar(
  { beams, reachMetres }: NonNullable<SimulatedConfiguration['lidar']>,
  { chassis, room }: Surroundings,
  random: Random,
): Sensor {
  const firstAngle = -Math.PI
  const angleStep = (2 * Math.PI) / beams
  const scan = () => {
    const { pose } = chassis.truth
    return Array.from({ length: beams }, (_, beam) => {
      const angle = pose.heading + firstAngle + beam * angleStep
      const range = castRay(room, pose, angle, reachMetres) + sigmaMetres * random.gaussian()
      return range <= reachMetres ? Math.max(0, range) : Infinity
    })
  }
  return {
    everySubSteps: subStepsAt(10),
    sample: (stampMs) => ({
      kind: 'lidar',
      stampMs,
      firstAngle,
      angleStep,
      reachMetres,
      ranges: scan(),
    }),
  }
}
