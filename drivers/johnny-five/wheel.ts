import { dutyMax } from '../guardian/duty.ts'
import type { Fitting } from './library.ts'

/** Pins of one motor driver, by number. With `cdir` it is one of three pins, whose inputs are complements. */
export interface WheelPins {
  readonly pwm: number
  readonly dir: number
  readonly cdir?: number
}

/** A motor that is told duties. */
export interface Wheel {
  /** -255 to 255, positive forward; 0 is the output that is declared for a halt. An unchanged direction causes no gap. */
  turn(duty: number): void
  /** Forgets the direction, so that the next turn sets it again. To be called after a halt. */
  forget(): void
}

/** What Johnny-Five makes 0. */
const dutyMin = 30

/**
 * The duty, -255 to 255, that turns a wheel at `speed` rad/s if full duty turns it at `fullSpeed`. Rounded and clipped.
 * Duties below 30 turn no motor and Johnny-Five drops them: up to half of that becomes 0, the rest 30.
 */
export function dutyOf(speed: number, fullSpeed: number): number {
  if (!Number.isFinite(speed)) throw new TypeError(`a wheel speed is finite, not ${speed}`)
  const duty = Math.min(dutyMax, Math.round((Math.abs(speed) / fullSpeed) * dutyMax))
  if (duty < dutyMin / 2) return 0
  return Math.sign(speed) * Math.max(dutyMin, duty)
}

/** A motor whose `forward` is Johnny-Five's: `dir` high, `cdir` low. Only one of three pins can brake: both high, full duty. */
export function makeWheel(
  { five, board }: Fitting,
  pins: WheelPins,
  halt: 'coast' | 'brake',
): Wheel {
  const motor = new five.Motor({ board, pins })
  let direction = 0
  return {
    turn(duty) {
      const wanted = Math.sign(duty)
      if (wanted === 0) {
        if (halt === 'brake') motor.brake()
        else motor.stop()
      } else if (wanted === direction) motor.speed(Math.abs(duty))
      else if (wanted > 0) motor.forward(duty)
      else motor.reverse(-duty)
      if (wanted !== 0) direction = wanted
      else if (halt === 'brake') direction = 0
    },
    forget() {
      direction = 0
    },
  }
}
