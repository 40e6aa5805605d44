import { boards } from '../../core/vocabulary/board.ts'
import type { FirmataConfiguration } from '../../core/vocabulary/parts.ts'
import { MechosError } from '../../core/vocabulary/errors.ts'
import type { Clock } from '../clock.ts'
import { frames, modeOf } from '../guardian/frames.ts'
import type { PinTable } from '../guardian/pin-table.ts'
import type { FirmataIO, Fitting, FiveBoard } from './library.ts'
import type { Link } from './link.ts'

/** A board that has said what it is and has every pin that the body needs. */
export interface Introduction extends Fitting {
  /** Name and version, as in `StandardFirmata.ino 2.5`. */
  readonly firmware: string
  /** Takes Johnny-Five's and firmata-io's hands off the link. */
  dispose(): void
}

/** What a handshake needs to know. */
export interface HandshakeOptions {
  readonly body: FirmataConfiguration
  readonly table: PinTable
  readonly clock: Clock
  /** For messages. */
  readonly path: string
  /** How long the board may take to say what it is; a booting one takes about four seconds. */
  readonly limitMs: number
}

const reportVersionTimeoutMs = 50
const samplingIntervalMs = 20
const askAgainMs = 1000

/**
 * Waits until the board has reported itself, sending nothing but queries before. Rejects with ERR_BOARD_SILENT when it
 * does not within `limitMs`, with ERR_BOARD_LOST when the link is lost meanwhile, and with ERR_BOARD_REFUSED when it
 * lacks a pin or a mode that the body needs.
 */
export async function shakeHands(link: Link, options: HandshakeOptions): Promise<Introduction> {
  const { default: firmata } = await import('firmata-io')
  const { default: five } = await import('johnny-five')
  const io = new firmata.Firmata(link.transport.stream, {
    reportVersionTimeout: reportVersionTimeoutMs,
    samplingInterval: samplingIntervalMs,
  })
  io.on('error', () => undefined)
  let board: FiveBoard | undefined
  const dispose = () => {
    clearTimeout(io.reportVersionTimeoutId)
    if (board) forget(five.Board.cache, board)
    silence(board)
    silence(io)
  }
  try {
    await reported(io, link, options)
    checkPins(io, options)
    board = new five.Board({ io, repl: false, debug: false, sigint: false })
    await ready(board)
    return { five, board, pins: boards[options.body.board], firmware: nameOf(io), dispose }
  } catch (error) {
    dispose()
    throw error
  }
}

function reported(io: FirmataIO, link: Link, options: HandshakeOptions): Promise<void> {
  const { clock, limitMs, path } = options
  return new Promise((resolve, reject) => {
    let hasFirmware = false
    const stop = link.onReport((report) => {
      hasFirmware ||= report.kind === 'firmware'
    })
    // Only until the firmware is known: what arrives unasked later than that is a restart.
    const askAgain = () => {
      if (hasFirmware) return
      link.transport.ask(frames.version())
      link.transport.ask(frames.firmware())
      asking = clock.setTimeout(askAgain, askAgainMs)
    }
    let asking = clock.setTimeout(askAgain, askAgainMs)
    const limit = clock.setTimeout(() => finish(silent(path, limitMs, link)), limitMs)
    const finish = (error?: MechosError) => {
      clock.clearTimeout(asking)
      clock.clearTimeout(limit)
      stop()
      if (error) reject(error)
      else resolve()
    }
    link.onLost((cause) => finish(new MechosError('ERR_BOARD_LOST', cause)))
    io.once('ready', () => finish())
    link.transport.stream.emit('open')
  })
}

function silent(path: string, limitMs: number, link: Link): MechosError {
  const { broken, unsound } = link.transport.counts()
  const noise =
    broken + unsound > 0 ? ` (heard ${broken} stray bytes and ${unsound} broken messages)` : ''
  return new MechosError(
    'ERR_BOARD_SILENT',
    `no Firmata answer on ${path} within ${limitMs / 1000} s${noise}; is StandardFirmata flashed, is it another program's port, baud 57600?`,
  )
}

function checkPins(io: FirmataIO, { body, table, path }: HandshakeOptions): void {
  const { digital, analog } = boards[body.board]
  if (io.pins.length !== digital + analog) {
    throw new MechosError(
      'ERR_BOARD_REFUSED',
      `board: ${body.board} is not what is on ${path}: ${nameOf(io)} reports ${io.pins.length} pins, and it has ${digital + analog}`,
    )
  }
  for (const rule of table.pins) {
    const has = io.pins[rule.pin]?.supportedModes.includes(modeOf(rule)) === true
    const isInPlace = rule.kind !== 'analog' || io.analogPins[rule.channel] === rule.pin
    if (has && isInPlace) continue
    throw new MechosError(
      'ERR_BOARD_REFUSED',
      `${nameOf(io)} on ${path} cannot use pin ${rule.pin} as ${rule.part} needs it; is it really an ${body.board} with StandardFirmata 2.5?`,
    )
  }
}

function ready(board: FiveBoard): Promise<void> {
  return new Promise((resolve) => {
    board.on('error', () => undefined)
    board.on('fail', () => undefined)
    board.on('ready', () => resolve())
  })
}

function nameOf(io: FirmataIO): string {
  const { name = 'an unnamed firmware', version } = io.firmware
  return version ? `${name} ${version.major}.${version.minor}` : name
}

/** An 'error' that nobody hears ends the process, so one listener always stays. */
function silence(emitter: FiveBoard | FirmataIO | undefined): void {
  emitter?.removeAllListeners()
  emitter?.on('error', () => undefined)
}

function forget(boardsMade: FiveBoard[], board: FiveBoard): void {
  const index = boardsMade.indexOf(board)
  if (index >= 0) boardsMade.splice(index, 1)
}
