import { describe, expect, test } from 'vitest'
import { complaintsOf, exceptionFor, named } from './named.ts'
import { planOf, titleOf } from './sweep.ts'
import { perform } from './stage.ts'

const { slots, trials, unused } = await planOf()
const names = new Set(slots.map(({ name }) => name))
const inCharts = trials.filter(({ slot }) => names.has(slot))

describe('every action, guard, delay and actor of every chart, found by walking them,', () => {
  test('is used by some scenario', () => {
    expect(slots.length).toBeGreaterThan(100)
    expect(unused).toEqual([])
  })

  test.each(inCharts.map((trial) => [titleOf(trial), trial] as const))('%s', async (_, trial) => {
    expect(complaintsOf(trial, await perform(trial.scenario, trial))).toEqual([])
  })

  test('and no exception is made for a fault that nobody tries', () => {
    const made = new Set(trials.map(exceptionFor))
    expect(named.filter((each) => !made.has(each))).toEqual([])
  })
})
