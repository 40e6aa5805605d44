/**
 * All that the guardian knows of Firmata 2.x: where a frame ends, what a frame that goes out would do, and which bytes
 * put a body at its safe outputs. Pure: bytes in, bytes out.
 * Source: https://github.com/firmata/protocol and StandardFirmata 2.5.
 */
import { dutyMax } from './duty.ts'
import type { PinRule, PinTable } from './pin-table.ts'

/** Pin modes as the wire names them. */
export const pinModes = { input: 0, output: 1, analog: 2, pwm: 3, servo: 4, pullUp: 11 } as const

/** The longest frame to the board: StandardFirmata 2.3 is overrun by longer ones and then deaf to a halt. */
export const outboundBytesMax = 64
/** The longest frame from the board: the capabilities of a Mega take about 800 bytes. */
export const inboundBytesMax = 1024
/** A servo's pulse in microseconds, as the Arduino servo library limits it. */
export const servoPulse = { min: 544, max: 2400 } as const

const analogMessage = 0xe0
const digitalMessage = 0x90
const reportAnalog = 0xc0
const reportDigital = 0xd0
const startSysex = 0xf0
const setPinMode = 0xf4
const setPinLevel = 0xf5
const endSysex = 0xf7
const reportVersion = 0xf9
const systemReset = 0xff

const analogMappingQuery = 0x69
const capabilityQuery = 0x6b
const pinStateQuery = 0x6d
const extendedAnalog = 0x6f
const servoConfig = 0x70
const firmwareQuery = 0x79
const samplingInterval = 0x7a

/** Cuts a stream of bytes into frames. */
export interface Splitter {
  /** The frames that these bytes complete, in order. A half frame is kept for the next call. */
  push(bytes: Iterable<number>): Uint8Array[]
  /** Bytes that belonged to no whole frame of allowed length, since the start. */
  readonly dropped: number
  /** Bytes of a frame that has not ended; never more than its bound. */
  readonly held: number
}

/**
 * A splitter for frames to the board (`outbound`) or from it (`inbound`). Every frame that it gives is well-formed:
 * a status byte that its direction knows, then data bytes below 0x80, of the right number or ended by 0xF7. A status
 * byte inside a frame ends that frame unfinished and starts another; a sysex frame above its bound is dropped. Never throws.
 */
export function splitFrames(direction: 'inbound' | 'outbound'): Splitter {
  const dataBytesOf = direction === 'inbound' ? inboundDataBytes : outboundDataBytes
  const bytesMax = direction === 'inbound' ? inboundBytesMax : outboundBytesMax
  let held: number[] = []
  let missing = 0
  let dropped = 0

  const drop = () => {
    dropped += held.length
    held = []
  }
  const finish = () => {
    const frame = Uint8Array.from(held)
    held = []
    return frame
  }
  const begin = (status: number): Uint8Array | undefined => {
    drop()
    const dataBytes = dataBytesOf(status)
    if (dataBytes === undefined) {
      dropped++
      return undefined
    }
    held.push(status)
    missing = dataBytes
    return missing === 0 ? finish() : undefined
  }
  const take = (byte: number): Uint8Array | undefined => {
    const isSysex = held[0] === startSysex
    if (isSysex && byte === endSysex) {
      held.push(byte)
      return finish()
    }
    if (byte >= 0x80) return begin(byte)
    if (held.length === 0) {
      dropped++
      return undefined
    }
    held.push(byte)
    if (!isSysex) return --missing === 0 ? finish() : undefined
    if (held.length === bytesMax) drop()
    return undefined
  }

  return {
    push(bytes) {
      const frames: Uint8Array[] = []
      for (const byte of bytes) {
        const frame = take(byte & 0xff)
        if (frame) frames.push(frame)
      }
      return frames
    },
    get dropped() {
      return dropped
    },
    get held() {
      return held.length
    },
  }
}

function inboundDataBytes(status: number): number | undefined {
  if (status === startSysex) return Infinity
  if (status === reportVersion) return 2
  const command = status & 0xf0
  return command === analogMessage || command === digitalMessage ? 2 : undefined
}

function outboundDataBytes(status: number): number | undefined {
  switch (status) {
    case startSysex:
      return Infinity
    case setPinMode:
    case setPinLevel:
      return 2
    case reportVersion:
    case systemReset:
      return 0
    default:
      break
  }
  switch (status & 0xf0) {
    case analogMessage:
    case digitalMessage:
      return 2
    case reportAnalog:
    case reportDigital:
      return 1
    default:
      return undefined
  }
}

/**
 * The frames that we send. Pins, modes and ports are numbers as on the wire. Each throws TypeError for a number that
 * is not whole or does not fit, NaN included: 0 in its place would stop a motor and drive a servo to its end.
 */
export const frames = {
  reset: () => Uint8Array.of(systemReset),
  version: () => Uint8Array.of(reportVersion),
  firmware: () => sysex(firmwareQuery),
  capabilities: () => sysex(capabilityQuery),
  analogMapping: () => sysex(analogMappingQuery),
  /** A pin that the board has not is echoed without a state, which makes a harmless ping. */
  pinState: (pin: number) => sysex(pinStateQuery, whole(pin, 127)),
  mode: (pin: number, mode: number) => Uint8Array.of(setPinMode, whole(pin, 127), whole(mode, 127)),
  /** Levels of the eight pins from `8 * port`, the lowest bit first. */
  port: (port: number, levels: number) =>
    Uint8Array.of(digitalMessage | whole(port, 15), ...sevenBits(whole(levels, 255), 2)),
  /** A duty or a servo pulse. */
  analog(pin: number, value: number) {
    whole(value, 0xffff_ffff)
    if (whole(pin, 127) <= 15 && value < 0x4000) {
      return Uint8Array.of(analogMessage | pin, ...sevenBits(value, 2))
    }
    return sysex(extendedAnalog, pin, ...sevenBits(value, 2))
  },
  reportAnalog: (channel: number, isOn: boolean) =>
    Uint8Array.of(reportAnalog | whole(channel, 15), isOn ? 1 : 0),
  reportDigital: (port: number, isOn: boolean) =>
    Uint8Array.of(reportDigital | whole(port, 15), isOn ? 1 : 0),
  servoConfig: (pin: number, minUs: number, maxUs: number) =>
    sysex(
      servoConfig,
      whole(pin, 127),
      ...sevenBits(whole(minUs, 0x3fff), 2),
      ...sevenBits(whole(maxUs, 0x3fff), 2),
    ),
  /** In milliseconds; what is outside of 10 to 16 383 is clipped. */
  samplingInterval: (ms: number) =>
    sysex(samplingInterval, ...sevenBits(Math.min(0x3fff, Math.max(10, whole(ms, Infinity))), 2)),
} as const

/** A sysex frame of these data bytes, the command first. */
export function sysex(...data: readonly number[]): Uint8Array {
  return Uint8Array.of(startSysex, ...data, endSysex)
}

/** In groups of seven bits, the lowest first, at least `groups` of them. */
export function sevenBits(value: number, groups: number): number[] {
  const bits: number[] = []
  for (let rest = value; rest > 0 || bits.length < groups; rest = Math.floor(rest / 128)) {
    bits.push(rest % 128)
  }
  return bits
}

/** `value` itself. Throws TypeError where it is not a whole number from 0 to `max`, NaN included. */
export function whole(value: number, max: number): number {
  if (value >= 0 && value <= max && Number.isInteger(value)) return value
  throw new TypeError(`${value} is not a whole number from 0 to ${max}`)
}

/** What an outbound frame would change on the board. */
export type Effect =
  | { readonly kind: 'attach'; readonly pin: number }
  | { readonly kind: 'analog'; readonly pin: number; readonly value: number }
  | { readonly kind: 'levels'; readonly port: number; readonly levels: number }

/** What an outbound frame is to a body. */
export type Purpose =
  /** Asks for something and changes nothing. */
  | { readonly kind: 'query' }
  /** Turns reports of declared inputs on or off. */
  | { readonly kind: 'reporting' }
  /** Makes a declared input one; `mode` is the declared mode, which may differ from the one in the frame. */
  | { readonly kind: 'inputMode'; readonly pin: number; readonly mode: number }
  /** Sets again the mode that a declared output gets by arming. */
  | { readonly kind: 'outputMode'; readonly pin: number }
  | { readonly kind: 'output'; readonly effect: Effect }
  /** Not in the table: not to be sent. */
  | { readonly kind: 'refused' }

const refused: Purpose = { kind: 'refused' }
const query: Purpose = { kind: 'query' }
const reporting: Purpose = { kind: 'reporting' }

/**
 * Says what a whole outbound frame is for. Whatever the table does not declare is `refused`, and so is what Firmata
 * knows but nothing here sends: a reset, a single level, a servo's range, strings, I2C. Never a guess, never a throw.
 */
export function classify(frame: Uint8Array, table: PinTable): Purpose {
  const [status = 0, first = 0, second = 0] = frame
  switch (status) {
    case startSysex:
      return classifySysex(frame, table)
    case setPinMode:
      return classifyMode(first, second, table)
    case reportVersion:
      return query
    default:
      break
  }
  const index = status & 0x0f
  switch (status & 0xf0) {
    case analogMessage:
      return classifyAnalog(index, first + second * 128, table)
    case digitalMessage:
      return levelsOf(index, (first + second * 128) & 0xff, table)
    case reportAnalog:
      return hasInput(table, (rule) => rule.kind === 'analog' && rule.channel === index)
    case reportDigital:
      return hasInput(table, (rule) => rule.kind === 'digital' && rule.pin >> 3 === index)
    default:
      return refused
  }
}

function classifySysex(frame: Uint8Array, table: PinTable): Purpose {
  const [, command = endSysex, pin = 0] = frame
  const dataBytes = frame.length - 3
  switch (command) {
    case firmwareQuery:
    case capabilityQuery:
    case analogMappingQuery:
      return dataBytes === 0 ? query : refused
    case pinStateQuery:
      return dataBytes === 1 ? query : refused
    case samplingInterval:
      return dataBytes === 2 ? reporting : refused
    case extendedAnalog: {
      if (!(dataBytes >= 2)) return refused
      const value = frame.subarray(3, -1).reduceRight((sum, byte) => sum * 128 + byte, 0)
      return classifyAnalog(pin, value, table)
    }
    default:
      return refused
  }
}

function classifyMode(pin: number, mode: number, table: PinTable): Purpose {
  const rule = ruleOf(table, pin)
  switch (rule?.kind) {
    case undefined:
    // These are set by the firmware itself, when it is told what hangs on them.
    case 'counter':
    case 'trigger':
    case 'echo':
      return refused
    case 'digital': {
      const declared = modeOf(rule)
      return mode === pinModes.input || mode === declared
        ? { kind: 'inputMode', pin, mode: declared }
        : refused
    }
    case 'analog':
      return mode === pinModes.analog ? { kind: 'inputMode', pin, mode } : refused
    case 'servo':
      return mode === pinModes.servo ? { kind: 'output', effect: { kind: 'attach', pin } } : refused
    case 'pwm':
    case 'level':
      return mode === modeOf(rule) ? { kind: 'outputMode', pin } : refused
  }
}

function classifyAnalog(pin: number, value: number, table: PinTable): Purpose {
  const rule = ruleOf(table, pin)
  const isAllowed =
    (rule?.kind === 'pwm' && value <= dutyMax) ||
    (rule?.kind === 'servo' && value >= servoPulse.min && value <= servoPulse.max)
  return isAllowed ? { kind: 'output', effect: { kind: 'analog', pin, value } } : refused
}

function levelsOf(port: number, levels: number, table: PinTable): Purpose {
  const isDeclared = table.pins.some((rule) => rule.kind === 'level' && rule.pin >> 3 === port)
  return isDeclared ? { kind: 'output', effect: { kind: 'levels', port, levels } } : refused
}

function hasInput(table: PinTable, isIt: (rule: PinRule) => boolean): Purpose {
  return table.pins.some(isIt) ? reporting : refused
}

function ruleOf(table: PinTable, pin: number): PinRule | undefined {
  return table.pins.find((rule) => rule.pin === pin)
}

/** The mode that a pin has while it serves its part. */
export function modeOf(rule: PinRule): number {
  switch (rule.kind) {
    case 'pwm':
      return pinModes.pwm
    case 'level':
      return pinModes.output
    case 'servo':
      return pinModes.servo
    case 'digital':
      return rule.hasPullUp ? pinModes.pullUp : pinModes.input
    case 'counter':
    case 'echo':
      return pinModes.input
    case 'trigger':
      return pinModes.output
    case 'analog':
      return pinModes.analog
  }
}

/**
 * The bytes that put every declared output at its safe level: `F7` ends whatever message was half sent, then each PWM
 * pin goes to zero, released servos are detached, and ports are written; last, brakes get their full duty. Pins that
 * are no outputs yet, inputs and servos that hold are left alone. A released servo's pin becomes an output that is low,
 * not an input: detaching in mid-pulse would leave a floating pin pulled up, and a low one says clearly "no pulse".
 */
export function haltFrame(table: PinTable): Uint8Array {
  return joined([
    Uint8Array.of(endSysex),
    ...table.pins.filter((rule) => rule.kind === 'pwm').map((rule) => frames.analog(rule.pin, 0)),
    ...table.pins
      .filter((rule) => rule.kind === 'servo' && rule.halt === 'release')
      .map((rule) => frames.mode(rule.pin, pinModes.output)),
    ...safePorts(table),
    ...brakeFrames(table),
  ])
}

/**
 * The bytes that make the declared outputs outputs, at their safe levels throughout: levels before modes, and again
 * after them, since a change of mode may drop a level. A pin that boots as an input and is safe high goes by way of
 * its pull-up. Servos get nothing: their mode alone would move them.
 */
export function armPreamble(table: PinTable): Uint8Array {
  const levels = table.pins.filter((rule) => rule.kind === 'level')
  return joined([
    ...safePorts(table),
    ...levels
      .filter((rule) => rule.bootsAsInput && rule.safe === 1)
      .map((rule) => frames.mode(rule.pin, pinModes.pullUp)),
    ...levels.map((rule) => frames.mode(rule.pin, pinModes.output)),
    ...safePorts(table),
    ...table.pins
      .filter((rule) => rule.kind === 'pwm')
      .flatMap((rule) => [frames.mode(rule.pin, pinModes.pwm), frames.analog(rule.pin, 0)]),
    ...brakeFrames(table),
  ])
}

function brakeFrames(table: PinTable): Uint8Array[] {
  return table.pins
    .filter((rule) => rule.kind === 'pwm' && rule.safe > 0)
    .map((rule) => frames.analog(rule.pin, dutyMax))
}

function safePorts(table: PinTable): Uint8Array[] {
  const ports = new Map<number, number>()
  for (const rule of table.pins) {
    const isOutput = rule.kind === 'level' || (rule.kind === 'servo' && rule.halt === 'release')
    if (!isOutput) continue
    const port = rule.pin >> 3
    const level = rule.kind === 'level' ? rule.safe : 0
    ports.set(port, (ports.get(port) ?? 0) | (level << (rule.pin & 7)))
  }
  return [...ports]
    .toSorted(([one], [other]) => one - other)
    .map(([port, levels]) => frames.port(port, levels))
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}
