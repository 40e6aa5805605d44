import type { Hazard } from './failsafe.ts'

/** What a robot does about its battery, by charge from 0 to 1. */
export const batteryLevels = [
  {
    charge: 0.03,
    name: 'battery empty',
    rung: 'halt',
    clears: 'byOperator',
    takeover: 'afterHold',
  },
  {
    charge: 0.1,
    name: 'battery nearly empty',
    rung: 'hold',
    clears: 'byOperator',
    takeover: 'bySwitch',
  },
  { charge: 0.2, name: 'battery very low', rung: 'slow', clears: 'byItself', takeover: 'bySwitch' },
  { charge: 0.3, name: 'battery low', rung: 'warn', clears: 'byItself', takeover: 'bySwitch' },
] as const satisfies readonly (Hazard & { readonly charge: number })[]

/** By how much a battery has to be above a level again before it is forgotten: a load that ends lifts its voltage. */
export const batteryMargin = 0.05

/** What is wrong with a battery of that charge, given what was wrong before. A charge that is no number is empty. */
export function batteryHazard(charge: number, before: Hazard | undefined): Hazard | undefined {
  const level = batteryLevels.find(({ charge: most, name }) => {
    const margin = name === before?.name ? batteryMargin : 0
    return !(charge > most + margin)
  })
  if (!level) return undefined
  const { charge: _, ...hazard } = level
  return hazard
}
