import fc from 'fast-check'
import firmata from 'firmata-io'
import { afterEach, describe, expect, test } from 'vitest'
import { frames } from '../../../drivers/guardian/frames.ts'
import type { Report } from '../../../drivers/guardian/reports.ts'
import { makeTransport, type Transport } from '../../../drivers/johnny-five/transport.ts'
import { hex, tableOf, wheelsOn } from '../guardian/tables.ts'

const table = tableOf({
  wheels: wheelsOn({ pwm: 3, dir: 2 }, { pwm: 11, dir: 12 }),
  bumpers: [{ name: 'nose', pin: 4 }],
  ranges: [{ name: 'front', pin: 'A0' }],
})
const firmwareReport = [0xf0, 0x79, 2, 5, 0x68, 0, 0x69, 0, 0xf7]
const banner = [0xf9, 2, 5, ...firmwareReport]
const capabilities = [0xf0, 0x6c, ...Array.from({ length: 20 }, () => [0, 1, 0x7f]).flat(), 0xf7]
const mapping = [0xf0, 0x6a, ...Array.from({ length: 20 }, (_, n) => (n < 14 ? 127 : n - 14)), 0xf7]

interface Rig {
  readonly transport: Transport
  readonly written: string[]
  readonly reports: Report[]
  readonly faults: string[]
}

function rig(): Rig {
  const written: string[] = []
  const reports: Report[] = []
  const faults: string[] = []
  const transport = makeTransport({
    table,
    write: (bytes) => written.push(hex(bytes)),
    onReport: (report) => reports.push(report),
    onFault: (cause) => faults.push(cause),
  })
  return { transport, written, reports, faults }
}

/** One that has heard of its board, and lets commands pass. */
function opened(): Rig {
  const made = rig()
  made.transport.receive(Uint8Array.from(banner))
  made.transport.open()
  return made
}

describe('outbound, from firmata-io to a line', () => {
  test('before the firmware has reported itself only queries pass', () => {
    const { transport, written } = rig()
    for (const frame of [frames.reportAnalog(0, true), frames.mode(4, 0), frames.analog(3, 9)]) {
      transport.stream.write(frame)
    }
    transport.command('left', () => transport.stream.write(frames.analog(3, 9)))
    transport.stream.write(frames.version())
    expect(written).toEqual(['F9'])
    expect(transport.counts().shut).toBe(4)
  })

  test('shut, queries, reporting and input modes pass, and nothing that moves', () => {
    const { transport, written } = rig()
    transport.receive(Uint8Array.from(banner))
    for (const frame of [
      frames.reportAnalog(0, true),
      frames.mode(4, 0),
      frames.pinState(3),
      frames.mode(3, 3),
      frames.mode(2, 1),
      frames.analog(3, 100),
      frames.port(0, 4),
    ]) {
      transport.command('left', () => transport.stream.write(frame))
    }
    expect(written).toEqual(['C0 01', 'F4 04 0B', 'F0 6D 03 F7'])
    expect(transport.counts()).toMatchObject({ shut: 4, refused: 0 })
  })

  test('what the table does not declare is refused, open or not', () => {
    const { transport, written } = opened()
    transport.command('left', () => {
      transport.stream.write(frames.reset())
      transport.stream.write(frames.mode(106, 1))
      transport.stream.write(frames.analog(5, 200))
    })
    expect(written).toEqual([])
    expect(transport.counts().refused).toBe(3)
  })

  test('open, what is written outside of a command moves nothing', () => {
    const { transport, written } = opened()
    transport.stream.write(frames.analog(3, 200))
    transport.stream.write(frames.port(0, 4))
    expect(written).toEqual([])
    expect(transport.counts().shut).toBe(2)
  })

  test('a command that throws does not leave the door open', () => {
    const { transport, written } = opened()
    expect(() =>
      transport.command('left', () => {
        throw new TypeError('broken')
      }),
    ).toThrow('broken')
    transport.stream.write(frames.analog(3, 200))
    expect(written).toEqual([])
  })

  test('what a command writes to its part goes out as one transaction, zero first', () => {
    const { transport, written } = opened()
    transport.command('left', () => {
      transport.stream.write(frames.port(0, 4))
      transport.stream.write(frames.analog(3, 90))
      transport.stream.write(frames.analog(3, 160))
    })
    expect(written).toEqual(['E3 00 00 90 04 00 E3 20 01'])
  })

  test('a command for one part cannot move another', () => {
    const { transport, written } = opened()
    transport.command('right', () => transport.stream.write(frames.analog(3, 160)))
    expect(written).toEqual([])
  })

  test('shut and opened again, it believes that every output is at its safe level', () => {
    const { transport, written } = opened()
    const forward = () =>
      transport.command('left', () => {
        transport.stream.write(frames.port(0, 4))
        transport.stream.write(frames.analog(3, 160))
      })
    forward()
    transport.shut()
    expect(transport.isOpen).toBe(false)
    forward()
    transport.open()
    forward()
    expect(written).toEqual(['E3 00 00 90 04 00 E3 20 01', 'E3 00 00 90 04 00 E3 20 01'])
    expect(transport.counts().shut).toBe(2)
  })

  test('closed, it writes nothing, and does not open again', () => {
    const { transport, written } = opened()
    transport.close()
    transport.open()
    transport.stream.write(frames.version())
    transport.ask(frames.pinState(99))
    transport.command('left', () => transport.stream.write(frames.analog(3, 9)))
    expect(written).toEqual([])
    expect(transport.isOpen).toBe(false)
  })
})

describe('inbound, from a line into the real firmata-io', () => {
  const made: { io: InstanceType<typeof firmata.Firmata>; transport: Transport }[] = []
  afterEach(() => {
    for (const { io, transport } of made.splice(0)) {
      clearTimeout(io.reportVersionTimeoutId)
      transport.close()
    }
  })

  function library(): Rig & { io: InstanceType<typeof firmata.Firmata> } {
    const rigged = rig()
    const io = new firmata.Firmata(rigged.transport.stream, {
      reportVersionTimeout: 50,
      samplingInterval: 20,
    })
    made.push({ io, transport: rigged.transport })
    return Object.assign(rigged, { io })
  }

  const handshake = [...banner, ...capabilities, ...mapping]
  const crashes = [
    { name: 'a firmware without a name', bytes: [0xf0, 0x79, 0xf7] },
    { name: 'a firmware with half a version', bytes: [0xf0, 0x79, 2, 0xf7] },
    { name: 'a pin state of no pin', bytes: [0xf0, 0x6e, 0xf7] },
    { name: 'a pin state of an unknown pin', bytes: [0xf0, 0x6e, 20, 1, 0, 0xf7] },
    { name: 'an analog mapping of too many pins', bytes: [...mapping.slice(0, -1), 6, 0xf7] },
    { name: 'a second analog mapping', bytes: mapping },
    { name: 'second capabilities', bytes: capabilities },
    { name: 'a 1-wire reply about itself', bytes: [0xf0, 0x73, 0x73, 0xf7] },
  ]

  test('a clean handshake makes it ready', () => {
    const { io, transport } = library()
    transport.receive(Uint8Array.from(handshake))
    expect(io.isReady).toBe(true)
    expect(io.analogPins).toEqual([14, 15, 16, 17, 18, 19])
    expect(transport.counts()).toMatchObject({ broken: 0, unsound: 0 })
  })

  test.for(crashes)(
    '$name reaches nobody, before the handshake, in it and after it',
    ({ bytes }) => {
      const { io, transport, faults } = library()
      const isDuplicate = bytes === mapping || bytes === capabilities
      if (!isDuplicate) transport.receive(Uint8Array.from(bytes))
      transport.receive(Uint8Array.from(banner))
      if (!isDuplicate) transport.receive(Uint8Array.from(bytes))
      transport.receive(Uint8Array.from([...capabilities, ...mapping]))
      transport.receive(Uint8Array.from(bytes))
      expect(io.isReady).toBe(true)
      expect(io.analogPins).toHaveLength(6)
      expect(faults).toEqual([])
    },
  )

  test('a mapping before the capabilities, or capabilities of fewer pins, leave it waiting', () => {
    const { io, transport, faults } = library()
    transport.receive(Uint8Array.from([...banner, ...mapping]))
    transport.receive(Uint8Array.from([0xf0, 0x6c, 0, 1, 0x7f, 0xf7]))
    transport.receive(Uint8Array.from(mapping))
    expect(io.isReady).toBe(false)
    expect(transport.counts().unsound).toBe(2)
    expect(faults).toEqual([])
  })

  test('second capabilities of more pins do not let in what the first have not', () => {
    const { io, transport, faults } = library()
    transport.receive(Uint8Array.from(handshake))
    const larger = Array.from({ length: 60 }, () => [0, 1, 0x7f]).flat()
    transport.receive(Uint8Array.from([0xf0, 0x6c, ...larger, 0xf7]))
    transport.receive(Uint8Array.from([0xf0, 0x6e, 40, 1, 0, 0xf7]))
    expect(io.pins).toHaveLength(20)
    expect(transport.counts().unsound).toBe(2)
    expect(faults).toEqual([])
  })

  test('a sysex without an end takes no memory', () => {
    const { io, transport } = library()
    transport.receive(Uint8Array.from(handshake))
    transport.receive(Uint8Array.from([0xf0, ...Array<number>(100_000).fill(1)]))
    transport.receive(Uint8Array.from([0xe0, 1, 1]))
    expect(io.isReady).toBe(true)
    expect(transport.counts().broken).toBe(100_001)
  })

  test('an impossible analog value is dropped', () => {
    const { reports, transport } = library()
    transport.receive(Uint8Array.from([...handshake, 0xe0, 0x7f, 0x7f]))
    expect(reports.filter((report) => report.kind === 'analog')).toEqual([])
  })

  test('random noise, framed noise and flipped bits never throw and are never a fault', () => {
    const byte = fc.integer({ min: 0, max: 255 })
    const data = fc.integer({ min: 0, max: 127 })
    const noise = fc.array(byte, { maxLength: 300 })
    const framed = fc
      .array(
        fc.tuple(
          fc.constantFrom(0x79, 0x6c, 0x6a, 0x6e, 0x71, 0x73, 0x77, 0x42, 0x43, 0x62),
          fc.array(data),
        ),
        { maxLength: 5 },
      )
      .map((messages) => messages.flatMap(([command, rest]) => [0xf0, command, ...rest, 0xf7]))
    const flips = fc
      .array(fc.tuple(fc.nat(handshake.length - 1), fc.nat(7)), { maxLength: 4 })
      .map((places) => {
        const bytes = [...handshake]
        for (const [at, bit] of places) bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
        return bytes
      })
    fc.assert(
      fc.property(fc.boolean(), fc.oneof(noise, framed, flips), (isReadyBefore, bytes) => {
        const { transport, faults, io } = library()
        if (isReadyBefore) transport.receive(Uint8Array.from(handshake))
        transport.receive(Uint8Array.from(bytes))
        expect(faults).toEqual([])
        clearTimeout(io.reportVersionTimeoutId)
      }),
      { numRuns: 3000 },
    )
  })

  test('a listener that throws is a fault, not an uncaught error', () => {
    const { io, transport, faults } = library()
    transport.receive(Uint8Array.from(handshake))
    io.on('analog-read-0', () => {
      throw new Error('cannot count')
    })
    transport.receive(Uint8Array.from([0xe0, 1, 1]))
    expect(faults).toEqual(['a report of analog was not understood: cannot count'])
  })
})
