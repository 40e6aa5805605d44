import fc from 'fast-check'
import { expect, test } from 'vitest'
import { revised } from '../../../core/memory/contents.ts'
import type { Embedded } from '../../../core/memory/recall.ts'
import { tallyOf } from '../../../core/vocabulary/memory.ts'
import { entryOf, happening, noonMs, noteOf } from '../../support/memories.ts'

test('what is changed and gone leads from what there was to what there is, and is counted', () => {
  const day = 24 * 3_600_000
  const memory = fc.record({
    isNote: fc.boolean(),
    word: fc.constantFrom('dock', 'door', 'lamp'),
    days: fc.integer({ min: 0, max: 60 }),
  })
  const entriesOf = (
    all: readonly { isNote: boolean; word: string; days: number }[],
    from: number,
  ) =>
    all.map(({ isNote, word, days }, at) => {
      const wallMs = noonMs - days * day
      return entryOf(
        isNote
          ? noteOf(from + at, word, { wallMs })
          : happening(from + at, { intended: word, wallMs }),
      )
    })
  const vector: Embedded = { name: 'm', vector: Float32Array.from([1]) }
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 4 })
  const some = fc.array(memory, { maxLength: 8 })
  fc.assert(
    fc.property(some, some, ids, ids, (old, young, forgotten, embedded) => {
      const entries = entriesOf(old, 1)
      const added = entriesOf(young, old.length + 1)
      const vectors = new Map(embedded.filter((id) => id <= old.length).map((id) => [id, vector]))
      const { after, changed, gone } = revised(
        { entries, tally: tallyOf(entries) },
        { added, forget: new Set(forgotten), vectors },
        noonMs,
      )
      expect(after.tally).toEqual(tallyOf(after.entries))
      const kept = new Map(entries.map((entry) => [entry.memory.id, entry]))
      for (const id of gone) expect(kept.delete(id)).toBe(true)
      for (const entry of changed) kept.set(entry.memory.id, entry)
      expect([...kept.values()].toSorted((a, b) => a.memory.id - b.memory.id)).toEqual(
        after.entries,
      )
      for (const {
        memory: { id, kind },
        text,
        embedded: given,
      } of after.entries) {
        expect(forgotten).not.toContain(id)
        expect(given).toEqual(vectors.get(id))
        const others = after.entries.filter(
          (other) => other.memory.kind === 'note' && other.text === text,
        )
        if (kind === 'note' && id > old.length) expect(others.length).toBe(1)
      }
    }),
  )
})
