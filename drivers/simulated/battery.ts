import type { Sensor } from './sensor.ts'
import { subStepSeconds, subStepsAt } from './sub-step.ts'

/** A battery that is also its own gauge. */
export interface Battery extends Sensor {
  /** Takes one sub-step's worth of charge; `load` is the mean effort of the motors from 0 to 1. */
  drain(load: number): void
}

const idleHours = 4
const fullLoadHours = 1
const secondsPerHour = 3600
/** Three lithium cells: empty, what a charge adds, and what the motors' current takes off meanwhile. */
const volts = { empty: 9.9, perCharge: 2.7, sag: 0.4 }

/** A full battery, read once a second. It lasts four hours at rest and one hour, less the idle share, at full effort. */
export function makeBattery(): Battery {
  let charge = 1
  let lastLoad = 0
  return {
    everySubSteps: subStepsAt(1),
    drain(load) {
      lastLoad = load
      const perHour = 1 / idleHours + load / fullLoadHours
      charge = Math.max(0, charge - (perHour / secondsPerHour) * subStepSeconds)
    },
    sample: (stampMs) => ({
      kind: 'battery',
      stampMs,
      charge,
      volts: volts.empty + volts.perCharge * charge - volts.sag * lastLoad,
    }),
  }
}
