import { closeSync, constants, openSync, writeSync } from 'node:fs'
import type { Evidence } from '../body.ts'
import type { Clock } from '../clock.ts'
import { deadmanFrames } from './deadman.ts'
import { haltFrame } from './frames.ts'
import type { PinTable } from './pin-table.ts'
import { openPort } from './port.ts'
import { makeWarden } from './warden.ts'

/** A halt by somebody who did not hold the port before. Neither promise rejects. */
export interface Rescue {
  /** How well it is known to have worked: `none` when the port does not open. */
  readonly evidence: Promise<Evidence>
  /** Resolves when the port has been let go of. */
  readonly over: Promise<void>
}

const findingMsMax = 150

/** Halts a board whose guardian is dead, on a fresh handle of its port. */
export function rescue(board: {
  readonly path: string
  readonly table: PinTable
  readonly name: string
  readonly hasDeadman: boolean
  readonly clock: Clock
}): Rescue {
  const { path, table, name, clock, hasDeadman } = board
  let find: (evidence: Evidence) => void = ignore
  const evidence = new Promise<Evidence>((resolve) => {
    find = resolve
  })
  const run = async (): Promise<void> => {
    const bare = writeBare(path, [...(hasDeadman ? deadmanFrames.halt() : []), ...haltFrame(table)])
    const port = await openPort(path, clock).finally(() => {
      if (bare !== undefined) closeSync(bare)
    })
    const warden = makeWarden(
      {
        table,
        name,
        clock,
        port,
        hear: () => undefined,
        say(event) {
          if (event.kind === 'evidence' && event.evidence !== 'written') find(event.evidence)
        },
      },
      { isFirmata: true, hasDeadman },
    )
    warden.halt(1)
    const timer = clock.setTimeout(() => find(warden.evidence), findingMsMax)
    await evidence
    clock.clearTimeout(timer)
    await warden.close()
  }
  // Of a port that does not open nothing is known, whatever was written to it.
  const over = run().catch(() => find('none'))
  return { evidence, over }
}

/**
 * Writes past the lock, which others may have taken meanwhile and which only asks: no other program has a better use for
 * a board that drives. The descriptor is to be closed once the port is open, so that the line does not drop in between;
 * undefined where it cannot be had, which the opening of the port then says in words.
 */
function writeBare(path: string, bytes: readonly number[]): number | undefined {
  try {
    const fd = openSync(path, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK)
    writeSync(fd, Uint8Array.from(bytes))
    return fd
  } catch {
    return undefined
  }
}

function ignore(): void {}
