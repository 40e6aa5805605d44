import { type Books, booksOf } from '../core/budget/books.ts'
import {
  type CalendarReading,
  type CalendarState,
  lookAtCalendar,
} from '../core/budget/calendar.ts'
import {
  type Charge,
  type Ledger,
  openLedger,
  refuseForGood,
  reserve,
  settle,
  turnDay,
} from '../core/budget/ledger.ts'
import type { Period } from '../core/budget/purse.ts'
import type { Amount } from '../core/vocabulary/question.ts'
import type { LedgerStore } from '../store/ledger.ts'

/** What a budget may come to, where it is kept, and what tells its days. */
export interface BookkeepingInput {
  readonly limits: Readonly<Record<Period, Amount>>
  readonly store: LedgerStore
  readonly calendar: () => CalendarReading
}

/** The ledger in memory, which is right at once, and its copy in the store, which follows. Rejects with ERR_BUDGET_UNKEPT. */
export interface Bookkeeping {
  readonly ledger: Ledger
  /** False after a write that failed, until one succeeds. */
  readonly isKept: boolean
  /** Turns the day when it is over. */
  look(): void
  /** Holds at once, and resolves once that is kept. What is not kept is not held either. Throws TypeError for more than remains. */
  hold(id: string, worst: Amount): Promise<void>
  /** Settles at once, and resolves once that is kept. */
  end(id: string, charge: Charge): Promise<void>
  refuse(worst: Amount): void
  keep(): Promise<void>
}

/**
 * Goes on where the store left off. What was held when the run before died is charged, and that is kept, before anything
 * else: a process that dies again and again pays for each of its calls once, and does not forget one.
 */
export async function openBooks({
  limits,
  store,
  calendar,
}: BookkeepingInput): Promise<Bookkeeping> {
  const { kept } = store
  let days: CalendarState = lookAtCalendar(kept?.books.calendar, calendar())
  let ledger = openLedger(limits, days.day, kept && { ...kept.books, ...kept, day: dayOf(kept) })
  let isKept = true
  /** Holds that have ended, though the store may still have them. */
  const ended = new Set(kept?.holds.keys())

  const keep = async () => {
    const ending = [...ended]
    try {
      await store.keepBooks(booksOf(ledger, days), ending)
      for (const id of ending) ended.delete(id)
      isKept = true
    } catch (error) {
      isKept = false
      throw error
    }
  }
  const end = (id: string, charge: Charge) => {
    ledger = settle(ledger, id, charge)
    ended.add(id)
    return keep()
  }

  await keep()
  return {
    get ledger() {
      return ledger
    },
    get isKept() {
      return isKept
    },
    look() {
      days = lookAtCalendar(days, calendar())
      ledger = turnDay(ledger, days.day)
    },
    async hold(id, worst) {
      const held = reserve(ledger, id, worst)
      if (!held) throw new TypeError(`${id} cannot be held`)
      ledger = held
      try {
        await store.keepHold(id, worst, booksOf(ledger, days))
      } catch (error) {
        // Nothing may be sent, so nothing is charged; the next write that succeeds takes away what is left of it.
        ledger = settle(ledger, id, { kind: 'unsent' })
        ended.add(id)
        isKept = false
        throw error
      }
    },
    end,
    refuse(worst) {
      ledger = refuseForGood(ledger, worst)
      // Nobody waits for this write: when it fails that is noted, and the next one says the same.
      keep().catch(() => {})
    },
    keep,
  }
}

function dayOf({ books }: { readonly books: Books }): string {
  return books.calendar.day
}
