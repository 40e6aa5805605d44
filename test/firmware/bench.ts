import { readFileSync } from 'node:fs'
import { EEPROMMemoryBackend } from 'avr8js'
import { describe, test } from 'vitest'
import {
  type DeadmanReport,
  type PinRegisters,
  type SafeLevel,
  type SafeTable,
  deadmanCommand,
  deadmanFrames,
  deadmanPins,
} from '../../drivers/guardian/deadman.ts'
import { splitFrames } from '../../drivers/guardian/frames.ts'
import { type Report, readReport } from '../../drivers/guardian/reports.ts'
import { type ResetCause, createChip, isDrivenHigh } from '../support/uno/chip.ts'
import { type Firmware, mechosHex } from '../support/uno/firmware.ts'
import { parseHex } from '../support/uno/hex.ts'
import { dutyOf, watchPulses } from '../support/uno/outputs.ts'
import { type PortName, cyclesPerMs, pinAt, pinCount, portRegisters } from '../support/uno/pins.ts'

/** What a pin does to the circuit around it. */
export type PinState = 'floats' | 'pulled' | 'low' | 'high'

/** A pin went over to another state. */
export interface Edge {
  readonly pin: number
  readonly state: PinState
  readonly chipMs: number
}

export type Status = Extract<DeadmanReport, { what: 'status' }>

/** A chip with a firmware, on a bench: time passes only when it is told to, and every edge of every pin is kept. */
export interface Bench {
  /** Puts bytes on the line, which takes them at its speed; they are all sent when `run` has run long enough. */
  send(...frames: readonly (Uint8Array | readonly number[])[]): void
  run(ms: number): void
  /** Sends, and runs until the board has answered the last of it with a status. Throws after a second without. */
  ask(...frames: readonly (Uint8Array | readonly number[])[]): Status
  registers(...pins: readonly number[]): readonly PinRegisters[]
  /** Unlatches the board with the nonce that it says. */
  unlatch(): Status
  /** Resets the chip and lets it boot. */
  reset(cause: ResetCause): Status
  /** Resets the chip and nothing more. */
  cut(cause: ResetCause): void
  /** What was heard since the last call. */
  heard(): readonly Report[]
  stateOf(pin: number): PinState
  dutyOf(pin: number): number
  pulseUs(pin: number): number | undefined
  /** The edges of these pins since `forget`. */
  edges(...pins: readonly number[]): readonly Edge[]
  forget(): void
  setInput(pin: number, level: 0 | 1): void
  readonly chipMs: number
  readonly resets: number
  /** All variables of the firmware; what lies above is stack. */
  memory(): Uint8Array
  /** From here to the next reset whoever uses I2C waits for ever, as with a slave that holds the clock. */
  jamI2C(): void
}

const twcr = 0xbc
const ramStart = 0x100
const variablesEnd = 0x700
const answerMsMax = 1000
const sliceMs = 0.25

/** Powers a board up and lets it boot. `eeprom` is that of the chip itself, 1024 bytes, written as the firmware writes it. */
export function startBench(
  { path }: Pick<Firmware, 'path'>,
  eeprom = new EEPROMMemoryBackend(1024),
): Bench {
  const flash = parseHex(readFileSync(path, 'utf8'))
  const splitter = splitFrames('inbound')
  const inbox: number[] = []
  const inputs = new Map<number, 0 | 1>()
  let reports: Report[] = []
  let edges: Edge[] = []
  let states: PinState[] = Array.from({ length: pinCount }, () => 'floats')
  let resets = 0

  const listeners = {
    sent(byte: number) {
      for (const frame of splitter.push([byte])) {
        const report = readReport(frame)
        if (report === undefined)
          throw new Error(`malformed: ${Buffer.from(frame).toString('hex')}`)
        reports.push(report)
      }
    },
    received: feed,
  }
  let chip = createChip({ flash, eeprom, listeners }, 'power')
  let pulseUs = attend()

  function attend() {
    for (const name of portNames) {
      const pins = pinsOf(name)
      chip.ports[name].addListener(() => compare(pins))
      compare(pins)
    }
    for (const [pin, level] of inputs) putOn(pin, level)
    return watchPulses(chip)
  }

  function compare(pins: readonly number[]) {
    for (const pin of pins) {
      const state = read(pin)
      if (state === states[pin]) continue
      states[pin] = state
      edges.push({ pin, state, chipMs: chip.cpu.cycles / cyclesPerMs })
    }
  }

  function read(number: number): PinState {
    const { port, bit } = pinAt(number)
    const { ddr, port: output } = portRegisters[port]
    const isSet = (address: number) => ((chip.cpu.data[address] ?? 0) & (1 << bit)) !== 0
    if (!isSet(ddr)) return isSet(output) ? 'pulled' : 'floats'
    return isDrivenHigh(chip.ports[port], bit) ? 'high' : 'low'
  }

  function putOn(number: number, level: 0 | 1) {
    const { port, bit } = pinAt(number)
    chip.ports[port].setPin(bit, level === 1)
  }

  function feed() {
    if (chip.usart.receiving) return
    const byte = inbox.shift()
    if (byte !== undefined) chip.usart.receive(byte)
  }

  function run(ms: number) {
    const end = chip.cpu.cycles + Math.round(ms * cyclesPerMs)
    while (chip.run(end) === 'reset') {
      resets++
      cut('watchdog')
    }
  }

  function cut(cause: ResetCause) {
    splitter.push([0xff])
    chip = createChip({ flash, eeprom, listeners }, cause, chip)
    pulseUs = attend()
    feed()
  }

  function heard(): readonly Report[] {
    const all = reports
    reports = []
    return all
  }

  function send(...frames: readonly (Uint8Array | readonly number[])[]) {
    for (const frame of frames) inbox.push(...frame)
    feed()
  }

  function until<R extends Report>(isIt: (report: Report) => report is R): R {
    const end = chip.cpu.cycles + answerMsMax * cyclesPerMs
    while (chip.cpu.cycles < end) {
      run(sliceMs)
      const answer = inbox.length === 0 ? reports.findLast(isIt) : undefined
      if (answer) return answer
    }
    throw new Error(`no answer within ${answerMsMax} ms`)
  }

  function ask(...frames: readonly (Uint8Array | readonly number[])[]): Status {
    const words = frames.map(wordOf).filter((word) => word !== undefined)
    const last = words.at(-1)
    if (last === undefined) throw new TypeError('nothing of this is answered')
    heard()
    send(...frames)
    const answers = () => reports.filter((report) => isStatus(report) && report.answers === last)
    const expected = words.filter((word) => word === last).length
    return until((report): report is Status => isStatus(report) && answers().length >= expected)
  }

  until(isStatus)
  return {
    send,
    run,
    ask,
    cut,
    heard,
    registers(...pins) {
      const wanted = pins.length === 0 ? deadmanPins : pins.length
      heard()
      send(deadmanFrames.registers(pins, 5))
      const found = () =>
        reports.filter((report) => isRegisters(report)).flatMap(({ pins: told }) => told)
      until((report): report is Report => isRegisters(report) && found().length >= wanted)
      return found()
    },
    unlatch() {
      return ask(deadmanFrames.unlatch(ask(deadmanFrames.status()).nonce))
    },
    reset(cause) {
      heard()
      cut(cause)
      return until(isStatus)
    },
    stateOf: read,
    dutyOf: (pin) => dutyOf(chip, pin),
    pulseUs: (pin) => pulseUs(pin),
    edges: (...pins) => edges.filter(({ pin }) => pins.includes(pin)),
    forget() {
      edges = []
    },
    setInput(pin, level) {
      inputs.set(pin, level)
      putOn(pin, level)
    },
    get chipMs() {
      return chip.cpu.cycles / cyclesPerMs
    },
    get resets() {
      return resets
    },
    memory: () => chip.cpu.data.slice(ramStart, variablesEnd),
    jamI2C() {
      chip.cpu.writeHooks[twcr] = (value) => {
        chip.cpu.data[twcr] = value & ~0x80
        return true
      }
    },
  }
}

const portNames = ['B', 'C', 'D'] as const

function pinsOf(port: PortName): readonly number[] {
  return Array.from({ length: pinCount }, (_, pin) => pin).filter((pin) => pinAt(pin).port === port)
}

/** A table of inputs but for these pins. */
export function tableWith(levels: Readonly<Record<number, SafeLevel>>): SafeTable {
  return Array.from({ length: deadmanPins }, (_, pin) => levels[pin] ?? 'input')
}

/** Runs `tests` with the firmware; where it cannot be built there is one skipped test that says why. */
export function describeMechos(
  name: string,
  tests: (firmware: Firmware) => void,
  variant?: 'interrupt',
): void {
  const built = mechosHex(variant)
  if (built.firmware) {
    const { firmware } = built
    describe(name, () => tests(firmware))
  } else test.skip(`${name}: MechosFirmata could not be built: ${built.reason}`, () => {})
}

export function isStatus(report: Report): report is Status {
  return report.kind === 'deadman' && report.what === 'status'
}

/** The word that a status answers; undefined for a frame that gets none. */
function wordOf(frame: Uint8Array | readonly number[]): string | undefined {
  if (frame[0] === 0xff) return 'halt'
  const isWhole = frame[0] === 0xf0 && frame[1] === deadmanCommand && frame.at(-1) === 0xf7
  return isWhole ? words[frame[2] ?? -1] : undefined
}

const words = ['beat', 'halt', 'unlatch', 'status', 'writeTable', undefined, 'encoder', 'range']

function isRegisters(report: Report): report is Extract<DeadmanReport, { what: 'registers' }> {
  return report.kind === 'deadman' && report.what === 'registers'
}
