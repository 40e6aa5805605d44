import type { Evidence } from '../body.ts'

/** What is heard of the far end of a line, beside the board's own bytes. */
export type LineEvent =
  /** It latched by itself; the robot must halt. `trips` counts these. */
  | { readonly kind: 'tripped'; readonly cause: string; readonly trips: number }
  /** The connection is over. Nothing follows. */
  | { readonly kind: 'lost'; readonly cause: string }
  /** How well halt number `halt` is known to have worked so far; better news may follow. */
  | { readonly kind: 'evidence'; readonly halt: number; readonly evidence: Evidence }
  /** The board keeps our safe table, and stops by itself after 500 ms of silence. */
  | { readonly kind: 'deadman'; readonly name: string; readonly boots: number }

/**
 * What a robot holds of a board: bytes both ways, and a latch at the far end that is shut from the start. It is made
 * once for each connection and never opened again.
 */
export interface Line {
  /** Sends whole Firmata frames. What the latch does not let pass is dropped there. Never throws. */
  write(bytes: Uint8Array): void
  /** Opens the latch, by safe levels and then output modes. Throws ERR_BOARD_LOST when the line is over. */
  arm(): void
  /**
   * Latches, and puts every output at its safe level, ahead of everything that waits. The request has left this
   * process when it returns. False when there is nobody to hear it. Never throws.
   */
  halt(): boolean
  /** Proof of life, sent on at most every 100 ms. Without any for 300 ms an open latch shuts. */
  beat(): void
  /** The evidence for the last halt, within 190 ms. Never rejects. */
  confirm(): Promise<Evidence>
  isOpen(): boolean
  onData(listener: (bytes: Uint8Array) => void): void
  onEvent(listener: (event: LineEvent) => void): void
  /** Halts, waits until that has left or half a second is over, and lets go of the port. Idempotent, never rejects. */
  close(): Promise<void>
}

/** How often each end says that it lives, in ms. */
export const beatMs = 100
/** How long an end may be silent before the other acts, in ms. */
export const silenceMsMax = 300
/** How long a robot waits for the evidence of a halt, in ms. */
export const confirmMsMax = 190
