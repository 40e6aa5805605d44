import type { RawData, WebSocket } from 'ws'
import { explainIssues } from '../../core/vocabulary/explain.ts'
import type { Clock } from '../../drivers/clock.ts'
import { contained } from './contained.ts'
import { createMeter } from './meter.ts'
import { type PageWord, pageWordSchema, type Role, type RobotWord } from './protocol.ts'

/** A page that is connected. */
export interface Visitor {
  readonly role: Role
  /** How much of what it was sent it has not taken yet, in bytes. */
  readonly waitingBytes: number
  /** Sends a word as text, whether or not the page takes it. Never throws, never waits. */
  send(text: string): void
  /** Asks whether it is there. False when it has not answered since it was last asked. */
  isThere(): boolean
  /** Hangs up at once. */
  drop(): void
}

/** Who listens to a page. */
export interface Host {
  /** Halts, before anything else. Called for every halt that is needed, however many messages there are. */
  halt(): void
  isHalted(): boolean
  /** Any other word that the page said, within what it may send. */
  hear(page: Visitor, word: Exclude<PageWord, { type: 'halt' }>): void
  leave(page: Visitor): void
  /** Something in here failed that should not have. */
  failed(cause: string): void
}

/** How much a page may leave lying before it is not answered any more, in bytes. */
export const waitingBytesMax = 256 * 1024

/** The longest message that is looked into where more were sent than are listened to, in characters: a halt is short. */
const haltCharactersMax = 64

/** Listens to a page. Nothing that it sends reaches `host` but words of the protocol; nothing that it sends is thrown. */
export function receive(socket: WebSocket, role: Role, clock: Clock, host: Host): Visitor {
  const meter = createMeter(clock)
  let isSilent = false
  const page: Visitor = {
    role,
    get waitingBytes() {
      return socket.bufferedAmount
    },
    send(text) {
      if (socket.readyState === socket.OPEN) socket.send(text, ignore)
    },
    isThere() {
      const wasThere = !isSilent
      isSilent = true
      if (wasThere && socket.readyState === socket.OPEN) socket.ping(undefined, undefined, ignore)
      return wasThere
    },
    drop: () => socket.terminate(),
  }
  const hear = (data: RawData, isBinary: boolean) => {
    isSilent = false
    const pace = meter.count()
    const text = isBinary ? '' : textOf(data)
    const word = pace === 'ample' || text.length <= haltCharactersMax ? wordIn(text) : undefined
    if (word?.ok === true && word.value.type === 'halt') {
      // A halt in halted changes nothing any more; any other is carried out, however many there are.
      if (pace === 'ample' || !host.isHalted()) host.halt()
    } else if (pace === 'ample' && !isBinary) {
      if (word?.ok === true && word.value.type !== 'halt') host.hear(page, word.value)
      else if (word?.ok === false) page.send(unknown(word.message))
    }
    if (isBinary || pace === 'flood') page.drop()
  }
  const failed = (cause: string) => {
    page.drop()
    host.failed(cause)
  }
  socket.on('message', contained(failed, hear))
  socket.on('ping', (data) => {
    isSilent = false
    if (meter.count() === 'flood') page.drop()
    else if (page.waitingBytes <= waitingBytesMax) socket.pong(data, undefined, ignore)
  })
  socket.on('pong', () => {
    isSilent = false
    if (meter.count() === 'flood') page.drop()
  })
  // What is no frame, or too long, ends the connection; ws has said why to the page.
  socket.on('error', () => page.drop())
  socket.on(
    'close',
    contained(failed, () => host.leave(page)),
  )
  return page
}

type Heard =
  | { readonly ok: true; readonly value: PageWord }
  | { readonly ok: false; readonly message: string }

function wordIn(text: string): Heard {
  const value = parseJson(text)
  const parsed = pageWordSchema.safeParse(value)
  if (parsed.success) return { ok: true, value: parsed.data }
  return { ok: false, message: explainIssues(parsed.error.issues, value) }
}

function unknown(message: string): string {
  const word: RobotWord = { type: 'refused', word: 'unknown', message }
  return JSON.stringify(word)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Undefined is no word either: the page is told so.
    return undefined
  }
}

function textOf(data: RawData): string {
  if (data instanceof ArrayBuffer) return Buffer.from(data).toString('utf8')
  return (Array.isArray(data) ? Buffer.concat(data) : data).toString('utf8')
}

function ignore(): void {
  // Who has gone hears nothing; that it has gone is told by `close`.
}
