import { expect, test } from 'vitest'
import { deadmanFrames } from '../../drivers/guardian/deadman.ts'
import { frames } from '../../drivers/guardian/frames.ts'
import { randomStream } from '../../drivers/random.ts'
import { type Bench, describeMechos, isStatus } from './bench.ts'
import { arm, armServo, driving, startRover, unsafePins } from './rover.ts'

const { beat, encoder, halt, range, registers, status, unlatch, writeTable } = deadmanFrames

/** Twenty seconds of chip time, on a machine that may be busy with other tests. */
const long = { timeout: 180_000 }

const drives = (bench: Bench) => {
  arm(bench)
  bench.ask(...driving, beat())
}
const bothWheels = (bench: Bench) => [3, 11].map((pin) => Math.round(bench.dutyOf(pin) * 255))

describeMechos('noise on the line', (firmware) => {
  test('leaves nothing on after a halt, and no chip silent, in 300 bursts of it', long, () => {
    const seed = 20_140_711
    const { between } = randomStream(seed, 'noise')
    const bench = startRover(firmware)
    const wrong: string[] = []
    for (let burst = 0; burst < 300; burst++) {
      drives(bench)
      const wheels = bothWheels(bench)
      if (wheels.join() !== '200,255')
        wrong.push(`burst ${burst} of seed ${seed}: starts at ${wheels.join()}`)
      const length = Math.floor(between(1, 120))
      bench.send(Array.from({ length }, () => Math.floor(between(0, 256))))
      bench.run(between(0, 25))
      bench.ask(halt(), status())
      bench.forget()
      wrong.push(...unsafePins(bench).map((pin) => `burst ${burst} of seed ${seed}: ${pin}`))
    }
    expect(wrong).toEqual([])
    expect(bench.resets).toBe(0)
    expect(bench.ask(status())).toMatchObject({
      isLatched: true,
      hasTable: true,
      name: 'rover',
      boots: 1,
    })
  })

  test('of well-formed frames leaves nothing on either', long, () => {
    const seed = 7
    const { between } = randomStream(seed, 'frames')
    const byte = (max: number) => Math.floor(between(0, max))
    const bench = startRover(firmware)
    const any = (): number[] => {
      const data = Array.from({ length: byte(12) }, () => byte(128))
      const commands = [
        0x60, 0x61, 0x69, 0x6b, 0x6d, 0x6f, 0x70, 0x71, 0x76, 0x78, 0x79, 0x7a, 0x0f,
      ]
      if (between(0, 1) < 0.4) return [0xf0, commands[byte(commands.length)] ?? 0, ...data, 0xf7]
      const first = [0xe0 | byte(16), 0x90 | byte(16), 0xf4, 0xf5][byte(4)] ?? 0
      return [first, byte(40), byte(24)]
    }
    const wrong: string[] = []
    for (let burst = 0; burst < 150; burst++) {
      drives(bench)
      bench.send(...Array.from({ length: 30 }, any))
      bench.run(between(0, 40))
      bench.ask(halt(), status())
      bench.forget()
      wrong.push(...unsafePins(bench).map((pin) => `burst ${burst} of seed ${seed}: ${pin}`))
    }
    expect(wrong).toEqual([])
    expect(bench.ask(status())).toMatchObject({ isLatched: true, name: 'rover' })
  })

  const halves = [
    ...[0x69, 0x6b, 0x6d, 0x6f, 0x70, 0x71, 0x76, 0x78, 0x79, 0x7a].map((command) => [
      0xf0,
      command,
      3,
      1,
    ]),
    ...[
      beat(),
      halt(),
      unlatch(5),
      status(),
      writeTable(Array(20).fill('high').fill('input', 0, 2), 'x'),
      registers([3]),
      encoder(0, { a: 4 }),
      range(0, { trigger: 8, echo: 4 }),
    ].map((frame) => [...frame.subarray(0, -1)]),
    [0xf0],
    [0xf0, 0x0f],
    [0xf0, 0x71, ...Array<number>(200).fill(0x41)],
    [0xf0, 0x79, ...Array<number>(61).fill(0x41)],
    [0xf0, 0x6f, ...Array<number>(62).fill(0x7f)],
    [0xe3, 0x7f],
    [0xe3],
    [0x90, 0x7f],
    [0xf4, 3],
    [0xf5, 8],
    [0xc0],
  ].map((half) => ({
    half,
    name: half
      .slice(0, 4)
      .map((byte) => byte.toString(16))
      .join(' '),
    length: half.length,
  }))

  test.for(halves)('that is half a message ($name, $length bytes) holds no halt up', ({ half }) => {
    const bench = startRover(firmware)
    drives(bench)
    expect(bothWheels(bench)).toEqual([200, 255])
    expect(bench.ask(half, halt())).toMatchObject({
      answers: 'halt',
      isLatched: true,
      name: 'rover',
    })
    expect(unsafePins(bench)).toEqual([])
    drives(bench)
    expect(bench.ask(half, frames.reset())).toMatchObject({ answers: 'halt', isLatched: true })
    expect(unsafePins(bench)).toEqual([])
  })

  test('that wants more answers than the line can carry holds no halt up', () => {
    const bench = startRover(firmware)
    drives(bench)
    const questions = Array.from({ length: 100 }, () => [
      frames.capabilities(),
      registers(),
      frames.analog(3, 99),
    ])
    const asked = questions.flat().reduce((sum, { length }) => sum + length, 0)
    bench.forget()
    bench.send(...questions.flat(), halt())
    // Ten bits a byte, and two bytes of grace.
    bench.run(((asked + halt().length + 2) * 10) / 57.6)
    expect(unsafePins(bench)).toEqual([])
    bench.run(4000)
    expect(
      bench
        .heard()
        .filter((report) => isStatus(report))
        .at(-1),
    ).toMatchObject({ answers: 'halt', isLatched: true })
  })

  test('that holds the nonce of an opening before a halt opens nothing after it', () => {
    const bench = startRover(firmware)
    const { nonce } = bench.ask(status())
    const questions = Array.from({ length: 4 }, () => frames.capabilities())
    bench.ask(...questions, unlatch(nonce), ...driving, halt())
    expect(
      bench
        .heard()
        .filter((report) => isStatus(report))
        .map(({ answers, isLatched }) => [answers, isLatched]),
    ).toEqual([
      ['unlatch', true],
      ['halt', true],
    ])
    expect(bench.edges(3, 11).filter(({ state }) => state === 'high')).toEqual([])
  })

  test('that names pins that the board has not leaves its memory as it was', () => {
    // Both boards hear as many bytes at the same time; all that differs is what one of them is asked to do.
    const harmless = frames.analog(0, 0)
    const boards = [startRover(firmware), startRover(firmware)] as const
    for (const bench of boards) arm(bench)
    for (let pin = 20; pin < 128; pin++) {
      const asks = [
        ...Array.from({ length: 16 }, (_, mode) => frames.mode(pin, mode)),
        frames.mode(pin, 127),
        Uint8Array.of(0xf5, pin, 1),
      ]
      boards[0].ask(
        ...asks,
        Uint8Array.of(0xf0, 0x6f, pin, 1, 1, 0xf7),
        frames.servoConfig(pin, 600, 2400),
        beat(),
      )
      boards[1].ask(...asks.map(() => harmless), sysex(4), sysex(6), beat())
    }
    // Every buffer between the line and Firmata is filled with the same again.
    for (const bench of boards) bench.ask(sysex(62), sysex(62), beat())
    for (const bench of boards) bench.run(2000 - bench.chipMs)
    expect(boards[0].memory()).toEqual(boards[1].memory())
    expect(unsafePins(boards[0])).toEqual([])
  })

  test('that names the pins of the serial line leaves it open', () => {
    const bench = startRover(firmware)
    arm(bench)
    for (const pin of [0, 1]) {
      const modes = [0, 1, 2, 3, 4, 11].map((mode) => frames.mode(pin, mode))
      bench.ask(...modes, frames.analog(pin, 200), Uint8Array.of(0xf5, pin, 1), beat())
    }
    expect(bench.registers(0, 1).map(({ isOutput }) => isOutput)).toEqual([false, false])
  })

  test('that asks for values beyond their bounds changes nothing', () => {
    const bench = startRover(firmware)
    drives(bench)
    bench.run(45)
    bench.ask(
      frames.analog(3, 256),
      frames.analog(3, 16_383),
      Uint8Array.of(0xf0, 0x6f, 3, 0, 2, 0xf7),
      Uint8Array.of(0xf0, 0x6f, 3, 1, 1, 1, 0xf7),
      frames.analog(armServo, 181),
      frames.analog(armServo, 543),
      frames.analog(armServo, 2401),
      frames.servoConfig(armServo, 600, 2400),
      frames.servoConfig(6, 543, 2400),
      frames.servoConfig(6, 2400, 600),
      Uint8Array.of(0xf0, 0x7a, 1, 0, 0xf7),
      beat(),
    )
    bench.run(45)
    expect(bothWheels(bench)).toEqual([200, 255])
    expect(bench.pulseUs(armServo)).toBeCloseTo(1700, -1)
    expect(bench.ask(halt())).toMatchObject({ isLatched: true })
  })

  test('has no servo take the timer of a motor, nor a motor that of a servo', () => {
    const bench = startRover(firmware)
    arm(bench)
    bench.ask(frames.mode(10, 3), frames.analog(10, 100), beat())
    bench.ask(frames.mode(5, 4), frames.analog(5, 1500), beat())
    bench.run(60)
    expect([Math.round(bench.dutyOf(10) * 255), bench.pulseUs(5)]).toEqual([100, undefined])
    bench.ask(frames.mode(10, 1), frames.mode(5, 4), frames.analog(5, 1500), beat())
    bench.ask(frames.mode(10, 3), frames.analog(10, 100), beat())
    bench.run(60)
    expect(bench.dutyOf(10)).toBe(0)
    expect(bench.pulseUs(5)).toBeCloseTo(1500, -1)
  })

  test('attaches as many servos as there are pulses for, and no memory is hurt', () => {
    const bench = startRover(firmware)
    arm(bench)
    for (let round = 0; round < 3; round++) {
      for (let pin = 2; pin < 20; pin++)
        bench.ask(frames.mode(pin, 4), frames.analog(pin, 1500), beat())
      bench.ask(halt(), status())
      expect(unsafePins(bench)).toEqual([])
      arm(bench)
    }
    bench.ask(...driving, beat())
    expect(bothWheels(bench)).toEqual([200, 255])
  })
})

/** A message that means nothing to anybody, with so many bytes between its ends. */
function sysex(bytes: number): number[] {
  return [0xf0, ...Array<number>(bytes).fill(0x60), 0xf7]
}
