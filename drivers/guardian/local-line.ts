import { MechosError } from '../../core/vocabulary/errors.ts'
import type { Clock } from '../clock.ts'
import { makeAnswers } from './answers.ts'
import type { Line, LineEvent } from './line.ts'
import type { PinTable } from './pin-table.ts'
import type { Port } from './port.ts'
import { makeWarden } from './warden.ts'

/**
 * A line whose warden lives in this process: for ports that are no files, such as a board in memory. Whatever blocks or
 * ends this process takes the warden along, so that nothing which drives a real motor should hang on it.
 */
export function localLine(
  port: Port,
  {
    table,
    name,
    clock,
  }: { readonly table: PinTable; readonly name: string; readonly clock: Clock },
): Line {
  const dataListeners = new Set<(bytes: Uint8Array) => void>()
  const eventListeners = new Set<(event: LineEvent) => void>()
  const answers = makeAnswers(clock)
  let halts = 0
  let trips = 0
  const warden = makeWarden({
    table,
    name,
    clock,
    port,
    hear(bytes) {
      for (const listener of dataListeners) listener(bytes)
    },
    say(event) {
      if (event.kind === 'tripped') ({ trips } = event)
      if (event.kind === 'evidence') answers.hear(event)
      for (const listener of eventListeners) listener(event)
    },
  })

  return {
    write: (bytes) => warden.forward(bytes),
    arm() {
      if (!port.isOpen()) {
        throw new MechosError('ERR_BOARD_LOST', 'the port is gone, nothing can be armed')
      }
      warden.arm(halts, trips)
    },
    halt() {
      warden.halt(++halts)
      return port.isOpen()
    },
    beat: () => warden.beat(),
    confirm: () => answers.evidenceOf(halts),
    isOpen: () => port.isOpen(),
    onData: (listener) => void dataListeners.add(listener),
    onEvent: (listener) => void eventListeners.add(listener),
    async close() {
      await warden.close()
      dataListeners.clear()
      eventListeners.clear()
    },
  }
}
