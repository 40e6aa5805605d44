import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Firmware, builtHex, readyMadeHex } from '../support/uno/firmware.ts'
import { type Host, openHost } from '../support/uno/host.ts'
import { monotonicMs } from '../support/uno/monotonic.ts'
import { type RemoteUno, startRemoteUno } from '../support/uno/remote.ts'
import { type DutyChange, type Uno, startUno } from '../support/uno/uno.ts'
import { until } from '../support/uno/until.ts'

const output = 1
const pwm = 3
const servo = 4
const setPinMode = 0xf4
const systemReset = 0xff
const queryFirmware = [0xf0, 0x79, 0xf7]
const haltFrame = [0xf7, 0xe3, 0, 0, 0xeb, 0, 0, 0x90, 0, 0, 0x91, 0, 0]

/** ANALOG_MESSAGE: a PWM duty of 0 to 255 or a servo's position. */
const analogWrite = (pin: number, value: number) => [0xe0 | pin, value & 0x7f, value >> 7]
/** DIGITAL_MESSAGE: the levels of eight pins. */
const portWrite = (port: number, levels: number) => [0x90 | port, levels & 0x7f, levels >> 7]
const firmwareReport = ({ name, version }: Firmware) => [
  0xf0,
  0x79,
  ...version,
  ...Array.from(Buffer.from(name)).flatMap((letter) => [letter & 0x7f, letter >> 7]),
  0xf7,
]

const readyMade = readyMadeHex()
const built = builtHex()
const newest = built.firmware ?? readyMade

describe('StandardFirmata 2.3, ready-made', () => {
  describeBoard(readyMade, startUno)
  describeServo(readyMade)
})

if (built.firmware) {
  const { firmware } = built
  describe('StandardFirmata 2.5.8, built', () => {
    describeBoard(firmware, startUno)
    describeServo(firmware)
  })
} else {
  test.skip(`StandardFirmata 2.5.8 could not be built: ${built.reason}`, () => {})
}

describe('a board in a process of its own', () => {
  describeBoard(newest, startRemoteUno)

  test('rejects what the board refuses', async () => {
    const board = await startRemoteUno({ firmware: newest })
    await expect(board.dutyOf(20)).rejects.toThrow('an Uno has no pin 20')
    await board.close()
  })

  test('rejects calls after its end', async () => {
    const board = await startRemoteUno({ firmware: newest })
    await board.close()
    await expect(board.chipMs()).rejects.toThrow('has ended')
  })

  test('does not start without a firmware', async () => {
    await expect(startRemoteUno({ firmware: { path: '/nowhere.hex' } })).rejects.toThrow(
      'has ended',
    )
  })
})

/** What every board does, with whichever firmware, in whichever process. */
function describeBoard(
  firmware: Firmware,
  start: (options: { firmware: Firmware }) => Promise<Uno | RemoteUno>,
) {
  let board: Uno | RemoteUno
  let host: Host
  let changes: DutyChange[]

  beforeAll(async () => {
    board = await start({ firmware })
    board.onDuty((change) => changes.push(change))
  })
  afterAll(() => board.close())
  beforeEach(async () => {
    changes = []
    host = await openHost(board.path)
  })
  afterEach(async () => {
    try {
      await host.send(systemReset, ...portWrite(0, 0), ...portWrite(1, 0), 0xf0, 0x6d, 13, 0xf7)
      await host.hears([0xf0, 0x6e, 13, output, 0, 0xf7])
    } finally {
      await host.close()
    }
  })

  const lastDuty = (pin: number) => changes.findLast((change) => change.pin === pin)?.duty
  const dutyBecomes = (pin: number, duty: number) =>
    until({
      what: () => `the duty of pin ${pin} becomes ${duty}`,
      condition: () => lastDuty(pin) === duty,
      on: (listener) => board.onDuty(listener),
    })

  test('reports its firmware when asked', async () => {
    await host.send(...queryFirmware)
    await host.hears(firmwareReport(firmware))
    expect(host.heard()).toEqual(firmwareReport(firmware))
  })

  test('starts with its pins as outputs at rest, but for the analog inputs', async () => {
    const pins = Array.from({ length: 18 }, (_, index) => index + 2)
    const duties = await Promise.all(pins.map(async (pin) => board.dutyOf(pin)))
    const outputs = await Promise.all(pins.map(async (pin) => board.isOutput(pin)))
    expect(duties).toEqual(pins.map(() => 0))
    expect(outputs).toEqual(pins.map((pin) => pin < 14))
  })

  test.each([3, 5, 6, 9, 10, 11])('puts out a duty on pin %i', async (pin) => {
    await host.send(setPinMode, pin, pwm, ...analogWrite(pin, 128))
    await dutyBecomes(pin, 128 / 255)
    expect(await board.dutyOf(pin)).toBe(128 / 255)

    await host.send(...analogWrite(pin, 0))
    await dutyBecomes(pin, 0)
    expect(await board.dutyOf(pin)).toBe(0)

    await host.send(...analogWrite(pin, 255))
    await dutyBecomes(pin, 1)
    expect(await board.dutyOf(pin)).toBe(1)
  })

  test('drives digital outputs', async () => {
    await host.send(setPinMode, 7, output, setPinMode, 12, output, ...portWrite(0, 0x80))
    await dutyBecomes(7, 1)
    expect([await board.levelOf(7), await board.levelOf(12)]).toEqual([1, 0])

    await host.send(...portWrite(0, 0), ...portWrite(1, 0x10))
    await dutyBecomes(12, 1)
    expect([await board.levelOf(7), await board.levelOf(12)]).toEqual([0, 1])
  })

  test('reports the voltage on an analog input', async () => {
    await board.setAnalog(0, 2.5)
    await host.send(0xc0, 1)
    await host.hears([0xe0, 512 & 0x7f, 512 >> 7])
    await board.setAnalog(0, 5)
    await host.hears([0xe0, 1023 & 0x7f, 1023 >> 7])
    await host.send(0xc0, 0)
  })

  test('reports the level on a digital input', async () => {
    await board.setInput(4, 0)
    await host.send(setPinMode, 4, 0, 0xd0, 1)
    await board.setInput(4, 1)
    await host.hears([0x90, 0x10, 0])
    expect(await board.dutyOf(4)).toBe(0)
    await board.setInput(4, 0)
    await host.hears([0x90, 0x10, 0, 0x90, 0, 0])
    await host.send(0xd0, 0)
  })

  test('executes every one of many writes, in their order, while it reports', async () => {
    const duties = Array.from({ length: 254 }, (_, index) => index + 1)
    await host.send(setPinMode, 3, pwm, 0xc0, 1, 0xc1, 1)
    await host.send(...duties.flatMap((duty) => analogWrite(3, duty)))
    await dutyBecomes(3, 254 / 255)
    await host.send(0xc0, 0, 0xc1, 0)
    expect(
      changes.filter(({ pin }) => pin === 3).map(({ duty }) => Math.round(duty * 255)),
    ).toEqual(duties)
  })

  test('tells when a duty changed, on its own clock and on that of all processes', async () => {
    await host.send(setPinMode, 3, pwm)
    const before = { chipMs: await board.chipMs(), hostMs: monotonicMs() }
    await host.send(...analogWrite(3, 200))
    await dutyBecomes(3, 200 / 255)
    const after = { chipMs: await board.chipMs(), hostMs: monotonicMs() }

    expect(changes).toEqual([
      { pin: 3, duty: 200 / 255, chipMs: expect.any(Number), hostMs: expect.any(Number) },
    ])
    const [change] = changes
    expect(change?.chipMs).toBeGreaterThanOrEqual(before.chipMs)
    expect(change?.chipMs).toBeLessThanOrEqual(after.chipMs)
    expect(change?.hostMs).toBeGreaterThanOrEqual(before.hostMs)
    expect(change?.hostMs).toBeLessThanOrEqual(after.hostMs)
  })

  test('stops its motors on a system reset', async () => {
    await host.send(setPinMode, 3, pwm, ...analogWrite(3, 128))
    await dutyBecomes(3, 128 / 255)
    await host.send(systemReset)
    await dutyBecomes(3, 0)
  })

  test.each([
    ['nothing', []],
    ['a half-sent sysex message', [0xf0, 0x71, 0x41, 0]],
    ['a half-sent analog write', [0xe3, 1]],
  ])('stops everything on a halt frame after %s', async (_, halfSent) => {
    await host.send(setPinMode, 3, pwm, setPinMode, 11, pwm, setPinMode, 7, output)
    await host.send(...analogWrite(3, 128), ...analogWrite(11, 255), ...portWrite(0, 0x80))
    await dutyBecomes(7, 1)
    const seen = changes.length
    await host.send(...halfSent, ...haltFrame)
    await dutyBecomes(7, 0)
    expect(changes.slice(seen).map(({ pin, duty }) => [pin, duty])).toEqual([
      [3, 0],
      [11, 0],
      [7, 0],
    ])
  })

  test('keeps its outputs when its port is closed and opened again', async () => {
    await host.send(setPinMode, 3, pwm, ...analogWrite(3, 77))
    await dutyBecomes(3, 77 / 255)
    await host.close()
    host = await openHost(board.path)
    expect(await board.dutyOf(3)).toBe(77 / 255)
    await host.send(...queryFirmware)
    await host.hears(firmwareReport(firmware))
    expect(host.heard()).toEqual(firmwareReport(firmware))
  })

  test('answers nothing while it hangs', async () => {
    await board.hang()
    const chipMs = await board.chipMs()
    await host.send(...queryFirmware)
    const silence = until({
      what: () => 'an answer of a board that hangs',
      condition: () => host.heard().length > 0,
      on: host.onData,
      limitMs: 100,
    })
    await expect(silence).rejects.toThrow('not within 100 ms')
    expect(await board.chipMs()).toBe(chipMs)

    await board.resume()
    await host.hears(firmwareReport(firmware))
  })

  test('floats its pins on a reset and then reports itself', async () => {
    await host.send(setPinMode, 3, pwm, ...analogWrite(3, 128))
    await dutyBecomes(3, 128 / 255)
    await board.reset()
    await dutyBecomes(3, 0)
    expect(await board.isOutput(3)).toBe(false)
    await host.hears([0xf9, ...firmware.version, ...firmwareReport(firmware)])
  })

  test('lets the host see that the cable was pulled', async () => {
    const other = await start({ firmware })
    const otherHost = await openHost(other.path)
    await other.unplug()
    // serialport 13 sometimes reads a port that hung up as empty, again and again; its next write tells it in any case.
    otherHost.port.write(queryFirmware)
    await otherHost.closed
    expect(otherHost.port.isOpen).toBe(false)
    await other.close()
  })
}

/** With 2.3 it shows what Arduino's own Servo library does, with 2.5.8 that firmware/servo does the same. */
function describeServo(firmware: Firmware) {
  test.each([9, 10, 4])(
    'drives a servo on pin %i with pulses of the width asked for',
    async (pin) => {
      const board = await startUno({ firmware })
      const host = await openHost(board.path)
      const pulseBecomes = (micros: number) =>
        until({
          what: () =>
            `the pulses on pin ${pin} become ${micros} µs wide, last ${board.servoPulseUs(pin)}`,
          condition: () => Math.abs((board.servoPulseUs(pin) ?? 0) - micros) < 10,
          on: (listener) => board.onDuty(listener),
        })

      expect(board.servoPulseUs(pin)).toBeUndefined()
      await host.send(setPinMode, pin, servo)
      await pulseBecomes(1500)
      await host.send(...analogWrite(pin, 2000))
      await pulseBecomes(2000)
      await host.close()
      await board.close()
    },
  )
}
