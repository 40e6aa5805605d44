import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readRetryAfter, retryDelayMs } from '../../../core/budget/retry.ts'

const now = Date.UTC(2026, 10, 22, 12)

describe('the delay before a retry', () => {
  const delay = (attempt: number, random: number, retryAfterMs?: number) =>
    retryDelayMs({ attempt, random, retryAfterMs })

  test('doubles from half a second to eight', () => {
    expect([0, 1, 2, 3, 4, 5, 1e9].map((attempt) => delay(attempt, 0))).toEqual([
      500, 1000, 2000, 4000, 8000, 8000, 8000,
    ])
  })

  test('is shorter by chance, by up to a quarter', () => {
    expect([delay(0, 1), delay(1, 0.5), delay(9, 1)]).toEqual([375, 875, 6000])
  })

  test('is what the server asks for, up to a minute', () => {
    expect([2000, 60_000, 1].map((ms) => delay(0, 0.5, ms))).toEqual([2000, 60_000, 1])
    const own = delay(0, 0.5)
    expect([0, -1, 60_001, NaN, Infinity].map((ms) => delay(0, 0.5, ms))).toEqual(
      [0, 0, 0, 0, 0].map(() => own),
    )
  })
})

describe('a Retry-After header', () => {
  test('is read as seconds', () => {
    expect(['2', ' 0.5 ', '0'].map((text) => readRetryAfter(text, now))).toEqual([2000, 500, 0])
  })

  test('is read as a date of HTTP', () => {
    expect(readRetryAfter('Sun, 22 Nov 2026 12:00:30 GMT', now)).toBe(30_000)
    expect(readRetryAfter('Sun, 22 Nov 2026 11:59:59 GMT', now)).toBe(-1000)
  })

  test('is read as the platform reads dates', () => {
    const seconds = fc.integer({ min: 0, max: 7_000_000_000 })
    fc.assert(
      fc.property(seconds, (at) => {
        const date = new Date(at * 1000).toUTCString()
        return readRetryAfter(date, now) === at * 1000 - now
      }),
    )
  })

  test('is not read when it says something else', () => {
    const texts = [
      '',
      '-1',
      'soon',
      '1e3',
      'Infinity',
      'Sun, 22 Xyz 2026 12:00:30 GMT',
      '2026-11-22',
    ]
    expect(texts.map((text) => readRetryAfter(text, now))).toEqual(texts.map(() => undefined))
  })
})
