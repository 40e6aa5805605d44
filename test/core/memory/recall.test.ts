import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lexicalVector } from '../../../core/memory/lexical.ts'
import {
  bestOf,
  type Cue,
  type Entry,
  halfAgeMs,
  halfDistanceMetres,
  scoreOf,
  weights,
} from '../../../core/memory/recall.ts'
import { type Memory, tallyOf } from '../../../core/vocabulary/memory.ts'
import { retention, toForget } from '../../../core/memory/retention.ts'
import { sparse } from '../../../core/memory/vector.ts'
import { entryOf, happening, noonMs, noteOf } from '../../support/memories.ts'

const at = (x: number, y = 0) => ({ frame: 'odom' as const, x, y, heading: 0 })

function cueOf(text: string, more: Partial<Cue> = {}): Cue {
  return {
    lexical: sparse(lexicalVector(text)),
    embedded: undefined,
    wallMs: noonMs,
    at: at(0),
    run: 'rover-1',
    told: new Set(),
    ...more,
  }
}

const idsOf = (entries: readonly Entry[], cue: Cue, count = 5) =>
  bestOf(entries, cue, count).map(({ entry }) => entry.memory.id)

describe('recall', () => {
  test('finds what is like the cue first, and nothing that has nothing in common with it', () => {
    const entries = [
      noteOf(1, 'cats sleep on sofas'),
      noteOf(2, 'the dock is by the red door'),
      noteOf(3, 'a dock'),
      noteOf(4, '?!'),
    ].map((memory) => entryOf(memory))
    expect(idsOf(entries, cueOf('find the dock'))).toEqual(expect.arrayContaining([2, 3]))
    expect(new Set(idsOf(entries, cueOf('find the dock'), 2))).toEqual(new Set([2, 3]))
    expect(idsOf(entries, cueOf('?'))).toEqual([])
  })

  test('scores likeness, recency, nearness and notes by their weights', () => {
    const score = (entry: Entry, more: Partial<Cue> = {}) => scoreOf(entry, cueOf('dock', more))
    const note = entryOf(noteOf(1, 'dock'))
    expect(score(note)).toBeCloseTo(1)
    expect(score(note, { wallMs: noonMs + halfAgeMs })).toBeCloseTo(1 - weights.recency / 2)
    expect(score(note, { at: at(halfDistanceMetres) })).toBeCloseTo(1 - weights.place / 2)
    // Another run has another `odom`; the map is the same.
    expect(score(note, { run: 'rover-2' })).toBeCloseTo(1 - weights.place)
    const mapped = entryOf(noteOf(1, 'dock', { at: { ...at(0), frame: 'map' } }))
    const there = { ...at(0), frame: 'map' as const }
    expect(score(mapped, { run: 'rover-2', at: there })).toBeCloseTo(1)
    expect(score(mapped)).toBeCloseTo(1 - weights.place)
    const episode = { ...entryOf(happening(2)), lexical: lexicalVector('dock') }
    expect(score(episode)).toBeCloseTo(1 - weights.note)
    expect(Object.values(weights).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1)
    // A clock that was set back makes nothing younger than now.
    expect(score(note, { wallMs: noonMs - 1e9 })).toBeCloseTo(1)
  })

  test('tells the same words once, the younger of what is equally good, and not what is told', () => {
    const entries = [
      entryOf(noteOf(1, 'dock')),
      entryOf(noteOf(2, 'dock', { wallMs: noonMs - 1 })),
      entryOf(noteOf(3, 'dock here', { at: at(Number.NaN) })),
      entryOf(noteOf(4, 'dock')),
    ]
    expect(idsOf(entries, cueOf('dock', { at: undefined }))).toEqual([4, 3])
    expect(idsOf(entries, cueOf('dock', { told: new Set([4]) }))).toEqual([1, 3])
  })

  test('finds by the vectors of an endpoint where both have one of the same, and by words else', () => {
    const vector = (...values: number[]) => Float32Array.from(values)
    const by = (name: string, ...values: number[]) => ({ name, vector: vector(...values) })
    const entries = [
      entryOf(noteOf(1, 'charger'), by('a', 1, 0)),
      entryOf(noteOf(2, 'dock'), by('b', 1, 0)),
      entryOf(noteOf(3, 'dock'), by('a', 0, 1)),
      entryOf(noteOf(4, 'the dock'), by('a', 1, 0, 0)),
    ]
    const cue = cueOf('dock', { embedded: by('a', 1, 0) })
    // 1 means the same; 2 was made by another, and 4 has other dimensions: both are found by words; 3 means something else.
    expect(idsOf(entries, cue)).toEqual([2, 1, 4])
    expect(idsOf(entries, cueOf('dock'))).toEqual([3, 4])
  })

  test('is the same in slices as in one go, and never more than was asked for', () => {
    const words = ['dock', 'door', 'red', 'cat', 'lamp', 'turn', 'left']
    const some = fc.array(
      fc.record({
        text: fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 3 }),
        age: fc.integer({ min: 0, max: 5 }),
      }),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(
        some,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 9 }),
        (all, count, slice) => {
          const entries = all.map(({ text, age }, index) =>
            entryOf(noteOf(index + 1, text.join(' '), { wallMs: noonMs - age * halfAgeMs })),
          )
          const cue = cueOf('red dock left')
          const whole = bestOf(entries, cue, count)
          let best: ReturnType<typeof bestOf> = []
          for (let from = 0; from < entries.length; from += slice) {
            best = bestOf(entries.slice(from, from + slice), cue, count, best)
          }
          expect(best).toEqual(whole)
          expect(whole.length).toBeLessThanOrEqual(count)
          expect(whole.map(({ score }) => score)).toEqual(
            whole.map(({ score }) => score).toSorted((a, b) => b - a),
          )
          expect(new Set(whole.map(({ entry }) => entry.text)).size).toBe(whole.length)
        },
      ),
    )
  })
})

describe('what is forgotten', () => {
  const { episodes, notes } = retention
  const forgotten = (memories: readonly Memory[], wallMs: number) =>
    toForget(memories, tallyOf(memories.map((memory) => ({ memory }))), wallMs)

  test('is the oldest of what is too many, of each kind for itself', () => {
    const many = Array.from({ length: episodes.countMax + 2 }, (_, index) => happening(index + 1))
    const some = Array.from({ length: notes.countMax + 1 }, (_, index) =>
      noteOf(100_000 + index, `note ${index}`),
    )
    expect(forgotten([...many, ...some], noonMs)).toEqual([1, 2, 100_000])
  })

  test('is what is too old; notes outlive episodes', () => {
    const memories = [happening(1), noteOf(2, 'dock')]
    expect(forgotten(memories, noonMs + episodes.ageMsMax)).toEqual([])
    expect(forgotten(memories, noonMs + episodes.ageMsMax + 1)).toEqual([1])
    expect(forgotten(memories, noonMs + notes.ageMsMax + 1)).toEqual([1, 2])
    expect(forgotten(memories, noonMs - notes.ageMsMax - 1)).toEqual([])
    expect(forgotten(memories, Number.NaN)).toEqual([])
  })
})
