import { MechosError } from '../../core/vocabulary/errors.ts'
import type { Clock } from '../clock.ts'
import type { PinTable } from '../guardian/pin-table.ts'
import type { Report } from '../guardian/reports.ts'
import type { Port } from './port.ts'
import { makeTransport, type Transport } from './transport.ts'

/** One connection to one board, from the opening of its port to its end. It is never opened again. */
export interface Link {
  readonly transport: Transport
  /** When the last sound frame arrived, on the robot's clock; undefined before the first. */
  heardAtMs(): number | undefined
  /** Hears each sound report, after firmata-io did. Returns how to stop. */
  onReport(listener: (report: Report) => void): () => void
  /** Called once if the link is lost; `isHalted` says whether the halt frame could still be written. */
  onLost(listener: (cause: string, isHalted: boolean) => void): void
  /** Arms the transport. Throws ERR_BOARD_LOST when the port is gone. */
  arm(): void
  /** Halts, and declares the link lost. Later calls do nothing. */
  lose(cause: string): void
  /** Halts, waits until that has left or half a second is over, and closes the port. Idempotent, never rejects. */
  close(): Promise<void>
  /** Whether the last halt frame has left this machine. */
  hasWrittenHalt(): boolean
  /** Latches and writes the halt frame at once. False when nothing could be written. Never throws. */
  halt(): boolean
}

const farewellMs = 500

/** A link over an open port. */
export function makeLink(port: Port, table: PinTable, clock: Clock): Link {
  const reportListeners = new Set<(report: Report) => void>()
  const lostListeners = new Set<(cause: string, isHalted: boolean) => void>()
  let heardAtMs: number | undefined
  let isOver = false
  let halts = 0
  let haltsWritten = 0
  let closing: Promise<void> | undefined

  const transport = makeTransport({
    table,
    clock,
    write: (bytes, done) => port.write(bytes, done),
    backlog: () => port.backlog(),
    onReport(report) {
      heardAtMs = clock.now()
      for (const listener of reportListeners) listener(report)
    },
    onFault: (cause) => lose(cause),
  })
  port.onData((bytes) => transport.receive(bytes))
  port.onLost((cause) => lose(cause))

  function halt(done?: () => void): boolean {
    const number = ++halts
    const isOpen = port.isOpen()
    const canWrite = transport.halt((written) => {
      if (written) haltsWritten = Math.max(haltsWritten, number)
      done?.()
    })
    return isOpen && canWrite
  }

  function lose(cause: string) {
    if (isOver) return
    isOver = true
    const isHalted = halt()
    for (const listener of lostListeners) listener(cause, isHalted)
  }

  async function end() {
    isOver = true
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, farewellMs)
      halt(() => {
        clock.clearTimeout(timer)
        resolve()
      })
    })
    transport.close()
    reportListeners.clear()
    await port.close()
  }

  return {
    transport,
    heardAtMs: () => heardAtMs,
    onReport(listener) {
      reportListeners.add(listener)
      return () => void reportListeners.delete(listener)
    },
    onLost: (listener) => void lostListeners.add(listener),
    arm() {
      if (isOver || !port.isOpen()) {
        throw new MechosError('ERR_BOARD_LOST', 'the port is gone, nothing can be armed')
      }
      transport.arm()
    },
    lose,
    close: () => (closing ??= end()),
    hasWrittenHalt: () => halts > 0 && haltsWritten === halts,
    halt: () => halt(),
  }
}
