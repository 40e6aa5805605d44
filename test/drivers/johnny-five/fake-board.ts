import type { Clock } from '../../../drivers/clock.ts'
import { frames, splitFrames } from '../../../drivers/guardian/frames.ts'
import type { Line } from '../../../drivers/guardian/line.ts'
import { localLine } from '../../../drivers/guardian/local-line.ts'
import type { PinTable } from '../../../drivers/guardian/pin-table.ts'
import type { Port } from '../../../drivers/guardian/port.ts'

/**
 * A fake: no firmware, only the answers of an Uno with StandardFirmata 2.5, in memory. It is here for faults that no
 * real board can be asked to have; what a board does with its pins is tested on the emulated one.
 */
export interface FakeBoard {
  /** Stands in for `openPort`. Each call is a new port, and the board reports itself on it at once. */
  open(): Promise<Port>
  /** A line over such a port, with its warden in this process. */
  line(table: PinTable, clock: Clock): Promise<Line>
  /** Sends these bytes to the host, now. */
  say(...bytes: readonly number[]): void
  /** Every frame that the host sent on the newest port, in order. */
  readonly heard: readonly Uint8Array[]
  /** Forgets what it heard. */
  forget(): void
  /** What it would report of a pin, by number: mode and state. */
  readonly pins: Map<number, { mode: number; state: number }>
  /** It hears and answers nothing from now on. */
  hang(): void
  /** The port closes under the host. */
  vanish(): void
  readonly portsOpen: number
}

/** What a fake board does wrong from the start. */
export interface FakeBoardFaults {
  /** It never answers anything. */
  readonly isSilent?: boolean
  /** It has so many pins; 20 unless given. */
  readonly pinCount?: number
  /** The pin that it has no use for. */
  readonly deadPin?: number
}

const firmwareName = 'StandardFirmata.ino'

export function fakeBoard(faults: FakeBoardFaults = {}): FakeBoard {
  const { isSilent = false, pinCount = 20, deadPin } = faults
  const pins = new Map<number, { mode: number; state: number }>()
  let heard: Uint8Array[] = []
  let splitter = splitFrames('outbound')
  let isHung = isSilent
  let portsOpen = 0
  let line: { data: (bytes: Uint8Array) => void; lose: (cause: string) => void } | undefined

  const say = (...bytes: readonly number[]) => line?.data(Uint8Array.from(bytes))
  const banner = [0xf9, 2, 5, 0xf0, 0x79, 2, 5, ...text(firmwareName), 0xf7]
  const stateOf = (pin: number) => pins.get(pin) ?? { mode: pin < 14 ? 1 : 2, state: 0 }
  const remember = (pin: number, change: { mode?: number; state?: number }) =>
    pins.set(pin, { ...stateOf(pin), ...change })

  const answer = (frame: Uint8Array) => {
    const [status = 0, first = 0, second = 0] = frame
    if (status === 0xf9) say(0xf9, 2, 5)
    if (status === 0xf4) remember(first, { mode: second, state: 0 })
    if ((status & 0xf0) === 0xe0) remember(status & 15, { state: first + second * 128 })
    if ((status & 0xf0) === 0x90) {
      for (let bit = 0; bit < 8; bit++) {
        const pin = 8 * (status & 15) + bit
        if (stateOf(pin).mode === 1) {
          remember(pin, { state: ((first + second * 128) >> bit) & 1 })
        }
      }
    }
    if ((status & 0xf0) === 0xd0 && first === 1) say(0x90 | (status & 15), 0x7f, 1)
    if (status === 0xf0) answerSysex(first, second)
  }
  const answerSysex = (command: number, pin: number) => {
    if (command === 0x79) say(0xf0, 0x79, 2, 5, ...text(firmwareName), 0xf7)
    if (command === 0x6b) say(0xf0, 0x6c, ...capabilities(pinCount, deadPin), 0xf7)
    if (command === 0x69) say(0xf0, 0x6a, ...mapping(pinCount), 0xf7)
    if (command !== 0x6d) return
    const { mode, state } = stateOf(pin)
    if (pin < pinCount) say(0xf0, 0x6e, pin, mode, state & 0x7f, state >> 7, 0xf7)
    else say(0xf0, 0x6e, pin, 0xf7)
  }

  const open = (): Promise<Port> => {
    const dataListeners: ((bytes: Uint8Array) => void)[] = []
    const lostListeners: ((cause: string) => void)[] = []
    let isOpen = true
    portsOpen++
    heard = []
    splitter = splitFrames('outbound')
    const shut = () => {
      if (isOpen) portsOpen--
      isOpen = false
    }
    line = {
      data(bytes) {
        if (isOpen) for (const listener of dataListeners) listener(bytes)
      },
      lose(cause) {
        shut()
        for (const listener of lostListeners) listener(cause)
      },
    }
    if (!isSilent) setImmediate(() => say(...banner))
    return Promise.resolve({
      write(bytes, done) {
        if (!isOpen) {
          done?.(false)
          return
        }
        for (const frame of splitter.push(bytes)) {
          heard.push(frame)
          if (!isHung) setImmediate(() => answer(frame))
        }
        done?.(true)
      },
      isOpen: () => isOpen,
      reset: () => Promise.resolve(false),
      backlog: () => 0,
      onData: (listener) => void dataListeners.push(listener),
      onLost: (listener) => void lostListeners.push(listener),
      close() {
        shut()
        return Promise.resolve()
      },
    })
  }

  return {
    open,
    line: async (table, clock) => localLine(await open(), { table, name: 'rover', clock }),
    say,
    get heard() {
      return heard
    },
    forget() {
      heard = []
    },
    pins,
    hang() {
      isHung = true
    },
    vanish() {
      line?.lose('the fake cable was pulled')
    },
    get portsOpen() {
      return portsOpen
    },
  }
}

/** The frame that a pin state query is, for looking it up among what a board heard. */
export function isQuery(frame: Uint8Array): boolean {
  const queries = [
    frames.version(),
    frames.firmware(),
    frames.capabilities(),
    frames.analogMapping(),
  ]
  return (
    (frame[0] === 0xf0 && frame[1] === 0x6d) ||
    queries.some((query) => Buffer.from(query).equals(Buffer.from(frame)))
  )
}

function text(value: string): number[] {
  return [...Buffer.from(value)].flatMap((byte) => [byte & 0x7f, byte >> 7])
}

function capabilities(pinCount: number, deadPin: number | undefined): number[] {
  return Array.from({ length: pinCount }, (_, pin) => {
    if (pin < 2 || pin === deadPin) return [0x7f]
    const digital = [0, 1, 11, 1, 1, 1, 4, 14]
    if (pin >= 14) return [...digital, 2, 10, 0x7f]
    return [3, 5, 6, 9, 10, 11].includes(pin) ? [...digital, 3, 8, 0x7f] : [...digital, 0x7f]
  }).flat()
}

function mapping(pinCount: number): number[] {
  return Array.from({ length: pinCount }, (_, pin) => (pin >= 14 ? pin - 14 : 0x7f))
}
