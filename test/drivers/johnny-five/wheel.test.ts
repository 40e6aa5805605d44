import { describe, expect, test } from 'vitest'
import { dutyOf } from '../../../drivers/johnny-five/wheel.ts'

describe('the duty of a speed', () => {
  test.for([
    { speed: 20, duty: 255 },
    { speed: -20, duty: -255 },
    { speed: 10, duty: 128 },
    { speed: 100, duty: 255 },
    { speed: 0, duty: 0 },
    { speed: 1.17, duty: 30 },
    { speed: 1.18, duty: 30 },
    { speed: -1.2, duty: -30 },
    { speed: 1.1, duty: 0 },
    { speed: -1.1, duty: 0 },
    { speed: 3, duty: 38 },
  ])('$speed of 20 rad/s is $duty', ({ speed, duty }) => {
    expect(dutyOf(speed, 20)).toBe(duty)
  })

  test('a wheel that is told -0 is told 0', () => {
    expect(Object.is(dutyOf(-0, 20), 0)).toBe(true)
  })

  test.for([NaN, Infinity, -Infinity])('%d is no speed', (speed) => {
    expect(() => dutyOf(speed, 20)).toThrow(TypeError)
  })
})
