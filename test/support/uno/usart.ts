import { type CPU, usart0Config as at } from 'avr8js'
import { cyclesPerMs } from './pins.ts'

/** The serial port of the chip, as seen from the wire. */
export interface Usart {
  /** A byte begins to arrive; its bits take as long as the chip's baud rate says. Only while not `receiving`. */
  receive(byte: number): void
  readonly receiving: boolean
}

/** What the outside wants to hear of the serial port. */
export interface UsartListeners {
  /** The last bit of a byte has left. */
  readonly sent: (byte: number) => void
  /** The last bit of a byte has arrived (kept, or lost where the firmware was too slow): the next may begin. */
  readonly received: () => void
}

const receiveComplete = 0x80
const transmitComplete = 0x40
const dataRegisterEmpty = 0x20
const overrun = 0x08
const doubleSpeed = 0x02
const receiverEnabled = 0x10
const transmitterEnabled = 0x08

/** What the receiver of an ATmega328P holds while the firmware does not read. */
const receiveFifoMax = 2
const bitsPerByte = 10

/**
 * USART0 of an ATmega328P, 8N1, with its two-byte receiver and its double-buffered transmitter.
 *
 * It stands in for AVRUSART of avr8js 0.21.1, which loses bytes: entering the UDRE interrupt clears its flag, writing
 * UCSR0A clears RXC and UDRE, writing UCSR0B clears RXC, and its receiver holds a single byte.
 */
export function createUsart(cpu: CPU, { sent, received }: UsartListeners): Usart {
  const flag = { flagRegister: at.UCSRA, enableRegister: at.UCSRB }
  const rxc = {
    ...flag,
    address: at.rxCompleteInterrupt,
    flagMask: 0x80,
    enableMask: 0x80,
    constant: true,
  }
  const udre = {
    ...flag,
    address: at.dataRegisterEmptyInterrupt,
    flagMask: 0x20,
    enableMask: 0x20,
    constant: true,
  }
  const txc = { ...flag, address: at.txCompleteInterrupt, flagMask: 0x40, enableMask: 0x40 }
  const fifo: number[] = []
  let receiving = false
  let shifting: number | undefined
  let waiting: number | undefined

  cpu.data[at.UCSRA] = dataRegisterEmpty
  cpu.data[at.UCSRC] = 0x06

  cpu.writeHooks[at.UCSRA] = (value, old) => {
    const flags = old & (receiveComplete | transmitComplete | dataRegisterEmpty)
    cpu.data[at.UCSRA] = flags | (value & 0x03)
    if (value & transmitComplete) cpu.clearInterrupt(txc)
    return true
  }
  cpu.writeHooks[at.UCSRB] = (value) => {
    cpu.data[at.UCSRB] = value
    if (!(value & receiverEnabled)) {
      fifo.length = 0
      cpu.clearInterrupt(rxc)
    }
    for (const interrupt of [rxc, udre, txc]) cpu.updateInterruptEnable(interrupt, value)
    return true
  }
  cpu.readHooks[at.UDR] = () => {
    const byte = fifo.shift() ?? 0
    if (fifo.length === 0) cpu.clearInterrupt(rxc)
    return byte
  }
  cpu.writeHooks[at.UDR] = (value) => {
    if (!isEnabled(transmitterEnabled)) return true
    if (shifting === undefined) shiftOut(value)
    else {
      waiting = value
      cpu.clearInterrupt(udre)
    }
    return true
  }

  function isEnabled(mask: number) {
    return ((cpu.data[at.UCSRB] ?? 0) & mask) !== 0
  }

  function byteCycles() {
    const divider = ((cpu.data[at.UBRRH] ?? 0) << 8) | (cpu.data[at.UBRRL] ?? 0)
    return (divider + 1) * ((cpu.data[at.UCSRA] ?? 0) & doubleSpeed ? 8 : 16) * bitsPerByte
  }

  function shiftOut(byte: number) {
    shifting = byte
    cpu.addClockEvent(() => {
      shifting = undefined
      sent(byte)
      if (waiting === undefined) return cpu.setInterruptFlag(txc)
      shiftOut(waiting)
      waiting = undefined
      cpu.setInterruptFlag(udre)
    }, byteCycles())
  }

  function arrive(byte: number) {
    receiving = false
    if (isEnabled(receiverEnabled)) {
      if (fifo.length < receiveFifoMax) {
        fifo.push(byte)
        cpu.setInterruptFlag(rxc)
      } else cpu.data[at.UCSRA] = (cpu.data[at.UCSRA] ?? 0) | overrun
    }
    received()
  }

  return {
    get receiving() {
      return receiving
    },
    receive(byte) {
      receiving = true
      // A receiver that is off has no baud rate; the sender on the other side has one all the same.
      const cycles = isEnabled(receiverEnabled) ? byteCycles() : senderByteCycles
      cpu.addClockEvent(() => arrive(byte), cycles)
    },
  }
}

/** A byte at 57 600 baud. */
const senderByteCycles = Math.round((bitsPerByte * cyclesPerMs * 1000) / 57_600)
