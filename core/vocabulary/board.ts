/** What a board's pins can do under StandardFirmata. Analog pins are also digital unless they say otherwise. */
export interface BoardPins {
  readonly digital: number
  readonly analog: number
  /** Analog inputs beyond the digital pins (A6 and A7 of a Nano). */
  readonly analogOnly: number
  readonly pwm: readonly number[]
  /** PWM pins that fall silent as soon as any servo is attached, because the servo library takes their timer. */
  readonly lostToServo: readonly number[]
  /** Pins that carry the serial line. */
  readonly serial: readonly number[]
}

/** The boards that a configuration may name. */
export const boards = {
  uno: {
    digital: 14,
    analog: 6,
    analogOnly: 0,
    pwm: [3, 5, 6, 9, 10, 11],
    lostToServo: [9, 10],
    serial: [0, 1],
  },
  nano: {
    digital: 14,
    analog: 8,
    analogOnly: 2,
    pwm: [3, 5, 6, 9, 10, 11],
    lostToServo: [9, 10],
    serial: [0, 1],
  },
  mega: {
    digital: 54,
    analog: 16,
    analogOnly: 0,
    pwm: [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 44, 45, 46],
    lostToServo: [44, 45, 46],
    serial: [0, 1],
  },
} as const satisfies Record<string, BoardPins>

export type BoardName = keyof typeof boards

/**
 * The number of a pin that is named as people print it: `3`, `'3'`, `'D3'`, `'A0'`. On an Uno `A0` is 14.
 * Undefined when the board has no such pin.
 */
export function pinNumber(board: BoardPins, pin: number | string): number | undefined {
  const named = /^([AD]?)(\d{1,3})$/.exec(String(pin).toUpperCase())
  if (!named) return undefined
  const index = Number(named[2])
  if (named[1] === 'A') return index < board.analog ? board.digital + index : undefined
  return index < board.digital + board.analog ? index : undefined
}

/** The analog channel of a pin, or undefined when it has none. */
export function analogChannel(board: BoardPins, pin: number): number | undefined {
  const channel = pin - board.digital
  return channel >= 0 && channel < board.analog ? channel : undefined
}

/** Whether a pin can be an output or a digital input. */
export function isDigital(board: BoardPins, pin: number): boolean {
  return pin < board.digital + board.analog - board.analogOnly && !board.serial.includes(pin)
}
