import { createServer } from 'node:net'
import { expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createCockpit } from '../cockpit.ts'
import { wallClock } from '../drivers/clock.ts'
import type { ActorView, RobotWord } from '../inspector/cockpit/protocol.ts'
import { silence } from '../robot/log.ts'
import { benchWith } from './support/hand-made-body.ts'

function aCockpit(port: number | undefined) {
  const bench = benchWith()
  const cockpit = createCockpit({
    robot: bench.robot,
    clock: wallClock(),
    port,
    folder: 'there is no such folder',
    log: silence,
  })
  return { ...bench, cockpit }
}

/** Takes a port of 127.0.0.1 for itself. */
function occupy(port: number): Promise<{ port: number; leave: () => Promise<void> }> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const bound = server.address()
      resolve({
        port: typeof bound === 'object' && bound ? bound.port : 0,
        leave: () => new Promise((left) => void server.close(() => left())),
      })
    })
  })
}

test('a port that was asked for and is taken is refused, by name', async () => {
  const taken = await occupy(0)
  const { cockpit, robot } = aCockpit(taken.port)
  await expect(cockpit.open()).rejects.toMatchObject({
    code: 'ERR_USAGE',
    message: expect.stringMatching(
      new RegExp(
        `^cockpit-port: ${taken.port} is not allowed; .*EADDRINUSE.*; 0 is any that is free$`,
      ),
    ),
  })
  expect(cockpit.link('drive')).toBe(undefined)
  await cockpit.close()
  await taken.leave()
  await robot.stop()
})

test('without one it takes 7077 or the next that is free, and two robots have one each', async () => {
  const [one, other] = [aCockpit(undefined), aCockpit(undefined)]
  await one.cockpit.open()
  await other.cockpit.open()
  const ports = [one, other].map(({ cockpit }) =>
    Number(new URL(cockpit.present.address ?? '').port),
  )
  expect(ports.every((port) => port >= 7077 && port < 7177)).toBe(true)
  expect(new Set(ports).size).toBe(2)
  await Promise.all([one.cockpit.close(), other.cockpit.close()])
  expect(one.cockpit.present.address).toBe(undefined)
  await Promise.all([one.robot.stop(), other.robot.stop()])
})

test('makes another link each time, serves a page that says what is missing, and shows the charts that run', async () => {
  const { clock, cockpit, robot, start } = aCockpit(0)
  await cockpit.open()
  await start()
  const [link, another] = [cockpit.link('drive'), cockpit.link('drive')]
  expect(link).not.toBe(another)
  const entered = await fetch(link ?? '', { redirect: 'manual' })
  const cookie = (entered.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const { address } = cockpit.present
  const page = await fetch(`${address}/`, { headers: { cookie } })
  expect(await page.text()).toContain('The page of the cockpit was not built')

  const actors = new Map<string, ActorView>()
  const drawings: string[] = []
  const socket = new WebSocket(`${address?.replace('http', 'ws')}/live`, { headers: { cookie } })
  socket.on('message', (data: Buffer) => {
    // oxlint-disable-next-line no-unsafe-type-assertion -- what the cockpit says is what is tested
    const word = JSON.parse(data.toString('utf8')) as RobotWord
    if (word.type === 'actors') for (const actor of word.actors) actors.set(actor.id, actor)
    if (word.type === 'drawing') drawings.push(word.drawing.machine)
  })
  await vi.waitFor(() => expect(cockpit.present).toMatchObject({ pages: 1, isDriven: false }))
  const sees = (id: string, state: string) =>
    vi.waitFor(async () => {
      await clock.advance(20)
      expect(actors.get(id)?.active).toContain(state)
    })
  await sees('robot', 'robot.standby')
  await sees('motion', 'motion.inhibited')
  robot.send({ type: 'robot.arm', epoch: 1 })
  await sees('robot', 'robot.active.holding')
  expect(drawings).toContain('robot')
  socket.terminate()
  await vi.waitFor(() => expect(cockpit.present.pages).toBe(0))
  await cockpit.close()
  await robot.stop()
})
