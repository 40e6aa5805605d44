import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request as ask } from 'node:https'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { connect as connectSecurely, type ConnectionOptions } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { placeFor } from '../../../inspector/cockpit/certificate.ts'
import { connectionsMax } from '../../../inspector/cockpit/server.ts'
import {
  type Answered,
  type Asked,
  type CockpitBench,
  cockpitOf,
  pathOf,
} from '../../support/cockpit.ts'
import { benchWith } from '../../support/hand-made-body.ts'
import { test as placedTest } from '../../support/mechos.ts'

const cert = fileURLToPath(new URL('../../support/certificate/cert.pem', import.meta.url))
const key = fileURLToPath(new URL('../../support/certificate/key.pem', import.meta.url))
const ca = readFileSync(cert)
const limits = { headerMsMax: 200, requestMsMax: 400, lookMs: 20 }
const json = { 'content-type': 'application/json' }

describe('a place', () => {
  test('is this computer alone, in the clear, unless something else is said', () => {
    const own = { address: '127.0.0.1', names: ['127.0.0.1', 'localhost'] }
    expect(placeFor({ host: undefined, cert: undefined, key: undefined })).toEqual(own)
    expect(placeFor({ host: '127.0.0.1', cert: undefined, key: undefined })).toEqual(own)
    expect(placeFor({ host: '::1', cert: undefined, key: undefined })).toEqual({
      address: '::1',
      names: ['[::1]', 'localhost'],
    })
  })

  test('that others can reach has a certificate, and only the names in it beside its address', () => {
    const secured = placeFor({ host: '192.168.1.7', cert, key })
    expect(secured).toMatchObject({
      address: '192.168.1.7',
      names: ['robot.test', '192.168.1.7'],
    })
    expect(placeFor({ host: '127.0.0.1', cert, key }).names).toEqual([
      '127.0.0.1',
      'robot.test',
      'localhost',
    ])
    expect(placeFor({ host: 'FE80:0::0001', cert, key }).names).toEqual(['robot.test', '[fe80::1]'])
  })

  const needed =
    'can be reached by others, so that --cockpit-cert FILE and --cockpit-key FILE are needed'
  const one =
    'is not allowed; the one IP address of this computer that is to be reached, such as 192.168.1.7'
  test.each([
    [{ host: '192.168.1.7' }, `cockpit-cert: missing; 192.168.1.7 ${needed}`],
    [{ host: '127.0.0.2' }, `cockpit-cert: missing; 127.0.0.2 ${needed}`],
    [{ host: '0.0.0.0', cert, key }, `cockpit-host: 0.0.0.0 ${one}`],
    [{ host: '::', cert, key }, `cockpit-host: :: ${one}`],
    [{ host: '0:0::0', cert, key }, `cockpit-host: 0:0::0 ${one}`],
    [{ host: '::ffff:0.0.0.0', cert, key }, `cockpit-host: ::ffff:0.0.0.0 ${one}`],
    [{ host: 'robot.test', cert, key }, `cockpit-host: robot.test ${one}`],
    [{ host: '0', cert, key }, `cockpit-host: 0 ${one}`],
    [{ host: '', cert, key }, `cockpit-host:  ${one}`],
    [{ host: 'fe80::1%eth0', cert, key }, `cockpit-host: fe80::1%eth0 ${one}`],
    [{ cert }, 'cockpit-key: missing; --cockpit-cert needs it'],
    [{ key }, 'cockpit-cert: missing; --cockpit-key needs it'],
    [{ cert: key, key }, `cockpit-cert: ${key} is not allowed; a certificate in PEM`],
    [
      { cert, key: cert },
      `cockpit-key: ${cert} is not allowed; a private key in PEM, without a passphrase`,
    ],
  ] as const)('is not %o', (wish, message) => {
    const none = { host: undefined, cert: undefined, key: undefined }
    expect(() => placeFor({ ...none, ...wish })).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message }),
    )
  })

  test('is not one whose certificate is not there', () => {
    expect(() => placeFor({ host: '192.168.1.7', cert: '/nowhere', key })).toThrow(
      /^cockpit-cert: \/nowhere cannot be read: ENOENT/,
    )
  })
})

describe('an encrypted cockpit', () => {
  let bench: CockpitBench
  let port: number

  beforeEach(async () => {
    bench = await cockpitOf(benchWith(), {
      limits,
      place: placeFor({ host: '127.0.0.1', cert, key }),
    })
    port = bench.cockpit.port
    await bench.start()
    bench.robot.send({ type: 'robot.arm', epoch: 1 })
  })

  afterEach(async () => {
    expect([bench.body.writes, bench.failures]).toEqual([[], []])
    await bench.leave()
  })

  test('lets a browser in by its link, once, with a cookie of this host that never goes out in the clear', async () => {
    const link = bench.cockpit.link('drive')
    expect(link).toMatch(new RegExp(`^https://127\\.0\\.0\\.1:${port}/login\\?token=`))
    const followed = await askOver({ path: pathOf(link) })
    expect([followed.status, followed.headers['set-cookie']]).toEqual([
      303,
      [
        expect.stringMatching(
          new RegExp(
            `^__Host-mechos-${port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict; Secure$`,
          ),
        ),
      ],
    ])
    expect((await askOver({ path: pathOf(link) })).status).toBe(401)
    const cookie = cookieIn(followed)
    const page = await askOver({ headers: { cookie } })
    expect(page.status).toBe(200)
    expect(page.headers['content-security-policy']).toContain(
      `connect-src 'self' wss://127.0.0.1:${port} wss://robot.test:${port} wss://localhost:${port};`,
    )
    // The session under the name that it would have in the clear is none.
    const plain = cookie.replace('__Host-', '')
    expect((await askOver({ headers: { cookie: plain } })).status).toBe(401)
  })

  test('is reached by the names of its certificate, and by no other; pages elsewhere are refused', async () => {
    const cookie = await logIn()
    for (const host of [`127.0.0.1:${port}`, `robot.test:${port}`, `localhost:${port}`]) {
      expect((await askOver({ headers: { cookie, host } })).status, host).toBe(200)
      const origin = `https://${host}`
      expect((await askOver({ headers: { cookie, host, origin } })).status, host).toBe(200)
    }
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      `a.robot.test:${port}`,
      'robot.test',
    ]) {
      expect((await askOver({ headers: { cookie, host } })).status, host).toBe(421)
      await expect(openOver({ cookie, host }), host).rejects.toThrow('421')
    }
    for (const origin of [
      `http://127.0.0.1:${port}`,
      'https://evil.example',
      `https://robot.test:${port}`,
      'null',
    ]) {
      const halts = { method: 'POST', path: '/halt', headers: { cookie, ...json, origin } }
      expect((await askOver(halts)).status, origin).toBe(403)
      await expect(openOver({ cookie, origin }), origin).rejects.toThrow('403')
    }
    await expect(openOver({})).rejects.toThrow('401')
    expect(stateNow()).toBe('active.holding')
  })

  test('says nothing to who speaks in the clear, or in an older way than TLS 1.2', async () => {
    const socket = connect(port, '127.0.0.1')
    let said = ''
    socket.on('data', (data: Buffer) => {
      said += data.toString('latin1')
    })
    socket.on('error', () => {})
    socket.write(
      `POST /halt HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n\r\n`,
    )
    await once(socket, 'close')
    expect(said).not.toMatch(/HTTP/)
    const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' } as const
    await expect(greet(old)).rejects.toThrow()
    await expect(greet({ maxVersion: 'TLSv1.2' })).resolves.toBe('TLSv1.2')
    expect(stateNow()).toBe('active.holding')
  })

  test('halts by both ways', async () => {
    const cookie = await logIn()
    const page = await openOver({ cookie })
    page.send(JSON.stringify({ type: 'halt' }))
    await bench.within(100, () => stateNow() === 'halted')
    const halted = await askOver({ method: 'POST', path: '/halt', headers: { cookie, ...json } })
    expect(halted.status).toBe(200)
    page.terminate()
  })

  test('of those who do not even shake hands keeps as many as there is room for, and not for long; a page stays', async () => {
    const cookie = await logIn()
    const page = await openOver({ cookie })
    const sockets = Array.from({ length: connectionsMax * 3 }, () => bench.raw())
    const closed = sockets.map((socket) => once(socket, 'close'))
    const halted = await askOver({ method: 'POST', path: '/halt', headers: { cookie, ...json } })
    expect(halted.status).toBe(200)
    await Promise.all(closed)
    expect(page.readyState).toBe(WebSocket.OPEN)
    page.terminate()
  })

  test('ends at once, whoever is still shaking hands', async () => {
    const socket = bench.raw()
    await once(socket, 'connect')
    const closed = once(socket, 'close')
    await bench.cockpit.close()
    await closed
  })

  const stateNow = () => bench.robot.snapshot().state
  const logIn = async () => cookieIn(await askOver({ path: pathOf(bench.cockpit.link('drive')) }))

  function askOver({ method = 'GET', path = '/', headers = {} }: Asked): Promise<Answered> {
    return secureAsk(`https://127.0.0.1:${port}${path}`, { method, headers })
  }

  function openOver(headers: Readonly<Record<string, string>>): Promise<WebSocket> {
    const socket = new WebSocket(`wss://127.0.0.1:${port}/live`, { headers, ca })
    return new Promise((resolve, reject) => {
      socket.on('open', () => resolve(socket))
      socket.on('unexpected-response', (_, { statusCode }) => reject(new Error(String(statusCode))))
      socket.on('error', reject)
    })
  }

  /** Resolves to the version of TLS that was agreed on. */
  function greet(options: ConnectionOptions): Promise<string | null> {
    return new Promise((resolve, reject) => {
      const socket = connectSecurely({ port, host: '127.0.0.1', ca, ...options }, () => {
        resolve(socket.getProtocol())
        socket.destroy()
      })
      socket.on('error', reject)
    })
  }
})

describe('mechos run', () => {
  placedTest(
    'refuses an address that others can reach without a certificate; nothing has begun then',
    async ({ place }) => {
      const ended = await place.run(
        'run',
        '--headless',
        '--for',
        '1',
        '--cockpit-host',
        '192.0.2.1',
      )
      expect([ended.code, ended.stderr]).toEqual([
        2,
        'cockpit-cert: missing; 192.0.2.1 can be reached by others, so that --cockpit-cert FILE and --cockpit-key FILE are needed\n',
      ])
    },
  )

  placedTest('refuses an address that this computer has not', async ({ place }) => {
    const flags = ['--cockpit-host', '192.0.2.1', '--cockpit-cert', cert, '--cockpit-key', key]
    const ended = await place.run('run', '--headless', '--for', '1', ...flags)
    expect([ended.code, ended.stderr]).toEqual([
      2,
      expect.stringMatching(/^cockpit-host: 192\.0\.2\.1 is not allowed; listen EADDRNOTAVAIL/),
    ])
  })

  const [reached] = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)

  placedTest.skipIf(reached === undefined)(
    'serves at an address that others can reach, with a link that has it, encrypted and to nobody without the link',
    async ({ place }) => {
      const address = reached ?? ''
      // A certificate that names no address: the link has the name that it does have.
      const flags = ['--cockpit-host', address, '--cockpit-cert', cert, '--cockpit-key', key]
      const robot = place.start([
        'run',
        '--headless',
        '--for',
        '600',
        '--speed',
        '1',
        '--cockpit-port',
        '0',
        ...flags,
      ])
      await robot.says(/^cockpit: https:\/\/robot\.test:\d+\/login\?token=[\w-]{43}$/m)
      const link = new URL(/^cockpit: (.+)$/m.exec(robot.text())?.[1] ?? '')
      await place.reaches('rover', ({ state }) => state === 'active.autonomous')
      const url = `https://${address}:${link.port}`
      const host = `${address}:${link.port}`
      expect((await secureAsk(`${url}/`, { headers: { host } })).status).toBe(401)
      const followed = await secureAsk(`${url}${pathOf(link.href)}`, {
        headers: { host: link.host },
      })
      const cookie = cookieIn(followed)
      const halts = { method: 'POST', headers: { cookie, host: link.host, ...json } }
      expect((await secureAsk(`${url}/halt`, halts)).status).toBe(200)
      await place.reaches('rover', ({ state }) => state === 'halted')
      // Nothing listens in the clear, here or on the loopback.
      await expect(once(connect(Number(link.port), '127.0.0.1'), 'connect')).rejects.toThrow(
        'ECONNREFUSED',
      )
    },
  )
})

function secureAsk(
  url: string,
  { method = 'GET', headers = {} }: Pick<Asked, 'method' | 'headers'>,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = ask(
      url,
      { method, headers, ca, agent: false, servername: 'robot.test' },
      (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          body += chunk
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        )
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

function cookieIn({ headers }: Answered): string {
  return (headers['set-cookie']?.[0] ?? '').split(';')[0] ?? ''
}
