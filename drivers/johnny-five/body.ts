import type { Configuration } from '../../core/vocabulary/configuration.ts'
import { MechosError, messageOf } from '../../core/vocabulary/errors.ts'
import type { Reading } from '../../core/vocabulary/reading.ts'
import type { Body, BodyFacts, Evidence } from '../body.ts'
import type { Clock } from '../clock.ts'
import { subscribe } from '../listeners.ts'
import { pinTableOf } from '../guardian/pin-table.ts'
import type { Link } from './link.ts'
import { makeOutputs } from './outputs.ts'
import { openPort, type Port } from './port.ts'
import { type Session, startSession } from './session.ts'

/** What a Firmata body needs beside its configuration. */
export interface FirmataOptions {
  /** The serial port, as in `/dev/ttyACM0`. */
  readonly port: string
  readonly clock: Clock
  readonly log?: (line: string) => void
  /** How long a board may take to report itself. Milliseconds, 10 000 unless given. */
  readonly openLimitMs?: number
  /** Opens the port; a serial one unless given. */
  readonly open?: (path: string) => Promise<Port>
}

const openLimitMs = 10_000
/** Together below the 200 ms that `confirm` may take. */
const echoLimitsMs = [100, 80]

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
  const open = options.open ?? ((portPath: string) => openPort(portPath, clock))
  const table = pinTableOf(body)
  const outputs = makeOutputs(body)
  const readingListeners = new Set<(reading: Reading) => void>()
  const lostListeners = new Set<(cause: string) => void>()
  const say = (reading: Reading) => {
    for (const listener of readingListeners) listener(reading)
  }
  const limitMs = options.openLimitMs ?? openLimitMs
  const sessionOptions = { body, table, clock, path, limitMs, outputs, say, log }
  let session: Session | undefined
  let link: Link | undefined
  let opening: Promise<BodyFacts> | undefined
  let ending: Promise<void> = Promise.resolve()
  let closes = 0

  const connect = async (): Promise<BodyFacts> => {
    const closesBefore = closes
    await ending
    const port = await open(path)
    if (closes !== closesBefore) {
      await port.close()
      throw new MechosError('ERR_BOARD_LOST', `${path} was closed while it was opening`)
    }
    const opened = await startSession(port, sessionOptions, (made) => {
      link = made
    })
    session = opened
    opened.link.onLost((cause, isHalted) => lose(opened, cause, isHalted))
    log(`${opened.firmware} on ${path}`)
    return { firmware: opened.firmware, deadman: false }
  }
  const lose = (lost: Session, cause: string, isHalted: boolean) => {
    if (isHalted) outputs.settle()
    if (session !== lost) return
    end(cause)
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
    open() {
      if (session || opening) return Promise.reject(new TypeError('the body is open already'))
      opening = connect()
        .catch((error: unknown) => {
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
      if (!session?.link.transport.isArmed) throw shut('the body is not armed')
      session.parts.carryOut(command)
    },
    halt,
    async confirm(): Promise<Evidence> {
      for (const [round, soundMs] of echoLimitsMs.entries()) {
        const asked = session
        if (!asked || asked.link.transport.isArmed) break
        if (round > 0) asked.link.halt()
        // oxlint-disable-next-line no-await-in-loop -- the second round is for what the first did not find
        if (await asked.sounder.sound(soundMs)) return 'echoed'
      }
      return link?.hasWrittenHalt() && !link.transport.isArmed ? 'written' : 'none'
    },
    outputs: () => outputs.list(),
    onReading: (listener) => subscribe(readingListeners, listener),
    onLost: (listener) => subscribe(lostListeners, listener),
    async close() {
      closes++
      halt()
      end('closed')
      link?.lose('closed')
      await opening?.catch(() => undefined)
      await ending
    },
  }
}

function shut(why: string): MechosError {
  return new MechosError('ERR_GATE_SHUT', why)
}
