import { describe, expect, test } from 'vitest'
import { createActor } from 'xstate'
import { type Hazard, holdMs } from '../../core/rules/failsafe.ts'
import { virtualClock } from '../../drivers/clock.ts'
import { failsafeMachine } from '../../machines/failsafe.machine.ts'

const low: Hazard = { name: 'low', rung: 'slow', clears: 'byItself', takeover: 'bySwitch' }
const lost: Hazard = { name: 'lost', rung: 'hold', clears: 'byOperator', takeover: 'bySwitch' }
const empty: Hazard = { name: 'empty', rung: 'halt', clears: 'byOperator', takeover: 'afterHold' }
const button: Hazard = { name: 'button', rung: 'halt', clears: 'byOperator', takeover: 'never' }

function started() {
  const clock = virtualClock()
  const failsafe = createActor(failsafeMachine, { clock }).start()
  const sense = (...hazards: readonly Hazard[]) =>
    failsafe.send({ type: 'failsafe.sensed', hazards, stampMs: clock.now(), isArmed: true })
  sense()
  const now = () => {
    const { value, tags } = failsafe.getSnapshot()
    const state = typeof value === 'string' ? value : Object.entries(value).flat().join('.')
    return [state, ...tags]
  }
  return { clock, failsafe, sense, now }
}

test('each rung is a state, and what it lets the robot do a tag', () => {
  const { sense, now } = started()
  expect(now()).toEqual(['none', 'clear'])
  sense({ ...low, rung: 'warn' })
  expect(now()).toEqual(['warn', 'clear'])
  sense(low)
  expect(now()).toEqual(['slow', 'clear', 'slow'])
  sense(low, lost)
  expect(now()).toEqual(['hold.standing', 'held', 'insisting'])
  sense(low)
  expect(now()).toEqual(['hold.over', 'held'])
  sense(button)
  expect(now()).toEqual(['halt.standing', 'fault', 'blocked'])
  sense()
  expect(now()).toEqual(['halt.over', 'fault'])
})

describe('a person', () => {
  test('clears what is over, and not what lasts', () => {
    const { failsafe, sense, now } = started()
    sense(button)
    failsafe.send({ type: 'failsafe.chosen' })
    expect(now()).toEqual(['halt.standing', 'fault', 'blocked'])
    sense()
    failsafe.send({ type: 'failsafe.chosen' })
    expect(now()).toEqual(['none', 'clear'])
  })

  test('goes on by hand in spite of a hold, for as long as that is wanted', () => {
    const { failsafe, sense, now } = started()
    sense(lost)
    failsafe.send({ type: 'failsafe.chosen' })
    expect(now()).toEqual(['warn', 'clear'])
    failsafe.send({ type: 'failsafe.released' })
    expect(now()).toEqual(['hold.standing', 'held', 'insisting'])
  })
})

describe('a hold before something stronger', () => {
  test('ends by itself', async () => {
    const { clock, sense, now } = started()
    sense(empty)
    expect(now()).toEqual(['hold.pausing', 'held', 'insisting'])
    await clock.advance(holdMs - 1)
    expect(now()[0]).toBe('hold.pausing')
    await clock.advance(1)
    expect(now()[0]).toBe('halt.standing')
  })

  test('is not drawn out by what changes meanwhile', async () => {
    const { clock, sense, now } = started()
    sense(empty)
    await clock.advance(3_000)
    sense(empty, low)
    await clock.advance(1_999)
    expect(now()[0]).toBe('hold.pausing')
    await clock.advance(1)
    expect(now()[0]).toBe('halt.standing')
  })

  test('is left when its reason goes, and is shorter the next time', async () => {
    const { clock, sense, now } = started()
    const passing = { ...empty, clears: 'byItself' } as const
    sense(passing)
    await clock.advance(4_000)
    sense()
    expect(now()[0]).toBe('none')
    sense(passing)
    await clock.advance(999)
    expect(now()[0]).toBe('hold.pausing')
    await clock.advance(1)
    expect(now()[0]).toBe('halt.standing')
  })
})
