import type { Configuration } from '../../core/vocabulary/configuration.ts'
import { type BodyConfiguration, contactsOf, motorPowerName } from '../../core/vocabulary/parts.ts'
import { MechosError } from '../../core/vocabulary/errors.ts'
import type { Reading } from '../../core/vocabulary/reading.ts'
import type { Body, Truth } from '../body.ts'
import type { Clock } from '../clock.ts'
import { subscribe } from '../listeners.ts'
import { makeActuators } from './actuators.ts'
import { makeBattery } from './battery.ts'
import { makeChassis } from './chassis.ts'
import { makeRoom, type Room } from './room.ts'
import type { Sensor } from './sensor.ts'
import { makeSensors } from './sensors.ts'
import { subStepMs, subStepsAt } from './sub-step.ts'

/** A body with a world around it. Its own `step` is the only thing that makes time pass in that world. */
export interface SimulatedBody extends Body {
  readonly room: Room
  /** Moves the world on and emits readings meanwhile. Throws TypeError unless 0 to 60 000 ms are asked for. */
  step(milliseconds: number): void
  truth(): Truth
  /**
   * Opens or closes the contact of a stop button, or that of the motor supply, `motorPower`: without it the wheels get no
   * power. Throws TypeError for a name that the configuration does not declare.
   */
  setContact(name: string, isClosed: boolean): void
  /** Calls back at the end of each `step` with its milliseconds. Returns how to stop. */
  onStep(listener: (milliseconds: number) => void): () => void
}

/** What a simulated body needs beside its configuration. `room` defaults to `makeRoom(seed)`. */
export interface Simulation {
  readonly clock: Clock
  readonly seed: number
  readonly room?: Room
}

const stepMsMax = 60_000
const unpowered = { left: 0, right: 0 } as const
/** All sensors speak at the end of the first 20 ms, and then each at its own rate. */
const firstSampleSubStep = subStepsAt(50)

/**
 * Simulates the robot that `configuration` declares, whatever its kind; pins are ignored. It starts at (0, 0) of
 * `odom`, facing along x. Readings are emitted synchronously by `step` and stamped `clock.now()`. The same seed,
 * writes and steps give the same readings, bit for bit.
 */
export function simulatedBody(configuration: Configuration, simulation: Simulation): SimulatedBody {
  const { clock, seed, room = makeRoom(simulation.seed) } = simulation
  const actuators = makeActuators(configuration.body)
  const chassis = makeChassis(configuration.body, room, seed)
  const battery = makeBattery()
  const onReading = new Set<(reading: Reading) => void>()
  const contacts = contactsOf(configuration.body).map(({ name }) => name)
  const openContacts = new Set<string>()
  const onStep = new Set<(milliseconds: number) => void>()
  let sensors: readonly Sensor[] = []
  let isOpen = false
  let isArmed = false
  let owedMs = 0
  let subSteps = 0

  const halt = () => {
    isArmed = false
    actuators.release()
  }
  const speak = () => {
    const sinceFirst = subSteps - firstSampleSubStep
    for (const sensor of sensors) {
      if (sinceFirst < 0 || sinceFirst % sensor.everySubSteps !== 0) continue
      const reading = sensor.sample(clock.now())
      for (const listener of onReading) listener(reading)
    }
  }
  const advance = () => {
    const isSupplied = !openContacts.has(motorPowerName)
    const { left, right } = isSupplied ? actuators.effort : unpowered
    chassis.advance({ left, right, isPowered: isArmed && isSupplied })
    battery.drain((Math.abs(left) + Math.abs(right)) / 2)
    subSteps++
    if (isOpen) speak()
  }

  return {
    kind: 'simulated',
    senses: sensesOf(configuration.body),
    room,
    open() {
      halt()
      // Encoders count from here on, and whoever listens hears every sensor within one tick.
      sensors = makeSensors(configuration.body, {
        chassis,
        room,
        battery,
        seed,
        open: openContacts,
      })
      subSteps = 0
      isOpen = true
      return Promise.resolve({ firmware: 'simulated', deadman: false })
    },
    arm() {
      if (!isOpen) throw new MechosError('ERR_GATE_SHUT', 'a body that is not open cannot be armed')
      // Arming alone must move nothing, also where it follows no halt.
      actuators.release()
      isArmed = true
    },
    write(command) {
      if (!isArmed) throw new MechosError('ERR_GATE_SHUT', 'the body is not armed')
      actuators.put(command)
    },
    halt,
    confirm: () =>
      Promise.resolve(actuators.outputs().every((output) => output.safe) ? 'measured' : 'none'),
    outputs: () => actuators.outputs(),
    onReading: (listener) => subscribe(onReading, listener),
    onStep: (listener) => subscribe(onStep, listener),
    step(milliseconds) {
      if (!(milliseconds >= 0 && milliseconds <= stepMsMax)) {
        throw new TypeError(`a step takes 0 to ${stepMsMax} ms, not ${milliseconds}`)
      }
      owedMs += milliseconds
      for (; owedMs >= subStepMs; owedMs -= subStepMs) advance()
      for (const listener of onStep) listener(milliseconds)
    },
    truth: () => chassis.truth,
    setContact(name, isClosed) {
      if (!contacts.includes(name)) throw new TypeError(`this body has no contact ${name}`)
      if (isClosed) openContacts.delete(name)
      else openContacts.add(name)
    },
    close() {
      halt()
      isOpen = false
      return Promise.resolve()
    },
  }
}

/** What a simulated body feels without being told to have a sensor for it. */
function sensesOf(body: BodyConfiguration): NonNullable<Body['senses']> {
  if (body.kind !== 'simulated') return []
  return [
    ...(body.wheels ? (['encoders'] as const) : []),
    ...(body.imu ? (['imu'] as const) : []),
    'battery',
  ]
}
