import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { floodMax, messagesMax } from '../../../inspector/cockpit/meter.ts'
import { bodyBytesMax, connectionsMax, pagesMax } from '../../../inspector/cockpit/server.ts'
import { type CockpitBench, cockpitOf, pathOf } from '../../support/cockpit.ts'
import { benchWith } from '../../support/hand-made-body.ts'

const limits = { headerMsMax: 60, requestMsMax: 120, lookMs: 10 }
const json = { 'content-type': 'application/json' }

let bench: CockpitBench

beforeEach(async () => {
  bench = await cockpitOf(benchWith(), { limits })
  await bench.start()
  bench.robot.send({ type: 'robot.arm', epoch: 1 })
})

afterEach(async () => {
  // Whoever came, the robot is where it was, and nothing in the cockpit has failed.
  await bench.clock.advance(1_000)
  expect(bench.body.writes).toEqual([])
  expect(bench.body.at).toEqual({ x: 0, y: 0, heading: 0 })
  expect(bench.failures).toEqual([])
  await bench.leave()
})

const stateNow = () => bench.robot.snapshot().state

describe('a request is refused', () => {
  const host = () => `127.0.0.1:${bench.cockpit.port}`
  const own = () => `http://${host()}`
  const halts = { method: 'POST', path: '/halt' }

  test('that calls this computer by another name, with the right cookie', async () => {
    const cookie = await bench.logIn()
    for (const name of ['evil.example', `evil.example:${bench.cockpit.port}`, '127.0.0.1']) {
      const headers = { cookie, ...json, host: name }
      expect((await bench.ask({ ...halts, headers })).status, name).toBe(421)
      await expect(bench.open({ cookie, host: name }), name).rejects.toThrow('421')
    }
    expect(stateNow()).toBe('active.holding')
  })

  test('of a page of another origin, with the right cookie', async () => {
    const cookie = await bench.logIn()
    const foreign = ['http://evil.example', 'null', `https://${host()}`, 'http://127.0.0.1:80']
    for (const origin of [...foreign, `http://localhost:${bench.cockpit.port}`]) {
      const headers = { cookie, ...json, origin }
      expect((await bench.ask({ ...halts, headers })).status, origin).toBe(403)
      await expect(bench.open({ cookie, origin }), origin).rejects.toThrow('403')
    }
    for (const site of ['cross-site', 'same-site']) {
      const headers = { cookie, ...json, 'sec-fetch-site': site }
      expect((await bench.ask({ ...halts, headers })).status, site).toBe(403)
      expect((await bench.ask({ headers })).status, site).toBe(403)
      await expect(bench.open(headers), site).rejects.toThrow('403')
    }
    expect(stateNow()).toBe('active.holding')
  })

  test('that a form could send', async () => {
    const cookie = await bench.logIn()
    for (const type of [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/plain',
      'application/jsonp',
    ]) {
      const headers = { cookie, origin: own(), 'content-type': type }
      expect((await bench.ask({ ...halts, headers, body: '{}' })).status, type).toBe(415)
    }
    expect(stateNow()).toBe('active.holding')
  })

  test('without a session, or with one that is made up', async () => {
    const name = `mechos-${bench.cockpit.port}`
    for (const cookie of ['', `${name}=`, `${name}=${'A'.repeat(43)}`, 'mechos=x']) {
      const headers = { ...json, cookie }
      expect((await bench.ask({ ...halts, headers })).status, cookie).toBe(401)
      expect((await bench.ask({ headers })).status, cookie).toBe(401)
      await expect(bench.open({ cookie }), cookie).rejects.toThrow('401')
    }
    expect(stateNow()).toBe('active.holding')
  })

  test('that follows a link a second time, ahead of time, or with a token that is none', async () => {
    const link = pathOf(bench.cockpit.link('drive'))
    const ahead = { 'sec-purpose': 'prefetch' }
    expect((await bench.ask({ path: link, headers: ahead })).status).toBe(403)
    expect((await bench.ask({ path: link, method: 'HEAD' })).status).toBe(401)
    const followed = await bench.ask({ path: link })
    expect([followed.status, followed.headers.location]).toEqual([303, '/'])
    for (const path of [link, '/login', '/login?token=', `/login?token=${'A'.repeat(43)}`]) {
      const refused = await bench.ask({ path })
      expect([refused.status, refused.headers['set-cookie']], path).toEqual([401, undefined])
    }
  })

  test('that climbs out of the page, however it spells that', async () => {
    const cookie = await bench.logIn()
    for (const path of [
      '/../package.json',
      '/%2e%2e/package.json',
      '/..%2fpackage.json',
      '/....//package.json',
      '//etc/passwd',
      '/\\..\\package.json',
      '/%00',
      '/index.html/../../cli.js',
      '/http://127.0.0.1/package.json',
      '/__proto__',
    ]) {
      const found = await bench.ask({ path, headers: { cookie } })
      expect([found.status, found.body], path).toEqual([404, 'there is nothing here\n'])
      await expect(bench.open({ cookie }, path), path).rejects.toThrow('404')
    }
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH']) {
      expect((await bench.ask({ method, headers: { cookie } })).status, method).toBe(405)
    }
    expect((await bench.ask({ path: '/halt', headers: { cookie } })).status).toBe(405)
    expect(stateNow()).toBe('active.holding')
  })

  test('and whatever is answered lets no other page in', async () => {
    const cookie = await bench.logIn()
    const { port } = bench.cockpit
    const answers = [
      await bench.ask({ headers: { cookie } }),
      await bench.ask(),
      await bench.ask({ headers: { cookie, origin: 'http://evil.example' } }),
      await bench.ask({ path: pathOf(bench.cockpit.link('watch')) }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 403, 303])
    for (const { headers } of answers) {
      expect(headers).toMatchObject({
        'content-security-policy': `default-src 'self'; connect-src 'self' ws://127.0.0.1:${port} ws://localhost:${port}; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
        'x-content-type-options': 'nosniff',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      })
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
    expect(answers[3]?.headers['set-cookie']).toEqual([
      expect.stringMatching(
        new RegExp(`^mechos-${port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`),
      ),
    ])
  })
})

describe('whoever sends too much, or too slowly', () => {
  test('a body of a gibibyte is not read, and a halt that brings one along halts', async () => {
    const cookie = await bench.logIn()
    const before = heapBytes()
    for (const [path, headers] of [
      ['/halt', ''],
      ['/', `Cookie: ${cookie}\r\n`],
      ['/halt', `Cookie: ${cookie}\r\nContent-Type: application/json\r\n`],
    ] as const) {
      expect(await pour(`POST ${path}`, `${headers}Content-Length: ${2 ** 30}`)).toBeLessThan(
        2 ** 26,
      )
    }
    expect(stateNow()).toBe('halted')
    expect(await pour('GET /', `Cookie: ${cookie}\r\nTransfer-Encoding: chunked`)).toBeLessThan(
      2 ** 26,
    )
    expect(heapBytes() - before).toBeLessThan(2 ** 24)
  })

  test('who says its request letter by letter is hung up on, and holds nobody up', async () => {
    const slow = Array.from({ length: 20 }, () => bench.raw())
    for (const socket of slow) socket.write('POST /halt HTTP/1.1\r\nHost: 127')
    const silent = Array.from({ length: 10 }, () => bench.raw())
    expect((await bench.ask({ headers: { cookie: await bench.logIn() } })).status).toBe(200)
    await Promise.all([...slow, ...silent].map(closing))
  })

  test('headers without an end are not kept', async () => {
    const socket = bench.raw()
    const closed = closing(socket)
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}`)
    await closed
  })

  test('of 500 connections as many are kept as there is room for, and who comes last may halt', async () => {
    const page = await bench.join('watch')
    const sockets = Array.from({ length: 500 }, () => bench.raw())
    const gone = () =>
      sockets.filter(({ destroyed, readyState }) => destroyed || readyState === 'closed')
    await bench.within(0, () => gone().length >= 500 - connectionsMax)
    const cookie = await bench.logIn('watch')
    const halted = await bench.ask({ method: 'POST', path: '/halt', headers: { cookie, ...json } })
    expect([halted.status, JSON.parse(halted.body)]).toEqual([
      200,
      { evidence: 'measured', ms: expect.any(Number) },
    ])
    // Who was let in before them is still there.
    await bench.within(100, () =>
      page.heard.some((word) => word.type === 'status' && word.status.state === 'halted'),
    )
  })

  test('no more pages are seated than there are places', async () => {
    const cookie = await bench.logIn('watch')
    for (let index = 0; index < pagesMax.watch; index++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, to the last place
      await bench.open({ cookie })
    }
    await expect(bench.open({ cookie })).rejects.toThrow('503')
    expect(
      (await bench.ask({ method: 'POST', path: '/halt', headers: { cookie, ...json } })).status,
    ).toBe(200)
  })

  test('10 000 messages a second are not listened to, and their sender is hung up on', async () => {
    const page = await bench.join('drive')
    const closed = once(page.socket, 'close')
    const before = heapBytes()
    for (let sequence = 0; sequence < 10_000; sequence++) {
      page.say({ type: 'drive', linear: 0.4, angular: 0, sequence })
    }
    await closed
    const refused = page.heard.filter(({ type }) => type === 'refused')
    expect(refused.length).toBeLessThanOrEqual(messagesMax)
    expect(heapBytes() - before).toBeLessThan(2 ** 24)
    expect(stateNow()).toBe('active.holding')
  })

  test('of what is said too often only a halt is heard, even as the last of all', async () => {
    const page = await bench.join('watch')
    for (let index = 0; index < floodMax - 1; index++) page.say({ type: 'pause' })
    page.say({ type: 'halt' })
    await bench.within(0, () => stateNow() === 'halted')
    expect(bench.robot.snapshot().causes).toEqual(['asked to halt in the cockpit'])
  })

  test('10 000 halts halt once, and the robot can be reset while they come', async () => {
    const page = await bench.join('watch')
    const closed = once(page.socket, 'close')
    for (let index = 0; index < 10_000; index++) page.say({ type: 'halt' })
    await closed
    expect(stateNow()).toBe('halted')
    expect(bench.robot.snapshot().epoch).toBeLessThan(3 + messagesMax + 1)
  })

  test('a page that asks whether we are there without end is hung up on', async () => {
    const page = await bench.join('watch')
    const closed = once(page.socket, 'close')
    for (let index = 0; index <= floodMax; index++) page.socket.ping()
    await closed
  })
})

describe('what is no word of the protocol moves nothing', () => {
  test.each([
    ['a frame that is none', Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])],
    ['a frame without a mask', Buffer.from([0x81, 0x02, 0x7b, 0x7d])],
    ['a frame of more than may be', Buffer.from([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4])],
    ['text that is no text', Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28])],
    ['bytes', Buffer.from([0x82, 0x82, 0, 0, 0, 0, 0x7b, 0x7d])],
  ])('%s: its page is hung up on', async (_, frame) => {
    const cookie = await bench.logIn()
    const socket = bench.raw()
    const closed = closing(socket)
    socket.write(
      `GET /live HTTP/1.1\r\nHost: 127.0.0.1:${bench.cockpit.port}\r\nCookie: ${cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
    )
    await once(socket, 'data')
    socket.resume()
    socket.write(frame)
    await closed
  })

  test.each([
    ['rubbish', '{"type":'],
    ['a list', '[]'],
    ['nothing', 'null'],
    ['an unknown word', '{"type":"shutdown"}'],
    ['a word with more in it', '{"type":"resume","epoch":2}'],
    ['a velocity that is none', '{"type":"drive","linear":null,"angular":0,"sequence":1}'],
    ['an epoch that is none', '{"type":"arm","epoch":1.5}'],
    ['a goal without end', JSON.stringify({ type: 'goal', text: 'x'.repeat(2_001) })],
  ])('%s is refused, and its page may go on', async (_, text) => {
    const page = await bench.join()
    page.socket.send(text)
    expect(await page.hears('refused')).toMatchObject({ word: 'unknown' })
    page.say({ type: 'halt' })
    await bench.within(0, () => stateNow() === 'halted')
  })

  test('a message of more than may be ends its connection', async () => {
    const page = await bench.join()
    const closed = once(page.socket, 'close')
    page.socket.send(' '.repeat(bodyBytesMax + 1))
    await closed
  })

  test('a request that is no HTTP, and one that becomes something else', async () => {
    const cookie = await bench.logIn()
    for (const text of [
      '\u0016\u0003\u0001\u0002\u0000',
      'GET\r\n\r\n',
      `CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:${bench.cockpit.port}\r\n\r\n`,
      `GET /live HTTP/1.1\r\nHost: 127.0.0.1:${bench.cockpit.port}\r\nCookie: ${cookie}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
    ]) {
      const socket = bench.raw()
      const closed = closing(socket)
      socket.resume()
      socket.write(text)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await closed
    }
  })
})

describe('a page that may only watch', () => {
  test.each([
    { type: 'reset' },
    { type: 'arm', epoch: 2 },
    { type: 'resume' },
    { type: 'pause' },
    { type: 'takeOver' },
    { type: 'release' },
    { type: 'drive', linear: 0, angular: 0, sequence: 1 },
    { type: 'goal', text: 'go' },
    { type: 'answer', id: 1, text: 'yes' },
  ] as const)('is refused $type', async (word) => {
    const page = await bench.join('watch')
    page.say(word)
    expect(await page.hears('refused')).toEqual({
      type: 'refused',
      word: word.type,
      message: `${word.type}: this page watches, and may halt`,
    })
    expect(stateNow()).toBe('active.holding')
  })
})

/** Sends a request whose body has no end, for as long as it is taken, and answers with how many bytes that were. */
async function pour(start: string, headers: string): Promise<number> {
  const socket = bench.raw()
  const closed = closing(socket)
  const chunk = Buffer.alloc(2 ** 16)
  let sent = 0
  socket.resume()
  socket.write(`${start} HTTP/1.1\r\nHost: 127.0.0.1:${bench.cockpit.port}\r\n${headers}\r\n\r\n`)
  const more = () => {
    while (!socket.destroyed && sent < 2 ** 30) {
      sent += chunk.length
      if (!socket.write(chunk)) break
    }
  }
  socket.on('drain', more)
  more()
  await closed
  return sent
}

/** Resolves when a connection is over, whichever way. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve()
    else socket.on('close', () => resolve())
  })
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
