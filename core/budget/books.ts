import type { Amount } from '../vocabulary/question.ts'
import type { CalendarState } from './calendar.ts'
import type { Ledger } from './ledger.ts'
import type { Charged, Purse } from './purse.ts'

/** What of a budget is kept on the disk, holds aside: numbers and times, nothing of what was asked or answered. */
export interface Books {
  readonly calendar: CalendarState
  readonly charged: Readonly<Record<'day' | 'month', Charged>>
  readonly wanted: Amount | undefined
}

export function booksOf(ledger: Ledger, calendar: CalendarState): Books {
  const { purses, wanted } = ledger
  return {
    calendar,
    charged: { day: chargedIn(purses.day), month: chargedIn(purses.month) },
    wanted,
  }
}

/** A limit is configured anew each time, and never kept. */
function chargedIn({ spent, assumed, debt }: Purse): Charged {
  return { spent, assumed, debt }
}
