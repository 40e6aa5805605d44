import type { Wish } from '../core/budget/afford.ts'
import { covers, isAmount, sum } from '../core/budget/amount.ts'
import type { Charge, Ledger } from '../core/budget/ledger.ts'
import { noteOf } from '../core/budget/note.ts'
import type { Charged, Period } from '../core/budget/purse.ts'
import type { Amount, BudgetNote, Reservation, Settlement } from '../core/vocabulary/question.ts'
import type { Clock } from '../drivers/clock.ts'
import { type Alarms, alarms } from './alarms.ts'
import { type Bookkeeping, type BookkeepingInput, openBooks } from './bookkeeping.ts'
import { reservationQueue } from './queue.ts'

/** What a period has come to. */
export interface Totals extends Charged {
  /** Infinity where there is none. */
  readonly limit: Amount
  /** For calls under way. It counts in every period. */
  readonly held: Amount
}

/**
 * The budget of a robot, never overspent: whoever wants to make a call reserves the worst that it can cost, and settles
 * what it did cost.
 */
export interface Budget {
  /**
   * Resolves once the worst is held and that is on the disk. Waits, first come first served, while holds that may come
   * back, or the requests of this minute, stand in the way. Rejects with ERR_BUDGET_EXHAUSTED when even all holds coming
   * back would not do, with ERR_BUDGET_UNKEPT when the disk refuses, and with the signal's reason when it aborts; then
   * nothing is held.
   */
  reserve(wish: Wish, signal: AbortSignal): Promise<Reservation>
  /**
   * Ends a reservation at once; a second time changes nothing. Resolves once that is on the disk. Rejects with
   * ERR_BUDGET_UNKEPT when the disk refuses: then it is settled in memory all the same, and nothing is reserved any
   * more until the disk takes it.
   */
  settle(reservation: Reservation, charge: Charge): Promise<Settlement>
  readonly note: BudgetNote
  readonly run: Totals
  readonly day: Totals
  readonly month: Totals
  /** Calls the listener each time the note changes. Returns how to stop that. */
  onNote(listener: (note: BudgetNote) => void): () => void
  /** Settles nothing: what is still held is charged by the next run. Waits for what is being written. */
  close(): Promise<void>
}

export interface BudgetInput extends BookkeepingInput {
  /** Infinity where there is no limit. */
  readonly requestsPerMinute: number
  readonly clock: Clock
  /** Another one for each run: the ids of holds are kept. */
  readonly idPrefix: string
}

/**
 * Opens the budget that the store has kept; the store belongs to it then. Rejects with ERR_BUDGET_UNKEPT when the disk
 * refuses, with TypeError for limits that are none.
 */
export async function createBudget(input: BudgetInput): Promise<Budget> {
  const books = await openBooks(input)
  const timers = alarms(input.clock)
  const listeners = new Set<(note: BudgetNote) => void>()
  let note = noteOf(books.ledger)
  const tell = () => {
    const last = note
    note = noteOf(books.ledger)
    watchCalendar(books, note, timers, queue.serve, lookMs)
    if (note.level === last.level && note.cause === last.cause) return
    for (const listener of listeners) listener(note)
  }
  const queue = reservationQueue({ ...input, books, timers, onServed: tell })
  watchCalendar(books, note, timers, queue.serve, firstLookMs)
  return {
    reserve: queue.join,
    async settle({ id, worst }, charge) {
      if (!books.ledger.holds.has(id)) return { overbilled: false }
      const kept = books.end(id, charge)
      queue.serve()
      await kept
      return { overbilled: isBeyond(worst, charge) }
    },
    get note() {
      return note
    },
    get run() {
      return totalsOf(books.ledger, 'run')
    },
    get day() {
      return totalsOf(books.ledger, 'day')
    },
    get month() {
      return totalsOf(books.ledger, 'month')
    },
    onNote(listener) {
      const entry = (changed: BudgetNote) => listener(changed)
      listeners.add(entry)
      return () => void listeners.delete(entry)
    },
    async close() {
      queue.close()
      timers.cancelAll()
      await input.store.close()
    },
  }
}

/** While it is exhausted the calendar is looked at this often, in ms. */
const lookMs = 60_000

/** The first time sooner: when a program begins it does not know yet whether the clock is synchronised. */
const firstLookMs = 5_000

/**
 * While there is nothing to hope for but another day, looks whether it has come. The time that has passed is kept then,
 * too, so that a computer that is started again and again gets there.
 */
function watchCalendar(
  books: Bookkeeping,
  note: BudgetNote,
  timers: Alarms,
  serve: () => void,
  afterMs: number,
): void {
  if (note.level !== 'exhausted') return timers.cancel('calendar')
  timers.set('calendar', afterMs, () => {
    serve()
    books.keep().catch(() => {})
  })
}

function isBeyond(worst: Amount, charge: Charge): boolean {
  return charge.kind === 'used' && isAmount(charge.amount) && !covers(worst, charge.amount)
}

function totalsOf({ purses, holds }: Ledger, period: Period): Totals {
  return { ...purses[period], held: sum(holds.values()) }
}
