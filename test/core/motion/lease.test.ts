import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { grantLease, isLeaseLive, observeLease, spentLease } from '../../../core/motion/lease.ts'

const time = fc.integer({ min: -1_000_000, max: 1_000_000 })
const duration = fc.integer({ min: 50, max: 2000 })

describe('a lease', () => {
  test('holds from its grant to its last millisecond, and no longer', () => {
    const lease = grantLease(1000, 500)
    expect([1000, 1499, 1500, 1500.001, 9999].map((now) => isLeaseLive(lease, now))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ])
  })

  test('is refused when it is too short, too long, or not a length of time', () => {
    for (const bad of [0, -1, 49, 2001, NaN, Infinity, -Infinity]) {
      expect(() => grantLease(0, bad)).toThrow(`a lease lasts 50 to 2000 ms, got ${bad}`)
    }
  })

  test('needs a clock that shows a time', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      expect(() => grantLease(bad, 500)).toThrow(TypeError)
      expect(isLeaseLive(grantLease(0, 500), bad)).toBe(false)
    }
  })

  test('that nobody holds is never live', () => {
    for (const now of [-Infinity, -1e9, 0, 1e9, Infinity, NaN]) {
      expect(isLeaseLive(spentLease, now)).toBe(false)
      expect(observeLease(spentLease, now)).toBe(spentLease)
    }
  })
})

describe('the word of the sender', () => {
  test('an old stamp shortens the lease', () => {
    const lease = grantLease(1000, 500, 700)
    expect([1000, 1200, 1201].map((now) => isLeaseLive(lease, now))).toEqual([true, true, false])
    expect(isLeaseLive(grantLease(1000, 500, 499), 1000)).toBe(false)
  })

  test('a stamp from the future is the moment of arrival', () => {
    expect(grantLease(0, 500, 60_000)).toEqual(grantLease(0, 500))
  })

  test('a stamp that is no number gives nothing', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      expect(grantLease(0, 500, bad)).toBe(spentLease)
    }
  })

  test('no stamp lets a lease outlive its length', () => {
    fc.assert(
      fc.property(time, duration, fc.double(), (now, leaseMs, stamp) => {
        expect(isLeaseLive(grantLease(now, leaseMs, stamp), now + leaseMs + 1)).toBe(false)
      }),
    )
  })
})

describe('a clock that runs backwards', () => {
  test('ends a lease before its grant', () => {
    expect(isLeaseLive(grantLease(1000, 500), 999)).toBe(false)
  })

  test('ends a lease that somebody looked at later', () => {
    const seen = observeLease(grantLease(1000, 500), 1400)
    expect([1399, 1400, 1500].map((now) => isLeaseLive(seen, now))).toEqual([false, true, true])
    expect(observeLease(seen, 1300)).toBe(spentLease)
  })

  test('never revives a lease that was seen to have ended', () => {
    const ended = observeLease(grantLease(1000, 500), 1501)
    expect(ended).toBe(spentLease)
  })

  test('gives no lease more looks than its length, in whatever order they come', () => {
    fc.assert(
      fc.property(time, duration, fc.array(time), (start, leaseMs, looks) => {
        let lease = grantLease(start, leaseMs)
        let latest = start
        for (const now of looks) {
          lease = observeLease(lease, now)
          if (now < latest || now > start + leaseMs) expect(lease).toBe(spentLease)
          latest = Math.max(latest, now)
        }
      }),
    )
  })
})
