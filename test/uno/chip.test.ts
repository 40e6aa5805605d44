import { EEPROMMemoryBackend } from 'avr8js'
import { describe, expect, test } from 'vitest'
import { createChip } from '../support/uno/chip.ts'
import { parseHex } from '../support/uno/hex.ts'
import { dutyOf, isOutput } from '../support/uno/outputs.ts'
import { cyclesPerMs } from '../support/uno/pins.ts'

const listeners = { sent: () => {}, received: () => {} }

describe('a chip', () => {
  // Drives D13 high, then lets a watchdog of 16 ms run out.
  const program = Uint16Array.of(
    0x9a25, // sbi DDRB, 5
    0x9a2d, // sbi PORTB, 5
    0xe108, // ldi r16, WDCE | WDE
    0x9300, // sts WDTCSR, r16
    0x0060,
    0xe008, // ldi r16, WDE
    0x9300, // sts WDTCSR, r16
    0x0060,
    0xcfff, // rjmp .
  )

  test('lets go of its pins and says why when its watchdog resets it', () => {
    const surroundings = { flash: program, eeprom: new EEPROMMemoryBackend(1024), listeners }
    const chip = createChip(surroundings, 'power')
    expect(chip.run(15 * cyclesPerMs)).toBe('done')
    expect(dutyOf(chip, 13)).toBe(1)

    chip.cpu.data[0x200] = 77
    expect(chip.run(17 * cyclesPerMs)).toBe('reset')
    expect(chip.cpu.cycles / cyclesPerMs).toBeCloseTo(16, 2)

    const next = createChip(surroundings, 'watchdog', chip)
    expect([dutyOf(next, 13), isOutput(next, 13)]).toEqual([0, false])
    expect(next.cpu.data[0x54]).toBe(0x08)
    expect(next.cpu.data[0x200]).toBe(77)
    expect(next.run(20 * cyclesPerMs)).toBe('done')
    expect(dutyOf(next, 13)).toBe(1)
  })
})

describe('a hex file', () => {
  test('becomes the words of the flash, the rest of it erased', () => {
    const flash = parseHex(':04001000259A2D9A66\r\n:00000001FF\r\n')
    expect([...flash.subarray(7, 11)]).toEqual([0xffff, 0x9a25, 0x9a2d, 0xffff])
    expect(flash.length).toBe(16_384)
  })

  test.each([
    [':04001000259A2D9A67', 'wrong checksum'],
    [':05001000259A2D9A65', 'wrong length'],
    [':0480000025262728E2', 'outside the flash'],
    ['04001000259A2D9A66', 'not an Intel HEX record'],
  ])('is refused: %s', (line, reason) => {
    expect(() => parseHex(line)).toThrow(reason)
  })
})
