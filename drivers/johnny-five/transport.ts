import { EventEmitter } from 'node:events'
import { messageOf } from '../../core/vocabulary/errors.ts'
import { classify, frames, splitFrames } from '../guardian/frames.ts'
import { makeOutbox } from '../guardian/outbox.ts'
import type { PinTable } from '../guardian/pin-table.ts'
import type { Report } from '../guardian/reports.ts'
import { makeInboundCheck } from './inbound.ts'

/** Where the bytes of a transport go, and who hears of the ones that come. */
export interface TransportEnds {
  readonly table: PinTable
  /** Takes whole frames; never throws. */
  write(bytes: Uint8Array): void
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
  /** Outbound frames that came before the firmware reported itself, while shut, or outside of a command. */
  readonly shut: number
}

/**
 * The wall between firmata-io and the line. Inbound, only sound frames reach firmata-io, one at a time. Outbound, each
 * frame is read: queries pass always; reporting and input modes once the firmware has reported itself; outputs only
 * while the transport is open *and* inside of `command`, so that no timer of a library can move anything. The warden at
 * the far end of the line reads them again, paces them, and keeps the latch. Never throws.
 */
export interface Transport {
  /** What firmata-io holds for its transport. */
  readonly stream: FirmataStream
  receive(bytes: Uint8Array): void
  /** Sends a query of our own. */
  ask(frame: Uint8Array): void
  /** Lets pass what `run` writes synchronously to the outputs of `part`, as one transaction. */
  command(part: string, run: () => void): void
  /** Lets commands pass, to outputs that are all at their safe level now. */
  open(): void
  /** Lets no command pass, and forgets what the outputs were told. */
  shut(): void
  readonly isOpen: boolean
  counts(): TransportCounts
  /** Tells firmata-io that its transport closed. Nothing is written afterwards. */
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

/** A shut transport that has heard nothing yet. */
export function makeTransport(ends: TransportEnds): Transport {
  const { table } = ends
  const outbox = makeOutbox(table)
  const inbound = splitFrames('inbound')
  const outbound = splitFrames('outbound')
  const check = makeInboundCheck()
  const stream = new FirmataStream(take)
  let hasReported = false
  let isOpen = false
  let commanded: string | undefined
  let isClosed = false
  let refused = 0
  let shut = 0

  function take(bytes: Uint8Array) {
    for (const frame of outbound.push(bytes)) route(frame)
  }

  function route(frame: Uint8Array) {
    const purpose = classify(frame, table)
    switch (purpose.kind) {
      case 'refused':
        refused++
        return
      case 'query':
        return send(frame)
      case 'reporting':
        return hasReported ? send(frame) : void shut++
      case 'inputMode':
        return hasReported ? send(frames.mode(purpose.pin, purpose.mode)) : void shut++
      case 'outputMode':
        // Arming has set it already, and setting it again would drop what the pin puts out.
        if (!isOpen) shut++
        return
      case 'output':
        if (isOpen && commanded !== undefined) outbox.wish(commanded, purpose.effect)
        else shut++
        return
    }
  }

  function send(bytes: Uint8Array) {
    if (!isClosed) ends.write(bytes)
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
    ask: send,
    command(part, run) {
      commanded = part
      try {
        run()
      } finally {
        commanded = undefined
        for (let bytes = outbox.next(); bytes; bytes = outbox.next()) send(bytes)
      }
    },
    open() {
      outbox.settle()
      isOpen = !isClosed
    },
    shut() {
      outbox.settle()
      isOpen = false
    },
    get isOpen() {
      return isOpen
    },
    counts: () => ({
      broken: inbound.dropped,
      unsound: check.dropped,
      refused,
      shut,
    }),
    close() {
      if (isClosed) return
      isClosed = true
      isOpen = false
      stream.emit('close')
      stream.removeAllListeners()
    },
  }
}
