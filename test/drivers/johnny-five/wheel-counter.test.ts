import { expect, test } from 'vitest'
import { pingMetres } from '../../../drivers/johnny-five/ping.ts'
import { makeWheelCounter } from '../../../drivers/johnny-five/wheel-counter.ts'

const turn = 2 * Math.PI

test('two channels count both ways, also across the wrap of 32 bits', () => {
  const counter = makeWheelCounter(40, true)
  expect(counter.turned(2_147_483_640, 0)).toBe(0)
  expect(counter.turned(-2_147_483_636, 1)).toBeCloseTo((20 / 40) * turn, 12)
  expect(counter.turned(2_147_483_640, 1)).toBeCloseTo(0, 12)
})

test('one channel is believed to turn the way that it was last driven', () => {
  const counter = makeWheelCounter(20, false)
  counter.turned(0, 0)
  expect(counter.turned(10, 0.5)).toBeCloseTo(turn / 2, 12)
  expect(counter.turned(15, -0.5)).toBeCloseTo(turn / 4, 12)
  // It rolls out after the motor was switched off.
  expect(counter.turned(20, 0)).toBeCloseTo(0, 12)
})

test('a board that counts anew does not turn the wheel back', () => {
  const counter = makeWheelCounter(20, true)
  counter.turned(0, 1)
  const before = counter.turned(1_000, 1)
  counter.restart()
  expect(counter.turned(0, 1)).toBe(before)
  expect(counter.turned(20, 1)).toBeCloseTo(before + turn, 12)
})

test('an echo is half of the way there and back', () => {
  expect(pingMetres(5_828)).toBeCloseTo(1, 3)
  expect(pingMetres(116)).toBeCloseTo(0.02, 3)
  expect(pingMetres(undefined)).toBe(Infinity)
  expect(pingMetres(30_000)).toBe(Infinity)
  expect(() => pingMetres(Number.NaN)).toThrow('an echo takes some microseconds')
})
