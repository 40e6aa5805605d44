/** How often the clock of an Uno ticks in a millisecond. */
export const cyclesPerMs = 16_000

/** The number of pins of an Uno: D0 to D13, then A0 to A5 as 14 to 19. */
export const pinCount = 20

/** One of the ports B, C and D. */
export type PortName = 'B' | 'C' | 'D'

/** Addresses of the data direction and output registers of each port, in data memory. */
export const portRegisters = {
  B: { ddr: 0x24, port: 0x25, toggle: 0x23 },
  C: { ddr: 0x27, port: 0x28, toggle: 0x26 },
  D: { ddr: 0x2a, port: 0x2b, toggle: 0x29 },
} as const

/** A compare unit of a timer: where its mode bits and its compare value are. */
export interface CompareUnit {
  readonly controlA: number
  readonly controlB: number
  /** Position of the two COM bits in `controlA`. */
  readonly comShift: 4 | 6
  readonly compare: number
  /** What the WGM bits must be for eight-bit PWM, as the Arduino core sets them: bits of `controlA`, then of `controlB`. */
  readonly modes: readonly (readonly [a: number, b: number])[]
}

/** Where a pin of the board is on the chip. */
export interface Pin {
  readonly port: PortName
  readonly bit: number
  readonly compare?: CompareUnit
}

// Phase-correct and fast PWM, counting to 255; on Timer1 fast PWM wants WGM12.
const shortModes = [
  [1, 0],
  [3, 0],
] as const
const longModes = [
  [1, 0],
  [1, 8],
] as const

const timer0 = { controlA: 0x44, controlB: 0x45, modes: shortModes } as const
const timer1 = { controlA: 0x80, controlB: 0x81, modes: longModes } as const
const timer2 = { controlA: 0xb0, controlB: 0xb1, modes: shortModes } as const

const compareUnits: ReadonlyMap<number, CompareUnit> = new Map([
  [3, { ...timer2, comShift: 4, compare: 0xb4 }],
  [5, { ...timer0, comShift: 4, compare: 0x48 }],
  [6, { ...timer0, comShift: 6, compare: 0x47 }],
  [9, { ...timer1, comShift: 6, compare: 0x88 }],
  [10, { ...timer1, comShift: 4, compare: 0x8a }],
  [11, { ...timer2, comShift: 6, compare: 0xb3 }],
])

/** Pin `number` of the board. Throws a RangeError for a pin that an Uno does not have. */
export function pinAt(number: number): Pin {
  const pin = pins[number]
  if (pin === undefined) throw new RangeError(`an Uno has no pin ${number}`)
  return pin
}

/** The registers whose writing can change what a pin puts out. */
export const outputRegisters: readonly number[] = [
  ...Object.values(portRegisters).flatMap(({ ddr, port, toggle }) => [ddr, port, toggle]),
  ...[timer0, timer1, timer2].flatMap(({ controlA, controlB }) => [controlA, controlB]),
  ...[...compareUnits.values()].map(({ compare }) => compare),
]

const pins: readonly Pin[] = Array.from({ length: pinCount }, (_, number) => {
  const compare = compareUnits.get(number)
  return { ...placeOf(number), ...(compare && { compare }) }
})

function placeOf(number: number): { port: PortName; bit: number } {
  if (number < 8) return { port: 'D', bit: number }
  if (number < 14) return { port: 'B', bit: number - 8 }
  return { port: 'C', bit: number - 14 }
}
