import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type IncomingHttpHeaders, request as ask } from 'node:http'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createActor, createMachine, setup } from 'xstate'
import { virtualClock, wallClock } from '../../../drivers/clock.ts'
import { behindMsMax } from '../../../inspector/cockpit/audience.ts'
import { charactersMax } from '../../../inspector/cockpit/summary.ts'
import { floodMax } from '../../../inspector/cockpit/meter.ts'
import { serveStately, type StatelyServer, viewersMax } from '../../../inspector/stately/server.ts'
import type { StatelyMessage } from '../../../inspector/stately/messages.ts'
import { type Bench, benchWith } from '../../support/hand-made-body.ts'

let bench: Bench
let server: StatelyServer
let attached: number
let failures: string[]
let sockets: WebSocket[]

beforeEach(async () => {
  bench = benchWith()
  attached = 0
  failures = []
  sockets = []
  server = await serveStately(0, {
    clock: bench.clock,
    unixMs: () => 1_700_000_000_000,
    failed: (cause) => failures.push(cause),
    inspect(observer) {
      attached += 1
      const leave = bench.robot.inspect(observer)
      return () => {
        attached -= 1
        leave()
      }
    },
  })
  await bench.start()
  bench.robot.send({ type: 'robot.arm', epoch: 1 })
})

afterEach(async () => {
  // Whoever looked on, and whatever they said: the robot is where it was.
  expect([bench.body.writes, failures]).toEqual([[], []])
  expect(bench.robot.snapshot().state).toBe('active.holding')
  for (const socket of sockets) socket.terminate()
  await server.close()
  await within(() => attached === 0)
  await bench.robot.stop()
})

describe('a viewer', () => {
  test('is told of the robot from its first message on: the receiver of @statelyai/inspect understands it', async () => {
    const { seen, end } = receive(liveOf(server.link()))
    await within(() => attached === 1)
    await within(() => seen.length > 5, 50)
    const root = seen.find(({ type }) => type === '@xstate.actor')
    expect(root).toMatchObject({ name: 'robot', snapshot: { value: { active: 'holding' } } })
    await end()
  })

  test('is let in by a link once: as a page, by a cookie that no other site is sent', async () => {
    const link = server.link()
    const followed = await get(link)
    expect([followed.status, followed.headers.location]).toEqual([303, '/'])
    const cookie = followed.headers['set-cookie']?.[0] ?? ''
    expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/)
    expect((await get(link)).status).toBe(401)
    const headers = { cookie: cookie.split(';')[0] ?? '' }
    const page = await get(new URL('/', link).href, headers)
    expect([page.status, page.headers['content-security-policy']]).toEqual([
      200,
      expect.stringMatching(/^default-src 'none'; .*frame-src https:\/\/stately\.ai; /),
    ])
    expect((await get(new URL('/relay.js', link).href, headers)).status).toBe(200)
    expect((await get(new URL('/../cli.ts', link).href, headers)).status).toBe(404)
    await open(liveOf(link), headers)
    expect(attached).toBe(1)
    await expect(open(liveOf(link))).rejects.toThrow('401')
  })

  test('of another site, by another name, or without a link is let in by no way', async () => {
    const link = server.link()
    for (const [headers, status] of [
      [{ origin: 'https://stately.ai' }, '403'],
      [{ origin: 'http://evil.example' }, '403'],
      [{ 'sec-fetch-site': 'cross-site' }, '403'],
      [{ host: 'evil.example' }, '421'],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect(open(liveOf(link), headers), status).rejects.toThrow(status)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await get(link, headers)).status).toBe(Number(status))
    }
    const { host } = new URL(link)
    await expect(open(`ws://${host}/live`)).rejects.toThrow('401')
    await expect(open(`ws://${host}/live?token=${'A'.repeat(43)}`)).rejects.toThrow('401')
    await expect(open(`ws://${host}/elsewhere`)).rejects.toThrow('404')
    expect((await get(`http://${host}/`)).status).toBe(401)
    expect((await get(`http://${host}/`, {}, 'POST')).status).toBe(405)
    expect(attached).toBe(0)
    // None of this has used the link up.
    await open(liveOf(link))
  })

  test('says what it likes: nothing is done about it, and at a flood it is hung up on', async () => {
    const socket = await open(liveOf(server.link()))
    const closed = once(socket, 'close')
    for (const word of [
      { type: '@xstate.event', event: { type: 'robot.resume' } },
      { type: 'xstate.event', event: '{"type":"robot.resume"}' },
      { type: 'drive', linear: 1, angular: 0, sequence: 1 },
      { type: 'takeOver' },
    ])
      socket.send(JSON.stringify(word))
    await within(() => true, 500)
    expect(socket.readyState).toBe(socket.OPEN)
    for (let count = 0; count < floodMax; count++) socket.send('{')
    await closed
    await within(() => attached === 0)
  })

  test('that says more than a line is hung up on', async () => {
    const socket = await open(liveOf(server.link()))
    const closed = once(socket, 'close')
    socket.send('x'.repeat(2_000))
    await closed
  })

  test(`is one of ${viewersMax}, and whoever has gone makes room`, async () => {
    const opened = []
    for (let count = 0; count < viewersMax; count++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      opened.push(await open(liveOf(server.link())))
    }
    await expect(open(liveOf(server.link()))).rejects.toThrow('503')
    opened[0]?.close()
    await within(() => attached === viewersMax - 1)
    await open(liveOf(server.link()))
  })

  test('that does not read costs nobody anything, and is dropped', async () => {
    const clock = virtualClock()
    const crowd = createActor(crowdMachine)
    const parts = {
      clock,
      unixMs: () => 0,
      failed: (cause: string) => failures.push(cause),
      inspect(observer: Parameters<Bench['robot']['inspect']>[0]) {
        const subscription = crowd.system.inspect(observer)
        return () => subscription.unsubscribe()
      },
    }
    crowd.start()
    const busy = await serveStately(0, parts)
    const slow = await open(liveOf(busy.link()))
    const quick = await open(liveOf(busy.link()))
    const closed = once(slow, 'close')
    slow.pause()
    let heard = 0
    quick.on('message', () => {
      heard += 1
    })
    const before = process.memoryUsage().arrayBuffers
    // The root is known by what it is sent.
    crowd.send({ type: 'crowd.beat' })
    const looks = 200 + behindMsMax / 50
    for (let look = 0; look < looks; look++) {
      for (const child of Object.values(crowd.getSnapshot().children)) child?.send(saying)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await clock.advance(50)
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20)
    slow.resume()
    await closed
    expect(quick.readyState).toBe(WebSocket.OPEN)
    expect(heard).toBeGreaterThan(talkers * looks)
    await busy.close()
  })
})

test('nothing is attached to the robot while nobody looks on', async () => {
  expect(attached).toBe(0)
  const socket = await open(liveOf(server.link()))
  expect(attached).toBe(1)
  socket.close()
  await within(() => attached === 0)
})

test('that it is closed ends everybody, and gives the port back', async () => {
  const link = server.link()
  const socket = await open(liveOf(link))
  const closed = once(socket, 'close')
  await server.close()
  await closed
  await expect(get(link)).rejects.toThrow('ECONNREFUSED')
})

test('a port that is taken is refused', async () => {
  const { port } = new URL(server.link())
  const parts = { inspect: () => () => {}, clock: wallClock(), unixMs: () => 0, failed: () => {} }
  await expect(serveStately(Number(port), parts)).rejects.toThrow('EADDRINUSE')
})

/** Says some 3 kB with each change. */
const talkerMachine = createMachine({
  id: 'talker',
  context: Object.fromEntries(
    Array.from({ length: 20 }, (_, at) => [`field${at}`, 'x'.repeat(charactersMax)]),
  ),
  initial: 'high',
  states: {
    high: { on: { 'talker.say': { target: 'low' } } },
    low: { on: { 'talker.say': { target: 'high' } } },
  },
})
const saying = { type: 'talker.say' } as const
const talkers = 40
const crowdMachine = setup({ actors: { talkerMachine } }).createMachine({
  id: 'crowd',
  invoke: Array.from({ length: talkers }, (_, at) => ({
    id: `talker${at}`,
    src: 'talkerMachine' as const,
  })),
})

/**
 * What the receiver of `@statelyai/inspect` understands, in a process of its own: the conditions under which these tests
 * load packages give it another `ws` than it expects.
 */
function receive(url: string): { readonly seen: readonly StatelyMessage[]; end(): Promise<void> } {
  const script = [
    "import { createWebSocketReceiver } from '@statelyai/inspect'",
    `const receiver = createWebSocketReceiver({ server: '${url}' })`,
    'receiver.subscribe((event) => process.stdout.write(JSON.stringify(event) + String.fromCharCode(10)))',
  ]
  const child = spawn(process.execPath, ['--input-type=module', '-e', script.join('\n')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const seen: StatelyMessage[] = []
  const ended = once(child, 'close')
  createInterface({ input: child.stdout }).on('line', (line) => seen.push(JSON.parse(line)))
  return {
    seen,
    async end() {
      child.kill()
      await ended
    },
  }
}

/** The address of the stream, by the link of the page. */
function liveOf(link: string): string {
  return link.replace(/^http/, 'ws').replace('/login', '/live')
}

function open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<WebSocket> {
  const socket = new WebSocket(url, { headers })
  sockets.push(socket)
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve(socket))
    socket.on('unexpected-response', (_, response) =>
      reject(new Error(String(response.statusCode))),
    )
    socket.on('error', reject)
  })
}

function get(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const sent = ask(url, { headers, method, agent: false }, (response) => {
      response.resume()
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers }),
      )
    })
    sent.on('error', reject)
    sent.end()
  })
}

/** Lets so much of the robot's time pass, and waits until `passes`. */
async function within(passes: () => boolean, ms = 0): Promise<void> {
  await vi.waitFor(
    async () => {
      await bench.clock.advance(ms)
      if (!passes()) throw new Error('it did not come to that')
    },
    { interval: 1, timeout: 5_000 },
  )
}
