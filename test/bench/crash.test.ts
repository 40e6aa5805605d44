import { describe, expect, test } from 'vitest'
import { crashFigures, liveAndDie } from './crash.ts'
import { after, type Contents, recordChange } from './crash/contents.ts'
import type { Lives } from './crash/lives.ts'
import type { Change } from './crash/notes.ts'
import { lossOf, recordLossOf } from './crash/verdict.ts'

const names = [
  'acknowledgedLost.ledger',
  'acknowledgedLost.episodes',
  'acknowledgedLost.decisions',
  'torn',
  'restartsFailed',
]

test(
  'a robot that is killed eight times has lost nothing that was acknowledged',
  { timeout: 300_000 },
  async () => {
    const lives = await liveAndDie({ kills: 8, seed: 7, lifeMsMax: 6_000, note: () => {} })
    const lost = { ledger: 0, memories: 0, record: 0 }
    expect(lives).toMatchObject({ kills: 8, lost, torn: 0, faults: [] })
    for (const count of Object.values(lives.acknowledged)) expect(count).toBeGreaterThan(0)
  },
)

describe('what is found after a kill', () => {
  const empty: Contents = new Map()
  const kept = (id: number): Change => ({ of: 'memories', keep: [[id, `m${id}`]], forget: [] })
  const three = [kept(1), kept(2), kept(3)]
  const holding = (ids: readonly number[]) =>
    new Map(ids.map((id) => [String(id), `m${id}`] as const))

  test('is sound where what was acknowledged is there, with or without what was under way', () => {
    const said = { changes: three, acknowledged: 2 }
    for (const ids of [
      [1, 2],
      [1, 2, 3],
    ]) {
      expect(lossOf(empty, said, holding(ids))).toEqual({ lost: 0, isTorn: false })
    }
  })

  test('tells what is lost of what was acknowledged', () => {
    const said = { changes: three, acknowledged: 3 }
    expect(lossOf(empty, said, holding([1]))).toEqual({ lost: 2, isTorn: false })
    expect(lossOf(empty, said, empty)).toEqual({ lost: 3, isTorn: false })
  })

  test('is torn where it never was like that, and all of it counts as lost', () => {
    const both: Change = {
      of: 'memories',
      keep: [
        [1, 'm1'],
        [2, 'm2'],
      ],
      forget: [],
    }
    const found = lossOf(empty, { changes: [both], acknowledged: 1 }, holding([1]))
    expect(found).toEqual({ lost: 2, isTorn: true })
    const changed = new Map([['1', 'another']])
    expect(lossOf(empty, { changes: [kept(1)], acknowledged: 1 }, changed).isTorn).toBe(true)
  })

  test('is told of a ledger by its books and holds together', () => {
    const hold: Change = { of: 'ledger', books: 'b1', hold: ['h', 'worst'], ended: [] }
    const settle: Change = { of: 'ledger', books: 'b2', ended: ['h'] }
    const said = { changes: [hold, settle], acknowledged: 2 }
    expect(lossOf(empty, said, after(after(empty, hold), settle)).lost).toBe(0)
    expect(lossOf(empty, said, after(empty, hold))).toEqual({ lost: 1, isTorn: false })
    const half = new Map([
      ['books', 'b2'],
      ['hold h', 'worst'],
    ])
    expect(lossOf(empty, said, half).isTorn).toBe(true)
  })

  test('is told of a record batch by batch, and counts decisions', () => {
    const verdict = '{"kind":"out","what":"verdict","value":1}'
    const batches = [['a', verdict], [verdict, verdict], ['b']]
    const said = { changes: batches.map(recordChange), acknowledged: 2 }
    const upTo = (count: number) => batches.flat().slice(0, count)
    expect(recordLossOf(said, upTo(4))).toEqual({ lost: 0, isTorn: false })
    expect(recordLossOf(said, upTo(5))).toEqual({ lost: 0, isTorn: false })
    expect(recordLossOf(said, upTo(2))).toEqual({ lost: 2, isTorn: false })
    expect(recordLossOf(said, upTo(3))).toEqual({ lost: 2, isTorn: true })
    expect(recordLossOf(said, ['a', verdict, verdict, 'x'])).toEqual({ lost: 2, isTorn: true })
  })
})

describe('the figures of the kills', () => {
  const sound: Lives = {
    kills: 10,
    acknowledged: { ledger: 50, memories: 5, record: 400 },
    lost: { ledger: 0, memories: 0, record: 0 },
    torn: 0,
    underWay: 3,
    faults: [],
  }
  const valuesOf = (lives: Lives) =>
    crashFigures(lives, 10).map(({ value, verdict }) => [value, verdict])

  test('are nought where nothing was lost', () => {
    expect(crashFigures(sound, 10).map(({ name }) => name)).toEqual(names)
    expect(valuesOf(sound)).toEqual(names.map(() => [0, 'ok']))
  })

  test('are each a miss above that', () => {
    const bad: Lives = {
      ...sound,
      lost: { ledger: 1, memories: 2, record: 3 },
      torn: 4,
      faults: ['life-3: it ended by itself, with 1'],
    }
    expect(valuesOf(bad)).toEqual([1, 2, 3, 4, 1].map((value) => [value, 'miss']))
    expect(crashFigures(bad, 10).at(-1)?.reason).toBe('life-3: it ended by itself, with 1')
  })

  test('are misses after fewer kills, and where hardly anything was acknowledged', () => {
    const fewer = { ...sound, kills: 9 }
    const idle = { ...sound, acknowledged: { ...sound.acknowledged, memories: 4 } }
    for (const lives of [fewer, idle]) {
      expect(valuesOf(lives)).toEqual(names.map(() => [null, 'miss']))
    }
  })
})
