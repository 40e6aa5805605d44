import { expect, test } from 'vitest'
import { createRobot, virtualClock } from '../../index.ts'
import { demoRover } from '../../testing.ts'

const seeds = Array.from({ length: 12 }, (_, index) => index + 1)

test.each(seeds)('seed %i: a minute of exploring, more than 3 m, nothing touched', async (seed) => {
  const clock = virtualClock()
  const robot = createRobot(demoRover, { clock, seed })
  const started = robot.start()
  await clock.advance(100)
  await started
  await clock.advance(60_000)
  const report = await robot.stop()
  expect(report).toMatchObject({ state: 'halted', exit: 0, collisions: 0 })
  expect(report.distanceM).toBeGreaterThan(3)
})
