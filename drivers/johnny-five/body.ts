import type { Configuration } from '../../core/vocabulary/configuration.ts'
import { MechosError, messageOf } from '../../core/vocabulary/errors.ts'
import type { Reading } from '../../core/vocabulary/reading.ts'
import type { Body, BodyFacts, Evidence, GuardianFact } from '../body.ts'
import type { Clock } from '../clock.ts'
import { subscribe } from '../listeners.ts'
import { boardNameMax, deadmanFirmware } from '../guardian/deadman.ts'
import { type PinTable, pinTableOf } from '../guardian/pin-table.ts'
import type { Link } from './link.ts'
import { makeOutputs } from './outputs.ts'
import { openGuardedLine } from '../guardian/guarded-line.ts'
import type { Line } from '../guardian/line.ts'
import { type Session, startSession } from './session.ts'
import { makeWheelCounters } from './wheel-counter.ts'

/** What a Firmata body needs beside its configuration. */
export interface FirmataOptions {
  /** The serial port, as in `/dev/ttyACM0`. */
  readonly port: string
  readonly clock: Clock
  readonly log?: (line: string) => void
  /** How long a board may take to report itself. Milliseconds, 10 000 unless given. */
  readonly openLimitMs?: number
  /** Whether a board with a deadman that was another robot's becomes this one's; otherwise it is refused. */
  readonly adopts?: boolean
  /** Where the guardian notes how the last halt went when this process has died. */
  readonly note?: string
  /** Opens the line; one to a guardian process that opens a serial port unless given. */
  readonly open?: (path: string, table: PinTable) => Promise<Line>
}

const openLimitMs = 10_000

/**
 * The robot that a Firmata board is: Johnny-Five's parts on firmata-io, on a transport of our own that is the gate.
 *
 * `open` rejects with ERR_PORT_UNAVAILABLE, ERR_BOARD_SILENT, ERR_BOARD_REFUSED or ERR_BOARD_LOST, and with TypeError
 * when the body is open. Each opening has a new port, a new board and new parts, starts latched, and puts what is an
 * output already at its safe level. A board that restarts, says nothing for a second, or whose port closes is lost.
 * A relay that is `on` has its pin high, as in simulation. A wheel at rest has the output of its halt. Wheel speeds
 * become duties as `dutyOf` says; servo angles are clipped to their declared range and to ±90°. Evidence is `echoed`
 * at best: nothing here looks at the pins.
 * Throws TypeError for a configuration of another kind.
 */
export function firmataBody(configuration: Configuration, options: FirmataOptions): Body {
  const { body } = configuration
  if (body.kind !== 'firmata') throw new TypeError(`a ${body.kind} body is not a Firmata one`)
  const { clock, port: path, log = () => undefined } = options
  const table = pinTableOf(body)
  const boardName = configuration.name.slice(0, boardNameMax)
  const open =
    options.open ??
    ((portPath: string) =>
      openGuardedLine({
        path: portPath,
        table,
        name: boardName,
        adopts: options.adopts,
        note: options.note,
        clock,
      }))
  const outputs = makeOutputs(body)
  const readingListeners = new Set<(reading: Reading) => void>()
  const lostListeners = new Set<(cause: string) => void>()
  const guardianListeners = new Set<(fact: GuardianFact) => void>()
  const say = (reading: Reading) => {
    for (const listener of readingListeners) listener(reading)
  }
  const tell = (fact: GuardianFact) => {
    for (const listener of guardianListeners) listener(fact)
  }
  const limitMs = options.openLimitMs ?? openLimitMs
  const counters = makeWheelCounters(body)
  const sessionOptions = { body, table, clock, path, limitMs, outputs, counters, say, log }
  let session: Session | undefined
  let link: Link | undefined
  let opening: Promise<BodyFacts> | undefined
  let ending: Promise<void> = Promise.resolve()
  let closes = 0

  const connect = async (): Promise<BodyFacts> => {
    const closesBefore = closes
    await ending
    tell({ kind: 'starting' })
    const line = await open(path, table)
    tell({ kind: 'guarding' })
    if (closes !== closesBefore) {
      await line.close()
      throw new MechosError('ERR_BOARD_LOST', `${path} was closed while it was opening`)
    }
    const opened = await startSession(line, sessionOptions, (made) => {
      link = made
    })
    session = opened
    opened.link.onLost((cause, isHalted) => lose(opened, cause, isHalted))
    opened.link.onTripped((cause) => tell({ kind: 'tripped', cause }))
    opened.link.onHalted(() => outputs.settle())
    const deadman = opened.firmware.startsWith(deadmanFirmware.name)
    try {
      if (deadman) await opened.link.guarded()
    } catch (error) {
      end(messageOf(error))
      await ending
      throw error
    }
    log(`${opened.firmware} on ${path}`)
    return { firmware: opened.firmware, deadman }
  }
  const lose = (lost: Session, cause: string, isHalted: boolean) => {
    if (isHalted) outputs.settle()
    if (session !== lost) return
    end(cause)
    tell({ kind: 'lost', cause })
    for (const listener of lostListeners) listener(cause)
  }
  const end = (cause: string) => {
    if (!session) return
    log(`${path}: ${cause}; ${JSON.stringify(session.link.transport.counts())}`)
    ending = session.end()
    session = undefined
  }
  const halt = () => {
    if (link?.halt()) outputs.settle()
    session?.parts.forget()
  }

  return {
    kind: 'firmata',
    senses: counters ? ['encoders'] : [],
    open() {
      if (session || opening) return Promise.reject(new TypeError('the body is open already'))
      opening = connect()
        .catch((error: unknown) => {
          tell({ kind: 'gone' })
          log(`${path}: ${messageOf(error)}`)
          throw error
        })
        .finally(() => {
          opening = undefined
        })
      return opening
    },
    arm() {
      if (!session) throw shut('a body that is not open cannot be armed')
      session.parts.forget()
      session.link.arm()
      outputs.settle()
    },
    write(command) {
      if (!session?.link.transport.isOpen) throw shut('the body is not armed')
      session.parts.carryOut(command)
    },
    halt,
    beat: () => link?.line.beat(),
    async confirm(): Promise<Evidence> {
      return !link || link.transport.isOpen ? 'none' : link.line.confirm()
    },
    outputs: () => outputs.list(),
    onReading: (listener) => subscribe(readingListeners, listener),
    onLost: (listener) => subscribe(lostListeners, listener),
    onGuardian: (listener) => subscribe(guardianListeners, listener),
    async close() {
      closes++
      halt()
      end('closed')
      link?.lose('closed')
      await opening?.catch(() => undefined)
      await ending
      tell({ kind: 'gone' })
    },
  }
}

function shut(why: string): MechosError {
  return new MechosError('ERR_GATE_SHUT', why)
}
