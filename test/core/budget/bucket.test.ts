import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Bucket, fullBucket, takeRequest, waitMs } from '../../../core/budget/bucket.ts'

/** Takes as many as there are. */
function drain(bucket: Bucket, nowMs: number): { bucket: Bucket; taken: number } {
  let taken = 0
  let at = bucket
  for (let next = takeRequest(at, nowMs); next; next = takeRequest(at, nowMs)) {
    at = next
    taken += 1
  }
  return { bucket: at, taken }
}

describe('a bucket of requests', () => {
  test('gives a minute of them at once, and then one at a time', () => {
    const { bucket, taken } = drain(fullBucket(20, 1000), 1000)
    expect([taken, waitMs(bucket, 1000), waitMs(bucket, 2500)]).toEqual([20, 3000, 1500])
    expect(takeRequest(bucket, 3999)).toBe(undefined)
    expect(drain(bucket, 4000).taken).toBe(1)
    expect(drain(bucket, 1e9).taken).toBe(20)
  })

  test('is not filled by a clock that runs backwards, or shows no number', () => {
    const { bucket } = drain(fullBucket(20, 1000), 1000)
    for (const bad of [-1e9, NaN]) expect(takeRequest(bucket, bad)).toBe(undefined)
  })

  test('without a limit never ends', () => {
    const bucket = fullBucket(Infinity, 0)
    expect([takeRequest(bucket, 0)?.credit, waitMs(bucket, 0)]).toEqual([Infinity, 0])
  })

  test('holds one request at least', () => {
    for (const bad of [0, -1, 0.5, NaN]) expect(() => fullBucket(bad, 0)).toThrow(TypeError)
  })

  test('gives no more than it held and what has run in since, and one when it says so', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.array(fc.nat(10_000), { maxLength: 50 }),
        (perMinute, delays) => {
          let bucket = fullBucket(perMinute, 0)
          let nowMs = 0
          let total = 0
          for (const delayMs of delays) {
            nowMs += delayMs
            const drained = drain(bucket, nowMs)
            total += drained.taken
            bucket = drained.bucket
            const wait = waitMs(bucket, nowMs)
            if (!(wait > 0) || takeRequest(bucket, nowMs + wait) === undefined) return false
          }
          return total <= perMinute + (nowMs * perMinute) / 60_000
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
