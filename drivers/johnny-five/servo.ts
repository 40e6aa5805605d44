import { type Fitting, pinName } from './library.ts'

/** A servo that is not attached before it is told where to go. */
export interface Servo {
  /** -π/2 to π/2, 0 in the middle. */
  turnTo(radians: number): void
  /** Forgets where the servo is, so that the next turn attaches and drives it again. To be called after a halt. */
  forget(): void
}

/** What Johnny-Five's 0 to 180 degrees reach on either side of the middle. */
export const servoRadiansMax = Math.PI / 2

/** A servo with pulses of 600 to 2400 µs, Johnny-Five's own. */
export function makeServo({ five, board, pins }: Fitting, pin: number): Servo {
  let servo: InstanceType<typeof five.Servo> | undefined
  return {
    turnTo(radians) {
      // Constructing it attaches it, which would move it. And one that was released must not believe itself in place.
      servo ??= new five.Servo({ board, pin: pinName(pins, pin) })
      servo.to(90 + (radians * 180) / Math.PI)
    },
    forget() {
      servo = undefined
    },
  }
}
