import { z } from 'zod'
import { classify, frames, splitFrames } from '../../drivers/guardian/frames.ts'
import type { PinTable } from '../../drivers/guardian/pin-table.ts'
import { makeInboundCheck } from '../../drivers/johnny-five/inbound.ts'
import { type Binding, numeral, same, strictly } from './binding.ts'

const bytes = z.array(z.int().min(0).max(255))
const call = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('reset') }),
  z.strictObject({ op: z.literal('pin_mode'), pin: z.int(), mode: z.int() }),
  z.strictObject({ op: z.literal('digital_write'), pin: z.int(), value: z.int().min(0).max(1) }),
  z.strictObject({ op: z.literal('analog_write'), pin: z.int(), value: numeral }),
  z.strictObject({ op: z.literal('servo_config'), pin: z.int(), min: z.int(), max: z.int() }),
  z.strictObject({ op: z.literal('sampling_interval'), ms: z.int() }),
  z.strictObject({ op: z.literal('report_analog'), channel: z.int(), on: z.boolean() }),
  z.strictObject({ op: z.literal('report_digital'), port: z.int(), on: z.boolean() }),
  z.strictObject({ op: z.literal('query_pin_state'), pin: z.int() }),
  z.strictObject({ op: z.literal('query_analog_mapping') }),
  z.strictObject({ op: z.literal('query_capabilities') }),
  z.strictObject({ op: z.literal('query_firmware') }),
  z.strictObject({ op: z.literal('report_version') }),
])
type Call = z.output<typeof call>

const event = z.union([
  z.strictObject({ analog_channel: z.int(), value: z.int() }),
  z.strictObject({ digital_pin: z.int(), value: z.int() }),
  z.strictObject({ string: z.string() }),
])
type Event = z.output<typeof event>

const encoding = z.strictObject({
  name: z.string(),
  call: z.looseObject({ op: z.string() }),
  expect_bytes: bytes,
  source_test: z.string().optional(),
})
const decoding = z.strictObject({
  name: z.string(),
  input_pins: z.array(z.int()),
  bytes,
  expect_events: z.array(event),
  source_test: z.string().optional(),
})
const beaten = z.strictObject({
  name: z.string(),
  call: call.optional(),
  bytes: bytes.optional(),
  peer_result: z.array(z.unknown()).optional(),
  required_bytes: bytes.optional(),
  required_events: z.array(event).optional(),
  required: z.string().optional(),
  why: z.string().optional(),
})
const conventions = z.looseObject({ handshake: z.tuple([bytes]).rest(z.unknown()) })

/** What the peer can send and nothing of ours does: there is no part that would need it. */
const unused = /^accel_stepper_|^i2c_|^one_wire_|^stepper_/

/** firmata_frames.json, through the frames, the splitter and the check that stand before the port. */
export const firmataFrames: Binding = {
  file: 'firmata_frames.json',
  title: 'Firmata 2.x wire format: encode, decode, codecs, resynchronisation',
  neighbours: [
    'custom_float_note',
    'crc8_note',
    'firmware_facts.SYSTEM_RESET 0xFF',
    'firmware_facts.command watchdog',
    'firmware_facts.consequence',
  ],
  sections: {
    encode: strictly(encoding, (item) => {
      const { op } = item.call
      if (unused.test(op)) return { unbound: `nothing of ours sends ${op}` }
      return same('bytes', String(encoded(call.parse(item.call))), String(item.expect_bytes))
    }),
    decode: strictly(decoding, (item, { file }) => {
      const [handshake] = conventions.parse(file['conventions']).handshake
      return heardAs(item.expect_events, item.bytes, handshake, item.input_pins)
    }),
    'codecs.int32': codec,
    'codecs.custom_float': codec,
    'codecs.seven_bit': codec,
    'codecs.crc8': codec,
    must_beat_peer: strictly(beaten, (item, { file }) => {
      if (item.call && item.required_bytes) {
        return same('bytes', String(encoded(item.call)), String(item.required_bytes))
      }
      if (item.bytes && item.required_events) {
        const [handshake] = conventions.parse(file['conventions']).handshake
        const before = item.name.includes('before the version report') ? [] : handshake
        return [
          ...heardAs(item.required_events, item.bytes, before, []),
          ...heardAs(item.required_events, [...item.bytes, NaN, NaN, NaN], before, []),
        ]
      }
      if (item.call && item.required?.startsWith('refused')) {
        return same('refused', isRefused(item.call), true)
      }
      return { unbound: `nobody has bound "${item.required}"` }
    }),
  },
}

function codec() {
  return { unbound: 'nothing of ours sends or hears a message that is coded so' }
}

function encoded(order: Call): Uint8Array {
  switch (order.op) {
    case 'reset':
      return frames.reset()
    case 'pin_mode':
      return frames.mode(order.pin, order.mode)
    case 'digital_write':
      return frames.port(order.pin >> 3, order.value << (order.pin & 7))
    case 'analog_write':
      return frames.analog(order.pin, order.value)
    case 'servo_config':
      return frames.servoConfig(order.pin, order.min, order.max)
    case 'sampling_interval':
      return frames.samplingInterval(order.ms)
    case 'report_analog':
      return frames.reportAnalog(order.channel, order.on)
    case 'report_digital':
      return frames.reportDigital(order.port, order.on)
    case 'query_pin_state':
      return frames.pinState(order.pin)
    case 'query_analog_mapping':
      return frames.analogMapping()
    case 'query_capabilities':
      return frames.capabilities()
    case 'query_firmware':
      return frames.firmware()
    case 'report_version':
      return frames.version()
  }
}

/** Refused where the frame is made, or where the table of a motor on that pin is asked. */
function isRefused(order: Call): boolean {
  try {
    const pin = 'pin' in order ? order.pin : 0
    const table: PinTable = { pins: [{ kind: 'pwm', pin, part: 'left', safe: 0 }] }
    return classify(encoded(order), table).kind === 'refused'
  } catch (thrown) {
    return thrown instanceof TypeError
  }
}

/** The differences in what is heard, in one piece, byte by byte, and cut in two at each place. */
function heardAs(
  expected: readonly Event[],
  given: readonly number[],
  handshake: readonly number[],
  inputPins: readonly number[],
): string[] {
  const pieces = [
    [given],
    given.map((byte) => [byte]),
    ...given.map((_, cut) => [given.slice(0, cut), given.slice(cut)]),
  ]
  const wanted = JSON.stringify(expected)
  const found = pieces.map((cut) => JSON.stringify(eventsOf([handshake, ...cut], inputPins)))
  return [...new Set(found.flatMap((got) => same('events', got, wanted)))]
}

function eventsOf(pieces: readonly (readonly number[])[], inputPins: readonly number[]): Event[] {
  const splitter = splitFrames('inbound')
  const check = makeInboundCheck()
  const reports = pieces
    .flatMap((piece) => splitter.push(piece))
    .flatMap((frame) => check.admit(frame)?.report ?? [])
  return reports.flatMap((report): Event[] => {
    if (report.kind === 'analog') return [{ analog_channel: report.channel, value: report.value }]
    if (report.kind === 'text') return [{ string: report.text }]
    if (report.kind !== 'port') return []
    return inputPins
      .filter((pin) => pin >> 3 === report.port)
      .map((pin) => ({ digital_pin: pin, value: (report.levels >> (pin & 7)) & 1 }))
  })
}
