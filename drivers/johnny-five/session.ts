import type { FirmataConfiguration } from '../../core/vocabulary/parts.ts'
import type { Reading } from '../../core/vocabulary/reading.ts'
import type { Clock } from '../clock.ts'
import type { PinTable } from '../guardian/pin-table.ts'
import { type EchoSounder, makeEchoSounder } from './evidence.ts'
import { type Introduction, shakeHands } from './handshake.ts'
import { type Link, makeLink } from './link.ts'
import type { Outputs } from './outputs.ts'
import { makeParts, type Parts } from './parts.ts'
import type { Port } from './port.ts'
import { readSensors } from './sensors.ts'

/** One connection to one board and everything that hangs on it. A body that is opened again gets another. */
export interface Session {
  readonly link: Link
  readonly firmware: string
  readonly parts: Parts
  readonly sounder: EchoSounder
  /** Halts, takes every part off the board, and closes the port. Idempotent, never rejects. */
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
  readonly say: (reading: Reading) => void
  readonly log: (line: string) => void
}

/**
 * Takes over an open port, waits for its board, and leaves it latched with every output at its safe level. Rejects as
 * `shakeHands` does, with the port closed. `linked` is given the link at once, so that it can be halted meanwhile.
 */
export async function startSession(
  port: Port,
  options: SessionOptions,
  linked: (link: Link) => void,
): Promise<Session> {
  const link = makeLink(port, options.table, options.clock)
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
  const { table, clock, outputs, log } = options
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
    sounder: makeEchoSounder(link, table, clock),
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
