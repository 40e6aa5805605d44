import { messageOf } from '../../core/vocabulary/errors.ts'
import type { Clock } from '../../drivers/clock.ts'
import { contained } from './contained.ts'
import type { PageWord, RobotWord } from './protocol.ts'
import type { Recorded } from './steered.ts'
import { type Visitor, waitingBytesMax } from './visitor.ts'

/** Where pages ask for moments of the past. The record is read for one of them at a time. */
export interface PastDesk {
  /** A page asks. What it has asked for before and has not been answered is forgotten. */
  ask(page: Visitor, word: PastWish): void
  /** The page has gone: nothing is read for it any more. */
  leave(page: Visitor): void
  close(): void
}

type PastWish = Extract<PageWord, { type: 'past' }>
type Refused = Extract<RobotWord, { type: 'refused' }>

/** How often a page is answered at most, in ms. */
export const answerMs = 100

/** What a desk works with. */
export interface PastSources {
  readonly past: Recorded | undefined
  readonly clock: Clock
  /** Something in here failed that should not have. */
  failed(cause: string): void
}

/** What is told of the past to a page that has not asked for a moment. */
export function reachWord(past: Recorded | undefined): RobotWord {
  return { type: 'past', reach: past?.reach ?? null, past: null }
}

export function createPastDesk({ past, clock, failed }: PastSources): PastDesk {
  /** The wish of each page, in the order in which the pages are served. */
  const wishes = new Map<Visitor, PastWish>()
  const answeredMs = new Map<Visitor, number>()
  let serving: { readonly page: Visitor; readonly calledOff: AbortController } | undefined
  /** After each reading there is a rest of the same length, so that it is never more than half of what is done. */
  let restedMs = Number.NEGATIVE_INFINITY
  let timer = 0

  const dueInMs = (page: Visitor) => {
    const dueMs = (answeredMs.get(page) ?? Number.NEGATIVE_INFINITY) + answerMs
    return Math.max(0, dueMs - clock.now(), restedMs - clock.now())
  }
  const next = () => {
    clock.clearTimeout(timer)
    if (serving || wishes.size === 0) return
    const [page] = [...wishes.keys()].toSorted((one, other) => dueInMs(one) - dueInMs(other))
    const wish = page && wishes.get(page)
    if (!page || !wish) return
    const waitMs = dueInMs(page)
    if (waitMs > 0) {
      timer = clock.setTimeout(contained(failed, next), waitMs)
      return
    }
    wishes.delete(page)
    serve(page, wish).catch((error: unknown) => failed(messageOf(error)))
  }
  const serve = async (page: Visitor, wish: PastWish) => {
    const calledOff = new AbortController()
    serving = { page, calledOff }
    const beganMs = clock.now()
    const word = await answerTo(wish, calledOff.signal)
    serving = undefined
    restedMs = clock.now() + (clock.now() - beganMs)
    if (!calledOff.signal.aborted) {
      answeredMs.set(page, clock.now())
      if (page.waitingBytes <= waitingBytesMax) page.send(JSON.stringify(word))
    }
    next()
  }
  const answerTo = async ({ atMs }: PastWish, signal: AbortSignal): Promise<RobotWord> => {
    if (atMs === null) return reachWord(past)
    if (!past?.reach) return refusal('past: no flight record is kept that can be looked at')
    try {
      const found = await past.at(atMs, signal)
      return { type: 'past', reach: past.reach, past: found }
    } catch (error) {
      return refusal(`past: the flight record cannot be read: ${messageOf(error)}`)
    }
  }

  return {
    ask(page, wish) {
      wishes.set(page, wish)
      next()
    },
    leave(page) {
      wishes.delete(page)
      answeredMs.delete(page)
      if (serving?.page === page) serving.calledOff.abort()
    },
    close() {
      clock.clearTimeout(timer)
      wishes.clear()
      serving?.calledOff.abort()
    },
  }
}

function refusal(message: string): Refused {
  return { type: 'refused', word: 'past', message }
}
