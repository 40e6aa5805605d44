import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isDriveKey,
  twistOfGamepad,
  twistOfKeys,
  twistOfStick,
} from '../../../inspector/cockpit/page/twist.ts'

const reach = { linear: 0.4, angular: 1.6 }
const still = { linear: 0, angular: 0 }

describe('the keys', () => {
  test('drive ahead by the upper one, and turn left by the left one', () => {
    expect(twistOfKeys(['ArrowUp'], reach)).toEqual({ linear: 0.4, angular: 0 })
    expect(twistOfKeys(['KeyS', 'KeyA'], reach)).toEqual({ linear: -0.4, angular: 1.6 })
  })

  test('say a thing once, however many say it, and nothing where they disagree', () => {
    expect(twistOfKeys(['KeyW', 'ArrowUp'], reach)).toEqual({ linear: 0.4, angular: 0 })
    expect(twistOfKeys(['ArrowLeft', 'ArrowRight'], reach)).toEqual(still)
  })

  test('that do not drive say nothing', () => {
    expect(twistOfKeys(['KeyQ', 'Space', 'toString'], reach)).toEqual(still)
    expect(['KeyQ', 'Space', 'ArrowUp'].map(isDriveKey)).toEqual([false, false, true])
  })
})

describe('a stick', () => {
  test('drives ahead when it is pushed up, turns left when it is pushed left, and at its end at full reach', () => {
    expect(twistOfStick(0, 1, reach)).toEqual({ linear: 0.4, angular: 0 })
    expect(twistOfStick(-1, 0, reach)).toEqual({ linear: 0, angular: 1.6 })
  })

  test('says nothing near its middle, and begins from nothing there', () => {
    expect(twistOfStick(0.05, -0.1, reach)).toEqual(still)
    expect(twistOfStick(0, 0.121, reach).linear).toBeCloseTo(0, 2)
  })

  test('never asks for more than its reach, and of a stick that is broken for nothing', () => {
    fc.assert(
      fc.property(fc.double(), fc.double(), (right, up) => {
        const { linear, angular } = twistOfStick(right, up, reach)
        expect(Math.abs(linear) <= reach.linear + 1e-9).toBe(true)
        expect(Math.abs(angular) <= reach.angular + 1e-9).toBe(true)
      }),
    )
  })

  test('of a gamepad is positive down', () => {
    expect(twistOfGamepad([0, -1], reach)).toEqual({ linear: 0.4, angular: 0 })
    expect(twistOfGamepad([], reach)).toEqual(still)
  })
})
