import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Approval, approved, expired, ruleOn } from '../../../core/rules/approval.ts'
import { refuse, type Rules } from '../../../core/rules/gatekeeper.ts'
import type { Intent } from '../../../core/vocabulary/intent.ts'

const rules: Rules = {
  limits: { linear: 0.3, angular: 1.5, linearBraking: 2, angularBraking: 12 },
  approve: ['drive', 'relay:lamp'],
}
const ahead: Intent = { type: 'drive', linear: 0.2, angular: 0, durationMs: 800 }
const first = { epoch: 7, renewal: false, id: 3 }
const renewal = { ...first, renewal: true }
const key = JSON.stringify(ahead)
const asked: Approval = { id: 3, key, epoch: 7, stage: 'asked' }
const given: Approval = { ...asked, stage: 'given' }
const used: Approval = { ...asked, stage: 'used' }

const permitted = (intent: Intent) => ({ permitted: true, intent }) as const
const rule = (intent: Intent, asking: typeof first, known?: Approval) =>
  ruleOn(permitted(intent), asking, rules, known)

describe('an intent that needs approval', () => {
  test("is refused with the kernel's own words, for a person to be asked", () => {
    const text = 'drive 0.20 m/s 0.00 rad/s for 800 ms, within 0.3 m/s and 1.5 rad/s'
    expect(rule(ahead, first)).toEqual({
      verdict: {
        permitted: false,
        rule: 'approval',
        value: 'not approved',
        limit: 'the yes of a person',
        message: `${text}: a person has to approve that first`,
        asks: { id: 3, text, choices: ['yes', 'no'] },
      },
      approval: asked,
    })
    expect(rule({ type: 'setRelay', relay: 'lamp', on: true }, first).verdict).toMatchObject({
      asks: { text: 'switch lamp on' },
    })
  })

  test('passes once after the yes, and may be renewed until something else is claimed', () => {
    expect(rule(ahead, first, given)).toEqual({ verdict: permitted(ahead), approval: used })
    expect(rule(ahead, renewal, used)).toEqual({ verdict: permitted(ahead), approval: used })
    const again = rule(ahead, { ...first, id: 4 }, used)
    expect(again).toMatchObject({ verdict: { asks: { id: 4 } }, approval: { ...asked, id: 4 } })
    expect(rule(ahead, renewal, again.approval).verdict.permitted).toBe(false)
  })

  test('does not pass by an approval of another intent, of another epoch, or of none', () => {
    const faster: Intent = { ...ahead, linear: 0.3 }
    const known = [undefined, asked, used, { ...given, epoch: 6 }]
    for (const approval of known) {
      expect(rule(ahead, first, approval).verdict).toMatchObject({ rule: 'approval' })
    }
    expect(rule(faster, first, given)).toMatchObject({
      verdict: { rule: 'approval' },
      approval: { stage: 'asked', key: JSON.stringify(faster) },
    })
    for (const approval of [undefined, asked, given, { ...used, epoch: 6 }]) {
      const { verdict } = rule(ahead, renewal, approval)
      expect(verdict).toMatchObject({ rule: 'approval' })
      // A renewal is nothing to bother a person with.
      expect(verdict.asks).toBeUndefined()
    }
  })

  test('is put before nobody when it is refused anyway, and what was approved is void', () => {
    const verdict = refuse('path', 0.1, 0.3, 'the way is occupied')
    expect(ruleOn(verdict, first, rules, given)).toEqual({ verdict, approval: undefined })
    expect(ruleOn(verdict, renewal, rules, used)).toEqual({ verdict, approval: used })
  })
})

test('what needs no approval passes, and ends whatever was approved', () => {
  const free: readonly Intent[] = [
    { type: 'stop' },
    { type: 'wait', durationMs: 100 },
    { type: 'setRelay', relay: 'horn', on: true },
  ]
  for (const intent of free) {
    expect(rule(intent, first, given)).toEqual({ verdict: permitted(intent), approval: undefined })
  }
  expect(ruleOn(permitted(ahead), first, { limits: rules.limits }, undefined)).toEqual({
    verdict: permitted(ahead),
    approval: undefined,
  })
})

test('a question to a person is permitted, and numbered', () => {
  const intent: Intent = { type: 'askHuman', question: 'where?', choices: ['left', 'right'] }
  expect(rule(intent, first, given)).toEqual({
    verdict: {
      ...permitted(intent),
      asks: { id: 3, text: 'where?', choices: ['left', 'right'] },
    },
    approval: undefined,
  })
})

describe("a person's yes", () => {
  test('counts for the question that is open, in its epoch', () => {
    expect(approved(asked, 3, 7)).toEqual(given)
    expect(approved(asked, 4, 7)).toBe(asked)
    expect(approved(asked, 3, 8)).toBe(asked)
    expect(approved(asked, NaN, 7)).toBe(asked)
    expect(approved(undefined, 3, 7)).toBeUndefined()
  })

  test('is not given twice, nor renewed once it is used', () => {
    expect(approved(given, 3, 7)).toBe(given)
    expect(approved(used, 3, 7)).toBe(used)
  })

  test('and its question last only for their time', () => {
    expect(expired(asked, { id: 3, stage: 'asked' })).toBeUndefined()
    expect(expired(given, { id: 3, stage: 'given' })).toBeUndefined()
    // The yes came in time, and what is under way is not cut off by the clock of the question.
    expect(expired(given, { id: 3, stage: 'asked' })).toBe(given)
    expect(expired(used, { id: 3, stage: 'given' })).toBe(used)
    expect(expired(asked, { id: 2, stage: 'asked' })).toBe(asked)
  })
})

test('in any course of events, each permitted first claim has had a yes of its own', () => {
  const intents: readonly Intent[] = [ahead, { ...ahead, linear: 0.1 }]
  const event = fc.oneof(
    fc.record({
      type: fc.constant('claim' as const),
      index: fc.integer({ min: 0, max: 1 }),
      epoch: fc.integer({ min: 7, max: 8 }),
      renewal: fc.boolean(),
    }),
    fc.record({ type: fc.constant('yes' as const), id: fc.integer({ min: 1, max: 12 }) }),
    fc.constant({ type: 'yes' as const, id: 'open' as const }),
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      let known: Approval | undefined
      let lastId = 0
      let said: { key: string; epoch: number } | undefined
      for (const happened of events) {
        if (happened.type === 'yes') {
          const id = happened.id === 'open' ? lastId : happened.id
          const before = known
          known = approved(known, id, 7)
          if (known && known !== before) said = { key: known.key, epoch: known.epoch }
          continue
        }
        const { index, epoch, renewal: isRenewal } = happened
        const intent = intents[index] ?? ahead
        const asking = { epoch, renewal: isRenewal, id: lastId + 1 }
        const { verdict, approval } = ruleOn(permitted(intent), asking, rules, known)
        known = approval
        lastId = verdict.asks?.id ?? lastId
        if (!verdict.permitted || isRenewal) continue
        expect(said).toEqual({ key: JSON.stringify(intent), epoch })
        said = undefined
      }
    }),
    { numRuns: 500 },
  )
})
