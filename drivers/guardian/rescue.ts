import type { Evidence } from '../body.ts'
import type { Clock } from '../clock.ts'
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
    const port = await openPort(path, clock)
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
  // A port that does not open any more has no motors behind it that could be reached.
  const over = run().catch(() => find('none'))
  return { evidence, over }
}

function ignore(): void {}
