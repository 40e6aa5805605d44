import type { EEPROMMemoryBackend } from 'avr8js'
import { deadmanFrames, safeTableOf } from '../../drivers/guardian/deadman.ts'
import { armPreamble, frames, pinModes } from '../../drivers/guardian/frames.ts'
import { tableOf, wheelsOn } from '../drivers/guardian/tables.ts'
import type { Firmware } from '../support/uno/firmware.ts'
import { type Bench, startBench } from './bench.ts'

/** Two wheels, a lamp, two relays that are on when low, a servo that holds and one that lets go. */
export const table = tableOf({
  board: 'uno',
  wheels: wheelsOn({ pwm: 3, dir: 2 }, { pwm: 11, dir: 12 }),
  relays: [
    { name: 'lamp', pin: 8, halt: 'low' },
    { name: 'pump', pin: 7, halt: 'high' },
    { name: 'horn', pin: 'A2', halt: 'high' },
  ],
  servos: [
    { name: 'arm', pin: 9, halt: 'hold' },
    { name: 'hand', pin: 10, halt: 'release' },
  ],
  bumpers: [{ name: 'nose', pin: 4, pressed: 'low' }],
})
export const safeTable = safeTableOf(table)

/** The pins that are driven low when all is safe, but for that of the servo that holds. */
export const lowPins = [2, 3, 8, 10, 11, 12]
/** The relays that are on when low. */
export const highPins = [7, 16]
export const armServo = 9
export const handServo = 10
export const armUs = 1700

/** The board of that rover, latched. */
export function startRover(firmware: Firmware, eeprom?: EEPROMMemoryBackend): Bench {
  const bench = startBench(firmware, eeprom)
  bench.ask(deadmanFrames.writeTable(safeTable, 'rover'))
  return bench
}

/** Unlatches it, unless it runs, and makes its outputs outputs, as the guardian does. */
export function arm(bench: Bench): void {
  const { isLatched, result } = bench.unlatch()
  if (isLatched) throw new Error(`stays latched: ${result}`)
  bench.ask(
    deadmanFrames.beat(),
    armPreamble(table),
    frames.mode(4, pinModes.pullUp),
    deadmanFrames.status(),
  )
}

/** Both wheels, the lamp, and both servos. */
export const driving: readonly Uint8Array[] = [
  frames.port(0, 0x84),
  frames.analog(3, 200),
  frames.analog(11, 255),
  frames.port(1, 0x11),
  frames.mode(armServo, pinModes.servo),
  frames.analog(armServo, armUs),
  frames.mode(handServo, pinModes.servo),
  frames.analog(handServo, 1200),
]

/** Arms it and drives everything that it has. */
export function drive(bench: Bench): void {
  arm(bench)
  bench.ask(...driving, deadmanFrames.beat())
  bench.run(45)
  bench.ask(deadmanFrames.beat())
}

/** Outputs that are not as declared, in words; none where all is well. */
export function unsafePins(bench: Bench): readonly string[] {
  return Array.from({ length: 18 }, (_, index) => index + 2)
    .filter((pin) => pin !== armServo && !isDeclared(pin, bench))
    .map((pin) => `${pin} ${bench.stateOf(pin)} at ${bench.dutyOf(pin)}`)
}

function isDeclared(pin: number, bench: Bench): boolean {
  const state = bench.stateOf(pin)
  if (lowPins.includes(pin)) return state === 'low' && bench.dutyOf(pin) === 0
  if (highPins.includes(pin)) return state === 'high'
  return state === 'floats' || state === 'pulled'
}
