import type { Random } from '../random.ts'
import { subStepMs, subStepsAt } from './sub-step.ts'

/** A driven wheel: a motor that needs time, and a tyre that slips. */
export interface Wheel {
  /** Rotation since the wheel was made, in radians, positive forward. */
  readonly turned: number
  /**
   * Moves on by one sub-step towards `target` (rad/s), of which 63 % is reached within `timeConstantMs`.
   * Returns how far the ground went by, in radians of the wheel.
   */
  advance(target: number, timeConstantMs: number): number
}

const slipSigma = 0.02
const slipEverySubSteps = subStepsAt(10)
/** Below this a wheel without power sticks: an exponential alone would never be still. */
const stictionRadiansPerSecond = 0.01

/** A wheel at rest, whose slip comes from `random`: 2 % of its travel, drawn anew ten times a second. */
export function makeWheel(random: Random): Wheel {
  let turned = 0
  let speed = 0
  let slip = 0
  let subSteps = 0
  return {
    get turned() {
      return turned
    },
    advance(target, timeConstantMs) {
      if (subSteps++ % slipEverySubSteps === 0) slip = slipSigma * random.gaussian()
      // Implicit Euler: stable for any time constant, and without an exponential.
      speed += ((target - speed) * subStepMs) / (timeConstantMs + subStepMs)
      if (target === 0 && Math.abs(speed) < stictionRadiansPerSecond) speed = 0
      const turn = (speed * subStepMs) / 1000
      turned += turn
      return turn * (1 + slip)
    },
  }
}
