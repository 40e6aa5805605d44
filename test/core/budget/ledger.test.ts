import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { covers, rest, sum } from '../../../core/budget/amount.ts'
import {
  type Charge,
  type KeptLedger,
  type Ledger,
  openLedger,
  refuseForGood,
  remaining,
  remainingAtBest,
  reserve,
  settle,
  turnDay,
} from '../../../core/budget/ledger.ts'
import { noteOf } from '../../../core/budget/note.ts'
import { type Period, periods } from '../../../core/budget/purse.ts'
import type { Amount } from '../../../core/vocabulary/question.ts'

const none = { tokens: 0, nanoUsd: 0 }
const unlimited = { tokens: Infinity, nanoUsd: Infinity }
const today = '2026-01-30'

function tokens(count: number, nanoUsd = 0): Amount {
  return { tokens: count, nanoUsd }
}

function limited(limits: Partial<Record<Period, Amount>>): Record<Period, Amount> {
  return { run: unlimited, day: unlimited, month: unlimited, ...limits }
}

/** A hundred tokens for the run, and no other limit. */
function hundred(): Ledger {
  return openLedger(limited({ run: tokens(100, Infinity) }), today)
}

function held(ledger: Ledger, id: string, worst: Amount): Ledger {
  const next = reserve(ledger, id, worst)
  if (!next) throw new TypeError(`${id} does not fit`)
  return next
}

describe('a ledger', () => {
  test('is opened with limits that are some', () => {
    for (const bad of [0, -1, NaN]) {
      expect(() => openLedger(limited({ day: tokens(bad) }), today)).toThrow(TypeError)
    }
    for (const bad of [-1, NaN]) {
      expect(() => openLedger(limited({ day: tokens(1, bad) }), today)).toThrow(TypeError)
    }
  })

  test('holds the worst of a call, and no more than there is', () => {
    const ledger = held(hundred(), 'a', tokens(60))
    expect([remaining(ledger).tokens, remainingAtBest(ledger).tokens]).toEqual([40, 100])
    expect(reserve(ledger, 'b', tokens(41))).toBe(undefined)
    expect(reserve(ledger, 'b', tokens(40))).not.toBe(undefined)
    expect(reserve(ledger, 'a', tokens(1))).toBe(undefined)
  })

  test('holds no amount that is none, even where there is no limit', () => {
    const endless = openLedger(limited({}), today)
    for (const bad of [0, -5, 1.5, NaN, Infinity]) {
      expect(reserve(endless, 'a', tokens(bad))).toBe(undefined)
    }
    for (const bad of [-5, 1.5, NaN, Infinity]) {
      expect(reserve(endless, 'a', tokens(1, bad))).toBe(undefined)
    }
  })

  test('reserves in every purse or in none, tokens and money', () => {
    const ledger = openLedger(
      { run: tokens(100, 900), day: tokens(80, 1000), month: tokens(300, 500) },
      today,
    )
    expect(remaining(ledger)).toEqual(tokens(80, 500))
    expect(reserve(ledger, 'a', tokens(81, 1))).toBe(undefined)
    expect(reserve(ledger, 'a', tokens(1, 501))).toBe(undefined)
    expect(remaining(held(ledger, 'a', tokens(80, 500)))).toEqual(none)
  })

  const after = (charge: Charge) => settle(held(hundred(), 'a', tokens(60, 6)), 'a', charge)

  test('charges what was used, all of what is not known, and nothing of what was not sent', () => {
    const used = after({ kind: 'used', amount: tokens(25, 2) })
    const limit = tokens(100, Infinity)
    expect(used.purses.run).toEqual({ limit, spent: tokens(25, 2), assumed: none, debt: none })
    expect(used.purses.month).toEqual({ ...used.purses.run, limit: unlimited })
    expect(used.holds.size).toBe(0)
    expect(after({ kind: 'unknown' }).purses.run).toEqual({
      limit,
      spent: none,
      assumed: tokens(60, 6),
      debt: none,
    })
    expect(after({ kind: 'unsent' })).toEqual(hundred())
  })

  test('does not believe a use that is no amount', () => {
    for (const bad of [NaN, Infinity, -1, 0, 2.5, 1e300]) {
      expect(after({ kind: 'used', amount: tokens(bad) })).toEqual(after({ kind: 'unknown' }))
    }
    expect(after({ kind: 'used', amount: tokens(5, NaN) })).toEqual(after({ kind: 'unknown' }))
  })

  test('shows as a debt what a server bills beyond what was held, and has less left', () => {
    const overdrawn = after({ kind: 'used', amount: tokens(75, 5) })
    expect(overdrawn.purses.run).toMatchObject({
      spent: tokens(60, 5),
      assumed: none,
      debt: tokens(15, 0),
    })
    expect(remaining(overdrawn).tokens).toBe(25)
    const ruined = after({ kind: 'used', amount: tokens(Number.MAX_SAFE_INTEGER, 0) })
    expect([remaining(ruined).tokens, reserve(ruined, 'b', tokens(1))]).toEqual([0, undefined])
  })

  test('settles a hold once', () => {
    const settled = after({ kind: 'used', amount: tokens(25) })
    expect(settle(settled, 'a', { kind: 'unknown' })).toBe(settled)
    expect(settle(settled, 'z', { kind: 'unknown' })).toBe(settled)
  })
})

describe('a day', () => {
  const spentDay = settle(
    held(
      openLedger({ run: tokens(500), day: tokens(100), month: tokens(250) }, today),
      'a',
      tokens(90),
    ),
    'a',
    { kind: 'unknown' },
  )

  test('renews its own purse when it turns, and the month its own when that turns', () => {
    const left = (ledger: Ledger) =>
      periods.map(
        (period) => rest(ledger.purses[period].limit, ledger.purses[period].assumed).tokens,
      )
    expect(left(spentDay)).toEqual([410, 10, 160])
    expect(left(turnDay(spentDay, '2026-01-31'))).toEqual([410, 100, 160])
    expect(left(turnDay(spentDay, '2026-02-01'))).toEqual([410, 100, 250])
    expect(left(turnDay(spentDay, '2027-01-30'))).toEqual([410, 100, 250])
  })

  test('never comes again', () => {
    for (const day of [today, '2026-01-29', '2025-12-31', '']) {
      expect(turnDay(spentDay, day)).toBe(spentDay)
    }
  })

  test('begins with what is held', () => {
    const ledger = turnDay(held(spentDay, 'b', tokens(10)), '2026-01-31')
    expect(remaining(ledger).tokens).toBe(90)
    expect(settle(ledger, 'b', { kind: 'unknown' }).purses.day.assumed).toEqual(tokens(10))
  })
})

describe('a ledger that was kept', () => {
  const charged = { spent: tokens(30, 3), assumed: tokens(20, 2), debt: tokens(5, 1) }
  const kept: KeptLedger = {
    day: today,
    charged: { day: charged, month: charged },
    holds: new Map([
      ['x-1', tokens(10, 1)],
      ['x-2', tokens(7, 1)],
    ]),
    wanted: tokens(40),
  }
  const limits = { run: tokens(100, 100), day: tokens(100, 100), month: tokens(200, 200) }

  test('charges the holds that are left over, and begins a run of its own', () => {
    const ledger = openLedger(limits, today, kept)
    expect(ledger.holds.size).toBe(0)
    expect(ledger.purses.day).toEqual({ limit: limits.day, ...charged, assumed: tokens(37, 4) })
    expect(ledger.purses.month).toEqual({ limit: limits.month, ...charged, assumed: tokens(37, 4) })
    expect(ledger.purses.run).toEqual({ limit: limits.run, spent: none, assumed: none, debt: none })
  })

  test('is still exhausted, until the day turns', () => {
    expect(noteOf(openLedger(limits, today, kept)).level).toBe('exhausted')
    expect(noteOf(openLedger(limits, '2026-01-29', kept)).level).toBe('exhausted')
    const tomorrow = openLedger(limits, '2026-01-31', kept)
    expect([noteOf(tomorrow).level, tomorrow.wanted]).toEqual(['ample', undefined])
    // What was left over is charged to the day on which it was found: its bill may be of that day.
    expect(tomorrow.purses.day.assumed).toEqual(tokens(17, 2))
  })

  test('that was short of money is not short of it for cheaper models', () => {
    const dear = { ...kept, wanted: tokens(20, 900) }
    expect(noteOf(openLedger(limits, today, dear)).level).toBe('ample')
  })

  test('has nothing left under a limit that was lowered', () => {
    const ledger = openLedger({ ...limits, day: tokens(10) }, today, kept)
    expect([remaining(ledger), reserve(ledger, 'a', tokens(1))]).toEqual([none, undefined])
  })
})

describe('the note', () => {
  test('is low below a fifth of a limit, holds aside', () => {
    const used = (count: number) =>
      settle(held(hundred(), 'a', tokens(count)), 'a', { kind: 'unknown' })
    expect(noteOf(used(80))).toEqual({ level: 'ample', cause: undefined })
    expect(noteOf(used(81))).toEqual({ level: 'low', cause: undefined })
    expect(noteOf(held(hundred(), 'a', tokens(100))).level).toBe('ample')
  })

  test('is exhausted when a call was refused for good and nothing is held that may come back', () => {
    const full = held(hundred(), 'a', tokens(90))
    const refused = refuseForGood(full, tokens(101))
    expect(noteOf(refused).level).toBe('ample')
    const back = settle(refused, 'a', { kind: 'unsent' })
    expect(noteOf(back)).toEqual({
      level: 'exhausted',
      cause:
        'the budget is exhausted: 100 of 100 tokens are left for this run, fewer than a call may take; a larger limit would lift that',
    })
  })

  test('says which purses are empty, and when they are filled again', () => {
    const limits = { run: tokens(900, 9e9), day: tokens(50, 9e9), month: tokens(900, 5e8) }
    const wants = (wanted: Amount) => noteOf(refuseForGood(openLedger(limits, today), wanted)).cause
    expect(wants(tokens(60, 1))).toBe(
      'the budget is exhausted: 50 of 50 tokens are left for this day, fewer than a call may take; a larger limit would lift that, or the next day, which begins at 00:00 UTC (it is 2026-01-30)',
    )
    expect(wants(tokens(60, 6e8))).toBe(
      'the budget is exhausted: 50 of 50 tokens are left for this day, fewer than a call may take, and 0.5 of 0.5 USD are left for this month, which is less than a call may cost; a larger limit would lift that, or the next month, which begins at 00:00 UTC (it is 2026-01-30)',
    )
  })

  test('remembers the smallest call that was refused', () => {
    const refused = [tokens(500), tokens(300), tokens(400)].reduce(refuseForGood, hundred())
    expect(refused.wanted).toEqual(tokens(300))
  })
})

const amount = fc.record({ tokens: fc.integer({ min: 1, max: 400 }), nanoUsd: fc.nat(400) })
const share = fc.double({ min: 0, max: 1, noNaN: true })
const step = fc.oneof(
  fc.record({ act: fc.constant('reserve' as const), id: fc.nat(5), worst: amount }),
  fc.record({
    act: fc.constant('settle' as const),
    id: fc.nat(5),
    kind: fc.constantFrom('used' as const, 'unknown' as const, 'unsent' as const),
    share,
  }),
  fc.record({ act: fc.constant('day' as const), day: fc.integer({ min: 25, max: 35 }) }),
  fc.record({ act: fc.constant('crash' as const) }),
)

function dayNamed(day: number): string {
  return day <= 31 ? `2026-01-${day}` : `2026-02-0${day - 31}`
}

test('no interleaving of calls, days and deaths charges more than a limit, or less than was billed', () => {
  const limit = fc.record({ tokens: fc.integer({ min: 1, max: 1000 }), nanoUsd: fc.nat(1000) })
  const limits = fc.record({ run: limit, day: limit, month: limit })
  fc.assert(
    fc.property(limits, fc.array(step, { maxLength: 40 }), (purses, steps) => {
      let ledger = openLedger(purses, today)
      const billed = new Map<string, Amount>()
      const bill = (bills: Amount) => {
        for (const key of [ledger.day, ledger.day.slice(0, 7)]) {
          billed.set(key, sum([billed.get(key) ?? none, bills]))
        }
      }
      for (const taken of steps) {
        if (taken.act === 'reserve') {
          ledger = reserve(ledger, String(taken.id), taken.worst) ?? ledger
        } else if (taken.act === 'settle') {
          const hold = ledger.holds.get(String(taken.id))
          const part = hold && {
            tokens: Math.max(1, Math.floor(hold.tokens * taken.share)),
            nanoUsd: Math.floor(hold.nanoUsd * taken.share),
          }
          if (part && taken.kind !== 'unsent') bill(part)
          const charge: Charge =
            taken.kind === 'used' ? { kind: 'used', amount: part ?? none } : { kind: taken.kind }
          ledger = settle(ledger, String(taken.id), charge)
        } else if (taken.act === 'day') {
          ledger = turnDay(ledger, dayNamed(taken.day))
        } else {
          bill(sum(ledger.holds.values()))
          const { day, month } = ledger.purses
          ledger = openLedger(purses, ledger.day, { ...ledger, charged: { day, month } })
        }
        for (const period of periods) {
          const { limit: most, spent, assumed, debt } = ledger.purses[period]
          if (!covers(most, sum([spent, assumed, ...ledger.holds.values()]))) return false
          if (debt.tokens !== 0 || debt.nanoUsd !== 0) return false
        }
        for (const [period, key] of [
          ['day', ledger.day],
          ['month', ledger.day.slice(0, 7)],
        ] as const) {
          const { spent, assumed } = ledger.purses[period]
          if (!covers(sum([spent, assumed]), billed.get(key) ?? none)) return false
        }
      }
      return true
    }),
    { numRuns: 2_000 },
  )
})
