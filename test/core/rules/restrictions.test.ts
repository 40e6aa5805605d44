import { judge } from '../../../core/rules/gatekeeper.ts'
import { expect, test } from 'vitest'
import { closedRules, rulesFor, unfitness } from '../../../core/rules/restrictions.ts'
import { parseConfiguration } from '../../../core/vocabulary/configuration.ts'

const configured = (more: object = {}) =>
  parseConfiguration({
    name: 'rover',
    body: { kind: 'simulated' },
    limits: { linear: 0.4, angular: 1.5 },
    ...more,
  })
const limits = configured().limits

test('before a body has spoken, nothing moves', () => {
  expect(closedRules(configured())).toEqual({
    limits,
    immovable: 'the body has not reported itself yet',
  })
})

test('a simulated body and one with a deadman have the limits of their configuration', () => {
  expect(rulesFor(configured(), { simulated: true, deadman: false })).toEqual({ limits })
  expect(rulesFor(configured(), { simulated: false, deadman: true })).toEqual({ limits })
})

test('a model that nobody attends moves and switches nothing without a deadman', () => {
  const rules = rulesFor(configured(), { simulated: false, deadman: false, isUnattended: true })
  expect(rules.immovable).toMatch(/^unattended: this board has no deadman/)
  expect(
    judge({ type: 'setRelay', relay: 'lamp', on: true }, rules, new Set(['relay:lamp'])),
  ).toMatchObject({
    permitted: false,
    rule: 'enabling',
  })
  const guarded = { simulated: false, deadman: true, isUnattended: true }
  expect(rulesFor(configured(), guarded)).toEqual({ limits })
})

test('a body without a deadman does not move', () => {
  expect(rulesFor(configured(), { simulated: false, deadman: false }).immovable).toMatch(
    /^this board has no deadman: .* acceptNoDeadman: true/,
  )
})

test('a body without a deadman moves slowly where its owner accepts that', () => {
  const accepted = configured({ acceptNoDeadman: true })
  expect(rulesFor(accepted, { simulated: false, deadman: false })).toEqual({
    limits: { ...limits, linear: 0.25 },
  })
  const slower = configured({ acceptNoDeadman: true, limits: { linear: 0.1, angular: 1 } })
  expect(rulesFor(slower, { simulated: false, deadman: false }).limits.linear).toBe(0.1)
})

test('what is safe only high, or held, needs a firmware with a deadman', () => {
  const onBoard = (relay: string, servo: string) =>
    parseConfiguration({
      name: 'rover',
      body: {
        kind: 'firmata',
        relays: [{ name: 'lamp', pin: 7, halt: relay }],
        servos: [{ name: 'gripper', pin: 9, halt: servo }],
      },
      limits: { linear: 0.4, angular: 1.5 },
    })
  const standard = { simulated: false, deadman: false }
  expect(unfitness(onBoard('low', 'release'), standard)).toBeUndefined()
  expect(unfitness(onBoard('high', 'hold'), standard)).toMatch(
    /^relay lamp is safe only high, servo gripper must be held, .* flash MechosFirmata/,
  )
  expect(unfitness(onBoard('high', 'hold'), { simulated: false, deadman: true })).toBeUndefined()
  expect(unfitness(onBoard('high', 'hold'), { simulated: true, deadman: false })).toBeUndefined()
  expect(unfitness(configured(), standard)).toBeUndefined()
})
