import { expect, test } from 'vitest'
import { virtualClock } from '../drivers/clock.ts'
import { watchSuspend } from '../suspend.ts'

test('a sleep is told once, with its length, and time that passes awake is none', async () => {
  const clock = virtualClock()
  let sleptSeconds = 0
  const woken: number[] = []
  const stop = watchSuspend(
    clock,
    () => 1_000 + sleptSeconds + clock.now() / 1000,
    (seconds) => woken.push(seconds),
  )
  await clock.advance(60_000)
  expect(woken).toEqual([])
  sleptSeconds = 42
  await clock.advance(1_000)
  expect(woken).toEqual([42])
  sleptSeconds += 0.4
  await clock.advance(1_000)
  expect(woken).toEqual([42])
  stop()
  sleptSeconds += 100
  await clock.advance(1_000)
  expect(woken).toEqual([42])
})
