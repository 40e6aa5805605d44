import { get as getPlain, type IncomingMessage } from 'node:http'
import { get as getSecure } from 'node:https'
import { MechosError, messageOf } from '../core/vocabulary/errors.ts'
import type { ImageReading } from '../core/vocabulary/reading.ts'
import { frameBytesMax, type Camera } from './camera.ts'
import type { Clock } from './clock.ts'

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
const partHeaderBytesMax = 8 * 1024
const boundaryLengthMax = 200
/** A line break and two dashes, which some cameras put before a delimiter. */
const tailBytesMax = 4

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

function subscribe<T>(
  listeners: Set<(value: T) => void>,
  listener: (value: T) => void,
): () => void {
  const entry = (value: T) => listener(value)
  listeners.add(entry)
  return () => void listeners.delete(entry)
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

/** Bytes that came and were not understood yet. Growing by doubling keeps a stream of tiny chunks cheap. */
interface Pending {
  readonly bytes: Buffer
  add(chunk: Buffer): void
  drop(count: number): void
}

function makePending(): Pending {
  let store = Buffer.alloc(64 * 1024)
  let start = 0
  let end = 0
  return {
    get bytes() {
      return store.subarray(start, end)
    },
    add(chunk) {
      if (end + chunk.length > store.length) {
        const needed = 2 * (end - start + chunk.length)
        const next = needed > store.length ? Buffer.alloc(needed) : store
        store.copy(next, 0, start, end)
        store = next
        end -= start
        start = 0
      }
      chunk.copy(store, end)
      end += chunk.length
    },
    drop(count) {
      start += count
    },
  }
}

/** One step of parsing: true when it got on, false when it needs more bytes or has given up. */
type Phase = (bytes: Buffer) => boolean

/** Takes chunks of a multipart stream, calls `show` for each part and `lose` when there is no going on. */
function partParser(
  boundary: string,
  show: (part: Buffer) => void,
  lose: (cause: string) => void,
): (chunk: Buffer) => void {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1')
  const pending = makePending()
  let skippedBytes = 0
  let scannedBytes = 0
  let declaredBytes: number | undefined
  let phase: Phase
  const give = (cause: string) => {
    lose(cause)
    return false
  }

  const seekDelimiter: Phase = (bytes) => {
    const at = bytes.indexOf(delimiter)
    // What may be the start of a delimiter stays.
    const useless = at < 0 ? Math.max(0, bytes.length - delimiter.length + 1) : at
    skippedBytes += useless
    if (skippedBytes > frameBytesMax) return give(`no boundary within ${frameBytesMax} bytes`)
    pending.drop(at < 0 ? useless : at + delimiter.length)
    if (at < 0) return false
    phase = readHeader
    return true
  }
  const readHeader: Phase = (bytes) => {
    if (bytes.length >= 2 && bytes.toString('latin1', 0, 2) === '--') {
      return give('the camera ended its stream')
    }
    const header = bytes.toString('latin1', 0, partHeaderBytesMax)
    const blank = /\r?\n\r?\n/.exec(header)
    if (!blank) {
      return bytes.length >= partHeaderBytesMax
        ? give(`the header of a frame is longer than ${partHeaderBytesMax} bytes`)
        : false
    }
    pending.drop(blank.index + blank[0].length)
    const length = /^content-length:[ \t]*(\d{1,15})[ \t]*\r?$/im.exec(header.slice(0, blank.index))
    declaredBytes = length ? Number(length[1]) : undefined
    scannedBytes = 0
    phase = readPart
    return true
  }
  const readPart: Phase = (bytes) => {
    const at = declaredBytes ?? bytes.indexOf(delimiter, scannedBytes)
    scannedBytes = Math.max(0, bytes.length - delimiter.length + 1)
    const partBytes = at < 0 ? scannedBytes - tailBytesMax : (declaredBytes ?? trimmed(bytes, at))
    if (partBytes > frameBytesMax) return give(`a frame is larger than ${frameBytesMax} bytes`)
    if (at < 0 || bytes.length < at) return false
    show(bytes.subarray(0, partBytes))
    pending.drop(at)
    skippedBytes = 0
    phase = seekDelimiter
    return true
  }

  phase = seekDelimiter
  return (chunk) => {
    pending.add(chunk)
    while (phase(pending.bytes)) continue
  }
}

/** Where a part ends whose delimiter starts at `at`: the line break before a delimiter belongs to it, as do its dashes. */
function trimmed(bytes: Buffer, at: number): number {
  const tail = bytes.toString('latin1', Math.max(0, at - tailBytesMax), at)
  return at - (/(?:\r?\n)?(?:--)?$/.exec(tail)?.[0].length ?? 0)
}

interface JpegSize {
  readonly width: number
  readonly height: number
  /** Length of the file without what follows its end marker. */
  readonly bytes: number
}

/** What the frame header (ITU T.81, B.2.2) says; null for anything but a whole JPEG file. */
function jpegSize(file: Buffer): JpegSize | null {
  if (file.length < 4 || file.readUInt16BE(0) !== 0xffd8) return null
  for (let at = 2; at + 9 <= file.length;) {
    const marker = file.readUInt16BE(at)
    if (marker < 0xff01) return null
    if (isFrameHeader(marker)) {
      const height = file.readUInt16BE(at + 5)
      const width = file.readUInt16BE(at + 7)
      const end = file.lastIndexOf(endOfImage)
      return width > 0 && height > 0 && end > at ? { width, height, bytes: end + 2 } : null
    }
    if (marker === 0xffff) at += 1
    else if (isBare(marker)) at += 2
    else if (marker === startOfScan) return null
    else at += 2 + Math.max(2, file.readUInt16BE(at + 2))
  }
  return null
}

const endOfImage = Buffer.from([0xff, 0xd9])
const startOfScan = 0xffda

/** SOF0 to SOF15, but for the tables that share their range. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker)
}

/** TEM and the restart markers have no length. */
function isBare(marker: number): boolean {
  return marker === 0xff01 || (marker >= 0xffd0 && marker <= 0xffd7)
}
