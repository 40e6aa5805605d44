import type { FirmataConfiguration } from '../../core/vocabulary/parts.ts'

/** How far one wheel has turned, from the edges that a board counts. It goes on when the board is opened again. */
export interface WheelCounter {
  /** Radians since the first count, positive forward. `count` wraps at 32 bits; `effort` is what the wheel was last told. */
  turned(count: number, effort: number): number
  /** The board begins to count anew. */
  restart(): void
}

/**
 * A counter for one wheel. An encoder of two channels tells the direction itself; one of a single channel counts up
 * whichever way the wheel turns, and is believed to turn the way it was last driven.
 */
export function makeWheelCounter(countsPerTurn: number, hasDirection: boolean): WheelCounter {
  let lastCount: number | undefined
  let direction = 1
  let edges = 0
  return {
    turned(count, effort) {
      if (effort !== 0) direction = Math.sign(effort)
      // The difference of two counts of 32 bits, whichever side of the wrap they are on.
      if (lastCount !== undefined)
        edges += ((count - lastCount) | 0) * (hasDirection ? 1 : direction)
      lastCount = count
      return (edges / countsPerTurn) * 2 * Math.PI
    },
    restart() {
      lastCount = undefined
    },
  }
}

/** The counters of a body's wheels; undefined where they have no encoders. */
export function makeWheelCounters({
  wheels,
}: FirmataConfiguration): Readonly<Record<'left' | 'right', WheelCounter>> | undefined {
  if (!wheels?.left.encoder || !wheels.right.encoder || wheels.countsPerTurn === undefined) {
    return undefined
  }
  const { countsPerTurn, left, right } = wheels
  return {
    left: makeWheelCounter(countsPerTurn, left.encoder?.b !== undefined),
    right: makeWheelCounter(countsPerTurn, right.encoder?.b !== undefined),
  }
}
