import { expect, test } from 'vitest'
import { type Clock, virtualClock, type VirtualClock } from '../../drivers/clock.ts'
import { createRobotWith } from '../../robot.ts'
import { twoWheels } from '../support/hand-made-body.ts'

test('every chart is asked for its pulse each tenth of a second', async () => {
  expect(await pulsesIn(1_000, (clock) => clock)).toEqual([
    100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000,
  ])
})

test('and so it is where ticks come late, and never at the full tenth', async () => {
  expect(await pulsesIn(1_000, late)).toEqual([130, 230, 330, 430, 530, 630, 730, 830, 930])
})

/** When the root is asked, in ms, on a clock that may be made worse. */
async function pulsesIn(milliseconds: number, made: (clock: VirtualClock) => Clock) {
  const clock = virtualClock()
  const takenMs: number[] = []
  const robot = createRobotWith(
    twoWheels,
    { clock: made(clock) },
    {
      machine(bound) {
        const { transition } = bound
        return Object.assign(bound, {
          transition(...step: Parameters<typeof transition>) {
            const type: string = step[1].type
            if (type === 'pulse') takenMs.push(clock.now())
            return transition(...step)
          },
        })
      },
      listener: (_, hear) => hear,
    },
  )
  const starting = robot.start()
  await clock.advance(milliseconds)
  await starting
  await robot.stop()
  return takenMs
}

/** Its timers fire at 30 ms, 80 ms, 130 ms and so on only. */
function late(clock: VirtualClock): Clock {
  return {
    now: clock.now,
    setTimeout(fire, milliseconds) {
      const now = clock.now()
      return clock.setTimeout(fire, Math.floor((now + milliseconds - 30) / 50) * 50 + 80 - now)
    },
    clearTimeout: clock.clearTimeout,
  }
}
