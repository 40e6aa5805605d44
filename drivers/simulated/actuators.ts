import type { BodyConfiguration } from '../../core/vocabulary/parts.ts'
import { MechosError } from '../../core/vocabulary/errors.ts'
import type { ActuatorCommand, ActuatorOutput } from '../body.ts'

/** Every output of a simulated body, each with the level that was declared for a halt. */
export interface Actuators {
  /** Effort of each wheel from -1 to 1: the commanded speed over the full speed. */
  readonly effort: { readonly left: number; readonly right: number }
  /** Wheel speeds and servo angles are clipped to what is declared. Throws ERR_COMMAND_REFUSED and changes nothing. */
  put(command: ActuatorCommand): void
  /** Puts every output at its declared safe level: a held servo keeps its angle. Never throws. */
  release(): void
  outputs(): readonly ActuatorOutput[]
}

/** Actuators at their safe levels; a servo that was never told an angle puts out none. */
export function makeActuators(body: BodyConfiguration): Actuators {
  const effort = { left: 0, right: 0 }
  const relays = body.relays.map(({ name, halt }) => {
    const safeLevel = halt === 'high' ? 1 : 0
    return { name, safeLevel, level: safeLevel }
  })
  const servos = body.servos.map((servo) => ({ ...servo, radians: unpositioned }))

  const putWheels = (left: number, right: number) => {
    const fullSpeed = body.wheels?.fullSpeed
    if (!fullSpeed) throw refused('this body has no wheels')
    if (!Number.isFinite(left) || !Number.isFinite(right)) {
      throw refused(`wheel speeds are finite, not ${left} and ${right} rad/s`)
    }
    effort.left = clip(left / fullSpeed, -1, 1)
    effort.right = clip(right / fullSpeed, -1, 1)
  }
  const putRelay = (name: string, isOn: boolean) => {
    const relay = relays.find((each) => each.name === name)
    if (!relay) throw refused(`this body has no relay ${name}`)
    relay.level = isOn ? 1 : 0
  }
  const putServo = (name: string, radians: number) => {
    const servo = servos.find((each) => each.name === name)
    if (!servo) throw refused(`this body has no servo ${name}`)
    if (!Number.isFinite(radians)) throw refused(`a servo angle is finite, not ${radians} rad`)
    servo.radians = clip(radians, servo.minRadians, servo.maxRadians)
  }

  return {
    effort,
    put(command) {
      switch (command.kind) {
        case 'wheels':
          return putWheels(command.left, command.right)
        case 'relay':
          return putRelay(command.name, command.on)
        case 'servo':
          return putServo(command.name, command.radians)
      }
    },
    release() {
      effort.left = 0
      effort.right = 0
      for (const relay of relays) relay.level = relay.safeLevel
      for (const servo of servos) if (servo.halt === 'release') servo.radians = unpositioned
    },
    outputs: () => [
      ...(body.wheels
        ? [wheelOutput('left', effort.left), wheelOutput('right', effort.right)]
        : []),
      ...relays.map(({ name, level, safeLevel }) => ({
        name,
        output: level,
        safe: level === safeLevel,
      })),
      ...servos.map(({ name, radians, halt }) => ({
        name,
        output: radians,
        safe: halt === 'hold' || radians === unpositioned,
      })),
    ],
  }
}

const unpositioned: number | null = null

function wheelOutput(name: string, effort: number): ActuatorOutput {
  return { name, output: effort, safe: effort === 0 }
}

/** Adding 0 turns -0, which no report should show, into 0. */
function clip(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value)) + 0
}

function refused(why: string): MechosError {
  return new MechosError('ERR_COMMAND_REFUSED', why)
}
