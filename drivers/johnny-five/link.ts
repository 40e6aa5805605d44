import { MechosError } from '../../core/vocabulary/errors.ts'
import type { Clock } from '../clock.ts'
import type { Line } from '../guardian/line.ts'
import type { PinTable } from '../guardian/pin-table.ts'
import type { Report } from '../guardian/reports.ts'
import { makeTransport, type Transport } from './transport.ts'

/** One connection to one board as firmata-io and the body see it, over a line. It is never opened again. */
export interface Link {
  readonly line: Line
  readonly transport: Transport
  /** When the last sound frame arrived, on the robot's clock; undefined before the first. */
  heardAtMs(): number | undefined
  /** Hears each sound report, after firmata-io did. Returns how to stop. */
  onReport(listener: (report: Report) => void): () => void
  /** Called once if the link is lost, at once if it is lost already; `isHalted` says whether anybody heard its last halt. */
  onLost(listener: (cause: string, isHalted: boolean) => void): void
  /** Called each time that the far end has latched by itself. */
  onTripped(listener: (cause: string) => void): void
  /** Called when a halt is known to have left, and with each better news of it. */
  onHalted(listener: () => void): void
  /** Resolves when the board's deadman keeps our safe table. Rejects with ERR_BOARD_REFUSED when it does not within two seconds, or says why not. */
  guarded(): Promise<void>
  /** Opens the latch. Throws ERR_BOARD_LOST when the line is over. */
  arm(): void
  /** Halts, and declares the link lost. Later calls do nothing. */
  lose(cause: string): void
  /** Latches and puts every output at its safe level. False when there is nobody to hear it. Never throws. */
  halt(): boolean
  /** Halts and lets go of the line. Idempotent, never rejects. */
  close(): Promise<void>
}

const guardedMsMax = 2_000

/** A link over a line. */
export function makeLink(line: Line, table: PinTable, clock: Clock): Link {
  const reportListeners = new Set<(report: Report) => void>()
  const lostListeners = new Set<(cause: string, isHalted: boolean) => void>()
  const tripListeners = new Set<(cause: string) => void>()
  const haltListeners = new Set<() => void>()
  const guardListeners = new Set<() => void>()
  let isGuarded = false
  let tripCause: string | undefined
  let heardAtMs: number | undefined
  let loss: { readonly cause: string; readonly isHalted: boolean } | undefined
  let isOver = false
  let closing: Promise<void> | undefined

  const transport = makeTransport({
    table,
    write: (bytes) => line.write(bytes),
    onReport(report) {
      heardAtMs = clock.now()
      for (const listener of reportListeners) listener(report)
    },
    onFault: (cause) => lose(cause),
  })
  line.onData((bytes) => transport.receive(bytes))
  line.onEvent((event) => {
    switch (event.kind) {
      case 'lost':
        return lose(event.cause)
      case 'tripped':
        transport.shut()
        tripCause = event.cause
        for (const listener of tripListeners) listener(event.cause)
        return
      case 'evidence':
        if (event.evidence === 'none' || transport.isOpen) return
        for (const listener of haltListeners) listener()
        return
      case 'deadman':
        isGuarded = true
        for (const listener of guardListeners) listener()
    }
  })

  function halt(): boolean {
    transport.shut()
    return line.halt()
  }

  function lose(cause: string) {
    if (isOver) return
    isOver = true
    loss = { cause, isHalted: halt() }
    for (const listener of lostListeners) listener(loss.cause, loss.isHalted)
  }

  async function end() {
    isOver = true
    halt()
    transport.close()
    reportListeners.clear()
    await line.close()
  }

  return {
    line,
    transport,
    heardAtMs: () => heardAtMs,
    onReport(listener) {
      reportListeners.add(listener)
      return () => void reportListeners.delete(listener)
    },
    onLost(listener) {
      lostListeners.add(listener)
      if (loss) listener(loss.cause, loss.isHalted)
    },
    onTripped: (listener) => void tripListeners.add(listener),
    onHalted: (listener) => void haltListeners.add(listener),
    guarded() {
      return new Promise((resolve, reject) => {
        if (isGuarded) return resolve()
        if (tripCause !== undefined) return reject(new MechosError('ERR_BOARD_REFUSED', tripCause))
        const refuse = (cause: string) => {
          clock.clearTimeout(timer)
          reject(new MechosError('ERR_BOARD_REFUSED', cause))
        }
        const timer = clock.setTimeout(
          () => refuse("the board's deadman did not take our safe outputs in time"),
          guardedMsMax,
        )
        tripListeners.add(refuse)
        guardListeners.add(() => {
          clock.clearTimeout(timer)
          resolve()
        })
      })
    },
    arm() {
      line.arm()
      transport.open()
    },
    lose,
    halt,
    close: () => (closing ??= end()),
  }
}
