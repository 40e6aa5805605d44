// Imported, not taken from the global object: a test with fake timers must not stop the board.
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from 'node:timers'
import { monotonicMs } from './monotonic.ts'

/** Lets chip time pass as fast as real time does. */
export interface Pacer {
  /** Runs up to the present at once, if it runs at all: for when something has just arrived. */
  nudge(): void
  stop(): void
  resume(): void
  /** How much real time the chip has lost because this machine was too busy. */
  slipMs(): number
}

/** After each slice the event loop gets its turn. */
const sliceMs = 4
/** What is lost beyond this is not caught up with: a chip in a hurry would look to the host like a board gone mad. */
const catchUpMaxMs = 50
const idleMs = 1

/** Calls `run` with the milliseconds of chip time that are due, slice by slice, until it is stopped. */
export function startPacer(run: (chipMs: number) => void): Pacer {
  let reached = monotonicMs()
  let slip = 0
  let cancel: (() => void) | undefined

  function behindMs() {
    const behind = monotonicMs() - reached
    if (behind <= catchUpMaxMs) return behind
    slip += behind - catchUpMaxMs
    reached += behind - catchUpMaxMs
    return catchUpMaxMs
  }

  function turn() {
    const due = Math.min(behindMs(), sliceMs)
    reached += due
    run(due)
    if (monotonicMs() - reached > idleMs) {
      const immediate = setImmediate(turn)
      cancel = () => clearImmediate(immediate)
    } else {
      const timeout = setTimeout(turn, idleMs)
      cancel = () => clearTimeout(timeout)
    }
  }

  function stop() {
    cancel?.()
    cancel = undefined
  }

  turn()
  return {
    nudge() {
      if (cancel === undefined) return
      stop()
      turn()
    },
    stop,
    resume() {
      if (cancel !== undefined) return
      reached = monotonicMs()
      turn()
    },
    slipMs: () => slip,
  }
}
