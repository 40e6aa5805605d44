import type { Reading } from '../../core/vocabulary/reading.ts'
import type { ActuatorCommand, Body, BodyFacts, Evidence } from '../../drivers/body.ts'
import { type Clock, virtualClock, type VirtualClock } from '../../drivers/clock.ts'
import { createRobot } from '../../robot.ts'
import type { Robot, RobotOptions } from '../../robot/contract.ts'
import type { RobotConfiguration } from '../../core/vocabulary/configuration.ts'

/** A rover with two wheels and a lidar that sees all around. */
export const twoWheels = {
  name: 'hand-made',
  body: {
    kind: 'simulated',
    wheels: { radiusMetres: 0.05, trackMetres: 0.2 },
    lidar: { beams: 8 },
    relays: [{ name: 'lamp', halt: 'low' }],
  },
  limits: { linear: 0.5, angular: 1.5 },
  grants: ['drive', 'relay:lamp'],
} as const satisfies RobotConfiguration

/** What a test may change about the body while it runs. A function that throws takes the place of the good one. */
export interface Faults {
  open?: () => Promise<BodyFacts>
  arm?: () => void
  write?: (command: ActuatorCommand) => void
  halt?: () => void
  confirm?: () => Promise<Evidence>
  step?: () => void
  close?: () => Promise<void>
  /** What the sensors really say, from what they should say; undefined is silence. */
  sense?: (reading: Reading) => Reading | undefined
}

/** A body as a stranger would write it: it integrates the wheels that it is told, in the plane, without any room. */
export interface HandMadeBody extends Body {
  readonly faults: Faults
  /** Where it has got to, in metres and radians. */
  readonly at: { readonly x: number; readonly y: number; readonly heading: number }
  /** The wheel speeds that it drives at, rad/s. */
  readonly wheels: { readonly left: number; readonly right: number }
  readonly isArmed: boolean
  readonly isOpen: boolean
  /** Writes that reached it while it was armed, and those that it had to refuse. */
  readonly writes: readonly ActuatorCommand[]
  readonly lateWrites: number
  lose(cause: string): void
}

const radiusMetres = 0.05
const trackMetres = 0.2

export function handMadeBody(clock: Clock, deadman = true): HandMadeBody {
  const faults: Faults = {}
  const listeners = new Set<(reading: Reading) => void>()
  const lossListeners = new Set<(cause: string) => void>()
  const writes: ActuatorCommand[] = []
  let lateWrites = 0
  let isOpen = false
  let isArmed = false
  let wheels = { left: 0, right: 0 }
  let lamp = 0
  let turned = { left: 0, right: 0 }
  let at = { x: 0, y: 0, heading: 0 }

  const emit = (reading: Reading) => {
    const said = faults.sense ? faults.sense(reading) : reading
    if (!said) return
    for (const listener of listeners) listener(said)
  }
  const rest = () => {
    isArmed = false
    wheels = { left: 0, right: 0 }
    lamp = 0
  }

  return {
    kind: 'custom',
    senses: ['encoders'],
    faults,
    get at() {
      return at
    },
    get wheels() {
      return wheels
    },
    get isArmed() {
      return isArmed
    },
    get isOpen() {
      return isOpen
    },
    writes,
    get lateWrites() {
      return lateWrites
    },
    lose(cause) {
      rest()
      isOpen = false
      for (const listener of lossListeners) listener(cause)
    },
    async open() {
      if (faults.open) return faults.open()
      isOpen = true
      return { firmware: 'by hand', deadman }
    },
    arm() {
      faults.arm?.()
      isArmed = true
    },
    write(command) {
      if (!isArmed) {
        lateWrites += 1
        throw new Error('not armed')
      }
      writes.push(command)
      faults.write?.(command)
      if (command.kind === 'wheels') wheels = { left: command.left, right: command.right }
      if (command.kind === 'relay') lamp = command.on ? 1 : 0
    },
    halt() {
      rest()
      faults.halt?.()
    },
    confirm: () => (faults.confirm ? faults.confirm() : Promise.resolve('measured')),
    outputs: () => [
      { name: 'left', output: wheels.left / 20, safe: wheels.left === 0 },
      { name: 'right', output: wheels.right / 20, safe: wheels.right === 0 },
      { name: 'lamp', output: lamp, safe: lamp === 0 },
    ],
    onReading(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onLost(listener) {
      lossListeners.add(listener)
      return () => lossListeners.delete(listener)
    },
    step(milliseconds) {
      faults.step?.()
      const seconds = milliseconds / 1000
      const left = wheels.left * radiusMetres * seconds
      const right = wheels.right * radiusMetres * seconds
      const heading = at.heading + (right - left) / trackMetres
      const middle = (at.heading + heading) / 2
      at = {
        x: at.x + ((left + right) / 2) * Math.cos(middle),
        y: at.y + ((left + right) / 2) * Math.sin(middle),
        heading,
      }
      turned = {
        left: turned.left + left / radiusMetres,
        right: turned.right + right / radiusMetres,
      }
      if (!isOpen) return
      emit({ kind: 'encoders', stampMs: clock.now(), ...turned })
      emit({
        kind: 'lidar',
        stampMs: clock.now(),
        firstAngle: 0,
        angleStep: Math.PI / 4,
        reachMetres: 6,
        ranges: Array.from({ length: 8 }, () => Infinity),
      })
    },
    async close() {
      rest()
      isOpen = false
      await faults.close?.()
    },
  }
}

/** A robot around such a body, on a clock of its own that stands until it is told to go. */
export interface Bench {
  readonly robot: Robot
  readonly body: HandMadeBody
  readonly clock: VirtualClock
  /** Starts the robot, and lets a tenth of a second pass. */
  start(): Promise<void>
  /** Starts, arms, and lets it drive by itself. */
  drive(): Promise<void>
}

export function benchWith(
  options: RobotOptions = {},
  configuration: RobotConfiguration = twoWheels,
  deadman = true,
): Bench {
  const clock = virtualClock()
  const body = handMadeBody(clock, deadman)
  const robot = createRobot(configuration, { clock, body, seed: 7, ...options })
  const start = async () => {
    const started = robot.start()
    await clock.advance(100)
    await started
  }
  return {
    robot,
    body,
    clock,
    start,
    async drive() {
      await start()
      robot.send({ type: 'robot.arm', epoch: robot.snapshot().epoch })
      robot.send({ type: 'robot.resume' })
    },
  }
}
