import { parseConfiguration, type Configuration } from '../../../core/vocabulary/configuration.ts'
import type { Reading } from '../../../core/vocabulary/reading.ts'
import { virtualClock } from '../../../drivers/clock.ts'
import { simulatedBody, type SimulatedBody } from '../../../drivers/simulated/body.ts'
import type { Room } from '../../../drivers/simulated/room.ts'

/** Nothing to see and nothing to hit. */
export const emptyRoom: Room = { walls: [], discs: [] }

/** A wall across the way, `metres` ahead of the start and endless to all intents. */
export function wallAt(metres: number): Room {
  return {
    walls: [{ from: { x: metres, y: -50 }, to: { x: metres, y: 50 } }],
    discs: [],
  }
}

/** A simulated robot with wheels of 3 cm on a track of 15 cm, and with what else is asked for. */
export function robotWith(parts: object = {}): Configuration {
  const wheels = { radiusMetres: 0.03, trackMetres: 0.15 }
  return parseConfiguration({
    name: 'rover',
    body: { kind: 'simulated', wheels, ...parts },
    limits: { linear: 0.3, angular: 1.5 },
  })
}

/** A body that is open and armed, with all it said, and a way to let time pass. */
export interface Rig {
  readonly body: SimulatedBody
  readonly readings: Reading[]
  /** Sets both wheel speeds in rad/s and lets `milliseconds` pass in ticks of 20. */
  readonly drive: (left: number, right: number, milliseconds: number) => Promise<void>
  /** Lets time pass. */
  readonly wait: (milliseconds: number) => Promise<void>
  /** The last reading of a kind; throws when there was none. */
  readonly last: <K extends Reading['kind']>(kind: K) => Extract<Reading, { kind: K }>
  readonly all: <K extends Reading['kind']>(kind: K) => Extract<Reading, { kind: K }>[]
}

/** Seed 1 and an empty room unless told. */
export async function rig(configuration: Configuration, room = emptyRoom, seed = 1): Promise<Rig> {
  const clock = virtualClock()
  const body = simulatedBody(configuration, { clock, seed, room })
  const readings: Reading[] = []
  body.onReading((reading) => readings.push(reading))
  await body.open()
  body.arm()

  const all = <K extends Reading['kind']>(kind: K) =>
    readings.filter((reading): reading is Extract<Reading, { kind: K }> => reading.kind === kind)
  const wait = async (milliseconds: number) => {
    for (let passed = 0; passed < milliseconds; passed += 20) {
      await clock.advance(20)
      body.step(20)
    }
  }
  return {
    body,
    readings,
    wait,
    all,
    drive: async (left, right, milliseconds) => {
      body.write({ kind: 'wheels', left, right })
      await wait(milliseconds)
    },
    last: (kind) => {
      const reading = all(kind).at(-1)
      if (!reading) throw new Error(`there was no ${kind} reading`)
      return reading
    },
  }
}
