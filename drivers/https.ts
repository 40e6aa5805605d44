import { X509Certificate } from 'node:crypto'
import { type IncomingMessage, request } from 'node:http'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import {
  connect as connectTls,
  createSecureContext,
  rootCertificates,
  type SecureContext,
} from 'node:tls'
import { addressProblem } from '../core/vocabulary/endpoint.ts'
import { MechosError } from '../core/vocabulary/errors.ts'
import { ExchangeError, type ExchangeFault } from '../core/vocabulary/exchange.ts'
import type { Clock } from './clock.ts'

/** What is sent to a server. The address is one that `addressProblem` has nothing against. */
export interface Posting {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Posts once and answers with what came back, whatever its status. Rejects with an `ExchangeError`, and so does its body. */
export type Transport = (posting: Posting, signal: AbortSignal) => Promise<Response>

/** What a transport is bound by. */
export interface TransportBounds {
  readonly clock: Clock
  /** How long one exchange may take, from its beginning to the last byte of the reply. */
  readonly deadlineMs: number
  /** How many bytes the body of a reply may have. */
  readonly bodyBytesMax: number
  /** Certificates in PEM that are trusted beside those of the usual authorities. */
  readonly authorities?: string | undefined
}

const connectMsMax = 5000
const responseHeaderBytesMax = 16 * 1024
/** Node gives each of a host's addresses 250 ms, which a robot on a slow radio link does not always keep to. */
const addressMsMax = 1000

/**
 * Talks HTTP to nobody but the host of the address, over a connection that is made for this one exchange. It follows no
 * redirect, takes no compressed body, speaks TLS 1.2 or newer, and checks certificates whatever the environment says.
 * A reply is cut off while it arrives: its headers at 16 KiB, its body at `bodyBytesMax`. The request is written only
 * once the connection stands, and is checked, so that an error that is not `isSent` is proof that nothing left.
 * Throws ERR_CONFIGURATION for authorities that hold no certificate.
 */
export function httpsTransport(bounds: TransportBounds): Transport {
  const secureContext = contextOf(bounds.authorities)
  return async (posting, signal) => {
    if (addressProblem(posting.url) !== undefined) throw new ExchangeError('forbidden', false)
    const url = new URL(posting.url)
    const course = beginCourse(bounds, signal)
    try {
      const socket = await connect(url, secureContext, course)
      const response = await ask(socket, url, posting, course)
      refuseStrange(response, bounds.bodyBytesMax)
      return responseOf(response, bounds.bodyBytesMax, course)
    } catch (thrown) {
      course.close()
      throw course.errorOf(thrown)
    }
  }
}

function contextOf(authorities: string | undefined): SecureContext {
  const minVersion = 'TLSv1.2'
  if (authorities === undefined) return createSecureContext({ minVersion })
  const own = authorities.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  try {
    if (own.length === 0) throw new TypeError('no certificate')
    for (const certificate of own) void new X509Certificate(certificate)
    return createSecureContext({ minVersion, ca: [...rootCertificates, ...own] })
  } catch (cause) {
    const message = 'the authorities to be trusted are no certificates in PEM'
    throw new MechosError('ERR_CONFIGURATION', message, { cause })
  }
}

/** One exchange on its way: what ends it before its time, and how far it came. */
interface Course {
  /** From now on an error says that some of the request may have left. */
  noteSent(): void
  /** The connection ends with the course. */
  carry(socket: Socket): void
  /** Hangs up, and lets go of clock and signal. Idempotent. */
  close(): void
  errorOf(thrown: unknown): ExchangeError
}

function beginCourse({ clock, deadlineMs }: TransportBounds, signal: AbortSignal): Course {
  let socket: Socket | undefined
  let ended: ExchangeFault | undefined
  let isSent = false
  const end = (fault: ExchangeFault) => {
    ended ??= fault
    close()
  }
  const withdraw = () => end('withdrawn')
  const close = () => {
    signal.removeEventListener('abort', withdraw)
    for (const timer of timers) clock.clearTimeout(timer)
    socket?.destroy()
  }
  const timers = [
    clock.setTimeout(() => end('late'), deadlineMs),
    clock.setTimeout(
      () => {
        if (!isSent) end('unconnected')
      },
      Math.min(connectMsMax, deadlineMs / 2),
    ),
  ]
  signal.addEventListener('abort', withdraw, { once: true })
  if (signal.aborted) withdraw()
  return {
    noteSent() {
      isSent = true
    },
    carry(connecting) {
      socket = connecting
      if (ended) socket.destroy()
    },
    close,
    errorOf(thrown) {
      if (ended) return new ExchangeError(ended, isSent)
      if (thrown instanceof ExchangeError) return thrown
      return new ExchangeError((isSent ? sentFault : unsentFault)(codeOf(thrown)), isSent)
    },
  }
}

/** Resolves once the connection stands; a secure one once the server has proven who it is. */
function connect(url: URL, secureContext: SecureContext, course: Course): Promise<Socket> {
  const isSecure = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = Number(url.port === '' ? (isSecure ? 443 : 80) : url.port)
  const place = { host, port, autoSelectFamilyAttemptTimeout: addressMsMax }
  const proof = { secureContext, rejectUnauthorized: true, ALPNProtocols: ['http/1.1'] }
  const name = isIP(host) === 0 ? { servername: host } : {}
  return new Promise((resolve, reject) => {
    const socket = isSecure ? connectTls({ ...place, ...proof, ...name }) : connectTcp(place)
    socket.on('error', reject)
    socket.once('close', () => reject(new ExchangeError('unconnected', false)))
    socket.once(isSecure ? 'secureConnect' : 'connect', () => resolve(socket))
    course.carry(socket)
  })
}

function ask(
  socket: Socket,
  url: URL,
  { headers, body }: Posting,
  course: Course,
): Promise<IncomingMessage> {
  // It may have been closed behind the very bytes that made it ready.
  if (socket.destroyed) throw new ExchangeError('unconnected', false)
  return new Promise((resolve, reject) => {
    const asking = request({
      createConnection: () => socket,
      host: url.hostname,
      path: url.pathname,
      method: 'POST',
      headers: {
        ...headers,
        host: url.host,
        'accept-encoding': 'identity',
        'content-length': Buffer.byteLength(body),
      },
      maxHeaderSize: responseHeaderBytesMax,
      insecureHTTPParser: false,
    })
    asking.on('error', reject).once('response', resolve)
    socket.once('close', () => reject(new ExchangeError('broken', true)))
    course.noteSent()
    asking.end(body)
  })
}

function refuseStrange({ statusCode: status = 0, headers }: IncomingMessage, bytesMax: number) {
  if (status >= 300 && status <= 399) throw new ExchangeError('redirected', true, status)
  if (!(status >= 200 && status <= 599)) throw new ExchangeError('garbled', true)
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding.toLowerCase() !== 'identity') throw new ExchangeError('encoded', true)
  if (Number(headers['content-length']) > bytesMax) throw new ExchangeError('oversized', true)
}

function responseOf(response: IncomingMessage, bytesMax: number, course: Course): Response {
  const { statusCode: status = 0, rawHeaders } = response
  const headers = new Headers()
  rawHeaders.forEach((name, index) => {
    if (index % 2 === 0) headers.append(name, rawHeaders[index + 1] ?? '')
  })
  const body = bodyOf(response, bytesMax, course)
  if (status !== 204 && status !== 205) return new Response(body, { status, headers })
  course.close()
  return new Response(null, { status, headers })
}

/** What arrives, as it arrives. Nobody is slowed down, since no more than `bytesMax` bytes are ever kept. */
function bodyOf(
  response: IncomingMessage,
  bytesMax: number,
  course: Course,
): ReadableStream<Uint8Array> {
  let bytes = 0
  let isOver = false
  return new ReadableStream({
    start(controller) {
      const fail = (thrown: unknown) => {
        if (isOver) return
        isOver = true
        course.close()
        controller.error(course.errorOf(thrown))
      }
      // A server may send one byte at a time: what has come meanwhile is handed on as one.
      response.on('readable', () => {
        const chunk: Buffer | null = response.read()
        if (chunk === null || isOver) return
        bytes += chunk.length
        if (bytes > bytesMax) fail(new ExchangeError('oversized', true))
        else controller.enqueue(new Uint8Array(chunk))
      })
      response.once('end', () => {
        if (isOver) return
        isOver = true
        course.close()
        controller.close()
      })
      response.once('error', fail)
      response.once('close', () => fail(new ExchangeError('broken', true)))
    },
    cancel() {
      isOver = true
      course.close()
    },
  })
}

function codeOf(thrown: unknown): string {
  if (!(thrown instanceof Error && 'code' in thrown)) return ''
  return typeof thrown.code === 'string' ? thrown.code : ''
}

function unsentFault(code: string): ExchangeFault {
  if (code === 'ECONNREFUSED') return 'refused'
  if (/^(ENOTFOUND|EAI_)/.test(code)) return 'unresolved'
  return /CERT|^UNABLE_|^ERR_(SSL|TLS)|^EPROTO$/.test(code) ? 'untrusted' : 'unconnected'
}

function sentFault(code: string): ExchangeFault {
  if (code === 'HPE_HEADER_OVERFLOW') return 'oversized'
  return code.startsWith('HPE_') ? 'garbled' : 'broken'
}
