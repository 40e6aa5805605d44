import { expect, test } from 'vitest'
import { batteryHazard } from '../../../core/rules/battery.ts'

function rungAt(charge: number): string {
  return batteryHazard(charge, undefined)?.rung ?? 'none'
}

test('a battery warns, slows, holds and halts as it grows empty', () => {
  expect([1, 0.31, 0.3, 0.2, 0.1, 0.03, 0].map(rungAt)).toEqual([
    'none',
    'none',
    'warn',
    'slow',
    'hold',
    'halt',
    'halt',
  ])
})

test('a charge that is no number is an empty battery', () => {
  expect(rungAt(NaN)).toBe('halt')
})

test('what a battery was blamed for is forgotten 5 % above the level, and not before', () => {
  const low = batteryHazard(0.3, undefined)
  expect(batteryHazard(0.34, low)).toEqual(low)
  expect(batteryHazard(0.36, low)).toBeUndefined()
  const slow = batteryHazard(0.2, low)
  expect(batteryHazard(0.24, slow)).toEqual(slow)
  expect(batteryHazard(0.26, slow)).toEqual(low)
})
