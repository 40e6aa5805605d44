import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import type { ImageReading } from '../../core/vocabulary/reading.ts'
import { isSound } from '../../core/vocabulary/reading.ts'
import { frameBytesMax, type Camera } from '../../drivers/camera.ts'
import { virtualClock } from '../../drivers/clock.ts'
import { mjpegCamera } from '../../drivers/mjpeg.ts'

const servers: Server[] = []
const cameras: Camera[] = []
afterEach(async () => {
  for (const camera of cameras.splice(0)) await camera.close()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

type Answer = (response: ServerResponse, request: IncomingMessage) => void

/** Serves on a free port of this machine and gives its address. */
async function serve(answer: Answer): Promise<string> {
  const server = createServer((request, response) => answer(response, request))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a server without a port')
  return `http://127.0.0.1:${address.port}`
}

/** A camera with everything that it tells, and promises for what comes next. */
function watch(url: string, timeoutMs?: number) {
  const clock = virtualClock()
  const limit = timeoutMs === undefined ? {} : { timeoutMs }
  const camera = mjpegCamera({ name: 'front', url, clock, ...limit })
  cameras.push(camera)
  const frames: ImageReading[] = []
  const losses: string[] = []
  let heard: (() => void) | undefined
  camera.onFrame((frame) => {
    frames.push(frame)
    heard?.()
  })
  camera.onLost((cause) => {
    losses.push(cause)
    heard?.()
  })
  const until = async (isDone: () => boolean) => {
    while (!isDone()) await new Promise<void>((resolve) => (heard = resolve))
  }
  return { camera, clock, frames, losses, until }
}

/** A JPEG file as far as its markers go: application data, a quantisation table, the frame header, a scan, the end. */
function jpeg(width: number, height: number, scanBytes = 40): Buffer {
  const frame = Buffer.from([8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0])
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xffe0, Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1')),
    segment(0xffdb, Buffer.alloc(65, 1)),
    Buffer.from([0xff]),
    segment(0xffc0, frame),
    segment(0xffda, Buffer.alloc(6)),
    Buffer.alloc(scanBytes, 0x5a),
    Buffer.from([0xff, 0xd9]),
  ])
}

function segment(marker: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16BE(marker, 0)
  head.writeUInt16BE(body.length + 2, 2)
  return Buffer.concat([head, body])
}

function part(file: Buffer, headers = `Content-Length: ${file.length}\r\n`): Buffer {
  return Buffer.concat([
    Buffer.from(`--frame\r\nContent-Type: image/jpeg\r\n${headers}\r\n`),
    file,
    Buffer.from('\r\n'),
  ])
}

const streaming = { 'content-type': 'multipart/x-mixed-replace; boundary=frame' }

/** Answers each request with these bytes and leaves the stream open. */
const stream =
  (...chunks: Buffer[]): Answer =>
  (response) => {
    response.writeHead(200, streaming)
    for (const chunk of chunks) response.write(chunk)
  }

const unavailable = (message: RegExp) =>
  expect.objectContaining({
    code: 'ERR_CAMERA_UNAVAILABLE',
    message: expect.stringMatching(message),
  })

const sizes = (frames: ImageReading[]) => frames.map((frame) => [frame.width, frame.height])

test('frames come whole, in order, with the size that they have and the time of the given clock', async () => {
  const files = [jpeg(640, 480), jpeg(320, 240)]
  const url = await serve(stream(...files.map((file) => part(file))))
  const { camera, clock, frames, until } = watch(url)
  await clock.advance(1234)
  await camera.open()
  await until(() => frames.length === 2)
  expect(frames).toEqual([image(files[0], 640, 480, 1234), image(files[1], 320, 240, 1234)])
  expect(frames.every(isSound)).toBe(true)
})

function image(file: Buffer | undefined, width: number, height: number, stampMs: number) {
  const data = new Uint8Array(file ?? [])
  return { kind: 'image', name: 'front', stampMs, pixelFormat: 'jpeg', width, height, data }
}

test('a stream may be cut anywhere, down to single bytes', async () => {
  const bytes = Buffer.concat([part(jpeg(64, 48)), part(jpeg(65, 49), ''), part(jpeg(66, 50))])
  const url = await serve(async (response) => {
    response.writeHead(200, streaming)
    for (const byte of bytes) {
      response.write(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
  const { camera, frames, until } = watch(url)
  await camera.open()
  await until(() => frames.length === 3)
  expect(sizes(frames)).toEqual([
    [64, 48],
    [65, 49],
    [66, 50],
  ])
})

test('without a length a frame ends at the next boundary', async () => {
  const files = [jpeg(64, 48, 200_000), jpeg(65, 49), jpeg(66, 50)]
  const url = await serve(stream(...files.map((file) => part(file, ''))))
  const { camera, frames, until } = watch(url)
  await camera.open()
  await until(() => frames.length === 2)
  expect(frames.map((frame) => frame.data.length)).toEqual([files[0]?.length, files[1]?.length])
})

test.each([
  'multipart/x-mixed-replace;boundary="frame"',
  'multipart/x-mixed-replace; boundary=--frame',
  'Multipart/X-Mixed-Replace; charset=x; Boundary=frame',
])('a boundary is understood as cameras write it: %s', async (type) => {
  const url = await serve((response) => {
    response.writeHead(200, { 'content-type': type })
    response.write(part(jpeg(64, 48)))
  })
  const { camera, frames, until } = watch(url)
  await camera.open()
  await until(() => frames.length === 1)
})

test('garbage is no frame and does no harm to the next', async () => {
  const whole = jpeg(64, 48)
  const noSize = Buffer.from([0xff, 0xd8, 0xff, 0xda, 0, 4, 1, 1, 2, 3, 4, 5, 0xff, 0xd9])
  const url = await serve(
    stream(
      Buffer.from('garbage before the first boundary'),
      part(Buffer.from('this is text')),
      part(Buffer.alloc(0)),
      part(whole.subarray(0, whole.length - 2)),
      part(noSize),
      part(jpeg(0, 0)),
      part(Buffer.from([0xff, 0xd8, 0xff])),
      // A length that is too short, and lengths that are none.
      part(whole, 'Content-Length: 20\r\n'),
      part(jpeg(65, 49), 'Content-Length: -5\r\n'),
      part(jpeg(66, 50), 'Content-Length: many\r\n'),
      Buffer.from('more garbage\r\n\r\n'),
      part(jpeg(67, 51)),
    ),
  )
  const { camera, frames, losses, until } = watch(url)
  await camera.open()
  await until(() => frames.length === 3)
  expect(sizes(frames)).toEqual([
    [65, 49],
    [66, 50],
    [67, 51],
  ])
  expect(losses).toEqual([])
})

test.each([
  ['says so', part(jpeg(64, 48), `Content-Length: ${frameBytesMax + 1}\r\n`)],
  ['does not say so', part(jpeg(64, 48, frameBytesMax + 100_000), '')],
])('a frame that is too large and %s loses the camera', async (_, bytes) => {
  const url = await serve(stream(bytes))
  const { camera, frames, losses, until } = watch(url)
  await camera.open()
  await until(() => losses.length > 0)
  expect(losses).toEqual(['a frame is larger than 4194304 bytes'])
  expect(frames).toEqual([])
})

test('the largest frame that is allowed arrives', async () => {
  const file = jpeg(64, 48, frameBytesMax - jpeg(64, 48, 0).length)
  const url = await serve(stream(part(file), part(file, ''), part(jpeg(65, 49))))
  const { camera, frames, until } = watch(url)
  await camera.open()
  await until(() => frames.length === 3)
  expect(frames.map((frame) => frame.data.length).slice(0, 2)).toEqual([
    frameBytesMax,
    frameBytesMax,
  ])
})

test.each([
  [
    'a header without end',
    Buffer.from(`--frame\r\n${'X-Pad: 1\r\n'.repeat(1000)}`),
    /header of a frame/,
  ],
  ['a stream without a boundary', Buffer.alloc(frameBytesMax + 100), /no boundary within/],
  ['a last boundary', Buffer.from('--frame--\r\n'), /^the camera ended its stream$/],
])('%s loses the camera', async (_, bytes, cause) => {
  const { camera, losses, until } = watch(await serve(stream(bytes)))
  await camera.open()
  await until(() => losses.length > 0)
  expect(losses).toEqual([expect.stringMatching(cause)])
})

test('the end of the stream is a loss, told once, and the camera can be opened again', async () => {
  const url = await serve((response) => {
    response.writeHead(200, streaming)
    response.end(part(jpeg(64, 48)))
  })
  const { camera, frames, losses, until } = watch(url)
  await camera.open()
  await until(() => losses.length === 1)
  expect(sizes(frames)).toEqual([[64, 48]])
  await camera.open()
  await until(() => losses.length === 2)
  expect(losses).toEqual(['the camera ended its stream', 'the camera ended its stream'])
  expect(frames).toHaveLength(2)
})

test('a cut connection is a loss', async () => {
  const url = await serve((response) => {
    response.writeHead(200, streaming)
    response.write(part(jpeg(64, 48)), () => response.socket?.resetAndDestroy())
  })
  const { camera, losses, until } = watch(url)
  await camera.open()
  await until(() => losses.length > 0)
  expect(losses).toEqual([expect.stringMatching(/^the stream broke/)])
})

test('after close nothing is told, and the server sees the connection end', async () => {
  let ended: Promise<void> = Promise.reject(new Error('nobody came'))
  ended.catch(() => {})
  const url = await serve((response) => {
    ended = new Promise((resolve) => response.on('close', resolve))
    stream(part(jpeg(64, 48)))(response, response.req)
  })
  const { camera, frames, losses, until } = watch(url)
  await camera.open()
  await until(() => frames.length === 1)
  await camera.close()
  await camera.close()
  await ended
  expect([frames.length, losses.length]).toEqual([1, 0])
})

test('opening a second time leaves one connection', async () => {
  const responses: ServerResponse[] = []
  const url = await serve((response) => {
    responses.push(response)
    response.writeHead(200, streaming)
    response.flushHeaders()
  })
  const { camera, frames, losses, until } = watch(url)
  await camera.open()
  await camera.open()
  const first = responses[0]
  if (first && !first.destroyed) await new Promise((resolve) => first.on('close', resolve))
  responses[1]?.write(part(jpeg(64, 48)))
  await until(() => frames.length === 1)
  expect(losses).toEqual([])
})

test('a server that refuses, or sends something else, is unavailable', async () => {
  const answers: [Answer, RegExp][] = [
    [(response) => response.writeHead(404).end('no'), /answered 404/],
    [
      (response) => response.writeHead(200, { 'content-type': 'image/jpeg' }).end('x'),
      /image\/jpeg/,
    ],
    [(response) => response.writeHead(200).end('x'), /no content type/],
    [
      (response) => response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace' }).end(),
      /no usable boundary/,
    ],
    [(response) => response.writeHead(200, { 'x-pad': 'x'.repeat(20_000) }).end(), /header/i],
    [(response) => response.socket?.destroy(), /socket|reset/i],
  ]
  for (const [answer, message] of answers) {
    const { camera, losses } = watch(await serve(answer))
    await expect(camera.open()).rejects.toThrow(unavailable(message))
    expect(losses).toEqual([])
  }
})

test('an address that is none, or that nobody answers, is unavailable', async () => {
  await expect(watch('nonsense').camera.open()).rejects.toThrow(unavailable(/invalid url/i))
  await expect(watch('ftp://127.0.0.1/').camera.open()).rejects.toThrow(unavailable(/protocol/i))
  const url = await serve(() => {})
  const server = servers.pop()
  await new Promise((resolve) => server?.close(resolve))
  await expect(watch(url).camera.open()).rejects.toThrow(unavailable(/ECONNREFUSED/))
})

test('a server that is silent is given up after the timeout', async () => {
  const { camera } = watch(await serve(() => {}), 50)
  await expect(camera.open()).rejects.toThrow(unavailable(/no answer within 50 ms/))
})

test('closing while it opens ends the attempt', async () => {
  const { camera } = watch(await serve(() => {}))
  const opening = camera.open()
  await camera.close()
  await expect(opening).rejects.toThrow(unavailable(/it was closed/))
})

test('a redirect is followed on the same host only, keeps the password there, and not for ever', async () => {
  const asked: (string | undefined)[] = []
  const elsewhere = await serve((response, request) => {
    asked.push(request.headers.authorization)
    stream(part(jpeg(1, 1)))(response, request)
  })
  const url = await serve((response, request) => {
    const redirect = (location: string) => response.writeHead(302, { location }).end()
    if (request.url === '/near') return redirect('/stream')
    if (request.url === '/far?token=secret') return redirect(`${elsewhere}/stream`)
    if (request.url === '/loop') return redirect('/loop')
    asked.push(request.headers.authorization)
    return stream(part(jpeg(64, 48)))(response, request)
  })
  const { camera, frames, until } = watch(`${url.replace('//', '//user:secret@')}/near`)
  await camera.open()
  await until(() => frames.length === 1)
  expect(asked).toEqual([`Basic ${Buffer.from('user:secret').toString('base64')}`])

  const far = watch(`${url.replace('//', '//user:secret@')}/far?token=secret`)
  const refusal: unknown = await far.camera.open().catch((error: unknown) => error)
  expect(refusal).toEqual(unavailable(/redirects to http:\/\/127/))
  expect(String(refusal)).not.toContain('secret')
  expect(asked).toHaveLength(1)
  await expect(watch(`${url}/loop`).camera.open()).rejects.toThrow(unavailable(/more than 3 times/))
})
