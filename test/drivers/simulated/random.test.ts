import { expect, test } from 'vitest'
import { randomStream } from '../../../drivers/random.ts'

const take = (count: number, next: () => number) => Array.from({ length: count }, next)

test('a stream is the same for the same seed and name', () => {
  const first = randomStream(1, 'lidar')
  const second = randomStream(1, 'lidar')
  expect(take(50, first.uniform)).toEqual(take(50, second.uniform))
  expect(take(50, first.gaussian)).toEqual(take(50, second.gaussian))
})

test('another seed or another name is another stream', () => {
  const [seeded, other, named] = [randomStream(1, 'a'), randomStream(2, 'a'), randomStream(1, 'b')]
  const [negative, large] = [randomStream(-1, 'a'), randomStream(1_099_511_627_776, 'a')]
  const starts = [seeded, other, named, negative, large].map((random) => random.uniform())
  expect(new Set(starts).size).toBe(5)
})

test('uniform numbers fill 0 to 1 evenly', () => {
  const numbers = take(100_000, randomStream(5, 'uniform').uniform)
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true)
  const tenths = Array.from({ length: 10 }, () => 0)
  for (const number of numbers)
    tenths[Math.floor(number * 10)] = (tenths[Math.floor(number * 10)] ?? 0) + 1
  for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(400)
})

test('numbers between two bounds stay there', () => {
  const random = randomStream(5, 'between')
  const numbers = take(10_000, () => random.between(-2, 3))
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(-2)
  expect(Math.max(...numbers)).toBeLessThan(3)
  expect(Math.max(...numbers)).toBeGreaterThan(2.9)
})

test('gaussian numbers have mean 0 and deviation 1', () => {
  const numbers = take(100_000, randomStream(5, 'gaussian').gaussian)
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length
  const variance = numbers.reduce((sum, number) => sum + number * number, 0) / numbers.length
  expect(mean).toBeCloseTo(0, 1)
  expect(variance).toBeCloseTo(1, 1)
  const beyond = numbers.filter((number) => Math.abs(number) > 2).length / numbers.length
  expect(beyond).toBeCloseTo(0.0455, 2)
})

test('a seed is an integer', () => {
  for (const seed of [NaN, Infinity, 0.5]) {
    expect(() => randomStream(seed, 'any')).toThrow(TypeError)
  }
})
