import type { Clock } from '../../drivers/clock.ts'

/** Counts what one client sends. */
export interface Meter {
  /** Counts one message. `ample` is within what a client may send, `over` is not listened to, at `flood` it is cut off. */
  count(): 'ample' | 'over' | 'flood'
}

/** The most messages of one client that are listened to in a second (DESIGN §6), and the most that it may send at all. */
export const messagesMax = 100
export const floodMax = 1_000

const windowMs = 1_000

/** Counts by the second, from the first message of each. */
export function createMeter(clock: Clock): Meter {
  let sinceMs = Number.NEGATIVE_INFINITY
  let counted = 0
  return {
    count() {
      const now = clock.now()
      if (!(now - sinceMs < windowMs)) {
        sinceMs = now
        counted = 0
      }
      counted += 1
      if (counted > floodMax) return 'flood'
      return counted > messagesMax ? 'over' : 'ample'
    },
  }
}
