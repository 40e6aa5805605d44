import { expect, test } from 'vitest'
import { randomStream } from '../../drivers/random.ts'
import { demoRover } from '../../drivers/simulated/rover.ts'
import { type Brain, createRobot, virtualClock } from '../../index.ts'

/** A brain that looks at nothing. What keeps the robot off the walls is the kernel alone. */
function blindBrain(intent: () => { linear: number; angular: number }): Brain {
  return {
    name: 'blind',
    decide: () =>
      Promise.resolve({ reason: '', intent: { type: 'drive', ...intent(), durationMs: 1500 } }),
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'a brain that always drives straight on touches nothing in room %i',
  async (seed) => {
    const clock = virtualClock()
    const brain = blindBrain(() => ({ linear: 0.4, angular: 0 }))
    const robot = createRobot(demoRover, { clock, seed, brain })
    await robot.start()
    await clock.advance(30_000)
    const report = await robot.stop()

    expect(report.collisions).toBe(0)
    expect(report.distanceM).toBeGreaterThan(0.5)
    expect(report.causes.at(-1)).toContain('the way is occupied')
  },
)

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'a brain that drives at random, backwards too, touches nothing in room %i',
  async (seed) => {
    const clock = virtualClock()
    const chance = randomStream(seed, 'blind')
    const brain = blindBrain(() => ({
      linear: chance.between(-0.4, 0.4),
      angular: chance.between(-1.5, 1.5),
    }))
    const robot = createRobot(demoRover, { clock, seed, brain })
    await robot.start()
    await clock.advance(30_000)

    expect((await robot.stop()).collisions).toBe(0)
  },
)
