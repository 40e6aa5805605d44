import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { messageOf } from '../../core/vocabulary/errors.ts'
import type { Clock } from '../../drivers/clock.ts'
import { type Access, createAccess } from './access.ts'
import { createAudience } from './audience.ts'
import { contained } from './contained.ts'
import { type Door, isJson, type Refusal, secretIn, strangerIn } from './doorkeeper.ts'
import { hangUp, login, notLoggedIn, target } from './entrance.ts'
import type { PageFiles } from './files.ts'
import { createGallery, type Gallery } from './gallery.ts'
import { createHands } from './hands.ts'
import { listen, ownPlace, type Place, serverAt } from './place.ts'
import { createPastDesk, reachWord } from './past.ts'
import type { Drawing, PageWord, Role, RobotWord } from './protocol.ts'
import { refusing, type Reply, sendReply } from './reply.ts'
import { makeRoom } from './room.ts'
import type { Steered } from './steered.ts'
import { receive, type Visitor, waitingBytesMax } from './visitor.ts'

/** What a cockpit is made of. */
export interface CockpitParts {
  readonly robot: Steered
  /** The machine's monotonic clock. Cockpits are of people, whatever time the robot lives in. */
  readonly clock: Clock
  readonly files: PageFiles
  readonly drawings: readonly Drawing[]
  /** Has what happens in the charts told to `say`, until it is called back; called only while somebody watches. */
  watch(say: (word: RobotWord) => void): () => void
  /** Where it is served: on this computer and for nobody else, unless something else is said. */
  readonly place?: Place
  readonly limits?: Partial<CockpitLimits>
  /** Told when a page comes, goes, or begins or ends to drive. */
  seated?(seats: Seats): void
  /** Told what failed in here that should not have; the rest goes on, and the robot hears nothing of it. */
  failed(cause: string): void
  /** Told when nothing is listened to any more. */
  lost(cause: string): void
}

/** Who is there. */
export interface Seats {
  readonly pages: number
  readonly isDriven: boolean
}

/** A cockpit that listens. */
export interface Cockpit {
  readonly port: number
  /** `http://127.0.0.1:7077`: what a browser that has logged in opens. */
  readonly address: string
  /** A link that lets one browser in, once. Whoever has it has what the role may do. */
  link(role: Role): string
  /** Hangs up on everybody, and lets go of the robot and of the port. */
  close(): Promise<void>
}

export interface CockpitLimits {
  /** How long a request may take to say its headers, and to say all of itself, in ms. */
  readonly headerMsMax: number
  readonly requestMsMax: number
  /** How often that is looked at, in ms. */
  readonly lookMs: number
}

const defaultLimits: CockpitLimits = { headerMsMax: 5_000, requestMsMax: 10_000, lookMs: 1_000 }

/** The most that a request may have as its headers, and a request or a message as its body, in bytes (DESIGN §6). */
export const headerBytesMax = 16 * 1024
export const bodyBytesMax = 64 * 1024

/** The most pages of either role that are connected at a time. */
export const pagesMax: Readonly<Record<Role, number>> = { watch: 20, drive: 8 }

/** The most connections that have not become pages. Whoever comes last may want to halt: the oldest makes room. */
export const connectionsMax = 64 - pagesMax.watch - pagesMax.drive

/**
 * Serves the cockpit at a port of its place, 0 for any that is free. Whoever comes without a link, from another page or
 * by another name is refused before anything is looked at; nothing that anybody sends is thrown, waited for, or piled
 * up. A halt is carried out for every page that has logged in, before anything else that it said, and is never one too
 * many. Rejects when the port cannot be had.
 */
export async function serveCockpit(port: number, parts: CockpitParts): Promise<Cockpit> {
  const { clock, failed, place = ownPlace, robot } = parts
  const limits = { ...defaultLimits, ...parts.limits }
  const access = createAccess(clock)
  const server = serverAt(place, {
    maxHeaderSize: headerBytesMax,
    headersTimeout: limits.headerMsMax,
    requestTimeout: limits.requestMsMax,
    keepAliveTimeout: limits.headerMsMax,
    connectionsCheckingInterval: limits.lookMs,
  })
  const room = makeRoom(server, connectionsMax, clock)
  const door = await listen(server, port, place)
  const gallery = createGallery(() => robot.frames(), failed)
  const live = createLive(parts, gallery)
  const visit: Visit = { access, files: parts.files, gallery, door, robot, failed }
  server.on(
    'request',
    contained(failed, (request, response) => answer(request, response, visit)),
  )
  server.on(
    'upgrade',
    contained(failed, (request, socket, head) => {
      socket.on('error', () => socket.destroy())
      const role = access.roleOf(secretIn(request.headers, door) ?? '')
      const refused = strangerIn(request.headers, door) ?? live.refusalOf(request, role)
      if (refused) return hangUp(socket, refused)
      if (role === undefined) return hangUp(socket, notLoggedIn)
      room.release(socket)
      live.seat(request, socket, head, role)
    }),
  )
  // Who speaks no HTTP, too much of it or too slowly is hung up on, and nothing is said about it.
  server.on('clientError', (_, socket) => socket.destroy())
  server.on('error', (error) => parts.lost(messageOf(error)))
  const address = `${door.scheme}://${door.hosts[0]}`
  return {
    port: door.port,
    address,
    link: (role) => `${address}/login?token=${access.invite(role)}`,
    close() {
      live.close()
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
        room.clear()
      })
    },
  }
}

/** What a request is answered from. */
interface Visit {
  readonly access: Access
  readonly files: PageFiles
  readonly gallery: Gallery
  readonly door: Door
  readonly robot: Steered
  failed(cause: string): void
}

/** No body is ever read: what a request wants stands in its head. */
function answer(request: IncomingMessage, response: ServerResponse, visit: Visit): void {
  const { headers, method } = request
  const { access, door, files, gallery } = visit
  const reply = (given: Reply) => sendReply(response, given, door)
  const refuse = (status: number, message: string) => reply(refusing({ status, message }))
  response.on('error', () => request.destroy())
  const stranger = strangerIn(headers, door)
  if (stranger) return reply(refusing(stranger))
  const { path, query } = target(request)
  if (path === '/login' && method === 'GET') return reply(login(query, headers, visit))
  if (access.roleOf(secretIn(headers, door) ?? '') === undefined)
    return reply(refusing(notLoggedIn))
  if (path === '/halt') {
    if (method !== 'POST') return refuse(405, 'halt: POST it')
    if (!isJson(headers)) return refuse(415, 'halt: application/json only')
    return haltFor(request, reply, visit)
  }
  if (method !== 'GET' && method !== 'HEAD') return refuse(405, `${method} is not allowed`)
  const file = files.get(path) ?? gallery.pictureAt(path)
  if (!file) return refuse(404, 'there is nothing here')
  // Where a body follows, nobody listens to it.
  const hasBody = 'content-length' in headers || 'transfer-encoding' in headers
  const connection: Record<string, string> = hasBody ? { Connection: 'close' } : {}
  reply({ status: 200, type: file.type, body: file.body, headers: connection })
}

/** Halts first. What else the request brings along is not waited for. */
function haltFor(
  request: IncomingMessage,
  reply: (given: Reply) => void,
  { robot, failed }: Visit,
): void {
  const isTooLong = !(Number(request.headers['content-length'] ?? 0) <= bodyBytesMax)
  robot.halt(haltCause).then(
    contained(failed, (report) => {
      if (isTooLong)
        return reply(refusing({ status: 413, message: 'it halts; what follows is too long' }))
      reply({
        status: 200,
        type: 'application/json',
        body: JSON.stringify(report),
        headers: request.complete ? {} : { Connection: 'close' },
      })
    }),
    (error: unknown) => failed(messageOf(error)),
  )
}

const haltCause = 'asked to halt in the cockpit'

/** The pages that are connected. */
interface Live {
  refusalOf(request: IncomingMessage, role: Role | undefined): Refusal | undefined
  seat(request: IncomingMessage, socket: Duplex, head: Buffer, role: Role): void
  close(): void
}

function createLive(parts: CockpitParts, gallery: Gallery): Live {
  const { clock, drawings, failed, robot, watch } = parts
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: bodyBytesMax,
    perMessageDeflate: false,
    autoPong: false,
  })
  const pages = new Set<Visitor>()
  const audience = createAudience({ robot, clock, drawings, gallery, watch, failed })
  let isClosed = false
  let state = robot.snapshot().state
  const seated = () => {
    const isDriven = [...pages].some((page) => hands.driverFor(page) === 'you')
    parts.seated?.({ pages: pages.size, isDriven })
  }
  const tellDriver = contained(failed, () => {
    if (isClosed) return
    audience.sayEach((page) => ({ type: 'driver', driver: hands.driverFor(page) }))
    seated()
  })
  const hands = createHands({
    robot,
    clock,
    ageOf: (atMs) => audience.ageOf(atMs),
    changed: tellDriver,
    failed,
  })
  const desk = createPastDesk({ past: robot.past, clock, failed })
  const unfollow = robot.onState((next) => {
    state = next
  })
  const host = {
    halt: () => {
      robot.halt(haltCause).catch((error: unknown) => failed(messageOf(error)))
    },
    isHalted: () => state === 'halted',
    hear: (page: Visitor, word: Exclude<PageWord, { type: 'halt' }>) => {
      // Whoever looks at what was is not seen to hold a stick by that.
      if (word.type === 'past') return desk.ask(page, word)
      hands.hear(page)
      const message =
        page.role === 'watch'
          ? `${word.type}: this page watches, and may halt`
          : hands.take(page, word)
      if (message === undefined || page.waitingBytes > waitingBytesMax) return
      page.send(textOf({ type: 'refused', word: word.type, message }))
    },
    leave: (page: Visitor) => {
      pages.delete(page)
      hands.leave(page)
      desk.leave(page)
      audience.leave(page)
      if (!isClosed) seated()
    },
    failed,
  }
  const welcome = (socket: WebSocket, role: Role) => {
    const page = receive(socket, role, clock, host)
    const { name, run } = robot.snapshot()
    pages.add(page)
    page.send(textOf({ type: 'hello', role, name, run }))
    page.send(textOf({ type: 'driver', driver: hands.driverFor(page) }))
    page.send(textOf(reachWord(robot.past)))
    audience.join(page)
    seated()
  }
  return {
    refusalOf(request, role) {
      if (target(request).path !== '/live') return { status: 404, message: 'there is nothing here' }
      const alike = [...pages].filter((page) => page.role === role).length
      if (role === undefined || alike < pagesMax[role]) return undefined
      return { status: 503, message: `${pagesMax[role]} pages are connected already` }
    },
    seat(request, socket, head, role) {
      sockets.handleUpgrade(
        request,
        socket,
        head,
        contained(failed, (page) => welcome(page, role)),
      )
    },
    close() {
      isClosed = true
      hands.close()
      desk.close()
      unfollow()
      for (const page of pages) {
        audience.leave(page)
        page.drop()
      }
    },
  }
}

function textOf(word: RobotWord): string {
  return JSON.stringify(word)
}
