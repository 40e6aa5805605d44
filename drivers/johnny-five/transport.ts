import { EventEmitter } from 'node:events'
import { messageOf } from '../../core/vocabulary/errors.ts'
import type { Clock } from '../clock.ts'
import { armPreamble, classify, frames, haltFrame, splitFrames } from '../guardian/frames.ts'
import { makeOutbox } from '../guardian/outbox.ts'
import type { PinTable } from '../guardian/pin-table.ts'
import type { Report } from '../guardian/reports.ts'
import { makeInboundCheck } from './inbound.ts'

/** Where the bytes of a transport go, and who hears of the ones that come. */
export interface TransportEnds {
  readonly table: PinTable
  readonly clock: Clock
  /** Writes at once or not at all, and never throws. `done` says whether the bytes have left. */
  write(bytes: Uint8Array, done?: (written: boolean) => void): void
  /** Bytes that were written and have not been taken by the machine yet. */
  backlog(): number
  /** Hears each admitted report, after firmata-io did. */
  onReport(report: Report): void
  /** Hears that something which listens to reports threw; the connection can no longer be trusted. */
  onFault(cause: string): void
}

/** What a transport refused, in frames (`broken` in bytes). */
export interface TransportCounts {
  /** Inbound bytes that were no frame. */
  readonly broken: number
  /** Inbound frames that would have harmed firmata-io. */
  readonly unsound: number
  /** Outbound frames that the table does not declare. */
  readonly refused: number
  /** Outbound frames that came before the firmware reported itself, while latched, or outside of a command. */
  readonly shut: number
  /** Queries and input settings that found their queue full. */
  readonly overflowed: number
}

/**
 * The wall between firmata-io and the port. Inbound, only sound frames reach firmata-io, one at a time. Outbound, each
 * frame is read: queries pass always; reporting and input modes once the firmware has reported itself; outputs only
 * while the transport is armed *and* inside of `command`, so that no timer of a library can move anything. What passes
 * is paced at 80 % of the line. Never throws.
 */
export interface Transport {
  /** What firmata-io holds for its transport. */
  readonly stream: FirmataStream
  receive(bytes: Uint8Array): void
  /** Queues a query of our own. */
  ask(frame: Uint8Array): void
  /** Lets pass what `run` writes synchronously to the outputs of `part`. */
  command(part: string, run: () => void): void
  /** Puts safe outputs on the pins, makes them outputs, then opens the latch. All of it is written when it returns. */
  arm(): void
  /**
   * Latches, writes the halt frame and forgets what waits, all before it returns. Writes each time, but nothing to a
   * port that has not shown to be a Firmata board; false then.
   */
  halt(done?: (written: boolean) => void): boolean
  readonly isArmed: boolean
  counts(): TransportCounts
  /** Ends all timers and tells firmata-io that its transport closed. Nothing is written afterwards. */
  close(): void
}

/** A transport as firmata-io knows it. */
export class FirmataStream extends EventEmitter {
  readonly #take: (bytes: Uint8Array) => void

  constructor(take: (bytes: Uint8Array) => void) {
    super()
    this.#take = take
  }

  write(bytes: Uint8Array, done?: () => void): boolean {
    this.#take(bytes)
    done?.()
    return true
  }
}

/** 80 % of 57 600 baud at ten bits a byte. */
const bytesPerMs = 4.608
/** How far ahead of the line we may write, so that what was decided later is not stuck behind more than this. */
const aheadMs = 5
/** A port that does not get rid of its bytes is given no more of them: what is newest then waits where it can be replaced. */
const backlogBytesMax = 128
const retryMs = 5

/** A latched transport that has heard nothing yet. */
export function makeTransport(ends: TransportEnds): Transport {
  const { table, clock } = ends
  const halting = haltFrame(table)
  const arming = armPreamble(table)
  const outbox = makeOutbox(table)
  const inbound = splitFrames('inbound')
  const outbound = splitFrames('outbound')
  const check = makeInboundCheck()
  const stream = new FirmataStream(take)
  let hasReported = false
  let isArmed = false
  let commanded: string | undefined
  let isClosed = false
  let lineFreeAt = 0
  let timer: number | undefined
  let refused = 0
  let shut = 0
  let overflowed = 0

  function take(bytes: Uint8Array) {
    for (const frame of outbound.push(bytes)) route(frame)
    pump()
  }

  function route(frame: Uint8Array) {
    const purpose = classify(frame, table)
    switch (purpose.kind) {
      case 'refused':
        refused++
        return
      case 'query':
        return enqueue(frame)
      case 'reporting':
        return hasReported ? enqueue(frame) : void shut++
      case 'inputMode':
        return hasReported ? enqueue(frames.mode(purpose.pin, purpose.mode)) : void shut++
      case 'outputMode':
        // Arming has set it already, and setting it again would drop what the pin puts out.
        if (!isArmed) shut++
        return
      case 'output':
        if (isArmed && commanded !== undefined) outbox.wish(commanded, purpose.effect)
        else shut++
        return
    }
  }

  function enqueue(frame: Uint8Array) {
    if (!outbox.ask(frame)) overflowed++
  }

  function send(bytes: Uint8Array, done?: (written: boolean) => void) {
    lineFreeAt = Math.max(lineFreeAt, clock.now()) + bytes.length / bytesPerMs
    ends.write(bytes, done)
  }

  function pump() {
    // What a command writes is sent as one, not piece by piece.
    if (isClosed || commanded !== undefined) return
    while (lineFreeAt - clock.now() < aheadMs && ends.backlog() < backlogBytesMax) {
      const bytes = outbox.next()
      if (!bytes) return
      send(bytes)
    }
    if (outbox.waiting === 0 || timer !== undefined) return
    const delayMs = Math.ceil(lineFreeAt - clock.now() - aheadMs)
    timer = clock.setTimeout(pumpAgain, delayMs > 0 ? delayMs : retryMs)
  }

  function pumpAgain() {
    timer = undefined
    pump()
  }

  function hear(frame: Uint8Array) {
    const admitted = check.admit(frame)
    if (!admitted || isClosed) return
    hasReported ||= admitted.report.kind === 'firmware'
    try {
      if (admitted.forward) stream.emit('data', frame)
      ends.onReport(admitted.report)
    } catch (error) {
      ends.onFault(`a report of ${admitted.report.kind} was not understood: ${messageOf(error)}`)
    }
  }

  return {
    stream,
    receive(bytes) {
      for (const frame of inbound.push(bytes)) hear(frame)
    },
    ask(frame) {
      enqueue(frame)
      pump()
    },
    command(part, run) {
      commanded = part
      try {
        run()
      } finally {
        commanded = undefined
      }
      pump()
    },
    arm() {
      if (isClosed) return
      outbox.settle()
      send(arming)
      isArmed = true
    },
    halt(done) {
      isArmed = false
      const canWrite = hasReported && !isClosed
      if (canWrite) send(halting, done)
      else done?.(false)
      outbox.settle()
      return canWrite
    },
    get isArmed() {
      return isArmed
    },
    counts: () => ({
      broken: inbound.dropped,
      unsound: check.dropped,
      refused,
      shut,
      overflowed,
    }),
    close() {
      if (isClosed) return
      isClosed = true
      isArmed = false
      if (timer !== undefined) clock.clearTimeout(timer)
      stream.emit('close')
      stream.removeAllListeners()
    },
  }
}
