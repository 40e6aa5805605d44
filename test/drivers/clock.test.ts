import { describe, expect, test } from 'vitest'
import { virtualClock, wallClock } from '../../drivers/clock.ts'

describe('a virtual clock', () => {
  test('stands until it is told to go', async () => {
    const clock = virtualClock()
    const fired: number[] = []
    clock.setTimeout(() => fired.push(clock.now()), 0)
    await new Promise(setImmediate)
    expect([clock.now(), fired]).toEqual([0, []])
    await clock.advance(0)
    expect(fired).toEqual([0])
  })

  test('fires each timer at its own time, in the order of times and then of setting', async () => {
    const clock = virtualClock()
    const fired: string[] = []
    const note = (name: string) => () => fired.push(`${name}@${clock.now()}`)
    clock.setTimeout(note('c'), 30)
    clock.setTimeout(note('a'), 10)
    clock.setTimeout(note('b'), 10)
    clock.setTimeout(note('d'), 31)
    await clock.advance(30)
    expect([fired, clock.now()]).toEqual([['a@10', 'b@10', 'c@30'], 30])
    await clock.advance(1)
    expect(fired.at(-1)).toBe('d@31')
  })

  test('fires what a timer sets, when that is due within the same advance', async () => {
    const clock = virtualClock()
    const fired: number[] = []
    const again = () => {
      fired.push(clock.now())
      clock.setTimeout(again, 20)
    }
    clock.setTimeout(again, 20)
    await clock.advance(100)
    expect(fired).toEqual([20, 40, 60, 80, 100])
  })

  test('lets the promises that a timer settles run to their end before the next timer', async () => {
    const clock = virtualClock()
    const order: string[] = []
    clock.setTimeout(() => {
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => order.push(`promise at ${clock.now()}`))
    }, 10)
    clock.setTimeout(() => order.push('next timer'), 11)
    await clock.advance(20)
    expect(order).toEqual(['promise at 10', 'next timer'])
  })

  test('forgets a timer that was cleared, also at the same moment', async () => {
    const clock = virtualClock()
    const fired: string[] = []
    const later: number[] = []
    clock.setTimeout(() => clock.clearTimeout(later[0] ?? -1), 10)
    later.push(clock.setTimeout(() => fired.push('cleared'), 10))
    clock.clearTimeout(999)
    await clock.advance(20)
    expect(fired).toEqual([])
  })

  test('knows no delay that has no end', () => {
    const clock = virtualClock()
    for (const delay of [-1, NaN])
      expect(() => clock.setTimeout(() => {}, delay)).toThrow(TypeError)
  })
})

describe("the machine's clock", () => {
  test('only ever grows', () => {
    const clock = wallClock()
    let last = clock.now()
    for (let look = 0; look < 1_000; look++) {
      const now = clock.now()
      expect(now >= last).toBe(true)
      last = now
    }
  })

  test('fires not before its time, and not what was cleared', async () => {
    const clock = wallClock()
    const began = clock.now()
    const fired: string[] = []
    const cleared = clock.setTimeout(() => fired.push('cleared'), 1)
    await new Promise<void>((resolve) => {
      clock.setTimeout(() => {
        fired.push('kept')
        resolve()
      }, 20)
      clock.clearTimeout(cleared)
    })
    expect(fired).toEqual(['kept'])
    // Node's timers count whole milliseconds of a clock of their own.
    expect(clock.now() - began).toBeGreaterThanOrEqual(19)
  })
})
