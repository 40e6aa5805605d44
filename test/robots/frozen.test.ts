import { connect } from 'node:net'
import { describe, expect } from 'vitest'
import { addressed, machineMs, robotWord, type Wish } from '../../inspector/control-words.ts'
import { identityOf } from '../../store/process-identity.ts'
import { type Place, test, waitMsMax } from '../support/mechos.ts'

describe('a robot that was frozen', { timeout: 120_000 }, () => {
  test('does not begin to move on an order from before, and still takes a halt', async ({
    place,
  }) => {
    const words = 'run --headless --for 3600 --speed 1 --report -'.split(' ')
    const robot = place.start(words)
    await place.reaches('rover', ({ state }) => state === 'active.autonomous')
    const self = robotWord({ name: 'rover', ...identityOf(robot.pid) })
    expect((await place.run('pause')).code).toBe(0)

    robot.signal('SIGSTOP')
    const sentMs = machineMs()
    const answers = [
      { verb: 'resume' } as const,
      { verb: 'goal', text: 'go' } as const,
      { verb: 'halt', cause: 'late' } as const,
    ].map((wish) => said(place, wish, self, sentMs))
    await expect.poll(() => machineMs() - sentMs, { timeout: waitMsMax }).toBeGreaterThan(2_500)
    robot.signal('SIGCONT')

    const [resumed, given, halted] = await Promise.all(answers)
    for (const answer of [resumed, given]) {
      expect(answer).toMatchObject({
        ok: false,
        message: expect.stringMatching(/refused: it was given \d\.\d s ago, and at most 2 s/),
      })
    }
    expect(halted).toMatchObject({ ok: true })
    const after = await place.statusOf('rover')
    expect([after?.state, after?.goal === 'go']).toEqual(['halted', false])
  })
})

/** Says one thing and waits for the answer, for as long as it takes. */
function said(place: Place, wish: Wish, robot: string, sentMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(place.socketOf('rover'))
    let text = ''
    socket.setEncoding('utf8')
    socket.on('error', reject)
    socket.on('connect', () => socket.write(`${JSON.stringify(addressed(wish, robot, sentMs))}\n`))
    socket.on('data', (chunk: string) => {
      text += chunk
      if (!text.endsWith('\n')) return
      socket.destroy()
      resolve(JSON.parse(text))
    })
  })
}
