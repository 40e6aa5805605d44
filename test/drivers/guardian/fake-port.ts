import { splitFrames } from '../../../drivers/guardian/frames.ts'
import type { Port } from '../../../drivers/guardian/port.ts'
import { hex } from './tables.ts'

/** A fake: a serial port in memory that keeps what is written to it, for faults that no real one can be asked to have. */
export interface FakePort extends Port {
  /** What was written, each write on its own, as hex. */
  readonly written: string[]
  /** Bytes arrive from the board, now. */
  say(...bytes: readonly number[]): void
  lose(cause: string): void
  /** The board behind it: gets each frame a turn of the event loop after it was written. */
  onFrame(listener: (frame: Uint8Array) => void): void
  /** What `backlog` answers. */
  backlogBytes: number
  /** False: whoever writes never hears that his bytes have left. */
  takes: boolean
  readonly resets: number
}

export function fakePort(): FakePort {
  const written: string[] = []
  const dataListeners: ((bytes: Uint8Array) => void)[] = []
  const lostListeners: ((cause: string) => void)[] = []
  const frameListeners: ((frame: Uint8Array) => void)[] = []
  const splitter = splitFrames('outbound')
  let isOpen = true
  let resets = 0

  return {
    written,
    backlogBytes: 0,
    takes: true,
    get resets() {
      return resets
    },
    write(bytes, done) {
      if (!isOpen) {
        done?.(false)
        return
      }
      written.push(hex(bytes))
      const frames = splitter.push(bytes)
      setImmediate(() => {
        for (const frame of frames) for (const listener of frameListeners) listener(frame)
      })
      if (this.takes) done?.(true)
    },
    isOpen: () => isOpen,
    reset() {
      resets++
      return Promise.resolve(true)
    },
    backlog() {
      return this.backlogBytes
    },
    onData: (listener) => void dataListeners.push(listener),
    onLost: (listener) => void lostListeners.push(listener),
    onFrame: (listener) => void frameListeners.push(listener),
    close() {
      isOpen = false
      return Promise.resolve()
    },
    say(...bytes) {
      for (const listener of dataListeners) listener(Uint8Array.from(bytes))
    },
    lose(cause) {
      isOpen = false
      for (const listener of lostListeners) listener(cause)
    },
  }
}

/** Lets the port answer pin state queries as a board does whose outputs are all at 0. Returns how to stop that. */
export function answerSafe(port: FakePort): { stop(): void } {
  let isAnswering = true
  port.onFrame(([status, command, pin = 0]) => {
    if (!isAnswering || status !== 0xf0 || command !== 0x6d) return
    if (pin < 20) port.say(0xf0, 0x6e, pin, 1, 0, 0xf7)
    else port.say(0xf0, 0x6e, pin, 0xf7)
  })
  return {
    stop() {
      isAnswering = false
    },
  }
}
