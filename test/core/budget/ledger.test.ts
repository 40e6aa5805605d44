import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { promptBound } from '../../../core/budget/bound.ts'
import {
  heldTokens,
  type Ledger,
  openLedger,
  type Outcome,
  remainingTokens,
  reserve,
  settle,
} from '../../../core/budget/ledger.ts'

describe('a ledger', () => {
  test('is opened with a finite number of tokens', () => {
    expect(openLedger(100)).toEqual({ limit: 100, spent: 0, assumed: 0, holds: new Map() })
    for (const bad of [0, -1, NaN, Infinity]) expect(() => openLedger(bad)).toThrow(TypeError)
  })

  test('holds the worst of a call, and no more than there is', () => {
    const held = reserve(openLedger(100), 1, 60)
    expect(held && [heldTokens(held), remainingTokens(held)]).toEqual([60, 40])
    expect(held && reserve(held, 2, 41)).toBe(undefined)
    expect(held && reserve(held, 2, 40)).not.toBe(undefined)
    expect(held && reserve(held, 1, 1)).toBe(undefined)
    for (const bad of [0, -5, NaN, Infinity])
      expect(reserve(openLedger(100), 1, bad)).toBe(undefined)
  })

  const after = (outcome: Outcome): Ledger => {
    const held = reserve(openLedger(100), 1, 60)
    if (!held) throw new TypeError('60 of 100 can be held')
    return settle(held, 1, outcome)
  }

  test('charges what was used, all of what is not known, and nothing of what was not sent', () => {
    expect(after({ kind: 'used', tokens: 25 })).toMatchObject({
      spent: 25,
      assumed: 0,
      holds: new Map(),
    })
    expect(after({ kind: 'unknown' })).toMatchObject({ spent: 0, assumed: 60, holds: new Map() })
    expect(after({ kind: 'unsent' })).toMatchObject({ spent: 0, assumed: 0, holds: new Map() })
  })

  test('does not believe a use that is no count', () => {
    for (const tokens of [NaN, Infinity, -1, 0, 2.5, 1e300]) {
      expect(after({ kind: 'used', tokens })).toMatchObject({ spent: 0, assumed: 60 })
    }
  })

  test('shows the debt when a server bills more than was held', () => {
    const overdrawn = after({ kind: 'used', tokens: 500 })
    expect([overdrawn.spent, remainingTokens(overdrawn)]).toEqual([500, 0])
    expect(reserve(overdrawn, 2, 1)).toBe(undefined)
  })

  test('settles a hold once', () => {
    const settled = after({ kind: 'used', tokens: 25 })
    expect(settle(settled, 1, { kind: 'unknown' })).toBe(settled)
    expect(settle(settled, 7, { kind: 'unknown' })).toBe(settled)
  })
})

test('no interleaving of calls spends more than the limit', () => {
  const step = fc.oneof(
    fc.record({
      act: fc.constant('reserve' as const),
      id: fc.nat(5),
      worst: fc.integer({ min: -5, max: 400 }),
    }),
    fc.record({
      act: fc.constant('settle' as const),
      id: fc.nat(5),
      outcome: fc.oneof(
        fc.record({
          kind: fc.constant('used' as const),
          share: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        fc.constantFrom({ kind: 'unknown' as const }, { kind: 'unsent' as const }),
      ),
    }),
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.array(step, { maxLength: 40 }),
      (limit, steps) => {
        let ledger = openLedger(limit)
        for (const { id, ...taken } of steps) {
          if (taken.act === 'reserve') {
            ledger = reserve(ledger, id, taken.worst) ?? ledger
          } else {
            const hold = ledger.holds.get(id) ?? 0
            const { outcome } = taken
            // What a server uses is at most what was held: that is what the bound of the prompt is for.
            ledger = settle(
              ledger,
              id,
              outcome.kind === 'used'
                ? { kind: 'used', tokens: Math.floor(hold * outcome.share) }
                : outcome,
            )
          }
          if (ledger.spent + ledger.assumed + heldTokens(ledger) > limit) return false
          if (ledger.spent < 0 || ledger.assumed < 0 || remainingTokens(ledger) < 0) return false
        }
        return true
      },
    ),
    { numRuns: 2_000 },
  )
})

describe('the bound of a prompt', () => {
  test('grows with every byte of messages and schema', () => {
    const bound = promptBound([{ role: 'user', content: 'hello' }], {})
    expect(promptBound([{ role: 'user', content: 'hello!' }], {})).toBe(bound + 1)
    expect(promptBound([{ role: 'user', content: 'hellö' }], {})).toBe(bound + 1)
    expect(promptBound([{ role: 'user', content: 'hello' }], { a: 1 })).toBe(bound + '"a":1'.length)
  })

  test('is never below the number of bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (contents) => {
        const messages = contents.map((content) => ({ role: 'user' as const, content }))
        return promptBound(messages, {}) >= Buffer.byteLength(contents.join(''))
      }),
    )
  })
})
