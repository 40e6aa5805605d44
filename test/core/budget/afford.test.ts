import { describe, expect, test } from 'vitest'
import { afford } from '../../../core/budget/afford.ts'
import { openLedger, reserve, settle } from '../../../core/budget/ledger.ts'

const unlimited = { tokens: Infinity, nanoUsd: Infinity }

function ledgerOf(tokens: number, held = 0) {
  const run = { tokens, nanoUsd: Infinity }
  const ledger = openLedger({ run, day: unlimited, month: unlimited }, '2026-01-30')
  return reserve(ledger, 'other', { tokens: held, nanoUsd: 0 }) ?? ledger
}

/** 300 for the prompt, and a reply of 160 to 400 tokens at 2 nanoUSD each. */
const wish = {
  worst: (capTokens: number) => ({ tokens: 300 + capTokens, nanoUsd: 2 * capTokens }),
  capTokens: 400,
  capTokensMin: 160,
}

describe('a call', () => {
  test('is afforded whole where that is possible', () => {
    const whole = { kind: 'now', capTokens: 400, worst: { tokens: 700, nanoUsd: 800 } }
    expect(afford(ledgerOf(700), wish)).toEqual(whole)
    expect(afford(ledgerOf(1000, 300), wish)).toEqual(whole)
  })

  test('waits for what is held rather than to be cut short', () => {
    expect(afford(ledgerOf(1000, 301), wish)).toEqual({ kind: 'later' })
    expect(afford(ledgerOf(460, 460), wish)).toEqual({ kind: 'later' })
  })

  test('shrinks to what is left when nothing is held', () => {
    for (const [left, capTokens] of [
      [699, 399],
      [600, 300],
      [460, 160],
    ] as const) {
      expect(afford(ledgerOf(left), wish)).toEqual({
        kind: 'now',
        capTokens,
        worst: { tokens: left, nanoUsd: 2 * capTokens },
      })
    }
  })

  test('is never afforded when not even what is held would do, coming back', () => {
    const never = { kind: 'never', worst: { tokens: 460, nanoUsd: 320 } }
    expect(afford(ledgerOf(459), wish)).toEqual(never)
    const spent = settle(ledgerOf(900, 500), 'other', { kind: 'unknown' })
    expect(afford(reserve(spent, 'a', { tokens: 300, nanoUsd: 0 }) ?? spent, wish)).toEqual(never)
  })

  test('that asks for less than the least is not given more', () => {
    expect(afford(ledgerOf(700), { ...wish, capTokens: 50 })).toMatchObject({ capTokens: 50 })
  })

  test('that costs no amount is a mistake', () => {
    for (const bad of [NaN, -1, 0, 0.5, Infinity]) {
      const worst = () => ({ tokens: bad, nanoUsd: 0 })
      expect(() => afford(ledgerOf(700), { ...wish, worst })).toThrow(TypeError)
    }
  })
})
