import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { inspect } from '@xstate/inspect/lib/server.js'
import { WebSocket, WebSocketServer } from 'ws'
import { createFacades, type Facade } from './facade.ts'
import type { Fields } from './chart.ts'

declare global {
  /** Where `inspect` puts what services are registered with. */
  // oxlint-disable-next-line no-underscore-dangle -- the package calls it so
  var __xstate__: { register(facade: Facade): void } | undefined
}

/** Whoever looks on with `@xstate/inspect`. */
export interface Viewers {
  /** What `createWebSocketReceiver` takes as its `server`. Whoever has it may watch, and nothing else. */
  readonly server: string
  /** Takes what the robot says, in the Stately schema. */
  tell(message: Fields): void
  close(): Promise<void>
}

/** The website that draws what `@xstate/inspect` says. */
export const viewerOrigin = 'https://stately.ai'

const loopback = '127.0.0.1'
const viewersMax = 4
/** What a viewer may say is short, and what it leaves lying is not piled up for it. */
const messageBytesMax = 1_024
const waitingBytesMax = 8 * 2 ** 20

/**
 * Serves the real `inspect` of `@xstate/inspect` at a port of 127.0.0.1, 0 for any that is free, for those who know a
 * token. It hears of a viewer only that it is there: what else one says is dropped before the package sees it.
 */
export async function serveViewers(port: number): Promise<Viewers> {
  const token = randomBytes(32).toString('base64url')
  const server = new WebSocketServer({
    host: loopback,
    port,
    maxPayload: messageBytesMax,
    perMessageDeflate: false,
    WebSocket: MutedSocket,
    verifyClient: ({ req }: { req: IncomingMessage }) =>
      server.clients.size < viewersMax && isWelcome(req, token),
  })
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', reject)
  })
  // What is no frame, or too long, ends its own connection and nothing else.
  server.on('connection', (client) => client.on('error', () => client.terminate()))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- ws is typed twice, and the package takes the other one
  const inspector = inspect({ server: server as Parameters<typeof inspect>[0]['server'] })
  const bound = server.address()
  const taken = typeof bound === 'object' && bound ? bound.port : port
  return {
    server: `${loopback}:${taken}/${token}`,
    // oxlint-disable-next-line no-underscore-dangle -- the package calls it so
    tell: createFacades((facade) => globalThis.__xstate__?.register(facade)),
    close() {
      for (const client of server.clients) client.terminate()
      return new Promise((resolve) => {
        server.once('close', () => resolve())
        inspector.disconnect()
      })
    },
  }
}

/** A viewer of which only that is heard that it is there. */
class MutedSocket extends WebSocket {
  override emit(event: string | symbol, ...args: readonly unknown[]): boolean {
    if (event === 'message' && !isArrival(args[0])) return false
    return super.emit(event, ...args)
  }

  override send(data: string): void {
    if (this.bufferedAmount > waitingBytesMax) this.terminate()
    else super.send(data)
  }
}

function isArrival(data: unknown): boolean {
  try {
    return Buffer.isBuffer(data) && JSON.parse(data.toString('utf8'))?.type === 'xstate.inspecting'
  } catch {
    // What is no JSON says nothing.
    return false
  }
}

/** Another name for this computer, a page of any other site, and whoever does not know the token are not let in. */
function isWelcome({ headers, socket, url = '/' }: IncomingMessage, token: string): boolean {
  const { host, origin } = headers
  const isOurs = [loopback, 'localhost'].some((name) => host === `${name}:${socket.localPort}`)
  if (!isOurs || (origin !== undefined && origin !== viewerOrigin)) return false
  return timingSafeEqual(digestOf(url.slice(1)), digestOf(token))
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
