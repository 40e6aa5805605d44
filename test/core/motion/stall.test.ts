import { describe, expect, test } from 'vitest'
import {
  freshWatch,
  stalledWheels,
  strayWheels,
  type WheelWatch,
  watchWheels,
} from '../../../core/motion/stall.ts'

/** A watch after so many ms, read every 20 ms, of wheels that turn at `real` rad/s and were told `commanded`. */
function watched(
  forMs: number,
  real: { left: number; right: number },
  commanded: { left: number; right: number },
): WheelWatch {
  let watch = freshWatch
  for (let stampMs = 0; stampMs <= forMs; stampMs += 20) {
    const seconds = stampMs / 1000
    const turned = { left: real.left * seconds, right: real.right * seconds, stampMs }
    watch = watchWheels(watch, turned, commanded)
  }
  return watch
}

const both = (speed: number) => ({ left: speed, right: speed })

describe('a wheel is stalled', () => {
  test('when it stands, or turns the wrong way, for half a second though it was told to turn', () => {
    expect(stalledWheels(watched(480, both(0), both(5)))).toEqual([])
    expect(stalledWheels(watched(500, both(0), both(5)))).toEqual(['left', 'right'])
    expect(stalledWheels(watched(500, { left: -5, right: 5 }, both(5)))).toEqual(['left'])
    expect(stalledWheels(watched(500, { left: 0, right: -5 }, both(-5)))).toEqual(['left'])
  })

  test('and not when it is told to stand, to creep, or lags', () => {
    expect(stalledWheels(watched(2_000, both(0), both(0)))).toEqual([])
    expect(stalledWheels(watched(2_000, both(0), both(0.9)))).toEqual([])
    expect(stalledWheels(watched(2_000, both(1), both(5)))).toEqual([])
  })
})

describe('a wheel strays', () => {
  test('when it turns for half a second though it was told to stand', () => {
    expect(strayWheels(watched(480, both(2), both(0)))).toEqual([])
    expect(strayWheels(watched(500, { left: 2, right: 0.4 }, both(0)))).toEqual(['left'])
    expect(strayWheels(watched(2_000, both(2), both(2)))).toEqual([])
  })
})

test('readings without a number change nothing, and a gap begins anew', () => {
  const stalled = watched(500, both(0), both(5))
  for (const bad of [NaN, Infinity]) {
    expect(watchWheels(stalled, { left: bad, right: 0, stampMs: 520 }, both(5))).toBe(stalled)
    expect(watchWheels(stalled, { left: 0, right: 0, stampMs: bad }, both(5))).toBe(stalled)
  }
  const late = watchWheels(stalled, { left: 0, right: 0, stampMs: 1_100 }, both(5))
  expect(stalledWheels(late)).toEqual([])
})
