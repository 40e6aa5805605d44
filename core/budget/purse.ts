import type { Amount } from '../vocabulary/question.ts'
import { nothing, rest, sum } from './amount.ts'

/** What a budget is limited for. All of them hold at once. A day is one of UTC, and a month is made of these. */
export type Period = 'run' | 'day' | 'month'

export const periods: readonly Period[] = ['run', 'day', 'month']

/** What was charged in a period. */
export interface Charged {
  /** Settled by what servers reported. */
  readonly spent: Amount
  /** The worst of calls whose bill nobody knows. */
  readonly assumed: Amount
  /** What servers billed beyond what was held for the call. */
  readonly debt: Amount
}

/** What was charged, and what may be. `spent` + `assumed` + what is held never exceeds the limit. */
export interface Purse extends Charged {
  /** Infinity where there is none. */
  readonly limit: Amount
}

/** A purse that holds its limit, or what was kept of one. Throws TypeError for a limit that is none. */
export function openPurse(limit: Amount, charged: Charged = uncharged): Purse {
  // No tokens would be no budget, and NaN no limit. No money is a budget for what costs none.
  if (!(limit.tokens > 0 && limit.nanoUsd >= 0)) {
    throw new TypeError(`a budget of ${limit.tokens} tokens and ${limit.nanoUsd} nanoUSD`)
  }
  return { limit, ...charged }
}

export function addTo(purse: Purse, added: Partial<Charged>): Purse {
  return {
    limit: purse.limit,
    spent: sum([purse.spent, added.spent ?? nothing]),
    assumed: sum([purse.assumed, added.assumed ?? nothing]),
    debt: sum([purse.debt, added.debt ?? nothing]),
  }
}

/** What is left, holds aside. Debts leave less. */
export function leftIn({ limit, spent, assumed, debt }: Purse): Amount {
  return rest(limit, sum([spent, assumed, debt]))
}

const uncharged: Charged = Object.freeze({ spent: nothing, assumed: nothing, debt: nothing })
