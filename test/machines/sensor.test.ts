import { expect, test } from 'vitest'
import { createActor } from 'xstate'
import { sensorMachine } from '../../machines/sensor.machine.ts'

test.each([
  { told: [], is: 'warming' },
  { told: ['stale'], is: 'warming' },
  { told: ['fresh'], is: 'live' },
  { told: ['fresh', 'stale'], is: 'stale' },
  { told: ['fresh', 'stale', 'fresh'], is: 'live' },
  { told: ['fresh', 'failed'], is: 'failed' },
  { told: ['failed', 'stale'], is: 'stale' },
  { told: ['failed', 'fresh'], is: 'live' },
] as const)('a sensor that was told $told is $is', ({ told, is }) => {
  const sensor = createActor(sensorMachine, { input: { name: 'front' } }).start()
  for (const word of told) sensor.send({ type: `sensor.${word}` })
  expect(sensor.getSnapshot().value).toBe(is)
})

test('only a live sensor is trusted', () => {
  const sensor = createActor(sensorMachine, { input: { name: 'front' } }).start()
  const isTrusted = () => sensor.getSnapshot().hasTag('trusted')
  expect(isTrusted()).toBe(false)
  sensor.send({ type: 'sensor.fresh' })
  expect(isTrusted()).toBe(true)
  sensor.send({ type: 'sensor.stale' })
  expect(isTrusted()).toBe(false)
})
