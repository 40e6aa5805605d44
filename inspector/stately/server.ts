import type { IncomingMessage, ServerResponse } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { messageOf } from '../../core/vocabulary/errors.ts'
import { type Access, createAccess } from '../cockpit/access.ts'
import { behindMsMax } from '../cockpit/audience.ts'
import { contained } from '../cockpit/contained.ts'
import { type Door, secretIn, strangerIn } from '../cockpit/doorkeeper.ts'
import { hangUp, login, notLoggedIn, target } from '../cockpit/entrance.ts'
import type { Inspect } from '../cockpit/hub.ts'
import { createMeter } from '../cockpit/meter.ts'
import { listen, ownPlace, serverAt } from '../cockpit/place.ts'
import { refusing, type Reply, sendReply } from '../cockpit/reply.ts'
import { makeRoom } from '../cockpit/room.ts'
import { waitingBytesMax } from '../cockpit/visitor.ts'
import { type HubParts, watchForStately } from './hub.ts'
import { inspectorOrigin, relayFiles } from './page.ts'

/** What is shown, and where it is told what failed in here. */
export interface StatelyParts extends HubParts {
  readonly inspect: Inspect
}

/** A server for viewers of the Stately Inspector's kind. */
export interface StatelyServer {
  /**
   * A link that lets one viewer in, once: a browser as it is, a program at `/live` instead of `/login`, with `ws` for
   * `http`. Whoever has it may watch, and do nothing else.
   */
  link(): string
  /** Hangs up on everybody, and lets go of the robot and of the port. */
  close(): Promise<void>
}

/** The most viewers at a time, and the most connections that are none (yet). */
export const viewersMax = 4
export const connectionsMax = 16

const headerMsMax = 5_000
/** Nothing that a viewer says is listened to, so that it need not be long. */
const messageBytesMax = 1_024

/**
 * Serves at a port of 127.0.0.1, 0 for any that is free. Nothing is attached to the robot while nobody watches; who does
 * not read what it is told is told no more, and in the end is hung up on. Rejects when the port cannot be had.
 */
export async function serveStately(port: number, parts: StatelyParts): Promise<StatelyServer> {
  const access = createAccess(parts.clock)
  const server = serverAt(ownPlace, {
    maxHeaderSize: 16 * 1024,
    headersTimeout: headerMsMax,
    requestTimeout: headerMsMax,
    keepAliveTimeout: headerMsMax,
    connectionsCheckingInterval: 1_000,
  })
  const room = makeRoom(server, connectionsMax, parts.clock)
  const door = await listen(server, port, ownPlace)
  const viewers = createViewers(parts)
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: messageBytesMax,
    perMessageDeflate: false,
    autoPong: false,
  })
  server.on(
    'request',
    contained(parts.failed, (request, response) => answer(request, response, { access, door })),
  )
  server.on(
    'upgrade',
    contained(parts.failed, (request, socket, head) => {
      socket.on('error', () => socket.destroy())
      const stranger = strangerIn(request.headers, door)
      if (stranger) return hangUp(socket, stranger)
      const { path, query } = target(request)
      if (path !== '/live') return hangUp(socket, nothingHere)
      if (viewers.isFull()) return hangUp(socket, full)
      if (!isKnown(request, query, { access, door })) return hangUp(socket, notLoggedIn)
      room.release(socket)
      sockets.handleUpgrade(request, socket, head, contained(parts.failed, viewers.join))
    }),
  )
  server.on('clientError', (_, socket) => socket.destroy())
  server.on('error', (error) => parts.failed(messageOf(error)))
  return {
    link: () => `${door.scheme}://${door.hosts[0]}/login?token=${access.invite('watch')}`,
    close() {
      viewers.drop()
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
        room.clear()
      })
    },
  }
}

const nothingHere = { status: 404, message: 'there is nothing here' }
const full = { status: 503, message: `${viewersMax} viewers are connected already` }

interface Gate {
  readonly access: Access
  readonly door: Door
}

/** A page brings its cookie; a program, which has none, a token. */
function isKnown(request: IncomingMessage, query: URLSearchParams, gate: Gate): boolean {
  const { access, door } = gate
  if (access.roleOf(secretIn(request.headers, door) ?? '') !== undefined) return true
  return access.admit(query.get('token') ?? '', 'watch') !== undefined
}

function answer(request: IncomingMessage, response: ServerResponse, gate: Gate): void {
  const { access, door } = gate
  const { headers, method } = request
  const reply = (given: Reply) => sendReply(response, given, door)
  response.on('error', () => request.destroy())
  const stranger = strangerIn(headers, door)
  if (stranger) return reply(refusing(stranger))
  const { path, query } = target(request)
  if (method !== 'GET') return reply(refusing({ status: 405, message: `${method}: only GET is` }))
  if (path === '/login') return reply(login(query, headers, gate))
  if (access.roleOf(secretIn(headers, door) ?? '') === undefined)
    return reply(refusing(notLoggedIn))
  const file = relayFiles.get(path)
  if (!file) return reply(refusing(nothingHere))
  reply({ status: 200, type: file.type, body: file.body, headers: policyAt(door) })
}

/** Beside what is ours, the page may show the inspector in a frame, and nothing else. */
function policyAt({ hosts }: Door): Readonly<Record<string, string>> {
  return {
    'Content-Security-Policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      `connect-src ${hosts.map((host) => `ws://${host}`).join(' ')}`,
      `frame-src ${inspectorOrigin}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  }
}

interface Viewers {
  isFull(): boolean
  join(socket: WebSocket): void
  drop(): void
}

/** Each viewer has a watch of its own, so that one that is slow misses nothing but what is old. */
function createViewers(parts: StatelyParts): Viewers {
  const { clock, failed, inspect } = parts
  const present = new Set<WebSocket>()
  return {
    isFull: () => present.size >= viewersMax,
    join(socket) {
      present.add(socket)
      const meter = createMeter(clock)
      let behindSinceMs: number | undefined
      const isReady = () => {
        if (socket.bufferedAmount <= waitingBytesMax) {
          behindSinceMs = undefined
          return true
        }
        behindSinceMs ??= clock.now()
        if (!(clock.now() - behindSinceMs < behindMsMax)) socket.terminate()
        return false
      }
      const count = () => {
        if (meter.count() === 'flood') socket.terminate()
      }
      socket.on('message', count)
      socket.on('ping', count)
      socket.on('pong', count)
      socket.on('error', () => socket.terminate())
      const viewer = {
        isReady,
        say: (messages: readonly object[]) => {
          if (socket.readyState !== socket.OPEN) return
          for (const message of messages) socket.send(JSON.stringify(message), ignore)
        },
      }
      const end = watchForStately(inspect, viewer, parts)
      socket.on(
        'close',
        contained(failed, () => {
          present.delete(socket)
          end()
        }),
      )
    },
    drop() {
      for (const socket of present) socket.terminate()
    },
  }
}

function ignore(): void {
  // Who has gone hears nothing; that it has gone is told by `close`.
}
