import type { FirmataConfiguration } from '../../core/vocabulary/parts.ts'
import type { Reading } from '../../core/vocabulary/reading.ts'
import type { Clock } from '../clock.ts'
import type { PinTable } from '../guardian/pin-table.ts'
import { type Introduction, shakeHands } from './handshake.ts'
import { type Link, makeLink } from './link.ts'
import type { Outputs } from './outputs.ts'
import { makeParts, type Parts } from './parts.ts'
import type { Line } from '../guardian/line.ts'
import { readSensors } from './sensors.ts'
import type { makeWheelCounters } from './wheel-counter.ts'

/** One connection to one board and everything that hangs on it. A body that is opened again gets another. */
export interface Session {
  readonly link: Link
  readonly firmware: string
  readonly parts: Parts
  /** Halts, takes every part off the board, and lets go of the line. Idempotent, never rejects. */
  end(): Promise<void>
}

/** What a session is made of, and who hears of it. */
export interface SessionOptions {
  readonly body: FirmataConfiguration
  readonly table: PinTable
  readonly clock: Clock
  readonly path: string
  readonly limitMs: number
  readonly outputs: Outputs
  readonly counters: ReturnType<typeof makeWheelCounters>
  readonly say: (reading: Reading) => void
  readonly log: (line: string) => void
}

/**
 * Takes over an open line, waits for its board, and leaves it latched with every output at its safe level. Rejects as
 * `shakeHands` does, with the line closed. `linked` is given the link at once, so that it can be halted meanwhile.
 */
export async function startSession(
  line: Line,
  options: SessionOptions,
  linked: (link: Link) => void,
): Promise<Session> {
  const link = makeLink(line, options.table, options.clock)
  linked(link)
  let introduction: Introduction | undefined
  try {
    introduction = await shakeHands(link, options)
    return furnish(link, introduction, options)
  } catch (error) {
    introduction?.dispose()
    await link.close()
    throw error
  }
}

function furnish(link: Link, introduction: Introduction, options: SessionOptions): Session {
  const { outputs, log } = options
  const parts = makeParts(introduction, { ...options, transport: link.transport })
  const stopReading = readSensors(introduction, link, options)
  link.onReport((report) => {
    if (report.kind === 'text') log(`the board says: ${report.text}`)
    if (report.kind === 'version' || report.kind === 'firmware') link.lose('the board restarted')
  })
  // Whoever had the board before may have left something on.
  if (link.halt()) outputs.settle()
  let isEnded = false
  return {
    link,
    firmware: introduction.firmware,
    parts,
    end() {
      if (!isEnded) {
        isEnded = true
        stopReading()
        introduction.dispose()
      }
      return link.close()
    },
  }
}
