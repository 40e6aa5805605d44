import { expect, test } from 'vitest'
import { deadmanFrames, isSafe } from '../../drivers/guardian/deadman.ts'
import { frames, pinModes } from '../../drivers/guardian/frames.ts'
import { type Bench, describeMechos } from './bench.ts'
import { armServo, armUs, drive, startRover, table } from './rover.ts'

const { beat, halt, registers } = deadmanFrames
const allPins = Array.from({ length: 20 }, (_, pin) => pin)
const outputs = table.pins.filter(({ kind }) => kind !== 'digital')

/** Pins that a report does not tell as they are. */
function lies(bench: Bench): readonly number[] {
  return bench.registers().flatMap(({ pin, isOutput, isHigh, duty, pulseUs }) => {
    const state = bench.stateOf(pin)
    const isOutputThere = state === 'low' || state === 'high'
    const dutyThere = Math.round(bench.dutyOf(pin) * 255)
    const pulseThere = bench.pulseUs(pin)
    if (isOutput !== isOutputThere) return [pin]
    if (pulseThere !== undefined) return Math.abs((pulseUs ?? 0) - pulseThere) < 12 ? [] : [pin]
    if (duty !== undefined) return duty === dutyThere ? [] : [pin]
    return isHigh === (state === 'high' || state === 'pulled') ? [] : [pin]
  })
}

describeMechos('the registers that a board reports', (firmware) => {
  test('are those that it has, driving and halted', () => {
    const bench = startRover(firmware)
    expect(bench.registers().map(({ pin }) => pin)).toEqual(allPins)
    expect(lies(bench)).toEqual([])

    drive(bench)
    expect(lies(bench).filter((pin) => pin > 1)).toEqual([])
    const pin = {
      isOutput: true,
      readsHigh: expect.any(Boolean),
      duty: undefined,
      pulseUs: undefined,
    }
    expect(bench.registers(3, 7, 8, armServo, 4, 5)).toEqual([
      { ...pin, pin: 3, isHigh: false, duty: 200 },
      { ...pin, pin: 7, isHigh: true, readsHigh: true },
      { ...pin, pin: 8, isHigh: true, readsHigh: true },
      { ...pin, pin: armServo, isHigh: expect.any(Boolean), pulseUs: armUs },
      { ...pin, pin: 4, isOutput: false, isHigh: true },
      { ...pin, pin: 5, isOutput: false, isHigh: false },
    ])

    bench.ask(halt())
    bench.run(100)
    expect(lies(bench).filter((each) => each > 1)).toEqual([])
  })

  test('show a duty of 0 and of 255 as levels, which they are', () => {
    const bench = startRover(firmware)
    drive(bench)
    bench.ask(frames.analog(3, 0), frames.analog(11, 255), beat())
    expect(bench.registers(3, 11)).toMatchObject([
      { pin: 3, isOutput: true, isHigh: false, duty: undefined },
      { pin: 11, isOutput: true, isHigh: true, duty: undefined },
    ])
  })

  test('read the level that is there, whatever is driven', () => {
    const bench = startRover(firmware)
    bench.setInput(5, 1)
    expect(bench.registers(5, 6)).toMatchObject([
      { pin: 5, isOutput: false, isHigh: false, readsHigh: true },
      { pin: 6, readsHigh: false },
    ])
  })

  test('are safe after a halt and not before', () => {
    const bench = startRover(firmware)
    const unsafe = () => {
      const told = bench.registers(...outputs.map(({ pin }) => pin))
      return outputs
        .filter((rule) => !told.some((each) => isSafe(rule, each)))
        .map(({ pin }) => pin)
    }
    expect(unsafe()).toEqual([])
    drive(bench)
    expect(unsafe()).toEqual([3, 2, 11, 12, 8, 10])
    bench.ask(halt())
    expect(unsafe()).toEqual([])
  })

  test('come with the token of their question, in frames of at most 64 bytes, without pins that are not there', () => {
    const bench = startRover(firmware)
    bench.heard()
    bench.send(
      registers([3, 20, 127, 7], 77),
      registers([], 78),
      registers([99], 79),
      [0xf0, 0x0f, 5, 0xf7],
    )
    bench.run(100)
    expect(
      bench
        .heard()
        .map((report) =>
          report.kind === 'deadman' && report.what === 'registers' ? report : undefined,
        )
        .map((report) => [report?.token, report?.isLatched, report?.pins.map(({ pin }) => pin)]),
    ).toEqual([
      [77, true, [3, 7]],
      [78, true, allPins.slice(0, 14)],
      [78, true, allPins.slice(14)],
      [79, true, []],
    ])
  })

  test('follow the modes of an input', () => {
    const bench = startRover(firmware)
    bench.send(frames.mode(5, pinModes.pullUp))
    bench.run(5)
    expect(bench.registers(5)).toMatchObject([{ isOutput: false, isHigh: true }])
    bench.send(frames.mode(5, pinModes.input))
    bench.run(5)
    expect(bench.registers(5)).toMatchObject([{ isOutput: false, isHigh: false }])
  })
})
