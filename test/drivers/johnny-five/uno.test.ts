import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import five from 'johnny-five'
import type { Reading } from '../../../core/vocabulary/reading.ts'
import type { Body } from '../../../drivers/body.ts'
import { wallClock } from '../../../drivers/clock.ts'
import { builtHex, type Firmware, readyMadeHex } from '../../support/uno/firmware.ts'
import { type RemoteUno, startRemoteUno } from '../../support/uno/remote.ts'
import { bodyConformance } from '../body.suite.ts'
import { rover, threePin } from './rover.ts'
import { evidenceOf, live, livingBody, lossOf, readingOf, settled, unoBench } from './uno-bench.ts'

const supply = builtHex()

if (supply.firmware) {
  const { firmware } = supply
  describe('StandardFirmata 2.5.8 on an emulated Uno, over a PTY and serialport', () =>
    real(firmware))
} else {
  test.skip(`StandardFirmata 2.5.8 could not be built: ${supply.reason}`, () => undefined)
}

function real(newest: Firmware) {
  let uno: RemoteUno
  beforeAll(async () => {
    uno = await startRemoteUno({ firmware: newest })
  })
  afterAll(() => uno.close())

  bodyConformance('a rover with two-pin drivers', () => Promise.resolve(unoBench(uno, rover)))
  bodyConformance('a rover with three-pin drivers', () => Promise.resolve(unoBench(uno, threePin)))

  describe('a rover', () => {
    let body: Body
    const lost: string[] = []
    beforeEach(async () => {
      body = livingBody(rover, { port: uno.path, clock: wallClock() })
      lost.length = 0
      body.onLost?.((cause) => lost.push(cause))
      await body.open()
    })
    afterEach(() => body.close())

    test('is what its firmware says', async () => {
      await body.close()
      expect(await body.open()).toEqual({ firmware: 'StandardFirmata.ino 2.5', deadman: false })
    })

    test('halts from full speed: no duty on any pin, and the firmware says so', async () => {
      body.arm()
      body.write({ kind: 'wheels', left: 20, right: -20 })
      body.write({ kind: 'relay', name: 'lamp', on: true })
      body.write({ kind: 'relay', name: 'lock', on: false })
      await settled(uno)
      expect(await outputsOf(uno, [3, 2, 11, 12, 7, 8])).toEqual([1, 1, 1, 0, 1, 0])
      body.halt()
      expect(await evidenceOf(body)).toBe('echoed')
      expect(await outputsOf(uno, [3, 2, 11, 12, 7, 8])).toEqual([0, 0, 0, 0, 0, 1])
      expect(lost).toEqual([])
    })

    test('a duty changes in place and a direction through zero', async () => {
      body.arm()
      body.write({ kind: 'wheels', left: 10, right: 0 })
      await settled(uno)
      const duties: number[] = []
      const stop = uno.onDuty(({ pin, duty }) => {
        if (pin === 3) duties.push(Math.round(duty * 255))
      })
      body.write({ kind: 'wheels', left: 15, right: 0 })
      await settled(uno)
      body.write({ kind: 'wheels', left: -15, right: 0 })
      await settled(uno)
      stop()
      expect(duties).toEqual([191, 0, 191])
    })

    test('a small speed is none, a somewhat larger one the least that turns a motor', async () => {
      body.arm()
      body.write({ kind: 'wheels', left: 1.1, right: 1.3 })
      await settled(uno)
      expect(await uno.dutyOf(3)).toBe(0)
      expect(await uno.dutyOf(11)).toBeCloseTo(30 / 255, 3)
    })

    test('measures what is before it, and says Infinity for nothing', async () => {
      await uno.setAnalog(0, 2.3)
      await readingOf(body, isRange(0.1))
      await uno.setAnalog(0, 0)
      expect(await readingOf(body, isRange(Infinity))).toMatchObject({ name: 'front' })
    })

    test('feels its bumper, through the pull-up of its pin', async () => {
      await uno.setInput(4, 0)
      expect(await readingOf(body, isBumper(true))).toMatchObject({ name: 'nose' })
      await uno.setInput(4, 1)
      expect(await readingOf(body, isBumper(false))).toMatchObject({ name: 'nose' })
      expect(await uno.isOutput(4)).toBe(false)
    })

    test('goes on sensing after a halt', async () => {
      body.arm()
      body.halt()
      await uno.setInput(4, 0)
      await readingOf(body, isBumper(true))
      await uno.setInput(4, 1)
      await readingOf(body, isBumper(false))
      await uno.setAnalog(0, 1)
      await readingOf(body, isRange(0.278))
    })

    test('after a flood of commands a halt is the last thing that the board does', async () => {
      body.arm()
      await settled(uno)
      for (let round = 0; round < 20; round++) {
        for (let n = 0; n < 250; n++) {
          body.write({ kind: 'wheels', left: n % 2 ? 10 : -10, right: 5 + (n % 15) })
        }
        // oxlint-disable-next-line no-await-in-loop -- 5 000 commands in a second of the chip
        await live(uno, 50)
      }
      body.halt()
      expect(await evidenceOf(body)).toBe('echoed')
      const duties: number[] = []
      const stop = uno.onDuty(({ pin, duty }) => {
        if (pin === 3 || pin === 11) duties.push(duty)
      })
      await live(uno, 500)
      stop()
      expect(duties).toEqual([])
      expect(await outputsOf(uno, [3, 11])).toEqual([0, 0])
    })

    test("Johnny-Five's own timers move nothing after a halt", async () => {
      body.arm()
      body.write({ kind: 'wheels', left: 10, right: 10 })
      body.write({ kind: 'servo', name: 'gripper', radians: 0 })
      await settled(uno)
      const made = five.Board.cache.at(-1)
      const register: unknown = made && Reflect.get(made, 'register')
      const parts: readonly unknown[] = Array.isArray(register) ? register : []
      const motor = parts.find((part) => part instanceof five.Motor)
      const servo = parts.find((part) => part instanceof five.Servo)
      expect([motor, servo]).not.toContain(undefined)
      servo?.sweep()
      // What `brake(300)` does on a driver with a brake pin: it starts the motor again when its time is over.
      const resuming = setInterval(() => motor?.forward(180), 20)
      body.halt()
      expect(await evidenceOf(body)).toBe('echoed')
      await live(uno, 600)
      clearInterval(resuming)
      servo?.stop()
      expect(await outputsOf(uno, [3, 2, 11, 12])).toEqual([0, 0, 0, 0])
      expect(await uno.servoPulseUs(9)).toBeCloseTo(1500, -1)
    })

    test('a port that is open already is locked', async () => {
      const other = livingBody(rover, { port: uno.path, clock: wallClock() })
      await expect(other.open()).rejects.toMatchObject({
        code: 'ERR_PORT_UNAVAILABLE',
        message: `cannot open ${uno.path}: it is locked by another program`,
      })
      await other.close()
    })

    test('a board that resets in mid-run is lost when it reports itself again', async () => {
      const gone = lossOf(body)
      body.arm()
      body.write({ kind: 'wheels', left: 20, right: 20 })
      await settled(uno)
      await uno.reset()
      // A second of silence during the blink, or its banner: whichever comes first.
      expect(await gone).toMatch(/restarted|said nothing/)
      expect(() => body.write({ kind: 'wheels', left: 1, right: 1 })).toThrow(
        expect.objectContaining({ code: 'ERR_GATE_SHUT' }),
      )
      await live(uno, 2500)
      expect(await outputsOf(uno, [3, 2, 11, 12])).toEqual([0, 0, 0, 0])
    })
  })

  describe('a board of its own', () => {
    test.for([
      { name: 'StandardFirmata 2.5.8', hex: newest },
      { name: 'StandardFirmata 2.3', hex: readyMadeHex() },
    ])('$name halts from full speed', async ({ hex }) => {
      const own = await startRemoteUno({ firmware: hex })
      const body = livingBody(threePin, { port: own.path, clock: wallClock() })
      await body.open()
      body.arm()
      body.write({ kind: 'wheels', left: 20, right: 20 })
      body.write({ kind: 'relay', name: 'pump', on: false })
      await settled(own)
      expect(await outputsOf(own, [5, 6, 7, 11, 12, 13, 17])).toEqual([1, 1, 0, 1, 1, 0, 0])
      body.halt()
      expect(await evidenceOf(body)).toBe('echoed')
      expect(await outputsOf(own, [5, 6, 7, 11, 12, 13, 17])).toEqual([0, 0, 0, 1, 1, 1, 1])
      await body.close()
      await own.close()
    })

    test('a servo has no pulse before its first angle, and is held or released by a halt', async () => {
      const own = await startRemoteUno({ firmware: newest })
      const body = livingBody(rover, { port: own.path, clock: wallClock() })
      await body.open()
      body.arm()
      await settled(own)
      expect(await own.servoPulseUs(9)).toBeUndefined()
      body.write({ kind: 'servo', name: 'gripper', radians: 0.5 })
      body.write({ kind: 'servo', name: 'tail', radians: -0.5 })
      await settled(own)
      expect(await own.servoPulseUs(9)).toBeCloseTo(1500 + (0.5 / Math.PI) * 1800, -1)
      expect(await own.servoPulseUs(10)).toBeCloseTo(1500 - (0.5 / Math.PI) * 1800, -1)
      body.halt()
      expect(await evidenceOf(body)).toBe('echoed')
      await settled(own)
      expect(await own.servoPulseUs(9)).toBeCloseTo(1500 + (0.5 / Math.PI) * 1800, -1)
      expect(await own.servoPulseUs(10)).toBeUndefined()
      body.arm()
      await settled(own)
      expect(await own.servoPulseUs(10)).toBeUndefined()
      body.write({ kind: 'servo', name: 'tail', radians: -0.5 })
      await settled(own)
      expect(await own.servoPulseUs(10)).toBeCloseTo(1500 - (0.5 / Math.PI) * 1800, -1)
      await body.close()
      await own.close()
    })

    test('a cable that is pulled is a loss with its cause, and no evidence', async () => {
      const own = await startRemoteUno({ firmware: newest })
      const body = livingBody(rover, { port: own.path, clock: wallClock() })
      await body.open()
      const gone = lossOf(body)
      body.arm()
      body.write({ kind: 'wheels', left: 20, right: 20 })
      await settled(own)
      await own.unplug()
      // Whoever notices first: the reader, or a write that was under way.
      expect(await gone).toMatch(/^port \S+ (closed: was the cable pulled\?|failed: )/)
      body.halt()
      expect(await body.confirm()).toBe('none')
      expect(body.outputs()[0]).toEqual({ name: 'left', output: 1, safe: false })
      await expect(body.open()).rejects.toMatchObject({ code: 'ERR_PORT_UNAVAILABLE' })
      await body.close()
      await own.close()
    })

    test('a board that hangs is lost, opens again once it lives, and is latched then', async () => {
      const own = await startRemoteUno({ firmware: newest })
      const body = livingBody(rover, { port: own.path, clock: wallClock() })
      await body.open()
      const gone = lossOf(body)
      body.arm()
      body.write({ kind: 'wheels', left: 20, right: 20 })
      await settled(own)
      await own.hang()
      expect(await gone).toBe('the board said nothing for 1 s')
      await own.resume()
      await body.open()
      await settled(own)
      expect(await outputsOf(own, [3, 2, 11, 12])).toEqual([0, 0, 0, 0])
      expect(() => body.write({ kind: 'wheels', left: 1, right: 1 })).toThrow(
        expect.objectContaining({ code: 'ERR_GATE_SHUT' }),
      )
      body.arm()
      body.write({ kind: 'wheels', left: 20, right: 20 })
      await settled(own)
      expect(await outputsOf(own, [3, 2, 11, 12])).toEqual([1, 1, 1, 1])
      await body.close()
      await own.close()
    })

    test('a board that never answers is silent after its limit', async () => {
      const own = await startRemoteUno({ firmware: newest })
      await own.hang()
      const options = { port: own.path, clock: wallClock(), openLimitMs: 300 }
      const body = livingBody(rover, options)
      await expect(body.open()).rejects.toMatchObject({
        code: 'ERR_BOARD_SILENT',
        message: `no Firmata answer on ${own.path} within 0.3 s; is StandardFirmata flashed, is it another program's port, baud 57600?`,
      })
      await body.close()
      await own.close()
    })
  })
}

function outputsOf(uno: RemoteUno, pins: readonly number[]): Promise<number[]> {
  return Promise.all(pins.map((pin) => uno.dutyOf(pin)))
}

function isRange(metres: number): (reading: Reading) => boolean {
  return (reading) =>
    reading.kind === 'range' &&
    (reading.metres === metres || Math.abs(reading.metres - metres) < 0.01)
}

function isBumper(pressed: boolean): (reading: Reading) => boolean {
  return (reading) => reading.kind === 'bumper' && reading.pressed === pressed
}
