import { afterEach, describe, expect, test } from 'vitest'
import { scriptedBrain } from '../../actors/scripted.ts'
import { certain, ellipseOf } from '../../core/motion/covariance.ts'
import { parseConfiguration } from '../../core/vocabulary/configuration.ts'
import type { Intent } from '../../core/vocabulary/intent.ts'
import { virtualClock } from '../../drivers/clock.ts'
import { simulatedBody } from '../../drivers/simulated/body.ts'
import { simulatedCamera } from '../../drivers/simulated/camera.ts'
import { demoRover } from '../../drivers/simulated/rover.ts'
import { createRobot } from '../../robot.ts'
import { refusedMsMax } from '../../robot/view.ts'

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0)) await end()
})

const drive = (linear: number, durationMs: number): Intent => ({
  type: 'drive',
  linear,
  angular: 0,
  durationMs,
})

/** The demonstration rover with a camera, after its first 100 ms. */
async function aRover({ script, seed = 7 }: { script?: readonly Intent[]; seed?: number } = {}) {
  const clock = virtualClock()
  const body = simulatedBody(parseConfiguration(demoRover), { clock, seed })
  const robot = createRobot(demoRover, {
    clock,
    seed,
    body,
    cameras: [simulatedCamera({ name: 'camera', body, clock })],
    ...(script && { brain: scriptedBrain(script) }),
  })
  ending.push(() => robot.stop())
  const start = body.truth().pose
  const starting = robot.start()
  await clock.advance(100)
  await starting
  return { body, clock, robot, start }
}

describe('the view of a robot', () => {
  test('shows where the present drive leads until it ends by itself, and no further', async () => {
    const { clock, robot } = await aRover({ script: [drive(0.1, 2_000)] })
    await clock.advance(500)
    const { planned, pose } = robot.world()
    const leftMs = planned?.leftMs ?? NaN
    expect(planned).toMatchObject({ source: 'agent', twist: { linear: 0.1, angular: 0 } })
    expect(leftMs).toBeGreaterThan(1_000)
    expect(leftMs).toBeLessThan(2_000)
    expect(planned?.way[0]).toEqual({ x: pose?.x, y: pose?.y })
    expect(planned?.way.at(-1)?.x).toBeCloseTo((pose?.x ?? NaN) + (0.1 * leftMs) / 1_000, 2)
    await clock.advance(leftMs + 40)
    expect(robot.world().planned).toBeNull()
  })

  test('shows no drive that a halted robot would carry out', async () => {
    const { clock, robot } = await aRover({ script: [drive(0.1, 2_000)] })
    await clock.advance(500)
    expect(robot.world().planned).not.toBeNull()
    void robot.halt('to look')
    expect(robot.world().planned).toBeNull()
  })

  test('shows the last drive that was refused, for five seconds at most', async () => {
    const script = [drive(9, 500), { type: 'wait', durationMs: 5_000 }] satisfies readonly Intent[]
    const { clock, robot } = await aRover({ script })
    const { refused } = robot.world()
    expect(refused).toEqual({
      source: 'agent',
      way: expect.any(Array),
      twist: { linear: 9, angular: 0 },
      rule: 'limits.linear',
      message: 'linear 9 m/s is beyond the limit of 0.4 m/s',
      atMs: expect.any(Number),
    })
    // It asked for half a second; a second is drawn.
    expect(refused?.way.at(-1)?.x).toBeCloseTo(9, 1)
    await clock.advance((refused?.atMs ?? NaN) + refusedMsMax - clock.now())
    expect(robot.world().refused).toEqual(refused)
    await clock.advance(20)
    expect(robot.world().refused).toBeNull()
  })

  test('forgets it as soon as a drive is permitted, and says whose it was', async () => {
    const { clock, robot } = await aRover({ script: [{ type: 'wait', durationMs: 5_000 }] })
    robot.send({ type: 'robot.takeOver' })
    await clock.advance(100)
    robot.drive({ linear: 0, angular: 0 })
    robot.drive({ linear: 0.1, angular: 50 })
    expect(robot.world().refused).toMatchObject({ source: 'operator', rule: 'limits.angular' })
    robot.drive({ linear: 0.1, angular: 0 })
    expect(robot.world().refused).toBeNull()
  })

  test('has the last frame of each camera', async () => {
    const { clock, robot } = await aRover()
    await clock.advance(1_000)
    const [first] = robot.frames()
    expect(first).toMatchObject({ name: 'camera', frame: { width: 64, height: 48 } })
    await clock.advance(1_000)
    const [second] = robot.frames()
    expect(second?.frame?.stampMs).toBeGreaterThan(first?.frame?.stampMs ?? Infinity)
  })

  test.each([1, 2, 3])(
    'knows how unsure it is: the truth is within three standard deviations, seed %i',
    async (seed) => {
      const { body, clock, robot, start } = await aRover({ seed })
      const cos = Math.cos(start.heading)
      const sin = Math.sin(start.heading)
      let within = 0
      const looks = 20
      for (let look = 0; look < looks; look++) {
        // oxlint-disable-next-line no-await-in-loop -- one look after the other
        await clock.advance(1_000)
        const { covariance, pose } = robot.world()
        if (!covariance || !pose) throw new TypeError('it has wheels')
        const { x, y } = body.truth().pose
        const across = { x: x - start.x, y: y - start.y }
        const dx = across.x * cos + across.y * sin - pose.x
        const dy = across.y * cos - across.x * sin - pose.y
        const { xx, xy, yy } = covariance
        // The square of the distance in standard deviations. To the millimetre of the view nobody is surer.
        const grain = 1e-6
        const [a, c] = [xx + grain, yy + grain]
        const distance = (dx * dx * c - 2 * dx * dy * xy + dy * dy * a) / (a * c - xy * xy)
        if (distance < 9) within += 1
      }
      expect(within / looks).toBeGreaterThan(0.9)
      const { major, minor } = ellipseOf(robot.world().covariance ?? certain, 2)
      expect([minor > 0.001, major < 1]).toEqual([true, true])
    },
  )
})
