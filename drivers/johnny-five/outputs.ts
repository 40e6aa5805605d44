import type { FirmataConfiguration } from '../../core/vocabulary/parts.ts'
import type { ActuatorOutput } from '../body.ts'

/** What the board was last told to put out, whether or not it lives to do so. */
export interface Outputs {
  /** Effort from -1 to 1. */
  setWheels(left: number, right: number): void
  /** The effort that a wheel was last told. */
  effortOf(wheel: 'left' | 'right'): number
  setRelay(name: string, on: boolean): void
  setServo(name: string, radians: number): void
  /** Everything is at what was declared for a halt. */
  settle(): void
  list(): readonly ActuatorOutput[]
}

const released: number | null = null

/** Outputs at what was declared for a halt. A relay's output is the level of its pin; a servo that was never told an angle puts out none. */
export function makeOutputs(body: FirmataConfiguration): Outputs {
  const efforts = { left: 0, right: 0 }
  const relays = new Map(
    body.relays.map(({ name, halt }) => {
      const safeLevel = halt === 'high' ? 1 : 0
      return [name, { safeLevel, level: safeLevel }]
    }),
  )
  const servos = new Map(body.servos.map(({ name, halt }) => [name, { halt, radians: released }]))

  return {
    setWheels(left, right) {
      efforts.left = left
      efforts.right = right
    },
    effortOf: (wheel) => efforts[wheel],
    setRelay(name, on) {
      const relay = relays.get(name)
      if (relay) relay.level = on ? 1 : 0
    },
    setServo(name, radians) {
      const servo = servos.get(name)
      if (servo) servo.radians = radians
    },
    settle() {
      efforts.left = 0
      efforts.right = 0
      for (const relay of relays.values()) relay.level = relay.safeLevel
      for (const servo of servos.values()) if (servo.halt === 'release') servo.radians = released
    },
    list: () => [
      ...(body.wheels
        ? [wheelOutput('left', efforts.left), wheelOutput('right', efforts.right)]
        : []),
      ...[...relays].map(([name, { level, safeLevel }]) => ({
        name,
        output: level,
        safe: level === safeLevel,
      })),
      ...[...servos].map(([name, { halt, radians }]) => ({
        name,
        output: radians,
        safe: halt === 'hold' || radians === released,
      })),
    ],
  }
}

function wheelOutput(name: string, effort: number): ActuatorOutput {
  return { name, output: effort, safe: effort === 0 }
}
