import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { askRobot } from '../../inspector/control-client.ts'
import { serveControl } from '../../inspector/control-server.ts'
import {
  addressed,
  machineMs,
  refusalOf,
  type Request,
  robotWord,
} from '../../inspector/control-words.ts'

let folder: string
let path: string
const servers: Server[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mechos-control-'))
  path = join(folder, 'control.sock')
})
afterEach(async () => {
  await Promise.all(
    servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))),
  )
  rmSync(folder, { recursive: true, force: true })
})

describe('a robot that is asked over its socket', () => {
  test('hears each request as it was said, and its answer comes back', async () => {
    const heard: Request[] = []
    servers.push(
      await serveControl(path, 'me', async (request) => {
        heard.push(request)
        return { ok: true, result: { heard: request.verb } }
      }),
    )
    const requests: Request[] = [
      { verb: 'status' },
      { verb: 'halt', cause: 'because' },
      addressed({ verb: 'arm', epoch: 3 }, 'me', machineMs()),
      addressed({ verb: 'goal', text: 'ä\n"x"' }, 'me', machineMs()),
      addressed({ verb: 'answer', id: 412_001, text: 'yes' }, 'me', machineMs()),
    ]
    for (const request of requests) {
      expect(await askRobot(path, request, 5_000)).toEqual({
        ok: true,
        result: { heard: request.verb },
      })
    }
    expect(heard).toEqual(requests)
  })

  test('refuses in its own words, and survives an answer that could not be made', async () => {
    servers.push(
      await serveControl(path, 'me', async ({ verb }) => {
        if (verb === 'reset') throw new Error('no luck')
        return { ok: false, message: `not ${verb}` }
      }),
    )
    expect(await askRobot(path, addressed({ verb: 'resume' }, 'me', machineMs()), 5_000)).toEqual({
      ok: false,
      message: 'not resume',
    })
    expect(await askRobot(path, addressed({ verb: 'reset' }, 'me', machineMs()), 5_000)).toEqual({
      ok: false,
      message: 'no luck',
    })
    expect(await askRobot(path, { verb: 'pause' }, 5_000)).toEqual({
      ok: false,
      message: 'not pause',
    })
  })

  test('takes over the address of one that died', async () => {
    servers.push(await serveControl(path, 'me', async () => ({ ok: true, result: { which: 1 } })))
    servers.push(await serveControl(path, 'me', async () => ({ ok: true, result: { which: 2 } })))
    expect(await askRobot(path, { verb: 'status' }, 5_000)).toEqual({
      ok: true,
      result: { which: 2 },
    })
  })
})

describe('an order that may begin motion', () => {
  const orders = [
    { verb: 'reset' },
    { verb: 'arm', epoch: 3 },
    { verb: 'resume' },
    { verb: 'goal', text: 'home' },
    { verb: 'answer', id: 412_001, text: 'yes' },
  ] as const

  test.each(orders)('to $verb is refused when it is late, early, or meant for another', (wish) => {
    const said = addressed(wish, 'me', 10_000)
    const refused = (nowMs: number, robot = 'me') => refusalOf(said, robot, nowMs)
    expect([refused(10_000), refused(12_000), refused(9_900)]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(refused(12_001)).toBe(
      `${wish.verb}: refused: it was given 2.0 s ago, and at most 2 s are allowed; look at the robot, then say it again`,
    )
    expect(refused(9_899)).toMatch(/^\w+: refused: it was given -0\.1 s ago/)
    expect(refused(NaN)).toMatch(/refused/)
    expect(refused(10_000, 'you')).toBe(
      `${wish.verb}: refused: it was meant for me, and this is you`,
    )
  })

  test('is refused by the robot itself, and a halt never is', async () => {
    const heard: string[] = []
    servers.push(
      await serveControl(path, 'me', async ({ verb }) => {
        heard.push(verb)
        return { ok: true, result: {} }
      }),
    )
    const late = addressed({ verb: 'resume' }, 'me', machineMs() - 5_000)
    expect(await askRobot(path, late, 5_000)).toMatchObject({
      ok: false,
      message: expect.stringMatching(/^resume: refused: it was given 5\.0 s ago/),
    })
    const elsewhere = addressed({ verb: 'arm', epoch: 1 }, 'you', machineMs())
    expect(await askRobot(path, elsewhere, 5_000)).toMatchObject({ ok: false })
    expect(await askRobot(path, { verb: 'halt' }, 5_000)).toEqual({ ok: true, result: {} })
    expect(heard).toEqual(['halt'])
  })

  test('names the process, and not only the robot', () => {
    const one = robotWord({ name: 'rover', pid: 7, startTicks: 100 })
    expect(one).not.toBe(robotWord({ name: 'rover', pid: 7, startTicks: 200 }))
    expect(robotWord({ name: 'rover', pid: 7, startTicks: null })).toBe('rover-7-unknown')
  })
})

describe('a robot that does not answer', () => {
  const answering = (respond: (socket: Socket) => void) =>
    new Promise<void>((resolve) => {
      const server = createServer((socket) => {
        socket.on('error', () => socket.destroy())
        socket.once('data', () => respond(socket))
      })
      servers.push(server)
      server.listen(path, resolve)
    })
  const silences: Record<string, [(socket: Socket) => void, string]> = {
    'hangs up': [(socket) => socket.destroy(), 'it hung up'],
    'stays silent': [() => {}, 'nothing came within 300 ms'],
    'sends no JSON': [(socket) => socket.end('nonsense\n'), 'its answer makes no sense'],
    'sends something else': [(socket) => socket.end('{"yes":true}\n'), 'its answer makes no sense'],
    'never ends its line': [
      (socket) => socket.write('x'.repeat(100_000)),
      'its answer is too long',
    ],
  }
  for (const [title, [respond, why]] of Object.entries(silences)) {
    test(`because it ${title} is said to be silent`, async () => {
      await answering(respond)
      await expect(askRobot(path, { verb: 'halt' }, 300)).rejects.toMatchObject({
        code: 'ERR_ROBOT_SILENT',
        message: `the robot did not answer: ${why}`,
      })
    })
  }

  test('because it is not there is said to be silent', async () => {
    await expect(askRobot(path, { verb: 'halt' }, 300)).rejects.toMatchObject({
      code: 'ERR_ROBOT_SILENT',
    })
  })
})
