import { EEPROMMemoryBackend } from 'avr8js'
import { expect, test } from 'vitest'
import {
  crc16,
  deadmanFrames,
  safeTableBytes,
  safeTableCrc,
} from '../../drivers/guardian/deadman.ts'
import { describeMechos, startBench, tableWith } from './bench.ts'

const allPins = Array.from({ length: 20 }, (_, pin) => pin)
/** The serial line drives its own pin. */
const ourPins = allPins.slice(2)
const table = tableWith({ 3: 'low', 7: 'high', 9: 'pulse', 16: 'high' })
const blank = () => new EEPROMMemoryBackend(1024)
const latchedAtBoot = { isLatched: true, why: 'boot' }

describeMechos('a board that boots', (firmware) => {
  test('drives nothing before it was given a safe table', () => {
    const bench = startBench(firmware)
    const status = bench.ask(deadmanFrames.status())
    bench.run(3000)
    expect(status).toMatchObject({ ...latchedAtBoot, hasTable: false, name: '', tableCrc: 0 })
    expect(bench.edges(...ourPins)).toEqual([])
    expect(bench.unlatch()).toMatchObject({ ...latchedAtBoot, result: 'noTable' })
  })

  test('reports itself by our name', () => {
    const bench = startBench(firmware)
    expect(bench.heard().filter(({ kind }) => kind === 'firmware')).toEqual([
      { kind: 'firmware', name: 'MechosFirmata', major: 1, minor: 0 },
    ])
  })

  test('is at its safe levels within a millisecond, and keeps them', () => {
    const eeprom = blank()
    const written = startBench(firmware, eeprom).ask(deadmanFrames.writeTable(table, 'rover'))
    expect(written).toMatchObject({ answers: 'writeTable', result: 'done', boots: 1 })

    const bench = startBench(firmware, eeprom)
    bench.run(3000)
    expect(bench.ask(deadmanFrames.status())).toMatchObject({
      ...latchedAtBoot,
      hasTable: true,
      boots: 2,
      name: 'rover',
      tableCrc: safeTableCrc(table, 'rover'),
    })
    const edges = bench.edges(...ourPins)
    expect(edges.map(({ pin, state }) => `${pin} ${state}`).toSorted()).toEqual([
      '16 high',
      '16 pulled',
      '3 low',
      '7 high',
      '7 pulled',
      '9 low',
    ])
    expect(Math.max(...edges.map(({ chipMs }) => chipMs))).toBeLessThan(1)
  })

  test('takes a new table at once and keeps it through a reset', () => {
    const bench = startBench(firmware)
    bench.ask(deadmanFrames.writeTable(table, 'rover'))
    expect(ourPins.map((pin) => bench.stateOf(pin)).filter((state) => state !== 'floats')).toEqual([
      'low',
      'high',
      'low',
      'high',
    ])
    const other = tableWith({ 3: 'high', 7: 'low' })
    const answer = bench.ask(deadmanFrames.writeTable(other, 'a name of 15 ch'))
    expect(answer).toMatchObject({ result: 'done', name: 'a name of 15 ch' })
    const states = [3, 7, 9, 16].map((pin) => bench.stateOf(pin))
    expect(states).toEqual(['high', 'low', 'floats', 'floats'])
    bench.reset('external')
    expect([3, 7, 9, 16].map((pin) => bench.stateOf(pin))).toEqual(states)
  })

  test('does not write the table again that it has', () => {
    const eeprom = blank()
    const bench = startBench(firmware, eeprom)
    bench.ask(deadmanFrames.writeTable(table, 'rover'))
    const writes: number[] = []
    const { writeMemory } = eeprom
    eeprom.writeMemory = (address, value) => {
      writes.push(address)
      writeMemory.call(eeprom, address, value)
    }
    const answer = bench.ask(deadmanFrames.writeTable(table, 'rover'))
    expect(answer).toMatchObject({ result: 'done', hasTable: true })
    expect(writes).toEqual([])
  })

  test('has all inputs where the power went while the table was written, whenever it went', () => {
    const states = new Set<string>()
    for (let lostAtMs = 2; lostAtMs < 100; lostAtMs += 3) {
      const eeprom = blank()
      const before = startBench(firmware, eeprom)
      before.ask(deadmanFrames.writeTable(tableWith({ 3: 'high' }), 'older'))
      before.send(deadmanFrames.writeTable(table, 'rover'))
      before.run(lostAtMs)

      const bench = startBench(firmware, eeprom)
      const { name, hasTable } = bench.ask(deadmanFrames.status())
      const high = ourPins.filter((pin) => bench.stateOf(pin) === 'high')
      states.add(`${hasTable ? name : 'none'}: ${high.join()}`)
    }
    expect([...states]).toEqual(['older: 3', 'none: ', 'rover: 7,16'])
  })

  test('has all inputs where any byte of the table has changed', () => {
    const eeprom = blank()
    startBench(firmware, eeprom).ask(deadmanFrames.writeTable(table, 'rover'))
    const first = 64
    const last = first + safeTableBytes(table, 'rover').length + 2
    for (let at = first; at <= last; at++) {
      const spoilt = blank()
      spoilt.memory.set(eeprom.memory)
      spoilt.memory[at] = (spoilt.memory[at] ?? 0) ^ 0x08
      const bench = startBench(firmware, spoilt)
      expect(bench.edges(...ourPins)).toEqual([])
      expect(bench.unlatch()).toMatchObject({ hasTable: false, result: 'noTable' })
    }
  })

  const good = deadmanFrames.writeTable(table, 'rover')
  const bytes = safeTableBytes(table, 'rover')
  test.for([
    { name: 'a wrong checksum', frame: good.with(good.length - 2, (good.at(-2) ?? 0) ^ 1) },
    { name: 'a rule that was changed on the way', frame: good.with(12, 0x15) },
    { name: 'a table that is too short', frame: [...good.subarray(0, -5), 0xf7] },
    { name: 'a table that is too long', frame: [...good.subarray(0, -1), 0, 0xf7] },
    { name: 'no table', frame: [0xf0, 0x0f, 4, 0xf7] },
    {
      name: 'a name of 16 characters',
      frame: raw([16, ...Array<number>(16).fill(0x61), ...bytes.slice(6)]),
    },
    { name: 'a name of 127 characters', frame: raw([127, ...bytes.slice(1)]) },
    { name: 'a name with a control character', frame: raw(bytes.with(2, 7)) },
    { name: 'the pins of another board', frame: raw(bytes.with(6, 70)) },
    { name: 'an output on the serial line', frame: raw(bytes.with(7, 4)) },
    { name: 'a rule beyond the last pin', frame: raw(bytes.with(bytes.length - 1, 0x10)) },
    { name: 'a fourth rule in a byte', frame: raw(bytes.with(8, 0x40)) },
  ])('refuses $name and keeps what it had', ({ frame }) => {
    const bench = startBench(firmware)
    const { tableCrc } = bench.ask(deadmanFrames.writeTable(tableWith({ 5: 'high' }), 'older'))
    bench.forget()
    const answer = bench.ask(frame)
    expect(answer).toMatchObject({
      answers: 'writeTable',
      result: 'malformed',
      name: 'older',
      tableCrc,
    })
    expect(bench.edges(...ourPins)).toEqual([])
    expect(bench.reset('external')).toMatchObject({ hasTable: true, name: 'older', tableCrc })
  })

  test('counts its boots, over the end of its ring and of its numbers', () => {
    const eeprom = blank()
    const counts: number[] = []
    for (let boot = 0; boot < 36; boot++)
      counts.push(startBench(firmware, eeprom).ask(deadmanFrames.status()).boots)
    expect(counts).toEqual(counts.map((_, index) => index + 1))

    const late = blank()
    late.memory.set([0xfd, 0xff], 8 + 2 * (0xfffd % 16))
    const next = () => startBench(firmware, late).ask(deadmanFrames.status()).boots
    expect([next(), next(), next(), next()]).toEqual([0xfffe, 1, 2, 3])
  })
})

/** A table frame with a right checksum, whatever else is wrong with it. */
function raw(data: readonly number[]): number[] {
  const crc = crc16(data)
  return [0xf0, 0x0f, 4, ...data, crc & 0x7f, (crc >> 7) & 0x7f, crc >> 14, 0xf7]
}
