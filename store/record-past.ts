import type { Level } from 'level'
import { readLink } from '../core/record/chain.ts'
import { noPast, type PastState } from '../core/record/past.ts'
import { foldText, type PastIndex, type PastReach } from '../core/record/past-index.ts'
import { entryKey } from './record-layout.ts'

/** What a record that is being written shows of the moments before this one. */
export interface RecordPast {
  /** How far back and how far on it can be looked at; null while nothing was kept. What waits to be written is not past yet. */
  readonly reach: PastReach | null
  /**
   * What is known of a moment, in ms on the robot's clock; of the nearest one within the reach. Never holds up whatever
   * else there is to do for more than a few ms. Rejects when it is called off, and when the record is closed meanwhile.
   */
  at(atMs: number, signal?: AbortSignal): Promise<PastState>
}

/** So many entries are looked at, at once: a few ms' worth, and be each of them a scan. */
const batchEntries = 20

export function pastIn(database: Level, index: PastIndex): RecordPast {
  return {
    get reach() {
      return index.reach
    },
    async at(atMs, signal) {
      const checkpoint = index.before(atMs)
      if (!checkpoint) return noPast
      const { number } = checkpoint
      let { state } = checkpoint
      // It sees what there was when it was made, whatever is kept or dropped meanwhile.
      const links = database.iterator({ gte: entryKey(number), lt: 'f' })
      try {
        for (;;) {
          signal?.throwIfAborted()
          // oxlint-disable-next-line no-await-in-loop -- one after the other, and whatever else there is in between
          const batch = await links.nextv(batchEntries)
          if (batch.length === 0) return state
          for (const [, written] of batch) {
            const next = foldText(state, readLink(written).text)
            if (next.atMs > atMs) return state
            state = next
          }
        }
      } finally {
        await links.close()
      }
    },
  }
}
