import { readFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { EEPROMMemoryBackend } from 'avr8js'
import { type ResetCause, createChip, isDrivenHigh } from './chip.ts'
import type { Firmware } from './firmware.ts'
import { parseHex } from './hex.ts'
import { monotonicMs } from './monotonic.ts'
import { dutyOf, isOutput, watchDuties, watchPulses } from './outputs.ts'
import { startPacer } from './pacer.ts'
import { cyclesPerMs, pinAt, pinCount } from './pins.ts'
import { type SerialLine, openSerialLine } from './pty.ts'

/** A pin began to put out something else. */
export interface DutyChange {
  readonly pin: number
  /** 0 to 1. A servo's pin goes to 1 and back with each pulse. */
  readonly duty: number
  /** Ten microseconds after the change, when it has settled. */
  readonly chipMs: number
  /** `monotonicMs()` when it was executed, comparable with that of any process of this machine. */
  readonly hostMs: number
}

/** An Arduino Uno whose chip, firmware and serial line are real enough that `serialport` does not know better. */
export interface Uno {
  /** What `serialport` opens, at any baud rate; it may be opened again after it was closed. A PTY has no DTR: see `reset`. */
  readonly path: string
  /** What `pin` effectively puts out, 0 to 1, whatever its registers remember. 0 for an input. */
  dutyOf(pin: number): number
  /** The level that `pin` is driven to at this moment; 0 for an input. */
  levelOf(pin: number): 0 | 1
  isOutput(pin: number): boolean
  /** Width in microseconds of the last servo pulse; undefined where there was none in the last 60 ms. */
  servoPulseUs(pin: number): number | undefined
  /** Puts `volts` on A0 to A5. */
  setAnalog(channel: number, volts: number): void
  /** What the circuit around the board puts on an input. */
  setInput(pin: number, level: 0 | 1): void
  /** Resets the chip as DTR does: outputs float at once; StandardFirmata then blinks for 2.1 s before it listens. */
  reset(): void
  /** Time of the chip since power-on, which goes on through resets and stands still while it hangs. */
  chipMs(): number
  /** Real time that the chip did not live through because this machine was too busy. */
  slipMs(): number
  onDuty(listener: (change: DutyChange) => void): () => void
  /** Stops the chip: it answers nothing, its outputs stay as they are. */
  hang(): void
  resume(): void
  /** Noise on the line: the host reads these bytes as if the board had sent them. */
  garble(bytes: readonly number[]): void
  /** The cable is pulled: the host sees its port close. The chip goes on, its outputs stay as they are. */
  unplug(): void
  /** Ends everything; the listeners hear no more. */
  close(): Promise<void>
}

/** With more than this waiting for the chip nothing is read from the line: then its writer feels how slow the chip is. */
const inboxBytesMax = 128
const bootSliceMs = 20
/** StandardFirmata is through with its version blink after 2.2 s. A firmware that says nothing counts as booted then. */
const bootChipMsMax = 4000
/** Both StandardFirmata's banner and a single report end with it. */
const endOfSysex = 0xf7

/**
 * Starts a board with `firmware` (of which only the path is read) and lets it boot faster than real time, up to the end
 * of Firmata's banner, which nobody hears. From then on chip time is real time.
 */
export async function startUno({
  firmware,
  eeprom = new EEPROMMemoryBackend(1024),
}: {
  firmware: Pick<Firmware, 'path'>
  /** What the chip keeps without power; to be handed to the next board that is to be the same one. */
  eeprom?: EEPROMMemoryBackend
}): Promise<Uno> {
  const flash = parseHex(await readFile(firmware.path, 'utf8'))
  const listeners = new Set<(change: DutyChange) => void>()
  const inputs = new Map<number, boolean>()
  const volts = new Map<number, number>()
  const inbox: number[] = []
  let line: SerialLine | undefined
  let hasSentBanner = false

  const usartListeners = {
    sent(byte: number) {
      line?.write(Uint8Array.of(byte))
      hasSentBanner ||= byte === endOfSysex
    },
    received: feed,
  }
  let chip = createChip({ flash, eeprom, listeners: usartListeners }, 'power')
  let pulseOf = watch([])

  const isBooted = () => hasSentBanner || chipMs() > bootChipMsMax
  while (!isBooted()) {
    run(bootSliceMs)
    // oxlint-disable-next-line no-await-in-loop -- so that the process stays alive to others while the board boots
    await setImmediate()
  }

  const opened = openSerialLine((bytes) => {
    inbox.push(...bytes)
    if (inbox.length > inboxBytesMax) opened.pause()
    feed()
    pacer.nudge()
  })
  line = opened
  const pacer = startPacer(run)

  function chipMs() {
    return chip.cpu.cycles / cyclesPerMs
  }

  function run(ms: number) {
    const end = chip.cpu.cycles + Math.round(ms * cyclesPerMs)
    while (chip.run(end) === 'reset') restart('watchdog')
  }

  function feed() {
    if (chip.usart.receiving) return
    const byte = inbox.shift()
    if (byte === undefined) return
    chip.usart.receive(byte)
    if (inbox.length === 0) line?.resume()
  }

  function restart(cause: ResetCause) {
    const duties = Array.from({ length: pinCount }, (_, pin) => dutyOf(chip, pin))
    chip = createChip({ flash, eeprom, listeners: usartListeners }, cause, chip)
    for (const [pin, level] of inputs) putOn(pin, level)
    for (const [channel, value] of volts) chip.adc.channelValues[channel] = value
    pulseOf = watch(duties)
    feed()
  }

  function watch(duties: readonly number[]) {
    watchDuties(chip, duties, (pin, duty) => {
      const change = { pin, duty, chipMs: chipMs(), hostMs: monotonicMs() }
      for (const listener of listeners) listener(change)
    })
    return watchPulses(chip)
  }

  function putOn(number: number, level: boolean) {
    const pin = pinAt(number)
    chip.ports[pin.port].setPin(pin.bit, level)
  }

  function unplug() {
    inbox.length = 0
    opened.unplug()
  }

  return {
    path: opened.path,
    dutyOf: (pin) => dutyOf(chip, pin),
    levelOf(number) {
      const pin = pinAt(number)
      return isDrivenHigh(chip.ports[pin.port], pin.bit) ? 1 : 0
    },
    isOutput: (pin) => isOutput(chip, pin),
    servoPulseUs: (pin) => pulseOf(pin),
    setAnalog(channel, value) {
      if (!(channel >= 0 && channel <= 5)) throw new RangeError(`an Uno has no A${channel}`)
      volts.set(channel, value)
      chip.adc.channelValues[channel] = value
    },
    setInput(pin, level) {
      inputs.set(pin, level === 1)
      putOn(pin, level === 1)
    },
    reset: () => restart('external'),
    chipMs,
    slipMs: () => pacer.slipMs(),
    onDuty(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    hang: () => pacer.stop(),
    resume: () => pacer.resume(),
    garble: (bytes) => opened.write(Uint8Array.from(bytes)),
    unplug,
    close() {
      pacer.stop()
      unplug()
      listeners.clear()
      return Promise.resolve()
    },
  }
}
