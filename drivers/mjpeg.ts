import { get as getPlain, type IncomingMessage } from 'node:http'
import { get as getSecure } from 'node:https'
import { MechosError, messageOf } from '../core/vocabulary/errors.ts'
import type { ImageReading } from '../core/vocabulary/reading.ts'
import type { Camera } from './camera.ts'
import type { Clock } from './clock.ts'
import { jpegSize } from './jpeg.ts'
import { subscribe } from './listeners.ts'
import { partParser } from './multipart.ts'

/** Where a camera sends its frames: an http or https address that may hold a user and a password. */
export interface MjpegSource {
  readonly name: string
  readonly url: string
  readonly clock: Clock
  /** How long `open` may take in all. 5 s unless told. */
  readonly timeoutMs?: number
}

const openTimeoutMs = 5000
const redirectsMax = 3
const responseHeaderBytesMax = 16 * 1024
const boundaryLengthMax = 200

/**
 * A camera that sends JPEG files without end over HTTP (`multipart/x-mixed-replace`). Sizes are read from the JPEG
 * itself; a part that is no whole JPEG file is dropped. It is lost when the stream ends or breaks, when a frame is
 * larger than `frameBytesMax`, and when the stream cannot be told apart into parts. `open` rejects with
 * ERR_CAMERA_UNAVAILABLE, also for a redirect to another host, scheme or port.
 */
export function mjpegCamera({ name, url, clock, timeoutMs = openTimeoutMs }: MjpegSource): Camera {
  const onFrame = new Set<(frame: ImageReading) => void>()
  const onLost = new Set<(cause: string) => void>()
  let connection = new AbortController()

  const read = (response: IncomingMessage, boundary: string, own: AbortController) => {
    const lose = (cause: string) => {
      if (own.signal.aborted) return
      own.abort()
      for (const listener of onLost) listener(cause)
    }
    const show = (part: Buffer) => {
      const size = jpegSize(part)
      if (!size || own.signal.aborted) return
      const data = new Uint8Array(part.subarray(0, size.bytes))
      const { width, height } = size
      const stampMs = clock.now()
      for (const listener of onFrame) {
        listener({ kind: 'image', name, stampMs, pixelFormat: 'jpeg', width, height, data })
      }
    }
    const parser = partParser(boundary, show, lose)
    response.on('data', (chunk: Buffer) => {
      if (!own.signal.aborted) parser(chunk)
    })
    response.on('end', () => lose('the camera ended its stream'))
    response.on('error', (error) => lose(`the stream broke: ${messageOf(error)}`))
    response.on('close', () => lose('the stream broke'))
  }

  return {
    name,
    async open() {
      connection.abort()
      const own = new AbortController()
      connection = own
      const timer = setTimeout(() => own.abort(`no answer within ${timeoutMs} ms`), timeoutMs)
      try {
        const response = await request(new URL(url), own.signal, redirectsMax)
        own.signal.throwIfAborted()
        read(response, boundaryOf(response), own)
      } catch (error) {
        const cause = own.signal.aborted ? abortCause(own.signal) : messageOf(error)
        own.abort()
        throw new MechosError('ERR_CAMERA_UNAVAILABLE', `camera ${name}: ${cause}`, {
          cause: error,
        })
      } finally {
        clearTimeout(timer)
      }
    },
    onFrame: (listener) => subscribe(onFrame, listener),
    onLost: (listener) => subscribe(onLost, listener),
    close() {
      connection.abort()
      return Promise.resolve()
    },
  }
}

function abortCause(signal: AbortSignal): string {
  return typeof signal.reason === 'string' ? signal.reason : 'it was closed'
}

/** Messages name no more of an address than its origin: the rest may hold a password or a token. */
async function request(url: URL, signal: AbortSignal, redirects: number): Promise<IncomingMessage> {
  const response = await getResponse(url, signal)
  const status = response.statusCode ?? 0
  if (status === 200) return response
  response.destroy()
  if (status < 300 || status > 399 || !response.headers.location) {
    throw new Error(`${url.origin} answered ${status}`)
  }
  const target = new URL(response.headers.location, url)
  if (target.origin !== url.origin) {
    throw new Error(`${url.origin} redirects to ${target.origin}, which nobody asked for`)
  }
  if (redirects === 0) throw new Error(`${url.origin} redirects more than ${redirectsMax} times`)
  target.username = url.username
  target.password = url.password
  return request(target, signal, redirects - 1)
}

function getResponse(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const get = url.protocol === 'https:' ? getSecure : getPlain
  return new Promise((resolve, reject) => {
    const options = { signal, agent: false, maxHeaderSize: responseHeaderBytesMax }
    get(url, options, resolve).on('error', reject)
  })
}

/** The delimiter without its leading dashes, since cameras disagree on whether those belong to the name. */
function boundaryOf({ headers }: IncomingMessage): string {
  const type = headers['content-type'] ?? ''
  const declared = /;\s*boundary=(?:"([^"]*)"|([^;\s]+))/i.exec(type)
  const boundary = (declared?.[1] ?? declared?.[2] ?? '').replace(/^-+/, '')
  if (!/^multipart\/x-mixed-replace\b/i.test(type)) {
    throw new Error(`it sends ${type || 'no content type'}, not multipart/x-mixed-replace`)
  }
  if (boundary === '' || boundary.length > boundaryLengthMax) {
    throw new Error('its multipart stream names no usable boundary')
  }
  return boundary
}
