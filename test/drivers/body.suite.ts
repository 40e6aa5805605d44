import { afterEach, beforeEach, describe, expect, test, type TestContext } from 'vitest'
import type { Configuration } from '../../core/vocabulary/configuration.ts'
import { isSound, type Reading } from '../../core/vocabulary/reading.ts'
import type { ActuatorCommand, Body } from '../../drivers/body.ts'

/** A body on a bench, with instruments that do not ask the body. */
export interface Bench {
  /** Not opened yet. */
  readonly body: Body
  readonly configuration: Configuration
  /** Lets the hardware act until its outputs have settled. */
  settle(): Promise<void>
  /** What a wheel is really driven with, from -1 to 1, positive forward; within 0.05. */
  effortOf(wheel: 'left' | 'right'): Promise<number>
  /** The level that is really on a relay's pin. */
  levelOf(relay: string): Promise<0 | 1>
  /** Takes the bench down, body included. */
  close(): Promise<void>
}

const shut = expect.objectContaining({ code: 'ERR_GATE_SHUT' })
const refused = expect.objectContaining({ code: 'ERR_COMMAND_REFUSED' })
const unnamed = 'no-such-part'

/**
 * What every body must do, whoever made it: run it over a new driver, once with wheels, relays and servos declared
 * with each of their halts. `make` is called for each test; what a configuration does not declare is skipped.
 */
export function bodyConformance(name: string, make: () => Promise<Bench>): void {
  describe(`${name} is a body`, () => {
    let bench: Bench
    let body: Body
    beforeEach(async () => {
      bench = await make()
      body = bench.body
    })
    afterEach(() => bench.close())

    /** Commands that move, switch and turn everything there is. */
    const everything = (): ActuatorCommand[] => {
      const { wheels, relays, servos } = bench.configuration.body
      return [
        ...(wheels ? [spin(wheels.fullSpeed / 2, -wheels.fullSpeed / 2)] : []),
        ...relays.map((relay) => switched(relay.name, relay.halt === 'low')),
        ...servos.map((servo) => turned(servo.name, servo.maxRadians / 2)),
      ]
    }
    const writeAll = () => {
      for (const command of everything()) body.write(command)
    }
    /** What the instruments say, to the accuracy that they have. */
    const measureAll = async () => {
      const { wheels, relays } = bench.configuration.body
      const measured: Record<string, number> = {}
      for (const wheel of wheels ? (['left', 'right'] as const) : []) {
        measured[wheel] = Math.round((await bench.effortOf(wheel)) * 10) + 0
      }
      for (const relay of relays) measured[relay.name] = await bench.levelOf(relay.name)
      return measured
    }
    /** Everything is where a halt puts it, by the body's own word and by the instruments. */
    const expectSafe = async () => {
      await bench.settle()
      const { wheels, relays } = bench.configuration.body
      expect(body.outputs().filter((output) => !output.safe)).toEqual([])
      for (const wheel of wheels ? (['left', 'right'] as const) : []) {
        expect(await bench.effortOf(wheel)).toBeCloseTo(0, 2)
      }
      for (const relay of relays) {
        expect(await bench.levelOf(relay.name)).toBe(relay.halt === 'high' ? 1 : 0)
      }
    }

    test('it opens and says what it is', async () => {
      const facts = await body.open()
      expect(facts).toEqual({ firmware: expect.any(String), deadman: expect.any(Boolean) })
      expect(facts.firmware).not.toBe('')
    })

    test('it reports every actuator by its name, once', async () => {
      await body.open()
      body.arm()
      const { wheels, relays, servos } = bench.configuration.body
      const declared = [...relays, ...servos].map((part) => part.name)
      expect(body.outputs().map((output) => output.name)).toEqual(
        wheels ? ['left', 'right', ...declared] : declared,
      )
    })

    test('unarmed, it refuses every write and nothing changes', async () => {
      await body.open()
      await bench.settle()
      const before = await measureAll()
      for (const command of everything()) expect(() => body.write(command)).toThrow(shut)
      await bench.settle()
      expect(await measureAll()).toEqual(before)
    })

    test('arming alone moves nothing', async () => {
      await body.open()
      body.arm()
      await expectSafe()
    })

    test.for([
      { left: 0.5, right: 0 },
      { left: -0.5, right: 0 },
      { left: 0, right: 0.5 },
      { left: 0, right: -0.5 },
      { left: 0.8, right: 0.4 },
    ])(
      'it turns the wheel that is meant, in the direction that is meant: %o',
      async (effort, context) => {
        const { fullSpeed } = need(context, bench.configuration.body.wheels)
        await body.open()
        body.arm()
        body.write(spin(effort.left * fullSpeed, effort.right * fullSpeed))
        await bench.settle()
        expect(Math.abs((await bench.effortOf('left')) - effort.left)).toBeLessThan(0.05)
        expect(Math.abs((await bench.effortOf('right')) - effort.right)).toBeLessThan(0.05)
      },
    )

    test('what it says it puts out is what it puts out', async () => {
      await body.open()
      body.arm()
      writeAll()
      await bench.settle()
      const { wheels, relays } = bench.configuration.body
      for (const wheel of wheels ? (['left', 'right'] as const) : []) {
        const measured = await bench.effortOf(wheel)
        expect(Math.abs(numberOf(body, wheel) - measured)).toBeLessThan(0.05)
        expect(outputOf(body, wheel).safe).toBe(false)
      }
      for (const { name: relay } of relays) {
        expect(outputOf(body, relay)).toEqual({
          name: relay,
          output: await bench.levelOf(relay),
          safe: false,
        })
      }
    })

    test('a wheel told -0 is reported as 0', async (context) => {
      need(context, bench.configuration.body.wheels)
      await body.open()
      body.arm()
      body.write(spin(-0, -0))
      expect(outputOf(body, 'left')).toEqual({ name: 'left', output: 0, safe: true })
      expect(outputOf(body, 'right')).toEqual({ name: 'right', output: 0, safe: true })
    })

    test('relays rest at their halt level, switch, and return to it', async (context) => {
      const { relays } = bench.configuration.body
      need(context, relays[0])
      await body.open()
      body.arm()
      await expectSafe()
      for (const on of [true, false, true]) {
        for (const relay of relays) body.write(switched(relay.name, on))
        await bench.settle()
        for (const relay of relays) expect(await bench.levelOf(relay.name)).toBe(on ? 1 : 0)
      }
      body.halt()
      await expectSafe()
    })

    test('a halt leaves a servo where it is, or lets it go, as was declared', async (context) => {
      const { servos } = bench.configuration.body
      need(context, servos[0])
      await body.open()
      body.arm()
      for (const servo of servos) body.write(turned(servo.name, servo.maxRadians / 2))
      await bench.settle()
      for (const servo of servos) {
        expect(numberOf(body, servo.name)).toBeCloseTo(servo.maxRadians / 2, 1)
      }
      body.halt()
      await bench.settle()
      for (const servo of servos) {
        const output = servo.halt === 'hold' ? expect.closeTo(servo.maxRadians / 2, 1) : null
        expect(outputOf(body, servo.name)).toEqual({ name: servo.name, output, safe: true })
      }
    })

    test('a halt puts everything at its safe output and has evidence for it', async () => {
      await body.open()
      body.arm()
      writeAll()
      await bench.settle()
      body.halt()
      expect(await body.confirm()).toMatch(/^(measured|echoed)$/)
      await expectSafe()
    })

    test('a halt is total: before open, before arm, twice, and after close', async () => {
      body.halt()
      await body.open()
      body.halt()
      body.arm()
      writeAll()
      body.halt()
      body.halt()
      await expectSafe()
      await body.close()
      body.halt()
      await expectSafe()
    })

    test('after a halt it takes an arm and a new command to move', async () => {
      await body.open()
      body.arm()
      writeAll()
      await bench.settle()
      body.halt()
      for (const command of everything()) expect(() => body.write(command)).toThrow(shut)
      await expectSafe()
      body.arm()
      await expectSafe()
      writeAll()
      await bench.settle()
      const moving = body.outputs().filter((output) => !output.safe)
      expect(moving).toHaveLength(countUnsafe(bench.configuration))
    })

    test('nothing moves on a command that is not finite or names no part', async () => {
      await body.open()
      body.arm()
      const { wheels, servos } = bench.configuration.body
      const wrong = [NaN, Infinity, -Infinity]
      const commands: ActuatorCommand[] = [
        ...wrong.flatMap((speed) => [spin(speed, 1), spin(1, speed)]),
        ...wrong.flatMap((angle) => servos.map((servo) => turned(servo.name, angle))),
        ...(wheels ? [] : [spin(1, 1)]),
        switched(unnamed, true),
        turned(unnamed, 0.1),
      ]
      const before = body.outputs()
      for (const command of commands) expect(() => body.write(command)).toThrow(refused)
      await expectSafe()
      expect(body.outputs()).toEqual(before)
    })

    test('its readings are sound and their stamps never go back', async (context) => {
      const readings: Reading[] = []
      const stop = body.onReading((reading) => readings.push(reading))
      await body.open()
      body.arm()
      writeAll()
      await bench.settle()
      await bench.settle()
      stop()
      need(context, readings[0] ?? declaredSensor(bench.configuration))
      const seen = readings.length
      expect(seen).toBeGreaterThan(0)
      expect(readings.filter((reading) => !isSound(reading))).toEqual([])
      const stamps = readings.map((reading) => reading.stampMs)
      expect(stamps).toEqual(stamps.toSorted((a, b) => a - b))
      await bench.settle()
      expect(readings).toHaveLength(seen)
    })

    test('closing halts, lets go, and may be repeated', async () => {
      await body.open()
      body.arm()
      writeAll()
      await bench.settle()
      await body.close()
      await body.close()
      await expectSafe()
      for (const command of everything()) expect(() => body.write(command)).toThrow(shut)
    })
  })
}

function spin(left: number, right: number): ActuatorCommand {
  return { kind: 'wheels', left, right }
}

function switched(name: string, on: boolean): ActuatorCommand {
  return { kind: 'relay', name, on }
}

function turned(name: string, radians: number): ActuatorCommand {
  return { kind: 'servo', name, radians }
}

/** Skips the test where the configuration has no such part. */
function need<T>(context: TestContext, part: T | undefined): T {
  if (part === undefined) return context.skip('the configuration declares no such part')
  return part
}

function outputOf(body: Body, name: string) {
  return body.outputs().find((output) => output.name === name) ?? { output: null, safe: null }
}

function numberOf(body: Body, name: string): number {
  return outputOf(body, name).output ?? NaN
}

/** How many outputs are unsafe once everything moves: a servo that holds at a halt is always at its safe output. */
function countUnsafe({ body }: Configuration): number {
  const released = body.servos.filter((servo) => servo.halt === 'release')
  return (body.wheels ? 2 : 0) + body.relays.length + released.length
}

function declaredSensor({ body }: Configuration): string | undefined {
  return [...body.ranges, ...body.bumpers].map((sensor) => sensor.name)[0]
}
