import { type Entry, entrySchema } from '../../core/record/entry.ts'
import { valueOf } from '../../core/record/text.ts'
import type { FlightRecord } from '../../store/flight-record.ts'

/** A flight record in memory. */
export interface KeptRecord extends FlightRecord {
  readonly texts: readonly string[]
  entries(): AsyncGenerator<Entry>
}

export function keptRecord(): KeptRecord {
  const texts: string[] = []
  return {
    folder: null,
    texts,
    open: () => Promise.resolve(),
    append(more) {
      texts.push(...more)
      return Promise.resolve()
    },
    freeze() {},
    thaw() {},
    close: () => Promise.resolve(),
    async *entries() {
      for (const text of texts) yield entrySchema.parse(valueOf(text))
    },
  }
}
