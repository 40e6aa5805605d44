import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type PinRegisters,
  type SafeLevel,
  crc16,
  deadmanFrames,
  deadmanPins,
  isSafe,
  outputOf,
  readDeadman,
  safeTableBytes,
  safeTableCrc,
  safeTableOf,
} from '../../../drivers/guardian/deadman.ts'
import { outboundBytesMax, splitFrames } from '../../../drivers/guardian/frames.ts'
import type { PinRule } from '../../../drivers/guardian/pin-table.ts'
import { readReport } from '../../../drivers/guardian/reports.ts'
import { hex, tableOf, wheelsOn } from './tables.ts'

const inputs = Array.from({ length: deadmanPins }, (): SafeLevel => 'input')
const withLevels = (levels: Readonly<Record<number, SafeLevel>>) =>
  inputs.map((input, pin) => levels[pin] ?? input)
const allPulse = withLevels(Object.fromEntries(inputs.map((_, pin) => [pin, 'pulse'])))

describe('what goes to a board with a deadman', () => {
  test.for([
    { name: 'a beat', frame: deadmanFrames.beat(), bytes: 'F0 0F 00 F7' },
    { name: 'a halt', frame: deadmanFrames.halt(), bytes: 'F0 0F 01 F7' },
    {
      name: 'a nonce',
      frame: deadmanFrames.unlatch(0x0fff_fffe),
      bytes: 'F0 0F 02 7E 7F 7F 7F F7',
    },
    { name: 'a question', frame: deadmanFrames.status(), bytes: 'F0 0F 03 F7' },
    {
      name: 'a safe table',
      frame: deadmanFrames.writeTable(withLevels({ 3: 'low', 7: 'high', 9: 'pulse' }), 'hi'),
      bytes: 'F0 0F 04 02 68 69 14 00 01 08 03 00 00 00 11 43 02 F7',
    },
    { name: 'all registers', frame: deadmanFrames.registers(), bytes: 'F0 0F 05 00 F7' },
    {
      name: 'two registers',
      frame: deadmanFrames.registers([3, 7], 9),
      bytes: 'F0 0F 05 09 03 07 F7',
    },
    {
      name: 'an encoder',
      frame: deadmanFrames.encoder(1, { a: 4, b: 5 }),
      bytes: 'F0 0F 06 01 04 05 F7',
    },
    { name: 'a channel', frame: deadmanFrames.encoder(0, { a: 4 }), bytes: 'F0 0F 06 00 04 7F F7' },
    { name: 'no encoder', frame: deadmanFrames.encoder(0), bytes: 'F0 0F 06 00 7F 7F F7' },
    {
      name: 'a range sensor',
      frame: deadmanFrames.range(3, { trigger: 12, echo: 13 }),
      bytes: 'F0 0F 07 03 0C 0D F7',
    },
  ])('$name', ({ frame, bytes }) => {
    expect(hex(frame)).toBe(bytes)
    expect(splitFrames('outbound').push(frame)).toEqual([frame])
  })

  test('fits the buffer of every firmware, however long its name and its list', () => {
    const longest = [
      deadmanFrames.writeTable(allPulse, 'a'.repeat(15)),
      deadmanFrames.registers(Array<number>(59).fill(19)),
    ]
    expect(longest.map(({ length }) => length <= outboundBytesMax)).toEqual([true, true])
  })

  test.for([
    { name: 'a nonce that is no number', make: () => deadmanFrames.unlatch(NaN) },
    { name: 'a nonce of 29 bits', make: () => deadmanFrames.unlatch(0x1000_0000) },
    { name: 'a negative pin', make: () => deadmanFrames.registers([-1]) },
    { name: 'more pins than fit', make: () => deadmanFrames.registers(Array<number>(60).fill(1)) },
    { name: 'a third encoder', make: () => deadmanFrames.encoder(2, { a: 4 }) },
    { name: 'a fifth range sensor', make: () => deadmanFrames.range(4, { trigger: 12, echo: 13 }) },
    { name: 'a long name', make: () => deadmanFrames.writeTable(inputs, 'a'.repeat(16)) },
    { name: 'a name that is not ASCII', make: () => deadmanFrames.writeTable(inputs, 'Käfer') },
    { name: 'a short table', make: () => deadmanFrames.writeTable(inputs.slice(1), 'rover') },
  ])('$name is refused', ({ make }) => {
    expect(make).toThrow(TypeError)
  })
})

describe('the safe table of a body', () => {
  test('has every declared output at its declared level, and all else as inputs', () => {
    const table = tableOf({
      board: 'uno',
      wheels: {
        ...wheelsOn({ pwm: 3, dir: 2 }, { pwm: 11, dir: 12 }),
        right: { pwm: 11, dir: 12, cdir: 13, halt: 'brake' },
      },
      relays: [
        { name: 'lamp', pin: 7, halt: 'low' },
        { name: 'pump', pin: 'A2', halt: 'high' },
      ],
      servos: [
        { name: 'arm', pin: 9, halt: 'hold' },
        { name: 'hand', pin: 10, halt: 'release' },
      ],
      ranges: [{ name: 'front', pin: 'A0', model: 'GP2Y0A21' }],
      bumpers: [{ name: 'nose', pin: 4, pressed: 'low' }],
    })
    expect(safeTableOf(table)).toEqual(
      withLevels({
        2: 'low',
        3: 'low',
        7: 'low',
        9: 'pulse',
        10: 'low',
        11: 'high',
        12: 'high',
        13: 'high',
        16: 'high',
      }),
    )
  })

  test.for([
    {
      name: 'an output that the chip has not',
      rule: { kind: 'level', pin: 22, part: 'lamp', safe: 0, bootsAsInput: false },
    },
    {
      name: 'an output on the serial line',
      rule: { kind: 'level', pin: 1, part: 'lamp', safe: 0, bootsAsInput: false },
    },
    { name: 'half a duty', rule: { kind: 'pwm', pin: 3, part: 'left', safe: 128 } },
  ] satisfies readonly { name: string; rule: PinRule }[])('$name has none', ({ rule }) => {
    expect(() => safeTableOf({ pins: [rule] })).toThrow(TypeError)
  })

  test('has bytes that the line can carry and a checksum that every change changes', () => {
    expect(crc16(Buffer.from('123456789'))).toBe(0x29b1)
    expect(safeTableBytes(allPulse, '').every((byte) => byte < 0x80)).toBe(true)
    const crc = safeTableCrc(inputs, 'rover')
    for (let pin = 2; pin < deadmanPins; pin++) {
      for (const level of ['low', 'high', 'pulse'] as const) {
        expect(safeTableCrc(withLevels({ [pin]: level }), 'rover')).not.toBe(crc)
      }
    }
    expect(safeTableCrc(inputs, 'robot')).not.toBe(crc)
  })
})

describe('whether a pin is safe', () => {
  const pin = 3
  const part = 'it'
  const low: PinRule = { kind: 'level', pin, part, safe: 0, bootsAsInput: false }
  const high: PinRule = { kind: 'level', pin, part, safe: 1, bootsAsInput: false }
  const coast: PinRule = { kind: 'pwm', pin, part, safe: 0 }
  const brake: PinRule = { kind: 'pwm', pin, part, safe: 255 }
  const hold: PinRule = { kind: 'servo', pin, part, halt: 'hold' }
  const release: PinRule = { kind: 'servo', pin, part, halt: 'release' }
  const input: PinRule = { kind: 'digital', pin, part, hasPullUp: true }
  const rules = { low, high, coast, brake, hold, release, input }
  const output: PinRegisters = {
    pin,
    isOutput: true,
    isHigh: false,
    readsHigh: false,
    duty: undefined,
    pulseUs: undefined,
  }
  const whichAreSafe = (registers: PinRegisters) =>
    Object.entries(rules)
      .filter(([, rule]) => isSafe(rule, registers))
      .map(([name]) => name)

  test.for([
    { name: 'driven low', registers: output, out: 0, safe: ['low', 'coast', 'hold', 'release'] },
    {
      name: 'driven high',
      registers: { ...output, isHigh: true },
      out: 255,
      safe: ['high', 'brake'],
    },
    { name: 'on a timer at 128', registers: { ...output, duty: 128 }, out: 128, safe: [] },
    {
      name: 'on a timer at 0, high beneath',
      registers: { ...output, isHigh: true, duty: 0 },
      out: 0,
      safe: ['low', 'coast', 'hold', 'release'],
    },
    {
      name: 'on a timer at 255',
      registers: { ...output, duty: 255 },
      out: 255,
      safe: ['high', 'brake'],
    },
    { name: 'with pulses', registers: { ...output, pulseUs: 1500 }, out: 0, safe: ['hold'] },
    {
      name: 'with pulses, in the middle of one',
      registers: { ...output, isHigh: true, pulseUs: 1500 },
      out: 255,
      safe: ['hold'],
    },
    {
      name: 'an input',
      registers: { ...output, isOutput: false },
      out: 0,
      safe: ['low', 'coast', 'hold', 'release', 'input'],
    },
    {
      name: 'an input that is pulled up',
      registers: { ...output, isOutput: false, isHigh: true },
      out: 0,
      safe: ['input'],
    },
    {
      name: 'an input on a timer',
      registers: { ...output, isOutput: false, duty: 255 },
      out: 0,
      safe: ['low', 'coast', 'hold', 'release', 'input'],
    },
  ])('$name', ({ registers, out, safe }) => {
    expect(outputOf(registers)).toBe(out)
    expect(whichAreSafe(registers)).toEqual(safe)
  })

  test('is not answered by the registers of another pin', () => {
    expect(whichAreSafe({ ...output, pin: 5 })).toEqual([])
  })
})

describe('what comes from a board with a deadman', () => {
  const status = [0x40, 0x02, 0, 3, 1, 1, 2, 0, 0, 5, 1, 0, 0x52, 0x24, 0]

  test('a status', () => {
    expect(readDeadman(Uint8Array.from([...status, 0x68, 0x69]))).toEqual({
      kind: 'deadman',
      what: 'status',
      answers: 'unlatch',
      result: 'done',
      isLatched: true,
      why: 'boot',
      hasTable: true,
      nonce: 257,
      boots: 133,
      name: 'hi',
      tableCrc: 0x1252,
    })
  })

  test('registers', () => {
    const data = [0x41, 9, 1, 3, 9, 0x7f, 1, 9, 19, 0x5c, 11, 7, 3, 0, 0]
    const pin = {
      isOutput: true,
      isHigh: false,
      readsHigh: false,
      duty: undefined,
      pulseUs: undefined,
    }
    expect(readReport(Uint8Array.from([0xf0, 0x0f, ...data, 0xf7]))).toEqual({
      kind: 'deadman',
      what: 'registers',
      token: 9,
      isLatched: true,
      pins: [
        { ...pin, pin: 3, duty: 255 },
        { ...pin, pin: 9, isHigh: true, pulseUs: 1500 },
        { ...pin, pin: 7, isHigh: true },
      ],
    })
  })

  test('encoders, which may have turned back', () => {
    const data = [0x42, 1, 1, 0, 0, 0x7f, 0x7f, 0x7f, 0x7f, 0x0f, 2, 0, 0, 0, 0]
    expect(readDeadman(Uint8Array.from(data))).toEqual({
      kind: 'deadman',
      what: 'encoders',
      atMs: 129,
      counts: [-1, 2],
    })
  })

  test('a range, or that none was heard', () => {
    const range = { kind: 'deadman', what: 'range', slot: 2, atMs: 129 }
    expect(readDeadman(Uint8Array.of(0x43, 2, 1, 1, 0, 0, 0x48, 8, 0))).toEqual({
      ...range,
      echoUs: 1096,
    })
    expect(readDeadman(Uint8Array.of(0x43, 2, 1, 1, 0, 0, 0, 0, 0))).toEqual({
      ...range,
      echoUs: undefined,
    })
  })

  const statusWith = (at: number, byte: number) => status.with(at, byte)
  test.for([
    { name: 'nothing', data: [] },
    { name: 'a word of the host', data: [0x00] },
    { name: 'a short status', data: status.slice(0, -1) },
    { name: 'a status with a long name', data: [...status, ...Array<number>(16).fill(0x61)] },
    { name: 'an answer to nothing that was asked', data: statusWith(1, 0x30) },
    { name: 'a result that we do not know', data: statusWith(2, 5) },
    { name: 'a cause that we do not know', data: statusWith(4, 5) },
    { name: 'a latch without a cause', data: statusWith(4, 0) },
    { name: 'a cause without a latch', data: statusWith(3, 2) },
    { name: 'half a register', data: [0x41, 0, 1, 3, 1, 0] },
    { name: 'half an encoder', data: [0x42, 0, 0, 0, 0, 1] },
    { name: 'half a range', data: [0x43, 0, 0, 0, 0, 0, 1, 2] },
    { name: 'eight bits', data: [0x41, 0x80, 1] },
  ])('$name is none', ({ data }) => {
    expect(readDeadman(Uint8Array.from(data))).toBeUndefined()
  })

  test('never throws, whatever it is', () => {
    const byte = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(
        fc.integer({ min: 0x3f, max: 0x44 }),
        fc.array(byte, { maxLength: 70 }),
        (first, rest) => {
          const report = readDeadman(Uint8Array.of(first, ...rest))
          expect(report === undefined || report.kind === 'deadman').toBe(true)
        },
      ),
      { numRuns: 2000 },
    )
  })
})
