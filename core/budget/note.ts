import type { Amount, BudgetNote } from '../vocabulary/question.ts'
import { covers } from './amount.ts'
import { type Ledger, remaining } from './ledger.ts'
import { leftIn, type Period, periods, type Purse } from './purse.ts'

/** The share of a limit under which what is left is called low. */
const lowShare = 0.2

/**
 * `exhausted` when nothing is held that might come back, and a call that was refused for good still cannot be paid;
 * `low` when a purse has less than a fifth of its limit left, holds aside; else `ample`.
 */
export function noteOf(ledger: Ledger): BudgetNote {
  const { wanted, holds, purses } = ledger
  if (wanted && holds.size === 0 && !covers(remaining(ledger), wanted)) {
    return { level: 'exhausted', cause: causeOf(ledger, wanted) }
  }
  const isLow = periods.some((period) => isPurseLow(purses[period]))
  return { level: isLow ? 'low' : 'ample', cause: undefined }
}

/** Which purses cannot pay for `wanted`, and what would lift that, in one line. */
export function causeOf({ purses, day }: Ledger, wanted: Amount): string {
  const short = periods.filter((period) => !covers(leftIn(purses[period]), wanted))
  const shortfalls = short.map((period) => shortfallOf(period, purses[period], wanted))
  return `the budget is exhausted: ${shortfalls.join(', and ')}; ${liftingOf(short, day)}`
}

function shortfallOf(period: Period, purse: Purse, wanted: Amount): string {
  const { limit } = purse
  const left = leftIn(purse)
  return wanted.tokens <= left.tokens
    ? `${usd(left)} of ${usd(limit)} USD are left for this ${period}, which is less than a call may cost`
    : `${left.tokens} of ${limit.tokens} tokens are left for this ${period}, fewer than a call may take`
}

/** A run ends with its process, a day and a month by themselves. */
function liftingOf(short: readonly Period[], day: string): string {
  if (short.includes('run')) return 'a larger limit would lift that'
  const period = short.includes('month') ? 'month' : 'day'
  return `a larger limit would lift that, or the next ${period}, which begins at 00:00 UTC (it is ${day})`
}

function isPurseLow(purse: Purse): boolean {
  const { limit } = purse
  const left = leftIn(purse)
  return isBelow(left.tokens, limit.tokens) || isBelow(left.nanoUsd, limit.nanoUsd)
}

/** What has no limit never gets low. */
function isBelow(left: number, limit: number): boolean {
  return limit < Infinity && left < limit * lowShare
}

function usd({ nanoUsd }: Amount): string {
  return String(Number((nanoUsd / 1e9).toFixed(6)))
}
