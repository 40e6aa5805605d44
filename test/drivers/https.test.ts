import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { createServer as createRawServer, type Server, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ExchangeError } from '../../core/vocabulary/exchange.ts'
import { virtualClock, type VirtualClock } from '../../drivers/clock.ts'
import { httpsTransport, type TransportBounds } from '../../drivers/https.ts'

/** A busy machine takes its time. */
const soon = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 5 })

const bodyBytesMax = 64 * 1024
const secret = 'sk-abc123'

let clock: VirtualClock
const closings: (() => Promise<void>)[] = []
beforeEach(() => {
  clock = virtualClock()
})
afterEach(async () => {
  for (const close of closings.splice(0)) await close()
})

/** Serves on a free port of this machine, and gives the port and every connection that was made. */
async function listen(server: Server, host = '127.0.0.1') {
  const sockets: Socket[] = []
  server.on('connection', (socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
  })
  closings.push(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a server without a port')
  return { port: address.port, sockets }
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void

interface Asked {
  readonly request: IncomingMessage
  readonly body: string
}

async function serve(answer: Answer) {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    let body = ''
    response.on('error', () => {})
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      asked.push({ request, body })
      answer(response, request)
    })
  })
  const { port, sockets } = await listen(server)
  return { url: `http://127.0.0.1:${port}/v1/chat`, asked, sockets }
}

/** A server that says these very bytes to whoever has said something, and hangs up when it is told to. */
async function serveRaw(bytes: string, end: 'hangs up' | 'stays' = 'stays') {
  const server = createRawServer((socket) => {
    socket.once('data', () => {
      socket.write(bytes)
      if (end === 'hangs up') socket.end()
    })
  })
  const { port } = await listen(server)
  return `http://127.0.0.1:${port}/`
}

function post(
  url: string,
  signal = new AbortController().signal,
  bounds: Partial<TransportBounds> = {},
) {
  const transport = httpsTransport({ clock, deadlineMs: 2000, bodyBytesMax, ...bounds })
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${secret}` }
  return transport({ url, headers, body: '{"é":1}' }, signal)
}

/** How it failed, at the head or in the body of the reply. */
async function faultOf(reply: Promise<Response>) {
  const thrown: unknown = await reply.then((response) => response.text()).catch((error) => error)
  if (!(thrown instanceof ExchangeError)) throw new Error(`no failure: ${inspect(thrown)}`)
  expect(inspect(thrown, { depth: null, showHidden: true })).not.toContain(secret)
  expect(JSON.stringify(thrown)).not.toContain(secret)
  const { fault, isSent, status } = thrown
  return { fault, isSent, ...(status === undefined ? {} : { status }) }
}

describe('an exchange', () => {
  test('posts what it is given, uncompressed, and answers with what comes back', async () => {
    const server = await serve((response) => {
      response.writeHead(418, { 'x-tea': 'green' }).end('no coffee')
    })
    const response = await post(server.url)
    expect([response.status, response.headers.get('x-tea'), await response.text()]).toEqual([
      418,
      'green',
      'no coffee',
    ])
    expect(server.asked).toEqual([{ request: expect.anything(), body: '{"é":1}' }])
    expect(server.asked[0]?.request).toMatchObject({ method: 'POST', url: '/v1/chat' })
    expect(server.asked[0]?.request.headers).toEqual({
      host: new URL(server.url).host,
      'content-type': 'application/json',
      authorization: `Bearer ${secret}`,
      'accept-encoding': 'identity',
      'content-length': '8',
      connection: 'close',
    })
  })

  test('hands on what arrives while it arrives', async () => {
    const server = await serve((response) => {
      response.write('one')
    })
    const response = await post(server.url)
    const reader = response.body?.getReader()
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('one')
    await reader?.cancel()
  })

  test('never uses a connection twice', async () => {
    const server = await serve((response) => response.end('{}'))
    await (await post(server.url)).text()
    await (await post(server.url)).text()
    expect(server.sockets).toHaveLength(2)
  })

  test('takes a reply without a body', async () => {
    const server = await serve((response) => response.writeHead(204).end())
    const response = await post(server.url)
    expect([response.status, await response.text()]).toEqual([204, ''])
  })
})

describe('a reply is cut off while it arrives', () => {
  const gibibyte = 1024 * 1024 * 1024
  /** Far more than the buffers of a connection hold, and far less than is sent. */
  const takenBytesMax = 32 * 1024 * 1024

  /** Writes until nobody takes it any more. */
  function pour(response: ServerResponse): void {
    const chunk = Buffer.alloc(256 * 1024, 32)
    const more = () => {
      let isTaken = true
      while (isTaken && !response.destroyed) isTaken = response.write(chunk)
      response.once('drain', more)
    }
    more()
  }

  test('when it never ends', async () => {
    const server = await serve(pour)
    expect(await faultOf(post(server.url))).toEqual({ fault: 'oversized', isSent: true })
    const [socket] = server.sockets
    await soon(() => expect(socket?.destroyed).toBe(true))
    expect(socket?.bytesWritten).toBeGreaterThan(bodyBytesMax)
    expect(socket?.bytesWritten).toBeLessThan(takenBytesMax)
  })

  test('before it has begun, when it says itself that it will be too long', async () => {
    const server = await serve((response) => {
      response.writeHead(200, { 'content-length': gibibyte }).flushHeaders()
    })
    expect(await faultOf(post(server.url))).toEqual({ fault: 'oversized', isSent: true })
    await soon(() => expect(server.sockets[0]?.destroyed).toBe(true))
  })

  test('behind its limit, not at it', async () => {
    for (const [bytes, isWhole] of [
      [bodyBytesMax, true],
      [bodyBytesMax + 1, false],
    ] as const) {
      const server = await serve((response) => {
        response.write('x')
        response.end('x'.repeat(bytes - 1))
      })
      const text = await post(server.url)
        .then((response) => response.text())
        .catch(() => undefined)
      expect(text?.length).toBe(isWhole ? bytes : undefined)
    }
  })

  test('in its headers', async () => {
    const url = await serveRaw(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(17 * 1024)}\r\n\r\n`)
    expect(await faultOf(post(url))).toEqual({ fault: 'oversized', isSent: true })
  })

  test('and is handed on in few pieces, in however many it comes', async () => {
    const count = 60_000
    const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
    const url = await serveRaw(`${head}${'1\r\nx\r\n'.repeat(count)}0\r\n\r\n`)
    const { body } = await post(url)
    const pieces: number[] = []
    for await (const piece of body ?? []) pieces.push(piece.length)
    expect(pieces.reduce((sum, bytes) => sum + bytes, 0)).toBe(count)
    expect(pieces.length).toBeLessThan(count / 50)
  })
})

describe('what is no reply', () => {
  test('a redirect is followed nowhere, and does not say where it leads', async () => {
    const other = await serve((response) => response.end('{}'))
    for (const status of [301, 302, 303, 307, 308]) {
      const server = await serve((response) => {
        response.writeHead(status, { location: `${other.url}?key=${secret}` }).end()
      })
      expect(await faultOf(post(server.url))).toEqual({ fault: 'redirected', isSent: true, status })
      expect(server.asked).toHaveLength(1)
    }
    expect(other.asked).toEqual([])
  })

  test('a compressed body is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(16 * 1024 * 1024))
    for (const encoding of ['gzip', 'br', 'deflate', 'identity, gzip']) {
      const server = await serve((response) => {
        response.writeHead(200, { 'content-encoding': encoding }).end(bomb)
      })
      expect(await faultOf(post(server.url))).toEqual({ fault: 'encoded', isSent: true })
    }
    const plain = await serve((response) => {
      response.writeHead(200, { 'content-encoding': 'Identity' }).end('{}')
    })
    expect(await (await post(plain.url)).text()).toBe('{}')
  })

  const head = 'HTTP/1.1 200 OK\r\n'
  test.each([
    ['something else than HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'garbled'],
    ['a status that there is not', 'HTTP/1.1 600 Why\r\ncontent-length: 0\r\n\r\n', 'garbled'],
    ['nothing', '', 'broken'],
    ['half a header', 'HTTP/1.1 200 O', 'broken'],
    ['half a body', `${head}content-length: 500\r\n\r\n{"id":`, 'broken'],
    ['chunks without an end', `${head}transfer-encoding: chunked\r\n\r\n6\r\n{"id":\r\n`, 'broken'],
    ['chunks that are none', `${head}transfer-encoding: chunked\r\n\r\nmany\r\n`, 'broken'],
    [
      'another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
      'broken',
    ],
  ])('%s', async (_, bytes, fault) => {
    expect(await faultOf(post(await serveRaw(bytes, 'hangs up')))).toMatchObject({
      isSent: true,
      fault,
    })
  })
})

describe('who was never asked', () => {
  test('is an address that is none to send a key to', async () => {
    const server = await serve((response) => response.end('{}'))
    const port = new URL(server.url).port
    for (const url of [
      'http://192.0.2.1/v1',
      `http://127.0.0.1@localhost:${port}/`,
      `http://localhost:${port}/?a`,
      'explorer',
    ]) {
      expect(await faultOf(post(url))).toEqual({ fault: 'forbidden', isSent: false })
    }
    expect(server.sockets).toEqual([])
  })

  test('is a port where nobody listens', async () => {
    const server = await serve(() => {})
    for (const close of closings.splice(0)) await close()
    expect(await faultOf(post(server.url))).toEqual({ fault: 'refused', isSent: false })
    expect(await faultOf(post(server.url.replace('127.0.0.1', 'localhost')))).toEqual({
      fault: 'refused',
      isSent: false,
    })
  })

  test('is a host that has no address', async () => {
    const url = `https://${'a'.repeat(64)}.invalid/v1`
    expect(await faultOf(post(url))).toEqual({ fault: 'unresolved', isSent: false })
  })

  test('is a header that cannot be sent', async () => {
    const server = await serve((response) => response.end('{}'))
    const transport = httpsTransport({ clock, deadlineMs: 2000, bodyBytesMax })
    const headers = { authorization: `Bearer ${secret}\r\nx: y` }
    const signal = new AbortController().signal
    const reply = transport({ url: server.url, headers, body: '' }, signal)
    expect(await faultOf(reply)).toEqual({ fault: 'unconnected', isSent: false })
    expect(server.asked).toEqual([])
  })

  test('is a server that accepts a connection and never proves who it is', async () => {
    const greeted = createRawServer()
    const { port, sockets } = await listen(greeted)
    const reply = faultOf(post(`https://127.0.0.1:${port}/`))
    await soon(() => expect(sockets).toHaveLength(1))
    await clock.advance(999)
    expect(sockets[0]?.destroyed).toBe(false)
    await clock.advance(1)
    expect(await reply).toEqual({ fault: 'unconnected', isSent: false })
  })

  test('is a server that hangs up before it has proven who it is', async () => {
    const { port } = await listen(
      createRawServer((socket) => socket.once('data', () => socket.end())),
    )
    expect(await faultOf(post(`https://127.0.0.1:${port}/`))).toEqual({
      fault: 'unconnected',
      isSent: false,
    })
  })

  test('is a server that speaks no TLS where it should', async () => {
    const server = await serve((response) => response.end('{}'))
    expect(await faultOf(post(server.url.replace('http:', 'https:')))).toEqual({
      fault: 'untrusted',
      isSent: false,
    })
  })
})

describe('an exchange ends', () => {
  test('at its deadline, when nothing came', async () => {
    const server = await serve(() => {})
    const reply = faultOf(post(server.url))
    await soon(() => expect(server.asked).toHaveLength(1))
    await clock.advance(1999)
    expect(server.sockets[0]?.destroyed).toBe(false)
    await clock.advance(1)
    expect(await reply).toEqual({ fault: 'late', isSent: true })
    await soon(() => expect(server.sockets[0]?.destroyed).toBe(true))
  })

  test('at its deadline, however much came', async () => {
    const server = await serve((response) => {
      response.write('{"id":')
    })
    const response = await post(server.url)
    const text = faultOf(Promise.resolve(response))
    await clock.advance(2000)
    expect(await text).toEqual({ fault: 'late', isSent: true })
    await soon(() => expect(server.sockets[0]?.destroyed).toBe(true))
  })

  test('at once when it is withdrawn: before, while it is asked, and while it is answered', async () => {
    const server = await serve((response) => {
      response.write('{"id":')
    })
    expect(await faultOf(post(server.url, AbortSignal.abort()))).toEqual({
      fault: 'withdrawn',
      isSent: false,
    })
    const silent = await serve(() => {})
    const asking = new AbortController()
    const asked = faultOf(post(silent.url, asking.signal))
    await soon(() => expect(silent.asked).toHaveLength(1))
    asking.abort()
    expect(await asked).toEqual({ fault: 'withdrawn', isSent: true })
    await soon(() => expect(silent.sockets[0]?.destroyed).toBe(true))

    const answering = new AbortController()
    const response = await post(server.url, answering.signal)
    const answered = faultOf(Promise.resolve(response))
    answering.abort()
    expect(await answered).toEqual({ fault: 'withdrawn', isSent: true })
    await soon(() => expect(server.sockets.every((socket) => socket.destroyed)).toBe(true))
  })

  test('when nobody reads it to its end', async () => {
    const server = await serve((response) => {
      response.write('{"id":')
    })
    const response = await post(server.url)
    await response.body?.cancel()
    await soon(() => expect(server.sockets[0]?.destroyed).toBe(true))
  })

  test('and leaves nothing behind on clock and signal', async () => {
    const set = vi.spyOn(clock, 'setTimeout')
    const cleared = vi.spyOn(clock, 'clearTimeout')
    const { signal } = new AbortController()
    const added = vi.spyOn(signal, 'addEventListener')
    const removed = vi.spyOn(signal, 'removeEventListener')
    const server = await serve((response) => response.end('{}'))
    await (await post(server.url, signal)).text()
    const ids = set.mock.results.map(({ value }) => value)
    expect(ids).toHaveLength(2)
    expect(cleared.mock.calls.flat()).toEqual(expect.arrayContaining(ids))
    expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(
      expect.arrayContaining(added.mock.calls.map(([, listener]) => listener)),
    )
  })
})

const openssl = ((): string => {
  try {
    return execFileSync('openssl', ['version'], { encoding: 'utf8' })
  } catch {
    return ''
  }
})()

describe.skipIf(openssl === '')('a secure connection (needs openssl to make certificates)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mechos-https-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  function certify(name: string, alternative: string) {
    const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)]
    const how = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2`.split(
      ' ',
    )
    const who = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${alternative}`]
    execFileSync('openssl', [...how, '-keyout', key, '-out', cert, ...who], { stdio: 'ignore' })
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  }
  const own = openssl === '' ? { key: '', cert: '' } : certify('own', 'IP:127.0.0.1,DNS:localhost')
  const others = openssl === '' ? { key: '', cert: '' } : certify('others', 'DNS:example.com')

  async function serveSecurely(options: object) {
    const asked: { readonly host: string | undefined; readonly name: unknown }[] = []
    const server = createSecureServer(options, (request, response) => {
      asked.push({ host: request.headers.host, name: Reflect.get(request.socket, 'servername') })
      response.end('{}')
    })
    server.on('tlsClientError', () => {})
    const { port } = await listen(server)
    return { url: `https://127.0.0.1:${port}/v1`, asked }
  }

  const trusting = { authorities: own.cert }
  const never = new AbortController().signal

  test('is made to who is known, by address and by name', async () => {
    const server = await serveSecurely(own)
    for (const url of [server.url, server.url.replace('127.0.0.1', 'localhost')]) {
      expect(await (await post(url, never, trusting)).text()).toBe('{}')
    }
    const { port } = new URL(server.url)
    expect(server.asked).toEqual([
      { host: `127.0.0.1:${port}`, name: false },
      { host: `localhost:${port}`, name: 'localhost' },
    ])
  })

  test('is not made to who is not known', async () => {
    const server = await serveSecurely(own)
    expect(await faultOf(post(server.url))).toEqual({ fault: 'untrusted', isSent: false })
    const bounds = { authorities: others.cert }
    expect(await faultOf(post(server.url, never, bounds))).toEqual({
      fault: 'untrusted',
      isSent: false,
    })
    expect(server.asked).toEqual([])
  })

  test('is not made to who is known by another name', async () => {
    const server = await serveSecurely(others)
    const bounds = { authorities: others.cert }
    expect(await faultOf(post(server.url, never, bounds))).toEqual({
      fault: 'untrusted',
      isSent: false,
    })
    expect(server.asked).toEqual([])
  })

  test('is not made to anybody because the environment says so', async () => {
    const server = await serveSecurely(own)
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    try {
      expect((await fetch(server.url)).status).toBe(200)
      expect(await faultOf(post(server.url))).toEqual({ fault: 'untrusted', isSent: false })
    } finally {
      vi.unstubAllEnvs()
      vi.restoreAllMocks()
    }
    expect(server.asked).toHaveLength(1)
  })

  test('is not made in a version of TLS that is broken', async () => {
    const old = { ciphers: 'DEFAULT@SECLEVEL=0', minVersion: 'TLSv1' } as const
    const server = await serveSecurely({ ...own, ...old, maxVersion: 'TLSv1.1' })
    const { port } = new URL(server.url)
    const lenient = connectTls({ ...old, ca: own.cert, host: '127.0.0.1', port: Number(port) })
    await once(lenient, 'secureConnect')
    expect(lenient.getProtocol()).toBe('TLSv1.1')
    lenient.destroy()
    expect(await faultOf(post(server.url, never, trusting))).toEqual({
      fault: 'untrusted',
      isSent: false,
    })
  })

  test('is not even offered in such a version', async () => {
    let greeting = ''
    const ears = createRawServer((socket) => {
      socket.once('data', (bytes) => {
        greeting = bytes.toString('hex')
        socket.end()
      })
    })
    const { port } = await listen(ears)
    await faultOf(post(`https://127.0.0.1:${port}/`))
    const supportedVersions = /002b(....)(..)((?:030.){2})/.exec(greeting)
    expect(supportedVersions?.slice(1)).toEqual(['0005', '04', '03040303'])
  })

  test('trusts several authorities, with words between them', async () => {
    const server = await serveSecurely(own)
    const bounds = { authorities: `# ours\n${others.cert}\n# theirs\n${own.cert}` }
    expect(await (await post(server.url, never, bounds)).text()).toBe('{}')
  })

  test('needs authorities that are some', () => {
    const broken = own.cert.replace('MII', 'III')
    for (const authorities of ['', 'a.pem', own.key, broken]) {
      expect(() => httpsTransport({ clock, deadlineMs: 1, bodyBytesMax: 1, authorities })).toThrow(
        expect.objectContaining({
          code: 'ERR_CONFIGURATION',
          message: 'the authorities to be trusted are no certificates in PEM',
        }),
      )
    }
  })
})
