import { describe, expect, test } from 'vitest'
import type { Entry } from '../../../core/record/entry.ts'
import { eventsMax, foldPast, noPast, type PastState, turnsMax } from '../../../core/record/past.ts'
import { checkpointsMax, createPastIndex } from '../../../core/record/past-index.ts'
import { textOf } from '../../../core/record/text.ts'

const tick = (atMs: number): Entry => ({ kind: 'timer', timer: 1, delayMs: 20, atMs, wallMs: 0 })
const out = (what: string, value?: unknown): Entry => ({ kind: 'out', what, value })
const state = (chart: string, value: unknown, more: object = {}): Entry =>
  out('state', { chart, value, status: 'active', ...more })
const said = (door: string, value: unknown, atMs = 0): Entry => ({
  kind: 'in',
  door,
  value,
  atMs,
  wallMs: 0,
})
const drive = { type: 'drive', linear: 0.4, angular: 0.1, durationMs: 400 } as const
const judged = (verdict: object, claim: object = {}): Entry =>
  out('verdict', { claim: { source: 'agent', intent: drive, epoch: 2, ...claim }, verdict })

function after(...entries: readonly Entry[]): PastState {
  return entries.reduce(foldPast, noPast)
}

describe('what a record shows of a moment', () => {
  test('are the states of the charts, whose they are, and how they came there', () => {
    const actor = { id: 'sensor.front', machine: 'sensor', parent: 'perception' }
    const seen = after(
      state('front', 'warming', { actor }),
      tick(40),
      state('front', 'live', { event: 'sensor.fresh' }),
    )
    expect(seen.atMs).toBe(40)
    expect([...seen.charts]).toEqual([
      [
        'front',
        {
          value: 'live',
          status: 'active',
          causes: [],
          actor,
          last: { event: 'sensor.fresh', from: 'warming', atMs: 40 },
        },
      ],
    ])
  })

  test.each([
    ['xstate.done.actor.decide', 'decide done'],
    ['xstate.error.actor.openBody', 'openBody failed'],
    ['xstate.after.commandLease.motion.moving', 'after commandLease'],
    ['robot.halt', 'robot.halt'],
  ])('an event that is called %s is told as %s', (event, told) => {
    const { charts } = after(state('motion', 'still'), state('motion', 'moving', { event }))
    expect(charts.get('motion')?.last?.event).toBe(told)
  })

  test('is the turn of the agent: proposal, verdict, action, and how that ended', () => {
    const turn = [
      state('agent', 'orienting'),
      tick(100),
      state('agent', 'deciding'),
      out('complete', { endpoint: 0, messages: [{ role: 'system', content: 'Drive.' }] }),
      { kind: 'answer', call: 'complete:1', atMs: 140, wallMs: 0, value: { content: '{}' } },
      out('proposal', { reason: 'it is free', intent: drive }),
      state('agent', 'gatekeeping'),
      judged({ permitted: true, intent: drive }),
      state('agent', 'acting', { order: drive }),
    ] as const satisfies readonly Entry[]
    const told = {
      id: 1,
      atMs: 100,
      sent: [{ role: 'system', content: 'Drive.' }],
      reply: '{}',
      proposal: 'drive 0.40 m/s 0.10 rad/s: it is free',
      verdict: 'permitted',
    }
    expect(after(...turn).turns).toEqual([{ ...told, action: 'drive 0.40 m/s 0.10 rad/s…' }])
    expect(after(...turn, state('agent', 'observing')).turns).toEqual([
      { ...told, action: 'drive 0.40 m/s 0.10 rad/s, done' },
    ])
    expect(after(...turn, state('agent', { holding: 'paused' })).turns).toEqual([
      { ...told, action: 'cut short: drive 0.40 m/s 0.10 rad/s' },
    ])
  })

  test('a verdict on an order that goes on is no verdict on the next proposal', () => {
    const refused = { permitted: false, message: 'it is too near' }
    const { turns } = after(state('agent', 'deciding'), judged(refused, { renewal: true }))
    expect(turns[0]?.verdict).toBe(null)
    expect(after(state('agent', 'deciding'), judged(refused)).turns[0]?.verdict).toBe(
      'refused: it is too near',
    )
  })

  test('is the drive that is under way until it is over, and the one that was refused until one is not', () => {
    const permitted = judged({ permitted: true, intent: drive })
    const refusal = { permitted: false, rule: 'path', message: 'too near' }
    const pose = { x: 1, y: 2, heading: 0 }
    const twist = { linear: 0.4, angular: 0.1 }
    const driving = { source: 'agent', twist, untilMs: 500 }
    const refused = { ...driving, atMs: 100, pose, rule: 'path', message: 'too near' }
    const at = [out('pose', pose), tick(100)] as const
    expect(after(...at, permitted)).toMatchObject({ driven: driving, refused: null })
    expect(after(...at, permitted, out('halt')).driven).toBe(null)
    expect(
      after(...at, permitted, state('agent', 'acting'), state('agent', 'observing')).driven,
    ).toBe(null)
    expect(after(...at, judged(refusal))).toMatchObject({ driven: null, refused })
    expect(after(...at, judged(refusal), tick(120), permitted).refused).toBe(null)
    // What goes on is no other drive, and is over when the first one is.
    const renewal = judged({ permitted: true, intent: drive }, { renewal: true })
    expect(after(...at, permitted, tick(300), renewal).driven).toEqual(driving)
  })

  test('are the lines before it: what people said, what went wrong, what the robot said', () => {
    const { events } = after(
      said('send', { type: 'robot.goal', text: 'find the door' }, 20),
      said('halt', 'asked to halt', 40),
      out('notice', 'rover: look at me'),
      { kind: 'answer', call: 'open:1', atMs: 60, wallMs: 0, failure: { message: 'no port' } },
      { kind: 'threw', during: 'write:3', failure: { message: 'unplugged' } },
      { kind: 'gap', cause: '3 entries were lost' },
      state('robot', 'halted', { causes: ['asked to halt'] }),
      judged({ permitted: false, message: 'the gate is shut' }, { source: 'operator' }),
    )
    expect(events).toEqual([
      { atMs: 20, kind: 'command', text: 'robot.goal: find the door' },
      { atMs: 40, kind: 'command', text: 'halt: asked to halt' },
      { atMs: 40, kind: 'notice', text: 'rover: look at me' },
      { atMs: 60, kind: 'fault', text: 'open:1 failed: no port' },
      { atMs: 60, kind: 'fault', text: 'write:3 threw: unplugged' },
      { atMs: 60, kind: 'fault', text: 'the record has a gap: 3 entries were lost' },
      { atMs: 60, kind: 'halt', text: 'halted: asked to halt' },
      { atMs: 60, kind: 'refusal', text: 'operator: refused: the gate is shut' },
    ])
  })

  test('are the pose, the readings with where they were taken, and what the outputs were told', () => {
    const lidar = { kind: 'lidar', stampMs: 20, firstAngle: 0, angleStep: 1, reachMetres: 6 }
    const scan = { ...lidar, ranges: [1, Number.POSITIVE_INFINITY] }
    const pose = { x: 1, y: 2, heading: 0.5 }
    const seen = after(
      out('pose', pose),
      { kind: 'nested', door: 'reading', during: 'step:1', value: scan },
      out('write', { kind: 'wheels', left: 4, right: 5 }),
      out('write', { kind: 'relay', name: 'lamp', on: true }),
    )
    expect(seen).toMatchObject({
      pose,
      heard: { lidar: { reading: scan, pose } },
      told: { wheels: { left: 4, right: 5 }, relays: { lamp: true } },
    })
    expect(foldPast(seen, out('halt')).told).toEqual({ wheels: null, relays: {}, servos: {} })
  })

  test('has an end: of turns and lines the last, and no text is long', () => {
    const many = Array.from({ length: 100 }, (_, index): readonly Entry[] => [
      state('agent', 'deciding'),
      out('notice', `${index} ${'x'.repeat(5_000)}`),
      state('agent', 'observing'),
    ])
    const { events, turns } = after(...many.flat())
    expect([turns.length, events.length]).toEqual([turnsMax, eventsMax])
    expect(turns.at(-1)?.id).toBe(100)
    expect(Math.max(...events.map(({ text }) => text.length))).toBe(200)
  })

  test('what says the same again is one line', () => {
    const refusal = judged({ permitted: false, message: 'too near' }, { source: 'operator' })
    const { events } = after(tick(20), refusal, tick(40), refusal)
    expect(events).toEqual([{ atMs: 40, kind: 'refusal', text: 'operator: refused: too near' }])
  })

  test.each(['state', 'pose', 'verdict', 'write', 'complete', 'what nobody knows'])(
    'an output %s that says nothing known changes nothing',
    (what) => {
      const seen = after(tick(20), state('robot', 'standby'))
      for (const value of [undefined, null, 7, 'x', [], {}, { chart: 1 }, { kind: 'legs' }]) {
        expect(foldPast(seen, out(what, value))).toEqual(seen)
      }
    },
  )
})

describe('an index of a record', () => {
  /** A record of ticks at 50 Hz, with a state now and then. */
  const indexOf = (ticks: number) => {
    const index = createPastIndex()
    let number = 0
    const add = (entry: Entry) => index.add(number++, textOf(entry))
    add({
      kind: 'begin',
      version: 1,
      name: 'rover',
      atMs: 500,
      wallMs: 0,
      configuration: {},
      body: { kind: 'custom', has: [] },
      cameras: [],
    })
    for (let at = 1; at <= ticks; at++) {
      add(tick(500 + at * 20))
      if (at % 50 === 0) add(state('agent', at % 100 === 0 ? 'deciding' : 'acting'))
    }
    return { index, add }
  }

  test('reaches from the beginning to the last thing that came in', () => {
    expect(createPastIndex().reach).toBe(null)
    expect(indexOf(1_000).index.reach).toEqual({ fromMs: 500, toMs: 20_500, marks: [] })
  })

  test('knows what lasts from a second or more before any moment', () => {
    const { index } = indexOf(10_000)
    for (const atMs of [2_500, 9_999, 100_000, 200_500]) {
      const found = index.before(atMs)
      const agoMs = atMs - (found?.state.atMs ?? Number.NaN)
      expect(agoMs).toBeGreaterThanOrEqual(1_000)
      expect(agoMs).toBeLessThanOrEqual(3_020)
    }
    expect(index.before(-5)?.number).toBe(1)
  })

  test('stays small however long the record is', () => {
    const { index } = indexOf(200_000)
    const found = new Set<number | undefined>()
    for (let atMs = 0; atMs <= 4_000_500; atMs += 500) found.add(index.before(atMs)?.number)
    expect(found.size).toBeLessThanOrEqual(checkpointsMax)
    expect(found.size).toBeGreaterThan(checkpointsMax / 4)
  })

  test('begins later where the beginning was dropped, and still knows the states that were said in it', () => {
    const { index, add } = indexOf(0)
    add(state('relays', 'switchable'))
    for (let at = 1; at <= 1_000; at++) add(tick(500 + at * 20))
    index.drop(600)
    expect(index.reach?.fromMs).toBeGreaterThan(12_000)
    expect(index.before(0)?.state.charts.get('relays')?.value).toBe('switchable')
    index.drop(100_000)
    expect(index.reach).toBe(null)
    add(tick(30_000))
    expect(index.reach).toMatchObject({ fromMs: 30_000, toMs: 30_000 })
  })

  test('marks halts and refusals, those that come at once as one', () => {
    const { index, add } = indexOf(10)
    const refusal = judged({ permitted: false, message: 'too near' })
    for (const entry of [refusal, tick(900), refusal, tick(3_000), refusal]) add(entry)
    add(state('robot', 'halted', { causes: ['a hand'] }))
    add(state('robot', 'halted', { causes: ['a hand', 'another'] }))
    expect(index.reach?.marks).toEqual([
      { atMs: 700, kind: 'refusal' },
      { atMs: 3_000, kind: 'refusal' },
      { atMs: 3_000, kind: 'halt' },
    ])
  })

  test('takes what is no entry, and goes on', () => {
    const { index, add } = indexOf(10)
    for (const text of ['', '{', 'null', '{"kind":"cat"}', '{"$":"what"}']) index.add(99, text)
    add(tick(1_000))
    expect(index.reach?.toMs).toBe(1_000)
  })
})
