import type { FirmataConfiguration } from '../../core/vocabulary/parts.ts'
import { MechosError } from '../../core/vocabulary/errors.ts'
import type { ActuatorCommand } from '../body.ts'
import { dutyMax } from '../guardian/duty.ts'
import type { PinTable } from '../guardian/pin-table.ts'
import type { Fitting } from './library.ts'
import type { Outputs } from './outputs.ts'
import { makeRelay } from './relay.ts'
import { makeServo, servoRadiansMax } from './servo.ts'
import type { Transport } from './transport.ts'
import { dutyOf, makeWheel, type WheelPins } from './wheel.ts'

/** The Johnny-Five parts of one connection. */
export interface Parts {
  /** Carries a command out and notes it in the outputs. Throws ERR_COMMAND_REFUSED and changes nothing. */
  carryOut(command: ActuatorCommand): void
  /** Forgets what the parts believe of themselves. To be called after a halt and before the next command. */
  forget(): void
}

/** Makes the parts that the body declares. The transport must be latched: their constructors move things. */
export function makeParts(
  fitting: Fitting,
  {
    body,
    table,
    transport,
    outputs,
  }: {
    readonly body: FirmataConfiguration
    readonly table: PinTable
    readonly transport: Transport
    readonly outputs: Outputs
  },
): Parts {
  const wheels = body.wheels && {
    left: makeWheel(fitting, wheelPins(table, 'left'), body.wheels.left.halt),
    right: makeWheel(fitting, wheelPins(table, 'right'), body.wheels.right.halt),
  }
  const relays = new Map(
    body.relays.map(({ name }) => [name, makeRelay(fitting, pinOf(table, name))]),
  )
  const servos = new Map(
    body.servos.map((servo) => [
      servo.name,
      { ...servo, ...makeServo(fitting, pinOf(table, servo.name)) },
    ]),
  )

  const turnWheels = (left: number, right: number) => {
    if (!body.wheels || !wheels) throw refused('this body has no wheels')
    if (!Number.isFinite(left) || !Number.isFinite(right)) {
      throw refused(`wheel speeds are finite, not ${left} and ${right} rad/s`)
    }
    const duties = {
      left: dutyOf(left, body.wheels.fullSpeed),
      right: dutyOf(right, body.wheels.fullSpeed),
    }
    transport.command('left', () => wheels.left.turn(duties.left))
    transport.command('right', () => wheels.right.turn(duties.right))
    outputs.setWheels(duties.left / dutyMax, duties.right / dutyMax)
  }
  const setRelay = (name: string, on: boolean) => {
    const relay = relays.get(name)
    if (!relay) throw refused(`this body has no relay ${name}`)
    if (typeof on !== 'boolean') throw refused(`a relay is on or off, not ${String(on)}`)
    transport.command(name, () => relay.set(on))
    outputs.setRelay(name, on)
  }
  const turnServo = (name: string, radians: number) => {
    const servo = servos.get(name)
    if (!servo) throw refused(`this body has no servo ${name}`)
    if (!Number.isFinite(radians)) throw refused(`a servo angle is finite, not ${radians} rad`)
    const low = Math.max(servo.minRadians, -servoRadiansMax)
    const high = Math.min(servo.maxRadians, servoRadiansMax)
    const angle = Math.min(high, Math.max(low, radians))
    transport.command(name, () => servo.turnTo(angle))
    outputs.setServo(name, angle)
  }

  return {
    carryOut(command) {
      switch (command.kind) {
        case 'wheels':
          return turnWheels(command.left, command.right)
        case 'relay':
          return setRelay(command.name, command.on)
        case 'servo':
          return turnServo(command.name, command.radians)
      }
    },
    forget() {
      wheels?.left.forget()
      wheels?.right.forget()
      for (const servo of servos.values()) servo.forget()
    },
  }
}

function wheelPins(table: PinTable, side: 'left' | 'right'): WheelPins {
  const rules = table.pins.filter((rule) => rule.part === side)
  const pwm = rules.find((rule) => rule.kind === 'pwm')?.pin
  const [dir, cdir] = rules.filter((rule) => rule.kind === 'level').map((rule) => rule.pin)
  if (pwm === undefined || dir === undefined) throw new TypeError(`the ${side} wheel has no pins`)
  return cdir === undefined ? { pwm, dir } : { pwm, dir, cdir }
}

function pinOf(table: PinTable, part: string): number {
  const rule = table.pins.find((each) => each.part === part)
  if (!rule) throw new TypeError(`${part} has no pin`)
  return rule.pin
}

function refused(why: string): MechosError {
  return new MechosError('ERR_COMMAND_REFUSED', why)
}
