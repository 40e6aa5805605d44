import { expect, test, vi } from 'vitest'
import { virtualClock } from '../../drivers/clock.ts'
import { createRobot } from '../../robot.ts'
import { handMadeBody, twoWheels } from '../support/hand-made-body.ts'

test('a root that has ended is told nothing more, and the gate stays shut whatever fails then', async () => {
  // XState's development build says by a warning what reaches nobody.
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  try {
    const clock = virtualClock()
    const body = handMadeBody(clock)
    const robot = createRobot(twoWheels, { clock, body, selfArm: false })
    const starting = robot.start()
    await clock.advance(100)
    await starting
    await robot.halt()
    robot.send({ type: 'robot.shutdown' })
    await clock.advance(200)
    body.faults.step = () => {
      throw new Error('broken')
    }
    await clock.advance(200)
    expect([robot.snapshot().state, body.isArmed]).toEqual(['off', false])
    await robot.stop()
    expect(warn.mock.calls).toEqual([])
  } finally {
    warn.mockRestore()
  }
})
