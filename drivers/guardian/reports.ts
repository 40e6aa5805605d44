import { type DeadmanReport, deadmanCommand, readDeadman } from './deadman.ts'

/** A frame from the board, read. */
export type Report =
  | DeadmanReport
  | { readonly kind: 'version'; readonly major: number; readonly minor: number }
  | {
      readonly kind: 'firmware'
      readonly name: string
      readonly major: number
      readonly minor: number
    }
  /** The modes of each pin. */
  | { readonly kind: 'capabilities'; readonly pins: readonly (readonly number[])[] }
  /** The analog channel of each pin, 127 for none. */
  | { readonly kind: 'analogMapping'; readonly channels: readonly number[] }
  | { readonly kind: 'analog'; readonly channel: number; readonly value: number }
  /** Levels of the eight pins from `8 * port`; pins that are not inputs read 0. */
  | { readonly kind: 'port'; readonly port: number; readonly levels: number }
  /** What the firmware remembers of a pin: for outputs the value last written. It has not looked at the pin. */
  | {
      readonly kind: 'pinState'
      readonly pin: number
      readonly mode: number
      readonly state: number
    }
  /** The answer to a pin state query about a pin that the board has not. */
  | { readonly kind: 'echo'; readonly pin: number }
  | { readonly kind: 'text'; readonly text: string }
  /** A well-formed message that means nothing to us. */
  | { readonly kind: 'other'; readonly command: number }

const resolutionBitsMax = 32
const endOfPin = 0x7f

/**
 * Reads one whole inbound frame, as `splitFrames('inbound')` gives it. Undefined when it is well-formed as a frame
 * but not as the message that it claims to be; such a message must reach nobody. Never throws.
 */
export function readReport(frame: Uint8Array): Report | undefined {
  const [status = 0, first = 0, second = 0] = frame
  if (status === 0xf0) return readSysex(first, frame.subarray(2, -1))
  if (frame.length !== 3) return undefined
  if (status === 0xf9) return { kind: 'version', major: first, minor: second }
  const value = first + second * 128
  const index = status & 0x0f
  if ((status & 0xf0) === 0xe0) return { kind: 'analog', channel: index, value }
  if ((status & 0xf0) === 0x90) return { kind: 'port', port: index, levels: value & 0xff }
  return undefined
}

function readSysex(command: number, data: Uint8Array): Report | undefined {
  switch (command) {
    case 0x79:
      return readFirmware(data)
    case 0x6c:
      return readCapabilities(data)
    case 0x6a:
      return data.length > 0 ? { kind: 'analogMapping', channels: [...data] } : undefined
    case 0x6e:
      return readPinState(data)
    case 0x71: {
      const text = readText(data)
      return text === undefined ? undefined : { kind: 'text', text }
    }
    case deadmanCommand:
      return readDeadman(data)
    case 0xf7:
      return undefined
    default:
      return { kind: 'other', command }
  }
}

function readFirmware(data: Uint8Array): Report | undefined {
  const [major, minor] = data
  const name = readText(data.subarray(2))
  if (major === undefined || minor === undefined || name === undefined) return undefined
  return { kind: 'firmware', name, major, minor }
}

/** Characters come as two groups of seven bits, the lower first. */
function readText(data: Uint8Array): string | undefined {
  if (data.length % 2 !== 0) return undefined
  let text = ''
  for (let at = 0; at < data.length; at += 2) {
    text += String.fromCharCode(((data[at] ?? 0) + (data[at + 1] ?? 0) * 128) & 0xff)
  }
  return text
}

function readCapabilities(data: Uint8Array): Report | undefined {
  const pins: number[][] = []
  let modes: number[] = []
  for (let at = 0; at < data.length;) {
    const mode = data[at] ?? endOfPin
    if (mode === endOfPin) {
      pins.push(modes)
      modes = []
      at += 1
      continue
    }
    const resolution = data[at + 1]
    if (resolution === undefined || !(resolution <= resolutionBitsMax)) return undefined
    modes.push(mode)
    at += 2
  }
  const isWhole = modes.length === 0 && pins.length > 0
  return isWhole ? { kind: 'capabilities', pins } : undefined
}

function readPinState(data: Uint8Array): Report | undefined {
  const [pin, mode, ...state] = data
  if (pin === undefined) return undefined
  if (mode === undefined) return { kind: 'echo', pin }
  if (state.length === 0) return undefined
  return {
    kind: 'pinState',
    pin,
    mode,
    state: state.reduceRight((sum, bits) => sum * 128 + bits, 0),
  }
}
