import { describe, expect, test } from 'vitest'
import { createMemoryBook, waitingMax } from '../../actors/memory-book.ts'
import { lexicalName } from '../../core/memory/lexical.ts'
import { retention } from '../../core/memory/retention.ts'
import type { Draft } from '../../core/vocabulary/memory.ts'
import { wallClock } from '../../drivers/clock.ts'
import type { MemoryStore } from '../../store/memories.ts'
import type { Change, Kept } from '../../store/memory-records.ts'
import { draftOf, happening, keptOf, noonMs, noteOf } from '../support/memories.ts'

/** A disk in memory, which fails on demand, and all that it was told. */
function diskOf(before: readonly Kept[] = []) {
  let kept = [...before]
  const changes: Change[] = []
  const disk = { isFull: false, opened: 0, closed: 0 }
  const store: MemoryStore = {
    async open() {
      disk.opened += 1
      if (disk.isFull) throw new Error('no room')
      return { kept, lastId: Math.max(0, ...kept.map(({ memory }) => memory.id)), loss: undefined }
    },
    async write(change) {
      if (disk.isFull) throw new Error('no room')
      changes.push(change)
      const gone = new Set([...change.forget, ...change.keep.map(({ memory }) => memory.id)])
      kept = [...kept.filter(({ memory }) => !gone.has(memory.id)), ...change.keep]
    },
    async close() {
      disk.closed += 1
    },
  }
  const book = createMemoryBook(store, wallClock(), () => noonMs)
  return { book, disk, changes, kept: () => kept }
}

const turn: Draft = (({ id: _, ...draft }) => draft)(happening(1))
const textsIn = ({ entries }: { entries: readonly { text: string }[] }) =>
  entries.map(({ text }) => text)

describe('the book of memories', () => {
  test('keeps what is added once it is written, and says so then', async () => {
    const { book, kept } = diskOf()
    await book.open()
    let isKept = false
    const added = book.add(draftOf('the dock')).then(() => (isKept = true))
    await Promise.resolve()
    expect([isKept, book.entries]).toEqual([false, []])
    expect(await book.write()).toEqual({ tally: { episodes: 0, notes: 1 }, left: 0 })
    await added
    expect(textsIn(book)).toEqual(['the dock'])
    expect(kept()).toEqual([keptOf(noteOf(1, 'the dock'))])
  })

  test('loses nothing to a disk that refuses, and acknowledges nothing either', async () => {
    const { book, disk, changes } = diskOf()
    await book.open()
    const acknowledged: string[] = []
    for (const text of ['one', 'two']) {
      void book.add(draftOf(text)).then(() => acknowledged.push(text))
    }
    disk.isFull = true
    await expect(book.write()).rejects.toThrow('no room')
    await expect(book.write()).rejects.toThrow('no room')
    expect([acknowledged, book.entries]).toEqual([[], []])
    disk.isFull = false
    await book.write()
    expect(acknowledged).toEqual(['one', 'two'])
    expect(textsIn(book)).toEqual(['one', 'two'])
    // Numbers may be skipped, and are not given twice.
    expect(new Set(changes.flatMap(({ keep }) => keep.map(({ memory }) => memory.id))).size).toBe(2)
  })

  test('opens before it writes, where opening failed', async () => {
    const { book, disk } = diskOf([keptOf(noteOf(7, 'old'))])
    disk.isFull = true
    await expect(book.open()).rejects.toThrow('no room')
    void book.add(draftOf('new'))
    disk.isFull = false
    await book.write()
    expect([textsIn(book), disk.opened]).toEqual([['old', 'new'], 2])
    expect(book.entries[1]?.memory.id).toBe(8)
  })

  test('keeps a note that is said twice once, as the younger', async () => {
    const { book, changes } = diskOf([keptOf(noteOf(1, 'dock')), keptOf(happening(2))])
    await book.open()
    void book.add(draftOf('dock'))
    void book.add(draftOf('dock'))
    void book.add(turn)
    expect((await book.write()).tally).toEqual({ episodes: 2, notes: 1 })
    expect(book.entries.map(({ memory }) => memory.id)).toEqual([2, 4, 5])
    expect(changes[0]?.forget).toEqual([1])
    expect(changes[0]?.keep.map(({ memory }) => memory.id)).toEqual([4, 5])
  })

  test('forgets by number, and says how many there were', async () => {
    const { book, kept } = diskOf([1, 2, 3].map((id) => keptOf(noteOf(id, `note ${id}`))))
    await book.open()
    const forgotten = book.forget([1, 3, 9])
    await book.write()
    expect([await forgotten, textsIn(book), kept().length]).toEqual([2, ['note 2'], 1])
  })

  test('forgets much in several writes, and says how much when all of it is gone', async () => {
    const many = Array.from({ length: 250 }, (_, at) => keptOf(noteOf(at + 1, `note ${at}`)))
    const { book, changes } = diskOf(many)
    await book.open()
    const forgotten = book.forget([...many.map(({ memory }) => memory.id), 7, 999])
    expect([await book.write(), await book.write(), await book.write()]).toEqual([
      { tally: { episodes: 0, notes: 150 }, left: 1 },
      { tally: { episodes: 0, notes: 50 }, left: 1 },
      { tally: { episodes: 0, notes: 0 }, left: 0 },
    ])
    expect(await forgotten).toBe(250)
    expect(changes.map(({ forget }) => forget.length)).toEqual([100, 100, 50])
  })

  test('forgets what has grown too old in a long rest little by little', async () => {
    const old = Array.from({ length: 150 }, (_, at) => keptOf(happening(at + 1, { wallMs: 0 })))
    const { book } = diskOf(old)
    await book.open()
    const tallies = [await book.write(), await book.write()].map(({ tally }) => tally.episodes)
    expect(tallies).toEqual([50, 0])
  })

  test('forgets what is too much with the same write that brings it', async () => {
    const { countMax } = retention.notes
    const full = Array.from({ length: countMax }, (_, at) => keptOf(noteOf(at + 1, `note ${at}`)))
    const { book, changes } = diskOf(full)
    await book.open()
    void book.add(draftOf('one more'))
    expect((await book.write()).tally).toEqual({ episodes: 0, notes: countMax })
    expect(changes[0]?.forget).toEqual([1])
    expect(changes[0]?.tally).toEqual({ episodes: 0, notes: countMax })
  })

  test('sheds the oldest episodes when the disk does not keep up, and refuses notes', async () => {
    const { book } = diskOf()
    await book.open()
    const episodes = Array.from({ length: waitingMax.episodes + 3 }, (_, at) => ({
      ...turn,
      wallMs: noonMs + at,
    }))
    for (const episode of episodes) void book.add(episode)
    for (let at = 0; at < waitingMax.notes; at++) void book.add(draftOf(`note ${at}`))
    await expect(book.add(draftOf('one too many'))).rejects.toMatchObject({
      code: 'ERR_MEMORY_UNKEPT',
    })
    expect(book.shed).toBe(3)
    let left = Infinity
    while (left > 0) {
      // oxlint-disable-next-line no-await-in-loop -- one write after the other
      left = (await book.write()).left
    }
    expect(book.entries.map(({ memory }) => memory.wallMs).slice(0, 2)).toEqual([
      noonMs + 3,
      noonMs + 4,
    ])
    expect(book.entries.length).toBe(waitingMax.episodes + waitingMax.notes)
  })

  test('makes anew the words of what an endpoint has embedded, and what is no vector', async () => {
    const embedded = { name: 'm at u', vector: Float32Array.from([0.6, 0.8]) }
    const broken = Float32Array.from([1, Number.NaN])
    const { book } = diskOf([
      keptOf(noteOf(1, 'dock')),
      { memory: noteOf(2, 'door'), embedding: 'm at u', vector: embedded.vector },
      { memory: noteOf(3, 'door'), embedding: 'm at u', vector: broken },
      { memory: noteOf(4, 'door'), embedding: lexicalName, vector: broken },
    ])
    await book.open()
    const [, door, ...others] = book.entries
    expect(door?.embedded).toEqual(embedded)
    for (const other of others)
      expect([other.embedded, other.lexical]).toEqual([undefined, door?.lexical])
    expect(Math.hypot(...(door?.lexical ?? []))).toBeCloseTo(1)
  })

  test('gives memories the vectors of an endpoint, which are on the disk then', async () => {
    const { book, kept } = diskOf([keptOf(noteOf(1, 'dock')), keptOf(noteOf(2, 'door'))])
    await book.open()
    const embedded = { name: 'm at u', vector: Float32Array.from([0.6, 0.8]) }
    book.embed(
      new Map([
        [2, embedded],
        [9, embedded],
      ]),
    )
    expect((await book.write()).tally).toEqual({ episodes: 0, notes: 2 })
    expect(book.entries[1]?.embedded).toEqual(embedded)
    expect(kept().at(-1)).toEqual({
      memory: noteOf(2, 'door'),
      embedding: 'm at u',
      vector: embedded.vector,
    })
  })

  test('writes what waits before it is closed', async () => {
    const { book, disk, kept } = diskOf()
    await book.open()
    for (let at = 0; at < 120; at++) void book.add(turn)
    await book.close()
    expect([kept().length, disk.closed]).toEqual([120, 1])
  })
})
