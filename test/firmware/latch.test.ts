import { expect, test } from 'vitest'
import { deadmanFrames } from '../../drivers/guardian/deadman.ts'
import { frames, haltFrame, pinModes } from '../../drivers/guardian/frames.ts'
import { describeMechos, isStatus } from './bench.ts'
import { arm, drive, driving, safeTable, startRover, table, unsafePins } from './rover.ts'

const { beat, halt, status, unlatch, writeTable } = deadmanFrames
const ourPins = Array.from({ length: 18 }, (_, index) => index + 2)
const running = { isLatched: false, why: 'none', nonce: 0 }

describeMechos('the latch', (firmware) => {
  test('opens for the nonce that the board has sent', () => {
    const bench = startRover(firmware)
    expect(bench.unlatch()).toMatchObject({ ...running, answers: 'unlatch', result: 'done' })
    expect(bench.ask(unlatch(1))).toMatchObject({ ...running, result: 'wrongState' })
  })

  test('stays shut for any other, and then wants a new one', () => {
    const bench = startRover(firmware)
    const { nonce } = bench.ask(status())
    const refused = bench.ask(unlatch(nonce ^ 1))
    expect(refused).toMatchObject({ isLatched: true, result: 'wrongNonce' })
    expect(bench.ask(unlatch(nonce))).toMatchObject({ isLatched: true, result: 'wrongNonce' })
    expect(bench.ask(unlatch(0))).toMatchObject({ isLatched: true, result: 'wrongNonce' })
    expect(bench.unlatch()).toMatchObject(running)
  })

  test('stays shut for a nonce that is older than the last halt', () => {
    const bench = startRover(firmware)
    const { nonce } = bench.ask(status())
    bench.ask(halt())
    expect(bench.ask(unlatch(nonce))).toMatchObject({ isLatched: true, result: 'wrongNonce' })
  })

  test('stays shut for a recording of a session that opened it', () => {
    const bench = startRover(firmware)
    const { nonce } = bench.ask(status())
    bench.ask(unlatch(nonce))
    for (const again of [
      () => bench.ask(halt()),
      () => bench.reset('external'),
      () => bench.reset('power'),
    ]) {
      again()
      bench.ask(status(), unlatch(nonce), ...driving, beat())
      expect(bench.ask(status())).toMatchObject({ isLatched: true })
      expect(unsafePins(bench)).toEqual([])
    }
  })

  test('never asks for the same nonce twice', () => {
    const bench = startRover(firmware)
    const nonces: number[] = []
    for (let round = 0; round < 60; round++) {
      nonces.push(round % 6 === 5 ? bench.reset('external').nonce : bench.ask(halt()).nonce)
    }
    expect(new Set(nonces).size).toBe(nonces.length)
  })

  test('falls on a halt, for the first cause that there was, and at once', () => {
    const bench = startRover(firmware)
    expect(bench.ask(halt())).toMatchObject({ answers: 'halt', result: 'done', why: 'boot' })
    drive(bench)
    const sentAtMs = bench.chipMs
    expect(bench.ask(halt())).toMatchObject({ answers: 'halt', isLatched: true, why: 'halt' })
    expect(unsafePins(bench)).toEqual([])
    expect(
      Math.max(...bench.edges(3, 11, 7, 8).map(({ chipMs }) => chipMs)) - sentAtMs,
    ).toBeLessThan(1)
  })

  test('makes a system reset a halt', () => {
    const bench = startRover(firmware)
    drive(bench)
    expect(bench.ask(frames.reset())).toMatchObject({
      answers: 'halt',
      isLatched: true,
      why: 'halt',
    })
    expect(unsafePins(bench)).toEqual([])
    expect(bench.stateOf(4)).toBe('pulled')
  })

  test('refuses all that would change an output while it is shut', () => {
    const bench = startRover(firmware)
    bench.setInput(4, 1)
    bench.forget()
    const everyMode = ourPins.flatMap((pin) =>
      [1, 3, 4, 5, 6, 7, 8, 9, 10, 12, 127].map((mode) => frames.mode(pin, mode)),
    )
    const everyValue = ourPins.flatMap((pin) => [
      frames.analog(pin, 255),
      frames.analog(pin, 1500),
      Uint8Array.of(0xf0, 0x6f, pin, 0x7f, 1, 0xf7),
      Uint8Array.of(0xf5, pin, 1),
      frames.servoConfig(pin, 600, 2400),
    ])
    const everyPort = [0, 1, 2, 3, 15].flatMap((port) => [
      frames.port(port, 255),
      frames.port(port, 0),
    ])
    const i2c = [
      Uint8Array.of(0xf0, 0x78, 0, 0, 0xf7),
      Uint8Array.of(0xf0, 0x76, 0x50, 0, 1, 0, 0xf7),
    ]
    bench.ask(
      ...everyMode,
      ...everyValue,
      ...everyPort,
      ...i2c,
      ...driving,
      haltFrame(table),
      status(),
    )
    bench.run(100)
    expect(bench.edges(...ourPins)).toEqual([])
    expect(unsafePins(bench)).toEqual([])
  })

  test('lets questions, reporting and input modes through while it is shut', () => {
    const bench = startRover(firmware)
    bench.setInput(4, 0)
    bench.ask(
      frames.version(),
      frames.firmware(),
      frames.pinState(7),
      frames.pinState(99),
      frames.analogMapping(),
      frames.capabilities(),
      status(),
    )
    bench.send(
      frames.mode(4, pinModes.pullUp),
      frames.reportDigital(0, true),
      frames.reportAnalog(0, true),
    )
    bench.run(60)
    const heard = bench.heard()
    expect(heard.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining([
        'version',
        'firmware',
        'pinState',
        'echo',
        'analogMapping',
        'capabilities',
        'port',
        'analog',
      ]),
    )
    expect(heard).toContainEqual({ kind: 'pinState', pin: 7, mode: pinModes.output, state: 1 })
    expect(bench.stateOf(4)).toBe('pulled')
    bench.setInput(4, 1)
    bench.run(5)
    expect(bench.heard()).toContainEqual({ kind: 'port', port: 0, levels: 16 })
  })

  test('never lets an output that must be safe become an input', () => {
    const bench = startRover(firmware)
    const floating = [2, 3, 7, 8, 9, 10, 11, 12, 16].flatMap((pin) =>
      [pinModes.input, pinModes.pullUp, pinModes.analog].map((mode) => frames.mode(pin, mode)),
    )
    bench.ask(...floating, frames.reportAnalog(2, true), status())
    arm(bench)
    bench.forget()
    bench.ask(...floating, beat())
    expect(bench.edges(2, 3, 7, 8, 9, 10, 11, 12, 16)).toEqual([])
    bench.send(frames.pinState(7), frames.pinState(3))
    bench.run(10)
    expect(bench.heard().filter(({ kind }) => kind === 'pinState')).toEqual([
      { kind: 'pinState', pin: 7, mode: pinModes.output, state: 1 },
      { kind: 'pinState', pin: 3, mode: pinModes.pwm, state: 0 },
    ])
  })

  test('tells Firmata what the pins are, so that nothing stale is driven after the next opening', () => {
    const bench = startRover(firmware)
    drive(bench)
    bench.ask(halt())
    bench.unlatch()
    bench.forget()
    bench.ask(
      frames.analog(3, 99),
      frames.port(0, 0x80),
      frames.port(1, 0),
      frames.port(2, 1),
      beat(),
    )
    expect(bench.edges(2, 3, 7, 8, 11, 12, 16)).toEqual([])
    arm(bench)
    bench.ask(frames.analog(3, 99), beat())
    expect(Math.round(bench.dutyOf(3) * 255)).toBe(99)
  })

  test('takes a table only while it is shut', () => {
    const bench = startRover(firmware)
    arm(bench)
    expect(bench.ask(writeTable(safeTable, 'other'))).toMatchObject({
      ...running,
      result: 'wrongState',
      name: 'rover',
    })
    bench.ask(halt())
    expect(bench.ask(writeTable(safeTable, 'other'))).toMatchObject({
      result: 'done',
      name: 'other',
    })
  })

  test.for([
    { name: 'a beat with data', frame: [0xf0, 0x0f, 0, 1, 0xf7] },
    { name: 'a short nonce', frame: [0xf0, 0x0f, 2, 1, 2, 3, 0xf7] },
    { name: 'a long nonce', frame: [0xf0, 0x0f, 2, 1, 2, 3, 4, 5, 0xf7] },
    { name: 'no nonce', frame: [0xf0, 0x0f, 2, 0xf7] },
    { name: 'a third encoder', frame: [0xf0, 0x0f, 6, 2, 4, 5, 0xf7] },
    { name: 'an encoder without a pin', frame: [0xf0, 0x0f, 6, 0, 0xf7] },
    { name: 'a fifth range sensor', frame: [0xf0, 0x0f, 7, 4, 8, 5, 0xf7] },
  ])('calls $name malformed', ({ frame }) => {
    expect(startRover(firmware).ask(frame)).toMatchObject({ result: 'malformed', isLatched: true })
  })

  test('passes over words that it does not know', () => {
    const bench = startRover(firmware)
    bench.heard()
    for (let word = 8; word < 128; word++) bench.send([0xf0, 0x0f, word, 1, 2, 0xf7])
    bench.send([0xf0, 0x0f, 0xf7], [0xf0, 0xf7])
    bench.run(200)
    expect(bench.heard()).toEqual([])
    expect(bench.ask(status())).toMatchObject({ isLatched: true })
  })

  test('is told of by itself when the watchdog lets it fall', () => {
    const bench = startRover(firmware)
    drive(bench)
    bench.heard()
    bench.run(600)
    expect(bench.heard().filter((report) => isStatus(report))).toMatchObject([
      { answers: 'none', isLatched: true, why: 'watchdog' },
    ])
  })
})
