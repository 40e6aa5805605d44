import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  armPreamble,
  classify,
  frames,
  haltFrame,
  inboundBytesMax,
  outboundBytesMax,
  splitFrames,
} from '../../../drivers/guardian/frames.ts'
import { hex, tableOf, wheelsOn } from './tables.ts'

const sysexOf = (length: number) => [0xf0, ...Array<number>(length - 2).fill(1), 0xf7]
const byte = fc.integer({ min: 0, max: 255 })

describe('splitting', () => {
  const stream = [
    [0xf9, 2, 5],
    [0xf0, 0x79, 2, 5, 0x53, 0, 0xf7],
    [0xe1, 0x7f, 7],
    [0x90, 4, 0],
  ].flat()
  const whole = ['F9 02 05', 'F0 79 02 05 53 00 F7', 'E1 7F 07', '90 04 00']

  test('gives whole frames, wherever the stream is cut', () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const splitter = splitFrames('inbound')
      const got = [...splitter.push(stream.slice(0, cut)), ...splitter.push(stream.slice(cut))]
      expect(got.map(hex)).toEqual(whole)
      expect(splitter.held).toBe(0)
      expect(splitter.dropped).toBe(0)
    }
  })

  test('gives the same frames byte by byte', () => {
    const splitter = splitFrames('inbound')
    expect(stream.flatMap((each) => splitter.push([each])).map(hex)).toEqual(whole)
  })

  test('knows the lengths of what goes out', () => {
    const sent = [
      frames.version(),
      frames.mode(3, 3),
      frames.analog(3, 255),
      frames.port(0, 128),
      frames.reportAnalog(1, true),
      frames.reportDigital(0, true),
      frames.firmware(),
      frames.reset(),
      frames.analog(46, 180),
    ]
    const splitter = splitFrames('outbound')
    expect(splitter.push(sent.flatMap((frame) => [...frame]))).toEqual(sent)
  })

  test.for([
    { name: 'leading data bytes', bytes: [0, 0, 0xe0, 1, 0], got: ['E0 01 00'], dropped: 2 },
    { name: 'an unknown status', bytes: [0xd5, 1, 2, 0xe0, 5, 0], got: ['E0 05 00'], dropped: 3 },
    { name: 'a frame inside a frame', bytes: [0xe0, 0xe1, 2, 0], got: ['E1 02 00'], dropped: 1 },
    {
      name: 'a sysex that another frame interrupts',
      bytes: [0xf0, 0x6e, 3, 0xe1, 2, 0],
      got: ['E1 02 00'],
      dropped: 3,
    },
    { name: 'a stray end of sysex', bytes: [0xf7, 0xe0, 5, 0], got: ['E0 05 00'], dropped: 1 },
  ])('drops $name and recovers', ({ bytes, got, dropped }) => {
    const splitter = splitFrames('inbound')
    expect(splitter.push(bytes).map(hex)).toEqual(got)
    expect(splitter.dropped).toBe(dropped)
  })

  test.for([
    { direction: 'outbound', bytesMax: outboundBytesMax },
    { direction: 'inbound', bytesMax: inboundBytesMax },
  ] as const)(
    'drops an $direction sysex of more than $bytesMax bytes',
    ({ direction, bytesMax }) => {
      const splitter = splitFrames(direction)
      expect(splitter.push(sysexOf(bytesMax))).toHaveLength(1)
      expect(splitter.push(sysexOf(bytesMax + 1))).toEqual([])
      expect(splitter.push([0xf9, 2, 5])).toHaveLength(1)
    },
  )

  test.for(['inbound', 'outbound'] as const)(
    'of anything %s never throws and stays bounded',
    (direction) => {
      fc.assert(
        fc.property(fc.array(byte, { maxLength: 3000 }), (bytes) => {
          const splitter = splitFrames(direction)
          const got = splitter.push(bytes)
          const bytesMax = direction === 'inbound' ? inboundBytesMax : outboundBytesMax
          expect(splitter.held).toBeLessThan(bytesMax)
          const inFrames = got.reduce((sum, frame) => sum + frame.length, 0)
          expect(inFrames + splitter.held + splitter.dropped).toBe(bytes.length)
          for (const frame of got) {
            const [status = 0, ...data] = frame
            expect(status).toBeGreaterThanOrEqual(0x80)
            const isSysex = status === 0xf0
            expect((isSysex ? data.slice(0, -1) : data).every((each) => each < 0x80)).toBe(true)
            expect(frame.length).toBeLessThanOrEqual(bytesMax)
          }
        }),
      )
    },
  )
})

describe('encoding', () => {
  test.for([
    { name: 'duty', frame: frames.analog(3, 255), bytes: 'E3 7F 01' },
    { name: 'pulse', frame: frames.analog(9, 1500), bytes: 'E9 5C 0B' },
    { name: 'duty above pin 15', frame: frames.analog(46, 180), bytes: 'F0 6F 2E 34 01 F7' },
    { name: 'exactly 0x4000', frame: frames.analog(46, 16384), bytes: 'F0 6F 2E 00 00 01 F7' },
    { name: '29 bits', frame: frames.analog(46, 268435457), bytes: 'F0 6F 2E 01 00 00 00 01 F7' },
    { name: 'port', frame: frames.port(1, 0b1000_0001), bytes: '91 01 01' },
    { name: 'mode', frame: frames.mode(3, 11), bytes: 'F4 03 0B' },
    { name: 'pin state', frame: frames.pinState(2), bytes: 'F0 6D 02 F7' },
    { name: 'reporting', frame: frames.reportAnalog(1, true), bytes: 'C1 01' },
    { name: 'servo', frame: frames.servoConfig(9, 544, 2400), bytes: 'F0 70 09 20 04 60 12 F7' },
    { name: 'sampling', frame: frames.samplingInterval(65540), bytes: 'F0 7A 7F 7F F7' },
    { name: 'fast sampling', frame: frames.samplingInterval(10), bytes: 'F0 7A 0A 00 F7' },
  ])('a $name', ({ frame, bytes }) => {
    expect(hex(frame)).toBe(bytes)
  })

  test.for([
    () => frames.analog(3, NaN),
    () => frames.analog(3, -1),
    () => frames.analog(3, 0.5),
    () => frames.analog(NaN, 1),
    () => frames.mode(200, 1),
    () => frames.port(16, 0),
    () => frames.port(0, 256),
    () => frames.samplingInterval(NaN),
  ])('refuses what does not fit: %s', (encode) => {
    expect(encode).toThrow(TypeError)
  })
})

const rover = tableOf({
  wheels: wheelsOn({ pwm: 3, dir: 2 }, { pwm: 11, dir: 12 }),
  relays: [{ name: 'lamp', pin: 7, halt: 'low' }],
  servos: [{ name: 'gripper', pin: 9, halt: 'hold' }],
  bumpers: [
    { name: 'nose', pin: 4 },
    { name: 'tail', pin: 8, pressed: 'high' },
  ],
  ranges: [{ name: 'front', pin: 'A0' }],
})

const kindOf = (frame: Uint8Array) => classify(frame, rover).kind

describe('classification', () => {
  test.for([
    frames.version(),
    frames.firmware(),
    frames.capabilities(),
    frames.analogMapping(),
    frames.pinState(3),
    frames.pinState(99),
  ])('%s is a query', (frame) => {
    expect(kindOf(frame)).toBe('query')
  })

  test.for([
    frames.reportAnalog(0, true),
    frames.reportDigital(0, true),
    frames.samplingInterval(20),
  ])('%s is reporting', (frame) => {
    expect(kindOf(frame)).toBe('reporting')
  })

  test('an input is given its declared mode, whichever input mode is asked for', () => {
    expect(classify(frames.mode(4, 0), rover)).toEqual({ kind: 'inputMode', pin: 4, mode: 11 })
    expect(classify(frames.mode(4, 11), rover)).toEqual({ kind: 'inputMode', pin: 4, mode: 11 })
    expect(classify(frames.mode(8, 0), rover)).toEqual({ kind: 'inputMode', pin: 8, mode: 0 })
    expect(classify(frames.mode(14, 2), rover)).toEqual({ kind: 'inputMode', pin: 14, mode: 2 })
  })

  test('what moves something is an output and says of which pin', () => {
    expect(classify(frames.analog(3, 255), rover)).toEqual({
      kind: 'output',
      effect: { kind: 'analog', pin: 3, value: 255 },
    })
    expect(classify(Uint8Array.of(0xf0, 0x6f, 9, 0x5c, 0x0b, 0xf7), rover)).toEqual({
      kind: 'output',
      effect: { kind: 'analog', pin: 9, value: 1500 },
    })
    expect(classify(frames.port(0, 0b1000_0100), rover)).toEqual({
      kind: 'output',
      effect: { kind: 'levels', port: 0, levels: 0b1000_0100 },
    })
    expect(classify(frames.mode(9, 4), rover)).toEqual({
      kind: 'output',
      effect: { kind: 'attach', pin: 9 },
    })
    expect(kindOf(frames.mode(3, 3))).toBe('outputMode')
    expect(kindOf(frames.mode(7, 1))).toBe('outputMode')
  })

  test.for([
    { name: 'a system reset', frame: frames.reset() },
    { name: 'a mode of an undeclared pin', frame: frames.mode(5, 1) },
    { name: 'a mode that overwrites the memory of StandardFirmata', frame: frames.mode(106, 1) },
    { name: 'an output made an input', frame: frames.mode(7, 0) },
    { name: 'an input made an output', frame: frames.mode(4, 1) },
    { name: 'a relay made PWM', frame: frames.mode(7, 3) },
    { name: 'a duty above 255', frame: frames.analog(3, 256) },
    { name: 'a duty for an undeclared pin', frame: frames.analog(5, 10) },
    { name: 'an angle where a pulse belongs', frame: frames.analog(9, 90) },
    { name: 'a pulse that is too long', frame: frames.analog(9, 2401) },
    { name: 'a port without outputs', frame: frames.port(2, 1) },
    { name: 'a single level', frame: Uint8Array.of(0xf5, 7, 1) },
    { name: 'reports of an undeclared channel', frame: frames.reportAnalog(3, true) },
    { name: 'reports of a port without inputs', frame: frames.reportDigital(2, true) },
    { name: "a servo's range", frame: frames.servoConfig(9, 544, 2400) },
    { name: 'a text', frame: Uint8Array.of(0xf0, 0x71, 0x68, 0, 0xf7) },
    { name: 'I2C', frame: Uint8Array.of(0xf0, 0x78, 0, 0, 0xf7) },
    { name: 'an empty sysex', frame: Uint8Array.of(0xf0, 0xf7) },
    { name: 'a pin state query without a pin', frame: Uint8Array.of(0xf0, 0x6d, 0xf7) },
    { name: 'an extended duty without a value', frame: Uint8Array.of(0xf0, 0x6f, 3, 0xf7) },
  ])('$name is refused', ({ frame }) => {
    expect(kindOf(frame)).toBe('refused')
  })

  test('of anything never throws, and names declared pins only', () => {
    const declared = new Set(rover.pins.map((rule) => rule.pin))
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 500 }), (bytes) => {
        for (const frame of splitFrames('outbound').push(bytes)) {
          const purpose = classify(frame, rover)
          if (purpose.kind === 'inputMode') expect(declared).toContain(purpose.pin)
          if (purpose.kind !== 'output' || purpose.effect.kind === 'levels') continue
          expect(declared).toContain(purpose.effect.pin)
        }
      }),
    )
  })
})

describe('the halt frame', () => {
  test('is the one that was measured to stop an Uno', () => {
    const table = tableOf({
      wheels: wheelsOn({ pwm: 3, dir: 4 }, { pwm: 5, dir: 8 }),
      relays: [{ name: 'lock', pin: 7, halt: 'high' }],
    })
    expect(hex(haltFrame(table))).toBe('F7 E3 00 00 E5 00 00 90 00 01 91 00 00')
  })

  test('leaves inputs and servos that hold alone', () => {
    expect(hex(haltFrame(rover))).toBe('F7 E3 00 00 EB 00 00 90 00 00 91 00 00')
  })

  test('detaches a servo that is released, and pulls its pin low', () => {
    const table = tableOf({ servos: [{ name: 'arm', pin: 9, halt: 'release' }] })
    expect(hex(haltFrame(table))).toBe('F7 F4 09 01 91 00 00')
  })

  test('brakes with both directions high, and never before its zero', () => {
    const table = tableOf({
      wheels: {
        left: { pwm: 3, dir: 2, cdir: 4, halt: 'brake' },
        right: { pwm: 11, dir: 12, cdir: 13, halt: 'brake' },
        radiusMetres: 0.03,
        trackMetres: 0.15,
      },
    })
    expect(hex(haltFrame(table))).toBe('F7 E3 00 00 EB 00 00 90 14 00 91 30 00 E3 7F 01 EB 7F 01')
  })

  test('reaches PWM pins above 15', () => {
    const table = tableOf({
      board: 'mega',
      wheels: wheelsOn({ pwm: 44, dir: 22 }, { pwm: 45, dir: 23 }),
    })
    expect(hex(haltFrame(table))).toBe('F7 F0 6F 2C 00 00 F7 F0 6F 2D 00 00 F7 92 00 00')
  })
})

describe('the preamble of arming', () => {
  test('puts levels before modes, and zero at once on what has become PWM', () => {
    const table = tableOf({
      wheels: wheelsOn({ pwm: 3, dir: 4 }, { pwm: 5, dir: 8 }),
      relays: [{ name: 'lock', pin: 7, halt: 'high' }],
      servos: [{ name: 'gripper', pin: 6, halt: 'hold' }],
    })
    expect(hex(armPreamble(table))).toBe(
      [
        '90 00 01 91 00 00',
        'F4 04 01 F4 08 01 F4 07 01',
        '90 00 01 91 00 00',
        'F4 03 03 E3 00 00 F4 05 03 E5 00 00',
      ].join(' '),
    )
  })

  test('brings a safe-high analog pin up by its pull-up, so that it never drops', () => {
    const table = tableOf({ relays: [{ name: 'lock', pin: 'A3', halt: 'high' }] })
    expect(hex(armPreamble(table))).toBe('92 02 00 F4 11 0B F4 11 01 92 02 00')
  })

  test('holds nothing that moves a servo', () => {
    const table = tableOf({ servos: [{ name: 'gripper', pin: 9, halt: 'release' }] })
    expect(hex(armPreamble(table))).toBe('91 00 00 91 00 00')
  })
})
