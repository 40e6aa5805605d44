import {
  AVRADC,
  AVRClock,
  AVREEPROM,
  AVRIOPort,
  AVRTimer,
  AVRTWI,
  AVRWatchdog,
  CPU,
  type EEPROMMemoryBackend,
  PinState,
  adcConfig,
  avrInstruction,
  portBConfig,
  portCConfig,
  portDConfig,
  timer0Config,
  timer1Config,
  timer2Config,
  twiConfig,
  watchdogConfig,
} from 'avr8js'
import { type PortName, cyclesPerMs } from './pins.ts'
import { type Usart, type UsartListeners, createUsart } from './usart.ts'

/** Why the chip starts: the bit that it finds set in MCUSR. */
export type ResetCause = 'power' | 'external' | 'watchdog'

/** What survives a reset of the chip, and what surrounds it. */
export interface Surroundings {
  readonly flash: Uint16Array<ArrayBuffer>
  readonly eeprom: EEPROMMemoryBackend
  readonly listeners: UsartListeners
}

/** An ATmega328P at 16 MHz from one reset to the next. */
export interface Chip {
  readonly cpu: CPU
  readonly ports: Readonly<Record<PortName, AVRIOPort>>
  readonly adc: AVRADC
  readonly usart: Usart
  /** Executes until the cycle counter reaches `cycles`, or the watchdog has reset the chip: then it answers `reset`. */
  run(cycles: number): 'done' | 'reset'
}

const mcusr = 0x54
const resetFlags: Readonly<Record<ResetCause, number>> = {
  power: 0x01,
  external: 0x02,
  watchdog: 0x08,
}
const sramBytes = 2048
const sramStart = 0x100
const frequencyHz = cyclesPerMs * 1000

/**
 * A chip that has just been reset. Every register is as the data sheet says, which is why a reset builds a new chip:
 * the reset of avr8js leaves ports and timers as they were. RAM and the cycle counter go on from `previous`.
 */
export function createChip(surroundings: Surroundings, cause: ResetCause, previous?: Chip): Chip {
  const cpu = new ResettableCpu(surroundings.flash, sramBytes)
  if (previous) {
    cpu.cycles = previous.cpu.cycles
    cpu.data.set(previous.cpu.data.subarray(sramStart), sramStart)
  }
  cpu.data[mcusr] = resetFlags[cause]
  const ports = {
    B: new AVRIOPort(cpu, portBConfig),
    C: new AVRIOPort(cpu, portCConfig),
    D: new AVRIOPort(cpu, portDConfig),
  }
  for (const config of [timer0Config, timer1Config, timer2Config]) attach(AVRTimer, cpu, config)
  attach(AVREEPROM, cpu, surroundings.eeprom)
  attach(AVRTWI, cpu, twiConfig, frequencyHz)
  attach(AVRWatchdog, cpu, watchdogConfig, new AVRClock(cpu, frequencyHz))
  const adc = new AVRADC(cpu, adcConfig)
  const usart = createUsart(cpu, surroundings.listeners)
  cpu.onReset = () => {
    cpu.limit = 0
  }

  function run(cycles: number) {
    // A local name: looking an import up, as test runners make of it, millions of times a second takes its time.
    const execute = avrInstruction
    cpu.limit = cycles
    while (cpu.cycles < cpu.limit) {
      execute(cpu)
      cpu.tick()
    }
    return cpu.limit === 0 ? 'reset' : 'done'
  }
  return { cpu, ports, adc, usart, run }
}

/** Whether `bit` of `port` is driven high; an input drives nothing. */
export function isDrivenHigh(port: AVRIOPort, bit: number): boolean {
  return port.pinState(bit) === PinState.High
}

/** avr8js resets from within the watchdog: it must be heard, and end the slice that is being executed. */
class ResettableCpu extends CPU {
  limit = 0
  onReset: (() => void) | undefined

  override reset() {
    super.reset()
    this.onReset?.()
  }
}

/** A peripheral hooks itself into the memory of the CPU; nobody needs a handle of it. */
function attach<A extends readonly unknown[]>(
  Peripheral: new (cpu: CPU, ...rest: A) => unknown,
  cpu: CPU,
  ...rest: A
) {
  return new Peripheral(cpu, ...rest)
}
