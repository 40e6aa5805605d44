import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Loops,
  noLoops,
  noteDecision,
  repetitionIn,
  watchLoops,
} from '../../../core/rules/loop.ts'

const here = { x: 0, y: 0, heading: 0 }
const drive = (linear: number, angular = 0, durationMs = 500) => ({
  type: 'drive',
  linear,
  angular,
  durationMs,
})
const wait = { type: 'wait', durationMs: 500 }
const stop = { type: 'stop' }

/** The memory of a brain that proposed these, one after the other, while the robot stood still. */
const after = (...intents: readonly unknown[]): Loops =>
  intents.reduce<Loops>((loops, intent) => noteDecision(loops, { intent, pose: here }), noLoops)
const told = (loops: Loops) => repetitionIn(loops, here, 'permitted')
const watched = (loops: Loops, pose = here) => watchLoops(loops, pose, 'permitted')
const times = <T>(count: number, round: readonly T[]): readonly T[] =>
  Array.from({ length: count }, () => round).flat()

describe('a repetition', () => {
  test('is the same intent three times in a row', () => {
    expect(told(after(wait, wait))).toBeUndefined()
    expect(told(after(wait, wait, wait))).toEqual({
      what: 'wait 500 ms',
      times: 3,
      headway: false,
      caught: false,
      outcome: 'permitted',
    })
    expect(told(after(wait, wait, wait, stop))).toBeUndefined()
  })

  test('is a cycle of two, three or four that was seen three times', () => {
    const cycles = [
      [drive(0.2), drive(-0.2)],
      [drive(0.2), wait, stop],
      [drive(0.2), drive(-0.2), drive(0, 1), stop],
    ]
    for (const round of cycles) {
      expect(told(after(...times(3, round).slice(1)))).toBeUndefined()
      expect(told(after(...times(3, round)))).toMatchObject({ times: 3 })
    }
    expect(told(after(...times(3, [drive(0.2), stop])))?.what).toBe(
      'drive 0.20 m/s 0.00 rad/s, then stop',
    )
    const five = [drive(0.2), drive(0.3), drive(0.4), drive(0.1), stop]
    expect(told(after(...times(4, five)))).toBeUndefined()
  })

  test('is seen through paraphrases, and not where intents differ', () => {
    const ask = (question: string) => ({ type: 'askHuman', question, choices: [] })
    const same = [
      [drive(0.2, 0, 500), drive(0.21, -0.02, 600), drive(0.19, 0.04, 400)],
      [ask('Where is it?'), ask(' where  is it'), ask('WHERE IS IT!!')],
      [
        { type: 'fly', height: 3 },
        { height: 3.01, type: 'Fly' },
        { type: 'fly!', height: 3 },
      ],
    ]
    for (const three of same) expect(told(after(...three))).toMatchObject({ times: 3 })
    const different = [
      [drive(0.2), drive(0.26), drive(0.2)],
      [drive(0.2), drive(0.2, 0.2), drive(0.2)],
      [drive(0.2), drive(0.2, 0, 1_000), drive(0.2)],
      [ask('where is it'), ask('where was it'), ask('where is it')],
    ]
    for (const three of different) expect(told(after(...three))).toBeUndefined()
  })

  test('is seen in what cannot be written down, too', () => {
    const round: Record<string, unknown> = {}
    round['self'] = round
    expect(told(after(round, 3n, round))).toMatchObject({ times: 3, what: 'object' })
  })
})

describe('a brain that goes round in circles', () => {
  test('is caught when it has gone on for as long again, and got nowhere', () => {
    expect(watched(after(...times(5, [wait])))).toEqual(after(...times(5, [wait])))
    expect(watched(after(...times(6, [wait])))).toEqual({
      steps: [],
      caught: {
        what: 'wait 500 ms',
        times: 6,
        headway: false,
        caught: true,
        outcome: 'permitted',
      },
      fallbacksLeft: 5,
    })
    const toAndFro = [drive(0.2), drive(-0.2)]
    expect(watched(after(...times(5, toAndFro), drive(0.2))).fallbacksLeft).toBe(0)
    expect(watched(after(...times(6, toAndFro))).fallbacksLeft).toBe(5)
    const four = [drive(0.2), wait, drive(-0.2), stop]
    expect(watched(after(...times(6, four))).fallbacksLeft).toBe(5)
  })

  test('is left alone as long as driving gets it somewhere', () => {
    const driving = after(...times(6, [drive(0.2)]))
    expect(watched(driving, { ...here, x: 0.09 }).fallbacksLeft).toBe(5)
    expect(watched(driving, { ...here, x: 0.1 })).toBe(driving)
    expect(watched(driving, { ...here, heading: -0.34 }).fallbacksLeft).toBe(5)
    expect(watched(driving, { ...here, heading: -0.35 })).toBe(driving)
    expect(repetitionIn(driving, { ...here, x: 1 }, 'permitted')).toMatchObject({ headway: true })
  })

  test('gets nowhere by waiting, wherever it is carried, nor by a pose that is none', () => {
    const waiting = after(...times(6, [wait]))
    expect(watched(waiting, { x: 5, y: 5, heading: 5 }).fallbacksLeft).toBe(5)
    const driving = after(...times(6, [drive(0.2)]))
    expect(watched(driving, { x: NaN, y: NaN, heading: NaN }).fallbacksLeft).toBe(5)
  })

  test('is passed over for five decisions, then told so, and then all is forgotten', () => {
    let loops = watched(after(...times(6, [wait])))
    for (let left = 4; left >= 0; left--) {
      // Whether the fallback decides or nobody does: it is the fallback's decision.
      loops =
        left % 2 === 0 ? noteDecision(loops) : noteDecision(loops, { intent: wait, pose: here })
      expect([loops.fallbacksLeft, loops.steps]).toEqual([left, []])
      expect(watched(loops)).toBe(loops)
    }
    expect(told(loops)).toMatchObject({ caught: true, times: 6 })
    // A brain that fails has not been told.
    expect(noteDecision(loops)).toBe(loops)
    loops = noteDecision(loops, { intent: wait, pose: here })
    expect(told(loops)).toBeUndefined()
    expect(loops.steps).toHaveLength(1)
  })
})

test('a drive straight on at any speed that makes headway is never stopped, and memory stays bounded', () => {
  const step = fc.record({
    linear: fc.double({ min: 0.06, max: 0.4, noNaN: true }),
    durationMs: fc.integer({ min: 500, max: 5_000 }),
  })
  fc.assert(
    fc.property(step, fc.integer({ min: 1, max: 60 }), ({ linear, durationMs }, count) => {
      let loops = noLoops
      for (let index = 0; index < count; index++) {
        const pose = { ...here, x: (index * linear * durationMs) / 1_000 }
        loops = watchLoops(loops, pose, 'permitted')
        expect(loops.fallbacksLeft).toBe(0)
        loops = noteDecision(loops, { intent: drive(linear, 0, durationMs), pose })
        expect(loops.steps.length).toBeLessThanOrEqual(24)
      }
    }),
  )
})

test('whatever a brain proposes, the guard has an opinion', () => {
  fc.assert(
    fc.property(fc.array(fc.anything(), { maxLength: 30 }), (intents) => {
      const loops = after(...intents)
      const said = told(watched(loops))
      expect(said === undefined || said.times >= 3).toBe(true)
    }),
  )
})
