import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judge, type Rules } from '../../../core/rules/gatekeeper.ts'
import type { Scene } from '../../../core/vocabulary/scene.ts'

const rules: Rules = {
  limits: { linear: 0.5, angular: 2, linearBraking: 2, angularBraking: 12 },
}
const everything = new Set(['drive', 'relay:lamp'])
const openField: Scene = {
  footprintMetres: 0.15,
  obstacles: [],
  sectors: [{ facing: 0, halfAngle: Math.PI, whole: true }],
  stale: [],
  blindCreep: false,
}
const drive = (linear: unknown, angular: unknown, durationMs: unknown = 500) => ({
  type: 'drive',
  linear,
  angular,
  durationMs,
})
const judged = (
  proposal: unknown,
  more: Partial<Rules> = {},
  scene: Scene | undefined = openField,
) => judge(proposal, { ...rules, ...more }, everything, scene)

describe('what is permitted', () => {
  test('is everything within limits, both ends included', () => {
    for (const intent of [
      drive(0.5, 2),
      drive(-0.5, -2),
      drive(0, 0, 50),
      drive(0, 0, 5000),
      { type: 'stop' },
      { type: 'wait', durationMs: 1000 },
      { type: 'setRelay', relay: 'lamp', on: true },
    ]) {
      expect(judged(intent)).toEqual({ permitted: true, intent })
    }
  })

  test('is a copy that nobody can change afterwards', () => {
    const proposal = drive(0.1, 0)
    const verdict = judged(proposal)
    proposal.linear = 99
    expect(verdict).toEqual({ permitted: true, intent: drive(0.1, 0) })
    expect(Object.isFrozen(verdict.permitted && verdict.intent)).toBe(true)
  })
})

describe('a refusal', () => {
  test('says rule, value and limit', () => {
    expect(judged(drive(0.51, 0))).toEqual({
      permitted: false,
      rule: 'limits.linear',
      value: 0.51,
      limit: 0.5,
      message: 'linear 0.51 m/s is beyond the limit of 0.5 m/s',
    })
    expect(judged(drive(0, -2.1))).toMatchObject({ rule: 'limits.angular', value: -2.1, limit: 2 })
    expect(
      judge({ type: 'setRelay', relay: 'laser', on: true }, rules, everything, openField),
    ).toEqual({
      permitted: false,
      rule: 'capability',
      value: 'relay:laser',
      limit: ['drive', 'relay:lamp'],
      message: 'relay:laser has not been granted to the agent',
    })
    expect(judge(drive(0.1, 0), rules, new Set(), openField)).toMatchObject({
      rule: 'capability',
      value: 'drive',
    })
  })

  test('meets everything that is not understood', () => {
    const odd = [
      undefined,
      null,
      3,
      'drive',
      [],
      {},
      { type: 'fly' },
      drive(NaN, 0),
      drive(0, NaN),
      drive(Infinity, 0),
      drive(0, -Infinity),
      drive('0.1', 0),
      drive(null, 0),
      drive([0.1], 0),
      drive(0.1, 0, 49),
      drive(0.1, 0, 5001),
      drive(0.1, 0, NaN),
      drive(0.1, 0, 99.5),
      { type: 'drive', linear: 0.1, angular: 0 },
      { ...drive(0.1, 0), fast: true },
      { type: 'setRelay', relay: 'lamp', on: 1 },
    ]
    for (const proposal of odd) {
      expect(judged(proposal), JSON.stringify(proposal)).toMatchObject({
        permitted: false,
        rule: 'shape',
      })
    }
  })

  test('meets motion of which nobody sees where it leads', () => {
    expect(judge(drive(0.1, 0), rules, everything)).toMatchObject({ rule: 'unseen' })
    expect(judge(drive(0, 0.1), rules, everything)).toMatchObject({ rule: 'unseen' })
    expect(judge(drive(0, 0), rules, everything)).toMatchObject({ permitted: true })
    expect(judged(drive(0, 0.1), {}, { ...openField, stale: ['lidar'] })).toMatchObject({
      rule: 'stale',
    })
  })

  test('meets every motion of a body that must not move, and keeps no relay from switching', () => {
    const immovable = 'because'
    expect(judged(drive(0.1, 0), { immovable })).toMatchObject({
      rule: 'deadman',
      message: 'because',
    })
    expect(judged({ type: 'setRelay', relay: 'lamp', on: false }, { immovable })).toMatchObject({
      permitted: true,
    })
  })

  test('meets the agent while a person drives, unless it rests', () => {
    const override = true
    expect(judged(drive(0.1, 0), { override })).toMatchObject({ rule: 'override' })
    expect(judged({ type: 'setRelay', relay: 'lamp', on: true }, { override })).toMatchObject({
      rule: 'override',
    })
    expect(judged({ type: 'stop' }, { override })).toMatchObject({ permitted: true })
    expect(judged({ type: 'wait', durationMs: 100 }, { override })).toMatchObject({
      permitted: true,
    })
  })
})

test('whatever is proposed, what is permitted is finite and within limits, and every refusal has words', () => {
  const number = fc.oneof(
    fc.double(),
    fc.double({ min: -3, max: 3 }),
    fc.constantFrom(NaN, 1e39, '1', null),
  )
  const proposal = fc.oneof(
    fc.anything(),
    fc.record({
      type: fc.constant('drive'),
      linear: number,
      angular: number,
      durationMs: fc.oneof(fc.integer(), number),
    }),
  )
  fc.assert(
    fc.property(proposal, (proposed) => {
      const verdict = judged(proposed)
      if (!verdict.permitted) return verdict.message.length > 0 && !verdict.message.includes('\n')
      if (verdict.intent.type !== 'drive') return true
      const { linear, angular, durationMs } = verdict.intent
      return (
        Math.abs(linear) <= 0.5 && Math.abs(angular) <= 2 && durationMs >= 50 && durationMs <= 5000
      )
    }),
    { numRuns: 2_000 },
  )
})
