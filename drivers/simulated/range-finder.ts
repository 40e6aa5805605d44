import type { BodyConfiguration } from '../../core/vocabulary/parts.ts'
import type { Pose } from '../../core/vocabulary/geometry.ts'
import type { Random } from '../random.ts'
import { castRay } from './ray.ts'
import type { Sensor } from './sensor.ts'
import type { Surroundings } from './surroundings.ts'
import { subStepsAt } from './sub-step.ts'

type RangeFinder = BodyConfiguration['ranges'][number]

/** What each model can measure, in metres (Sharp's data sheets; ELEC Freaks' for the HC-SR04). Nearer things read as `min`. */
export const rangeFinderReach: Record<RangeFinder['model'], { min: number; max: number }> = {
  GP2Y0A21: { min: 0.1, max: 0.8 },
  GP2Y0A02: { min: 0.2, max: 1.5 },
  GP2Y0A41: { min: 0.04, max: 0.3 },
  'HC-SR04': { min: 0.02, max: 4 },
}

const coneRadians = [-0.08, -0.04, 0, 0.04, 0.08]
const sigmaPerMetre = 0.01

/** A range finder at 25 Hz: the nearest thing in a cone of 9 degrees, with noise of 1 % of the distance. */
export function makeRangeFinder(
  declared: RangeFinder,
  { chassis, room }: Surroundings,
  random: Random,
): Sensor {
  const { min, max } = rangeFinderReach[declared.model]
  return {
    everySubSteps: subStepsAt(25),
    sample(stampMs) {
      const sensor = placeOn(chassis.truth.pose, declared)
      const nearest = coneRadians.reduce(
        (least, off) => Math.min(least, castRay(room, sensor, sensor.heading + off, max)),
        Infinity,
      )
      const noisy = Math.max(min, nearest * (1 + sigmaPerMetre * random.gaussian()))
      return {
        kind: 'range',
        stampMs,
        name: declared.name,
        metres: noisy <= max ? noisy : Infinity,
      }
    },
  }
}

/** The pose in `odom` of a sensor that is mounted on a robot at `pose`. */
function placeOn(pose: Pose, { x, y, facing }: RangeFinder): Pose {
  const cos = Math.cos(pose.heading)
  const sin = Math.sin(pose.heading)
  return {
    x: pose.x + x * cos - y * sin,
    y: pose.y + x * sin + y * cos,
    heading: pose.heading + facing,
  }
}
