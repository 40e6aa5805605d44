/**
 * The words between the guardian and MechosFirmata, the firmware with a deadman (firmware/mechos-firmata). This file is
 * their one specification; the sketch says the same in C++. Pure: bytes in, bytes out.
 *
 * All of it is sysex under the user command 0x0F. A number is sent in groups of seven bits, the lowest first: `n×4` is
 * four groups. No frame to the board is longer than 64 bytes.
 *
 * To the board, `F0 0F <word> … F7`:
 * | word | | data | may it be refused? |
 * |---|---|---|---|
 * | 00 | beat | none | never; it feeds the watchdog while the board runs and does nothing while it is latched |
 * | 01 | halt | none | never; applies the safe table, latches, and makes every older nonce void |
 * | 02 | unlatch | nonce ×4 | unless latched, with a safe table, and the nonce is the last one that the board sent |
 * | 03 | status | none | never |
 * | 04 | safe table | length of name ×1, name, number of pins ×1, rules of three pins a byte, CRC ×3 | unless latched and valid |
 * | 05 | registers | token ×1, then pins ×1 each; no pins mean all | never |
 * | 06 | encoder | slot 0 to 1, pin A, pin B (7F: there is none); pin A 7F forgets it | unless latched and the pins are free inputs |
 * | 07 | range | slot 0 to 3, trigger, echo; trigger 7F forgets it | unless latched, the trigger is safe low and the echo a free input |
 *
 * From the board, `F0 0F <word> … F7`:
 * | word | | data |
 * |---|---|---|
 * | 40 | status | the word that it answers (7F: none), result, flags (1 latched, 2 has a safe table), why, nonce ×4, boots ×3, CRC ×3, name |
 * | 41 | registers | token, flags of the status, then for each pin, at most 14 in a frame: pin, flags, value ×2 |
 * | 42 | encoders | milliseconds ×4, count of each encoder ×5 in two's complement of 32 bits |
 * | 43 | range | slot, milliseconds ×4, echo in microseconds ×3, 0 for none heard |
 *
 * Every word to the board but 05 is answered by one status with its result: 0 done, 1 wrong state (latched or not),
 * 2 malformed or out of bounds, 3 not the nonce, 4 no safe table. A beat that finds the line full is taken and not
 * answered. A word that is none of these is passed over. FF, a system reset, is a halt and is answered as one. The board
 * says a status by itself when it has booted and when its watchdog has let the latch fall.
 *
 * Words are served in their order, so what a status or a register says is of after every word before its question. Only
 * a halt also acts as soon as it is read, and spoils the nonce for whatever was sent before it and still waits.
 *
 * A nonce is good for one try. It is new at boot, after each try, at each halt, and when the latch falls; 0 while the
 * board runs. The cause of the latch is the first one since the board last ran. A slot whose encoder or range was
 * refused is free. Pins that the board has not are left out of a registers report. A new safe table forgets all slots.
 *
 * The flags of a pin: 1 output (DDR), 2 driven or pulled high (PORT), 4 reads high (PIN), 8 on a timer (COM), 16 servo
 * pulses. Its value is the width of the pulses in microseconds with flag 16, the compare value with flag 8, else 0.
 *
 * The safe table has two bits for each pin, that of pin `3i` the lowest of byte `i`: 0 input, 1 low, 2 high, 3 pulse (a
 * servo that keeps the pulses that it has, and is low where it has none). Its CRC is CRC-16/IBM-3740 (polynomial
 * 0x1021, start 0xFFFF) over: length of name, name, number of pins, rule bytes. It is 0 where the board has no table.
 */
import { dutyMax } from './duty.ts'
import { sevenBits, sysex, whole } from './frames.ts'
import type { PinRule, PinTable } from './pin-table.ts'

/** The sysex command of all words. */
export const deadmanCommand = 0x0f
/** As the firmware report names it. */
export const deadmanFirmware = { name: 'MechosFirmata', major: 1, minor: 0 } as const
/** The board halts itself this long after the last beat. Its clock is accurate to a tenth. */
export const deadmanMs = 500
/** The longest name of a board, in printable ASCII. */
export const boardNameMax = 15
/** The pins of an ATmega328P that can be outputs: 2 to 19. */
export const deadmanPins = 20

/** What a pin is when the robot is halted. `pulse` is a servo that keeps the pulses that it has. */
export type SafeLevel = 'input' | 'low' | 'high' | 'pulse'
/** The safe level of each pin from 0 on, `deadmanPins` of them. */
export type SafeTable = readonly SafeLevel[]

/** What was asked, as a status names it; `none` where the board speaks by itself. */
export type DeadmanWord =
  | 'beat'
  | 'halt'
  | 'unlatch'
  | 'status'
  | 'writeTable'
  | 'encoder'
  | 'range'
  | 'none'
export type DeadmanResult = 'done' | 'wrongState' | 'malformed' | 'wrongNonce' | 'noTable'
/** Why the board is latched. `stuck`: it was reset because it had stopped listening. */
export type DeadmanCause = 'none' | 'boot' | 'halt' | 'watchdog' | 'stuck'

/** The registers of a pin, read when they were asked for. */
export interface PinRegisters {
  readonly pin: number
  /** DDR. */
  readonly isOutput: boolean
  /** PORT: the level that is driven, or for an input whether it is pulled up. */
  readonly isHigh: boolean
  /** PIN: the level that is there. */
  readonly readsHigh: boolean
  /** Compare value, 0 to 255, where a timer drives the pin (COM); undefined where none does. */
  readonly duty: number | undefined
  /** Width of the servo pulses in microseconds; undefined where there are none. */
  readonly pulseUs: number | undefined
}

/** What MechosFirmata says. */
export type DeadmanReport =
  | {
      readonly kind: 'deadman'
      readonly what: 'status'
      readonly answers: DeadmanWord
      readonly result: DeadmanResult
      readonly isLatched: boolean
      readonly why: DeadmanCause
      readonly hasTable: boolean
      /** What unlatches the board, once; 0 while it runs. */
      readonly nonce: number
      /** How often the board has booted, up to 65 534 and from 1 again. */
      readonly boots: number
      readonly name: string
      readonly tableCrc: number
    }
  | {
      readonly kind: 'deadman'
      readonly what: 'registers'
      /** As it was asked with. */
      readonly token: number
      readonly isLatched: boolean
      readonly pins: readonly PinRegisters[]
    }
  | {
      readonly kind: 'deadman'
      readonly what: 'encoders'
      /** Of the board's own clock, wrapping at 2^28. */
      readonly atMs: number
      /** Edges since the encoder was declared, wrapping at 32 bits; up only with a single channel. */
      readonly counts: readonly number[]
    }
  | {
      readonly kind: 'deadman'
      readonly what: 'range'
      readonly slot: number
      readonly atMs: number
      /** Time to the obstacle and back; undefined where no echo came. */
      readonly echoUs: number | undefined
    }

const word = {
  beat: 0x00,
  halt: 0x01,
  unlatch: 0x02,
  status: 0x03,
  writeTable: 0x04,
  registers: 0x05,
  encoder: 0x06,
  range: 0x07,
} as const
const absent = 0x7f
const nonceMax = 0x0fff_ffff
const registersPinsMax = 59
const codes = { input: 0, low: 1, high: 2, pulse: 3 } as const

/**
 * The frames that we send. Each throws TypeError for a number that is not whole or does not fit, NaN included. A halt
 * needs nothing before it: its first byte ends whatever message was half sent.
 */
export const deadmanFrames = {
  beat: () => sysex(deadmanCommand, word.beat),
  halt: () => sysex(deadmanCommand, word.halt),
  unlatch: (nonce: number) =>
    sysex(deadmanCommand, word.unlatch, ...sevenBits(whole(nonce, nonceMax), 4)),
  status: () => sysex(deadmanCommand, word.status),
  /** Throws TypeError where the name or the table does not fit the board. */
  writeTable: (table: SafeTable, name: string) =>
    sysex(
      deadmanCommand,
      word.writeTable,
      ...safeTableBytes(table, name),
      ...sevenBits(safeTableCrc(table, name), 3),
    ),
  /** `token` comes back with the answer. No pins mean all of them. */
  registers: (pins: readonly number[] = [], token = 0) =>
    sysex(
      deadmanCommand,
      word.registers,
      whole(token, 127),
      ...(whole(pins.length, registersPinsMax) === 0 ? [] : pins.map((pin) => whole(pin, 127))),
    ),
  /** Counts the edges of one channel, or of two. Without pins the slot is free again. */
  encoder: (slot: number, pins?: { readonly a: number; readonly b?: number | undefined }) =>
    sysex(
      deadmanCommand,
      word.encoder,
      whole(slot, 1),
      whole(pins?.a ?? absent, 127),
      whole(pins?.b ?? absent, 127),
    ),
  /** Without pins the slot is free again. */
  range: (slot: number, pins?: { readonly trigger: number; readonly echo: number }) =>
    sysex(
      deadmanCommand,
      word.range,
      whole(slot, 3),
      whole(pins?.trigger ?? absent, 127),
      whole(pins?.echo ?? absent, 127),
    ),
} as const

/**
 * The safe levels of a body: coasting and braking wheels, relays and servos as declared, everything else an input.
 * Throws TypeError where a pin is not one of an ATmega328P that can be an output, or its safe output is no level.
 */
export function safeTableOf(table: PinTable): SafeTable {
  const levels = Array.from({ length: deadmanPins }, (): SafeLevel => 'input')
  for (const rule of table.pins) {
    const level = safeLevelOf(rule)
    if (level === 'input') continue
    if (!(rule.pin >= 2 && rule.pin < deadmanPins))
      throw new TypeError(`pin ${rule.pin} is not an output of a board with a deadman`)
    levels[rule.pin] = level
  }
  return levels
}

function safeLevelOf(rule: PinRule): SafeLevel {
  switch (rule.kind) {
    case 'pwm':
      if (rule.safe !== 0 && rule.safe !== dutyMax)
        throw new TypeError(
          `a duty of ${rule.safe} on pin ${rule.pin} needs a timer: it cannot be safe`,
        )
      return rule.safe === 0 ? 'low' : 'high'
    case 'level':
      return rule.safe === 0 ? 'low' : 'high'
    case 'servo':
      return rule.halt === 'hold' ? 'pulse' : 'low'
    case 'trigger':
      return 'low'
    case 'digital':
    case 'analog':
    case 'counter':
    case 'echo':
      return 'input'
  }
}

/** The bytes of a table as they are sent and stored, each below 0x80. Throws TypeError where it does not fit the board. */
export function safeTableBytes(table: SafeTable, name: string): readonly number[] {
  if (!new RegExp(`^[\\x20-\\x7e]{0,${boardNameMax}}$`).test(name))
    throw new TypeError(
      `${JSON.stringify(name)} is not a name of at most ${boardNameMax} ASCII characters`,
    )
  if (table.length !== deadmanPins)
    throw new TypeError(`a safe table has ${deadmanPins} pins, not ${table.length}`)
  const rules: number[] = []
  for (let pin = 0; pin < table.length; pin += 3) {
    const three = table.slice(pin, pin + 3)
    rules.push(three.reduceRight((byte, level) => byte * 4 + codes[level], 0))
  }
  return [name.length, ...Buffer.from(name, 'ascii'), table.length, ...rules]
}

/** What the board reports of the same table under the same name. */
export function safeTableCrc(table: SafeTable, name: string): number {
  return crc16(safeTableBytes(table, name))
}

/** CRC-16/IBM-3740: polynomial 0x1021, start 0xFFFF, nothing reflected. `crc16` of '123456789' is 0x29B1. */
export function crc16(bytes: Iterable<number>): number {
  let crc = 0xffff
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)
    crc &= 0xffff
  }
  return crc
}

/** What the pin puts out, 0 to 255: 0 as an input, the duty of its timer if it has one, else its level. */
export function outputOf(registers: PinRegisters): number {
  if (!registers.isOutput) return 0
  return registers.duty ?? (registers.isHigh ? dutyMax : 0)
}

/**
 * Whether a pin is at its declared safe output. A pin that is safe low is also safe as an input that is not pulled up;
 * a servo that holds is safe with pulses and, having none, low.
 */
export function isSafe(rule: PinRule, registers: PinRegisters): boolean {
  if (rule.pin !== registers.pin) return false
  const hasPulses = registers.pulseUs !== undefined
  const isLow = outputOf(registers) === 0 && (registers.isOutput || !registers.isHigh)
  switch (safeLevelOf(rule)) {
    case 'low':
      return isLow && !hasPulses
    case 'high':
      return outputOf(registers) === dutyMax && !hasPulses
    case 'pulse':
      return hasPulses ? registers.duty === undefined : isLow
    case 'input':
      return !registers.isOutput && !hasPulses
  }
}

/** Reads the data of a sysex message of `deadmanCommand`. Undefined where it is malformed. Never throws. */
export function readDeadman(data: Uint8Array): DeadmanReport | undefined {
  const [first = absent, ...rest] = data
  if (rest.some((byte) => byte > 0x7f)) return undefined
  switch (first) {
    case 0x40:
      return readStatus(rest)
    case 0x41:
      return readRegisters(rest)
    case 0x42:
      return readEncoders(rest)
    case 0x43:
      return readRange(rest)
    default:
      return undefined
  }
}

const words: ReadonlyMap<number, DeadmanWord> = new Map([
  [word.beat, 'beat'],
  [word.halt, 'halt'],
  [word.unlatch, 'unlatch'],
  [word.status, 'status'],
  [word.writeTable, 'writeTable'],
  [word.encoder, 'encoder'],
  [word.range, 'range'],
  [absent, 'none'],
])
const results = ['done', 'wrongState', 'malformed', 'wrongNonce', 'noTable'] as const
const causes = ['none', 'boot', 'halt', 'watchdog', 'stuck'] as const
const latchedFlag = 1
const tableFlag = 2
const statusBytes = 14

function readStatus(data: readonly number[]): DeadmanReport | undefined {
  const [answered = -1, resultCode = -1, flags = -1, cause = -1] = data
  const answers = words.get(answered)
  const result = results[resultCode]
  const why = causes[cause]
  const name = data.slice(statusBytes)
  const isWhole = data.length >= statusBytes && name.length <= boardNameMax
  if (!isWhole || answers === undefined || result === undefined || why === undefined)
    return undefined
  const isLatched = (flags & latchedFlag) !== 0
  if (isLatched !== (why !== 'none')) return undefined
  return {
    kind: 'deadman',
    what: 'status',
    answers,
    result,
    isLatched,
    why,
    hasTable: (flags & tableFlag) !== 0,
    nonce: numberOf(data.slice(4, 8)),
    boots: numberOf(data.slice(8, 11)),
    name: String.fromCharCode(...name),
    tableCrc: numberOf(data.slice(11, 14)),
  }
}

function readRegisters(data: readonly number[]): DeadmanReport | undefined {
  const [token, flags, ...rest] = data
  if (token === undefined || flags === undefined || rest.length % 4 !== 0) return undefined
  const pins: PinRegisters[] = []
  for (let at = 0; at < rest.length; at += 4) {
    const [pin = 0, bits = 0, ...value] = rest.slice(at, at + 4)
    const isPulsed = (bits & 16) !== 0
    pins.push({
      pin,
      isOutput: (bits & 1) !== 0,
      isHigh: (bits & 2) !== 0,
      readsHigh: (bits & 4) !== 0,
      duty: (bits & 8) !== 0 && !isPulsed ? numberOf(value) : undefined,
      pulseUs: isPulsed ? numberOf(value) : undefined,
    })
  }
  return {
    kind: 'deadman',
    what: 'registers',
    token,
    isLatched: (flags & latchedFlag) !== 0,
    pins,
  }
}

function readEncoders(data: readonly number[]): DeadmanReport | undefined {
  if (data.length < 9 || (data.length - 4) % 5 !== 0) return undefined
  const counts: number[] = []
  for (let at = 4; at < data.length; at += 5) counts.push(numberOf(data.slice(at, at + 5)) | 0)
  return { kind: 'deadman', what: 'encoders', atMs: numberOf(data.slice(0, 4)), counts }
}

function readRange(data: readonly number[]): DeadmanReport | undefined {
  const [slot, ...rest] = data
  if (slot === undefined || rest.length !== 7) return undefined
  const echoUs = numberOf(rest.slice(4))
  return {
    kind: 'deadman',
    what: 'range',
    slot,
    atMs: numberOf(rest.slice(0, 4)),
    echoUs: echoUs === 0 ? undefined : echoUs,
  }
}

function numberOf(groups: readonly number[]): number {
  return groups.reduceRight((sum, bits) => sum * 128 + bits, 0)
}
