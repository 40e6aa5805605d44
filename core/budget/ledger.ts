import type { Amount } from '../vocabulary/question.ts'
import { covers, isAmount, lesser, rest, sum } from './amount.ts'
import {
  addTo,
  type Charged,
  leftIn,
  openPurse,
  type Period,
  periods,
  type Purse,
} from './purse.ts'

/** What a budget has come to. Never changed in place. */
export interface Ledger {
  /** The UTC day that it is in, as `2026-01-31`. */
  readonly day: string
  readonly purses: Readonly<Record<Period, Purse>>
  /** The worst of each call under way, by its id. It counts in every purse until it ends, also when the day turns. */
  readonly holds: ReadonlyMap<string, Amount>
  /** The smallest call that was refused for good. */
  readonly wanted: Amount | undefined
}

/** What outlives a run. */
export interface KeptLedger {
  readonly day: string
  readonly charged: Readonly<Record<'day' | 'month', Charged>>
  readonly holds: ReadonlyMap<string, Amount>
  readonly wanted: Amount | undefined
}

/** How a call ended. `unsent` costs nothing; `unknown` is charged at its worst, since the server may have billed that. */
export type Charge =
  | { readonly kind: 'unsent' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'used'; readonly amount: Amount }

/**
 * The ledger of a new run on this day. What was held when the run before it died is charged as assumed: nobody knows
 * what became of it. Throws TypeError for limits that are none.
 */
export function openLedger(
  limits: Readonly<Record<Period, Amount>>,
  day: string,
  kept?: KeptLedger,
): Ledger {
  const before: Ledger = {
    day: kept?.day ?? day,
    purses: {
      run: openPurse(limits.run),
      day: openPurse(limits.day, kept?.charged.day),
      month: openPurse(limits.month, kept?.charged.month),
    },
    holds: new Map(),
    // What it cost is judged anew: this run may ask others, who are cheaper.
    wanted: kept?.wanted && { tokens: kept.wanted.tokens, nanoUsd: 0 },
  }
  const { purses, ...ledger } = turnDay(before, day)
  const lost = { assumed: sum(kept?.holds.values() ?? []) }
  return forgetWanted({
    ...ledger,
    purses: {
      run: purses.run,
      day: addTo(purses.day, lost),
      month: addTo(purses.month, lost),
    },
  })
}

/** What may still be held, in every purse. Never negative. */
export function remaining(ledger: Ledger): Amount {
  return rest(remainingAtBest(ledger), sum(ledger.holds.values()))
}

/** What could be held if every call under way came back without having cost anything. */
export function remainingAtBest({ purses }: Ledger): Amount {
  return periods.map((period) => leftIn(purses[period])).reduce(lesser)
}

/**
 * Holds the worst that a call can cost, in every purse or in none. Undefined when that is more than remains, when the
 * id is taken, or when it is no amount of at least one token.
 */
export function reserve(ledger: Ledger, id: string, worst: Amount): Ledger | undefined {
  if (!isAmount(worst) || worst.tokens === 0 || ledger.holds.has(id)) return undefined
  if (!covers(remaining(ledger), worst)) return undefined
  return { ...ledger, holds: new Map(ledger.holds).set(id, worst) }
}

/** Remembers a call that not even all holds coming back could pay, if it is smaller than the one that is remembered. */
export function refuseForGood(ledger: Ledger, worst: Amount): Ledger {
  const { wanted } = ledger
  return wanted && !covers(wanted, worst) ? ledger : { ...ledger, wanted: worst }
}

/**
 * Ends a hold, exactly once: an unknown id changes nothing. A use that is no amount of at least one token is charged as
 * unknown. What a server billed beyond the hold is a debt, and leaves less to spend.
 */
export function settle(ledger: Ledger, id: string, charge: Charge): Ledger {
  const hold = ledger.holds.get(id)
  if (hold === undefined) return ledger
  const holds = new Map(ledger.holds)
  holds.delete(id)
  const { run, day, month } = ledger.purses
  const added = chargedFor(hold, charge)
  const purses = { run: addTo(run, added), day: addTo(day, added), month: addTo(month, added) }
  return { ...ledger, holds, purses }
}

/** Begins another day, and with it another month where there is one. A day that has been is never begun again. */
export function turnDay(ledger: Ledger, day: string): Ledger {
  if (!(day > ledger.day)) return ledger
  const { run, day: today, month } = ledger.purses
  const isSameMonth = day.slice(0, 7) === ledger.day.slice(0, 7)
  const purses = {
    run,
    day: openPurse(today.limit),
    month: isSameMonth ? month : openPurse(month.limit),
  }
  return forgetWanted({ ...ledger, day, purses })
}

function chargedFor(hold: Amount, charge: Charge): Partial<Charged> {
  switch (charge.kind) {
    case 'unsent':
      return {}
    case 'unknown':
      return { assumed: hold }
    case 'used': {
      const { amount } = charge
      if (!isAmount(amount) || amount.tokens === 0) return { assumed: hold }
      return { spent: lesser(amount, hold), debt: rest(amount, hold) }
    }
  }
}

/** A call that could be paid now is not refused for good any more. */
function forgetWanted(ledger: Ledger): Ledger {
  const { wanted } = ledger
  const isPayable = wanted && covers(remainingAtBest(ledger), wanted)
  return isPayable ? { ...ledger, wanted: undefined } : ledger
}
