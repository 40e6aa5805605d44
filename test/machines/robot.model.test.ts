import { describe, expect, test } from 'vitest'
import type { AnyStateMachine } from 'xstate'
import { counterexamples } from './explore.ts'
import { contextOf, exploreRobot, robotInput, stateOf } from './robot.model.ts'
import { mutants } from './robot.mutants.ts'
import { rules } from './robot.rules.ts'

const steps = [...exploreRobot()]

describe('in every state that the root can reach, whatever happens there', () => {
  test('every state of the chart is among them', () => {
    expect([...new Set(steps.map(({ to }) => stateOf(to)))].toSorted()).toEqual([
      'active.autonomous',
      'active.holding',
      'active.manual',
      'booting',
      'halted',
      'off',
      'standby',
    ])
  })

  test.each(rules)('$says', ({ holds }) => {
    expect(counterexamples(steps, holds)).toEqual([])
  })
})

describe('after an unclean end', () => {
  const afterCrash = [...exploreRobot(undefined, { ...robotInput, unclean: 'it was killed' })]

  test('booting leads to halted only', () => {
    const leadsToHalted = counterexamples(
      afterCrash,
      ({ from, to }) => stateOf(from) !== 'booting' || ['booting', 'halted'].includes(stateOf(to)),
    )
    expect(leadsToHalted).toEqual([])
  })

  test('the unclean end is among the causes, whatever else went wrong meanwhile', () => {
    const isNamed = counterexamples(
      afterCrash,
      ({ from, to }) =>
        stateOf(from) !== 'booting' ||
        stateOf(to) !== 'halted' ||
        contextOf(to).causes.includes('it was killed'),
    )
    expect(isNamed).toEqual([])
  })
})

describe('the rules bite', () => {
  test.each(mutants)('a root in which $name is caught', ({ machine }) => {
    expect(firstBroken(machine)).toBeDefined()
  })
})

function firstBroken(machine: AnyStateMachine): string | undefined {
  for (const step of exploreRobot(machine)) {
    const broken = rules.find(({ holds }) => !holds(step))
    if (broken) return broken.says
  }
  return undefined
}
