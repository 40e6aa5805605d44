import { describe, expect, test } from 'vitest'
import {
  forgetSources,
  hearWord,
  lookAt,
  makeSources,
  silence,
  silentAt,
  type Sources,
  turnLock,
} from '../../../core/motion/sources.ts'
import { STILL, type Twist } from '../../../core/vocabulary/geometry.ts'

const forward: Twist = { linear: 0.2, angular: 0 }
const operator = { name: 'operator', priority: 100, timeoutMs: 200, mustRest: true }
const agent = { name: 'agent', priority: 10, timeoutMs: 500, mustRest: false }
const both = makeSources([operator, agent], [{ name: 'hold', priority: 255 }])

function said(sources: Sources, ...words: readonly (readonly [string, Twist, number])[]): Sources {
  return words.reduce(
    (heard, [source, twist, atMs]) => hearWord(heard, { source, twist, atMs }).sources,
    sources,
  )
}

function hearing(sources: Sources, source: string, twist: Twist, atMs: number) {
  return hearWord(sources, { source, twist, atMs }).hearing
}

describe('a stick that is held down when the robot is armed', () => {
  test('moves nothing until it was seen at zero', () => {
    expect(hearing(both, 'operator', forward, 0)).toBe('not at rest')
    expect(lookAt(said(both, ['operator', forward, 0]), 0).command.source).toBeUndefined()
    const rested = said(both, ['operator', STILL, 0])
    expect(hearing(rested, 'operator', forward, 20)).toBe('heard')
    expect(hearing(forgetSources(rested), 'operator', forward, 40)).toBe('not at rest')
  })

  test('needs zero again after it fell silent in the middle of a motion', () => {
    const driving = said(both, ['operator', STILL, 0], ['operator', forward, 20])
    expect(silentAt(driving, 220)).toEqual([])
    expect(silentAt(driving, 221)).toEqual(['operator'])
    const { sources } = lookAt(driving, 221)
    expect(hearing(sources, 'operator', forward, 240)).toBe('not at rest')
    expect(hearing(sources, 'operator', STILL, 240)).toBe('heard')
  })

  test('and one that was let go before it fell silent does not', () => {
    const released = said(
      both,
      ['operator', STILL, 0],
      ['operator', forward, 20],
      ['operator', STILL, 40],
    )
    const { sources } = lookAt(released, 1000)
    expect(silentAt(released, 1000)).toEqual([])
    expect(hearing(sources, 'operator', forward, 1020)).toBe('heard')
  })
})

describe('who commands', () => {
  test('is a person before the agent, for as long as the person is heard', () => {
    const sources = said(
      both,
      ['operator', STILL, 0],
      ['operator', forward, 0],
      ['agent', STILL, 0],
    )
    const who = [0, 200, 201, 500, 501].map((now) => lookAt(sources, now).command.source)
    expect(who).toEqual(['operator', 'operator', 'agent', 'agent', undefined])
    expect(hearing(sources, 'agent', forward, 100)).toBe('masked')
  })

  test('is nobody behind a lock that is shut, and a zero is said at once and once', () => {
    const moving = lookAt(said(both, ['agent', forward, 0]), 0).sources
    const shut = turnLock(moving, 'hold', true, 20)
    const { sources, command } = lookAt(shut, 20)
    expect(command).toEqual({ source: undefined, twist: STILL, zero: true })
    expect(lookAt(sources, 40).command.zero).toBe(false)
    expect(lookAt(turnLock(sources, 'hold', false, 60), 60).command.source).toBe('agent')
  })

  test('is nobody after a source let go', () => {
    const moving = lookAt(said(both, ['agent', forward, 0]), 0).sources
    expect(lookAt(silence(moving, 'agent'), 20).command).toMatchObject({ zero: true })
    expect(silence(both, 'agent')).toBe(both)
  })
})

describe('a word', () => {
  test('that is no velocity silences its source', () => {
    const moving = said(both, ['agent', forward, 0])
    for (const bad of [NaN, Infinity, -Infinity]) {
      const twist = { linear: 0, angular: bad }
      const { sources, hearing: found } = hearWord(moving, { source: 'agent', twist, atMs: 20 })
      expect(found).toBe('unsound')
      expect(lookAt(sources, 20).command.source).toBeUndefined()
    }
  })

  test('that is older than the last one, or the same, is dropped', () => {
    const word = { source: 'agent', atMs: 0 }
    const { sources } = hearWord(both, { ...word, twist: forward, sequence: 5 })
    for (const sequence of [5, 4, -1]) {
      const twist = { linear: 0.9, angular: 0 }
      const late = hearWord(sources, { ...word, twist, sequence })
      expect(late.hearing).toBe('out of order')
      expect(lookAt(late.sources, 0).command.twist).toEqual(forward)
    }
    expect(hearWord(sources, { ...word, twist: STILL, sequence: NaN }).hearing).toBe('unsound')
  })

  test('of a stranger is not heard', () => {
    expect(hearing(both, 'model', forward, 0)).toBe('unknown')
  })

  test('is not believed for longer because a clock ran backwards', () => {
    const { sources } = lookAt(said(both, ['agent', forward, 1000]), 1400)
    expect(lookAt(sources, 1300).command.source).toBeUndefined()
  })
})

test('nobody is believed for ever, and no priority is beyond numbers', () => {
  for (const timeoutMs of [0, 49, 2001, Infinity, NaN]) {
    expect(() => makeSources([{ ...agent, timeoutMs }])).toThrow(TypeError)
    expect(() => makeSources([], [{ name: 'l', priority: 1, timeoutMs }])).toThrow(TypeError)
  }
  expect(() => makeSources([{ ...agent, priority: NaN }])).toThrow(TypeError)
  expect(() => turnLock(both, 'door', true, 0)).toThrow(TypeError)
})

test('a lock that has to be renewed is shut until it is, and when it is not', () => {
  const watched = makeSources([agent], [{ name: 'heart', priority: 255, timeoutMs: 300 }])
  expect(hearing(watched, 'agent', forward, 0)).toBe('masked')
  const open = turnLock(watched, 'heart', false, 0)
  expect(hearing(open, 'agent', forward, 300)).toBe('heard')
  expect(hearing(open, 'agent', forward, 301)).toBe('masked')
})
