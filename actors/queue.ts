import { afford, type Means, type Wish } from '../core/budget/afford.ts'
import { fullBucket, takeRequest, waitMs } from '../core/budget/bucket.ts'
import type { Ledger } from '../core/budget/ledger.ts'
import { causeOf } from '../core/budget/note.ts'
import { MechosError } from '../core/vocabulary/errors.ts'
import type { Amount, Reservation } from '../core/vocabulary/question.ts'
import type { Clock } from '../drivers/clock.ts'
import type { Alarms } from './alarms.ts'
import type { Bookkeeping } from './bookkeeping.ts'

/** Those who wait for a reservation, in the order in which they came. */
export interface ReservationQueue {
  join(wish: Wish, signal: AbortSignal): Promise<Reservation>
  /** Gives what there is to those who are first. */
  serve(): void
  /** Turns everybody away, for good. */
  close(): void
}

export interface ReservationQueueInput {
  readonly books: Bookkeeping
  readonly requestsPerMinute: number
  readonly idPrefix: string
  readonly clock: Clock
  readonly timers: Alarms
  /** Called after each change. */
  readonly onServed: () => void
}

/** So many may wait at once. Who comes then is turned away. */
const waitersMax = 1_000

interface Waiter {
  readonly wish: Wish
  readonly signal: AbortSignal
  readonly resolve: (reservation: Reservation) => void
  readonly reject: (reason: unknown) => void
}

export function reservationQueue(input: ReservationQueueInput): ReservationQueue {
  const { books, clock, timers } = input
  const waiters: Waiter[] = []
  let bucket = fullBucket(input.requestsPerMinute, clock.now())
  let count = 0
  let isMending = false
  let isClosed = false

  const serve = () => {
    if (isClosed) return
    books.look()
    for (let first = waiters[0]; first; first = waiters[0]) {
      if (!serveFirst(first)) break
    }
    input.onServed()
  }
  /** True when the first one was served, in whichever way, and another one is the first now. */
  const serveFirst = (first: Waiter): boolean => {
    if (!books.isKept) {
      void mend()
      return false
    }
    const means = afford(books.ledger, first.wish)
    if (means.kind === 'later') return false
    if (means.kind === 'never') {
      waiters.shift()
      first.reject(exhausted(books.ledger, means.worst))
      if (!hasOtherMeans(books.ledger, first.wish)) books.refuse(means.worst)
      return true
    }
    if (!takeFromBucket()) return false
    waiters.shift()
    void grant(first, means)
    return true
  }
  const takeFromBucket = (): boolean => {
    const left = takeRequest(bucket, clock.now())
    if (left) bucket = left
    else timers.set('bucket', waitMs(bucket, clock.now()), serve)
    return left !== undefined
  }
  const grant = async ({ signal, resolve, reject }: Waiter, means: Means & { kind: 'now' }) => {
    const { worst, capTokens } = means
    const id = `${input.idPrefix}${++count}`
    try {
      await books.hold(id, worst)
      if (!signal.aborted) return resolve({ id, worst, capTokens })
      await books.end(id, { kind: 'unsent' })
      reject(signal.reason)
    } catch (error) {
      reject(error)
    }
    serve()
  }
  /** Nobody is given anything before the disk has what it missed. */
  const mend = async () => {
    if (isMending) return
    isMending = true
    await books.keep().catch((error: unknown) => turnAway(error))
    isMending = false
    serve()
  }
  const turnAway = (reason: unknown) => {
    for (const waiter of waiters.splice(0)) waiter.reject(reason)
  }

  return {
    async join(wish, signal) {
      signal.throwIfAborted()
      if (isClosed) throw closed()
      if (waiters.length >= waitersMax) throw crowded()
      // A wish that makes no sense is found out before it stands in the way of others.
      afford(books.ledger, wish)
      return wait(waiters, wish, signal, serve)
    },
    serve,
    close() {
      isClosed = true
      timers.cancel('bucket')
      turnAway(closed())
    },
  }
}

function hasOtherMeans(ledger: Ledger, { others = [] }: Wish): boolean {
  return others.some((other) => afford(ledger, other).kind !== 'never')
}

/** Stands in line until served. Whoever is called away leaves the line to those behind him. */
function wait(
  waiters: Waiter[],
  wish: Wish,
  signal: AbortSignal,
  serve: () => void,
): Promise<Reservation> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      const place = waiters.indexOf(waiter)
      // Who is being served already is told when that is done.
      if (place < 0) return
      waiters.splice(place, 1)
      reject(signal.reason)
      serve()
    }
    // A signal may outlive many reservations, and must not remember them all.
    const forget = () => signal.removeEventListener('abort', leave)
    const waiter: Waiter = {
      wish,
      signal,
      resolve(reservation) {
        forget()
        resolve(reservation)
      },
      reject(reason) {
        forget()
        reject(reason)
      },
    }
    signal.addEventListener('abort', leave, { once: true })
    waiters.push(waiter)
    serve()
  })
}

function exhausted(ledger: Ledger, worst: Amount): MechosError {
  return new MechosError('ERR_BUDGET_EXHAUSTED', causeOf(ledger, worst))
}

function closed(): MechosError {
  return new MechosError('ERR_BUDGET_UNKEPT', 'the budget is closed: its robot is ending')
}

function crowded(): MechosError {
  const message = `${waitersMax} calls wait for the budget already`
  return new MechosError('ERR_BRAIN_SILENT', message)
}
