import { Subject } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { recallFor, type Recalling } from '../../actors/recollection.ts'
import type { Embedded } from '../../core/memory/recall.ts'
import { entryOf, happening, noonMs, noteOf } from '../support/memories.ts'

const seen = {
  goal: 'find the dock',
  answers: [],
  pose: { x: 0, y: 0, heading: 0 },
  stampMs: 1_000,
}

function recalling(more: Partial<Recalling>): Recalling {
  return {
    entries: [],
    run: 'rover-1',
    wallMs: () => noonMs,
    ticks: new Subject<number>(),
    embed: () => undefined,
    ...more,
  }
}

/** Lets every promise that is settled go on. */
const settled = async () => {
  for (let at = 0; at < 20; at++) {
    // oxlint-disable-next-line no-await-in-loop -- turn after turn
    await Promise.resolve()
  }
}

describe('what a brain is reminded of', () => {
  test('is told with its age, and with its place where that is of this run', async () => {
    const entries = [
      entryOf(noteOf(1, 'the dock', { run: 'before', wallMs: noonMs - 3 * 86_400_000 })),
      entryOf(noteOf(2, 'a dock', { at: { frame: 'odom', x: 1, y: 2, heading: 3 } })),
    ]
    expect(await recallFor(recalling({ entries }), seen)).toEqual([
      {
        text: 'a dock',
        age: 'just now',
        place: { frame: 'odom', x: 1, y: 2, heading: 3 },
        id: 2,
        score: expect.closeTo(0.7, 0),
      },
      { text: 'the dock', age: '3 d', id: 1, score: expect.closeTo(0.7, 0) },
    ])
  })

  test('is at most five, by goal and by what people have said, and not its last turns', async () => {
    const turns = Array.from({ length: 12 }, (_, at) =>
      entryOf(happening(at + 1, { intended: `look for the dock ${at}` })),
    )
    const told = await recallFor(recalling({ entries: turns }), seen)
    const numbers = told.map(({ text }) => Number(/dock (\d+)/.exec(text)?.[1]))
    expect(numbers.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3])
    const others = await recallFor(recalling({ entries: turns, run: 'later' }), seen)
    expect(others.length).toBe(5)
    const lamp = entryOf(noteOf(99, 'the lamp is green'))
    const asked = { ...seen, answers: [{ question: 'and then?', answer: 'look at the lamp' }] }
    expect((await recallFor(recalling({ entries: [...turns, lamp] }), asked))[0]?.text).toBe(
      'the lamp is green',
    )
  })

  const many = Array.from({ length: 10_000 }, (_, at) => entryOf(noteOf(at + 1, `note ${at}`)))
  const last = entryOf(noteOf(10_001, 'the dock'))

  test('is looked for a slice at a time, one after each tick', async () => {
    const ticks = new Subject<number>()
    let isOver = false
    const recalled = recallFor(recalling({ entries: [...many, last], ticks }), seen).then(
      (found) => ((isOver = true), found),
    )
    for (const nowMs of [1_020, 1_040, 1_060, 1_080]) {
      // oxlint-disable-next-line no-await-in-loop -- tick after tick
      await settled()
      expect(isOver).toBe(false)
      ticks.next(nowMs)
    }
    expect((await recalled)[0]?.text).toBe('the dock')
  })

  test('is left out where it was not found in time', async () => {
    const ticks = new Subject<number>()
    const recalled = recallFor(recalling({ entries: [...many, last], ticks }), seen)
    await settled()
    ticks.next(1_050)
    await settled()
    ticks.next(1_100)
    expect((await recalled).map(({ text }) => text)).not.toContain('the dock')
  })

  test('is found by words when the vector of an endpoint does not come in time', async () => {
    const ticks = new Subject<number>()
    const entries = [entryOf(noteOf(1, 'the dock'))]
    const never = () => new Promise<Embedded | undefined>(() => {})
    const recalled = recallFor(recalling({ entries, ticks, embed: never }), seen)
    await settled()
    ticks.next(1_099)
    await settled()
    ticks.next(1_100)
    expect(await recalled).toMatchObject([{ text: 'the dock' }])
  })

  test('is found by the vector of an endpoint where that is there', async () => {
    const embedded = { name: 'm', vector: Float32Array.from([1, 0]) }
    const entries = [entryOf(noteOf(1, 'charger'), embedded), entryOf(noteOf(2, 'cat'))]
    const found = await recallFor(recalling({ entries, embed: async () => embedded }), seen)
    expect(found[0]).toMatchObject({ text: 'charger' })
  })

  test('is nothing, at once, where nothing is remembered', async () => {
    const asked: string[] = []
    const embed = async (text: string) => {
      asked.push(text)
      return undefined
    }
    expect([await recallFor(recalling({ embed }), seen), asked]).toEqual([[], []])
  })
})
