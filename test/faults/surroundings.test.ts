import { describe, expect, test } from 'vitest'
import { virtualClock } from '../../drivers/clock.ts'
import { complaintsOf } from './named.ts'
import { perform, stageBody } from './stage.ts'
import { planOf, titleOf } from './sweep.ts'

const { slots, trials, unused } = await planOf()
const ofCharts = new Set(slots.map(({ name }) => name))
const around = trials.filter(({ slot }) => !ofCharts.has(slot))
const used = new Set(around.map(({ slot }) => slot))

describe('every call of a driver, every subscriber, and every observer of the charts,', () => {
  test('is used by some scenario', () => {
    expect(unused).toEqual([])
    const untried = methodsOf(stageBody(virtualClock())).filter((name) => !used.has(`body/${name}`))
    expect(untried).toEqual(ofTheStage)
  })

  test.each(around.map((trial) => [titleOf(trial), trial] as const))('%s', async (_, trial) => {
    expect(complaintsOf(trial, await perform(trial.scenario, trial))).toEqual([])
  })
})

/** What the stage's body has beside what a body has. */
const ofTheStage = ['tell', 'say', 'lose']

function methodsOf(body: object): readonly string[] {
  const names: string[] = []
  // oxlint-disable-next-line guard-for-in -- what it has inherited is what is looked for
  for (const name in body) names.push(name)
  return names.filter((name) => typeof Reflect.get(body, name) === 'function')
}
