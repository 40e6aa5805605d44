import { expect, test } from 'vitest'
import { closedRules, rulesFor } from '../../../core/rules/restrictions.ts'
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
