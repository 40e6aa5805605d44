import { type Chip, isDrivenHigh } from './chip.ts'
import { type Pin, cyclesPerMs, outputRegisters, pinAt, pinCount, portRegisters } from './pins.ts'

const cyclesPerMicro = cyclesPerMs / 1000

/**
 * The effective duty of `pin`, 0 to 1: what it puts out, not what a register remembers. An input puts out 0, a pin on a
 * timer its compare value, any other its level.
 */
export function dutyOf(chip: Chip, number: number): number {
  const pin = pinAt(number)
  if (!isOutput(chip, number)) return 0
  return pwmOf(chip, pin) ?? (isDrivenHigh(chip.ports[pin.port], pin.bit) ? 1 : 0)
}

/** Whether the data direction register makes `pin` an output. */
export function isOutput(chip: Chip, number: number): boolean {
  const { port, bit } = pinAt(number)
  return (read(chip, portRegisters[port].ddr) & (1 << bit)) !== 0
}

/**
 * Calls `changed` with each pin whose effective duty is no longer that of `before`, now and whenever the firmware changes
 * it. The Arduino core connects a timer to a pin a few cycles before it sets the new compare value, which the timer
 * takes up later still: so writes are given ten microseconds to settle, and nobody hears of duties that never were.
 */
export function watchDuties(
  chip: Chip,
  before: readonly number[],
  changed: (pin: number, duty: number) => void,
) {
  const duties = [...before]
  let isSettling = false

  function compare() {
    isSettling = false
    for (let pin = 0; pin < pinCount; pin++) {
      const duty = dutyOf(chip, pin)
      if (duty === duties[pin]) continue
      duties[pin] = duty
      changed(pin, duty)
    }
  }
  function settle() {
    if (isSettling) return
    isSettling = true
    chip.cpu.addClockEvent(compare, settlingMicros * cyclesPerMicro)
  }
  for (const address of outputRegisters) afterWrite(chip, address, settle)
  compare()
}

const settlingMicros = 10

/** Measures the servo pulses of every pin. */
export function watchPulses(chip: Chip): (pin: number) => number | undefined {
  const rises = new Map<number, number>()
  const pulses = new Map<number, { micros: number; endedAt: number }>()
  for (let number = 0; number < pinCount; number++) {
    const pin = pinAt(number)
    chip.ports[pin.port].addListener((value, old) => {
      const mask = 1 << pin.bit
      if ((value & mask) === (old & mask)) return
      const now = chip.cpu.cycles
      const rise = rises.get(number)
      rises.delete(number)
      if (value & mask) rises.set(number, now)
      else if (rise !== undefined)
        pulses.set(number, { micros: (now - rise) / cyclesPerMicro, endedAt: now })
    })
  }
  return (number) => {
    const pulse = pulses.get(number)
    if (pulse === undefined || pwmOf(chip, pinAt(number)) !== undefined) return undefined
    const isFresh = chip.cpu.cycles - pulse.endedAt < pulseFreshMs * cyclesPerMs
    const isServo = pulse.micros > servoMinMicros && pulse.micros < servoMaxMicros
    return isFresh && isServo ? pulse.micros : undefined
  }
}

/** Servos get a pulse every 20 ms: two missed and nobody drives it. */
const pulseFreshMs = 60
const servoMinMicros = 300
const servoMaxMicros = 2700

function read(chip: Chip, address: number): number {
  return chip.cpu.data[address] ?? 0
}

/** The duty that a timer gives the pin; undefined where none does, be it that a servo has taken the timer away. */
function pwmOf(chip: Chip, { compare }: Pin): number | undefined {
  if (compare === undefined) return undefined
  const controlA = read(chip, compare.controlA)
  const controlB = read(chip, compare.controlB)
  const com = (controlA >> compare.comShift) & 3
  if (com < 2) return undefined
  if (!compare.modes.some(([a, b]) => (controlA & 3) === a && (controlB & 0x18) === b))
    return undefined
  const duty = read(chip, compare.compare) / 255
  return com === 3 ? 1 - duty : duty
}

function afterWrite({ cpu }: Chip, address: number, then: () => void) {
  const hook = cpu.writeHooks[address]
  cpu.writeHooks[address] = (value, old, at, mask) => {
    if (hook?.(value, old, at, mask) !== true) cpu.data[at] = value
    then()
    return true
  }
}
