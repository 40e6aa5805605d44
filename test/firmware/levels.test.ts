import { expect, test } from 'vitest'
import { deadmanFrames } from '../../drivers/guardian/deadman.ts'
import { frames, haltFrame } from '../../drivers/guardian/frames.ts'
import { type Bench, type Edge, describeMechos } from './bench.ts'
import { arm, armServo, armUs, drive, highPins, lowPins, startRover, table } from './rover.ts'

const { halt, status } = deadmanFrames

const endings: readonly { name: string; end: (bench: Bench) => void }[] = [
  { name: 'a halt', end: (bench) => bench.ask(halt()) },
  { name: 'a halt frame of plain Firmata', end: (bench) => bench.ask(haltFrame(table), halt()) },
  { name: 'a system reset', end: (bench) => bench.ask(frames.reset()) },
  { name: 'the watchdog', end: (bench) => bench.run(600) },
]

describeMechos('every edge of every output', (firmware) => {
  test.for(endings)('is one that was declared, through $name', ({ end }) => {
    const bench = startRover(firmware)
    bench.forget()
    drive(bench)
    expect(statesOf(bench.edges(...highPins))).toEqual([])
    bench.forget()
    end(bench)
    bench.run(700)
    bench.ask(status())
    expect(statesOf(bench.edges(...highPins))).toEqual([])
    // Each goes low once more at most: those that a timer drove were low and high all the time.
    for (const pin of lowPins)
      expect([pin, bench.stateOf(pin), bench.dutyOf(pin)]).toEqual([pin, 'low', 0])
    expect(statesOf(bench.edges(2, 8, 12))).toEqual(['low', 'low', 'low'])
  })

  test.for(endings)(
    'of the servo that holds is a pulse of its width every 20 ms, through $name',
    ({ end }) => {
      const bench = startRover(firmware)
      drive(bench)
      bench.forget()
      end(bench)
      bench.run(300)
      const pulses = pulsesOf(bench.edges(armServo))
      expect(pulses.length).toBeGreaterThan(13)
      for (const { micros, periodMs } of pulses) {
        expect(Math.abs(micros - armUs)).toBeLessThan(12)
        expect(Math.abs(periodMs - 20)).toBeLessThan(0.2)
      }
      arm(bench)
      bench.run(60)
      expect(bench.pulseUs(armServo)).toBeCloseTo(armUs, -1)
    },
  )

  test('of the servo that holds ends no pulse early, even where the halt comes in the middle of it', () => {
    const bench = startRover(firmware)
    drive(bench)
    for (let halts = 0; halts < 5; halts++) {
      bench.forget()
      while (!bench.edges(armServo).some(({ state }) => state === 'high')) bench.run(0.05)
      bench.run(halts * 0.25)
      bench.send(frames.reset())
      bench.run(60)
      const widths = pulsesOf(bench.edges(armServo), 0).map(({ micros }) => micros)
      expect(widths.length).toBeGreaterThan(1)
      expect(widths.every((micros) => Math.abs(micros - armUs) < 12)).toBe(true)
      drive(bench)
    }
  })

  test('of the servo that lets go is low, from the halt on', () => {
    const bench = startRover(firmware)
    drive(bench)
    expect(bench.pulseUs(10)).toBeCloseTo(1200, -1)
    bench.ask(halt())
    bench.forget()
    bench.run(200)
    expect(bench.edges(10)).toEqual([])
    expect(bench.stateOf(10)).toBe('low')
  })

  test('of a servo is none before it is told where to go', () => {
    const bench = startRover(firmware)
    arm(bench)
    bench.forget()
    bench.ask(frames.mode(armServo, 4), deadmanFrames.beat())
    bench.run(100)
    expect(bench.edges(armServo)).toEqual([])
    bench.ask(frames.analog(armServo, armUs), deadmanFrames.beat())
    bench.run(100)
    const pulses = pulsesOf(bench.edges(armServo))
    expect(pulses.length).toBeGreaterThan(2)
    expect(pulses.every(({ micros }) => Math.abs(micros - armUs) < 12)).toBe(true)
  })

  test.for(['external', 'power', 'watchdog'] as const)(
    'after a reset (%s) leads straight to the safe level',
    (cause) => {
      const bench = startRover(firmware)
      drive(bench)
      bench.forget()
      const resetAtMs = bench.chipMs
      bench.reset(cause)
      bench.run(3000)
      for (const pin of highPins) {
        expect(statesOf(bench.edges(pin))).toEqual(['floats', 'pulled', 'high'])
      }
      for (const pin of [...lowPins, armServo]) {
        expect(statesOf(bench.edges(pin)).filter((state) => state !== 'low')).toEqual(['floats'])
      }
      const last = Math.max(...bench.edges(...highPins, ...lowPins).map(({ chipMs }) => chipMs))
      expect(last - resetAtMs).toBeLessThan(1)
    },
  )

  test('after the reset of a chip that was stuck leads straight to the safe level', () => {
    const bench = startRover(firmware)
    drive(bench)
    bench.ask(i2cConfig, deadmanFrames.beat())
    bench.jamI2C()
    bench.forget()
    bench.send(i2cRead)
    bench.run(1200)
    expect(bench.resets).toBe(1)
    for (const pin of highPins) {
      expect(statesOf(bench.edges(pin))).toEqual(['floats', 'pulled', 'high'])
    }
    expect(bench.ask(status())).toMatchObject({ isLatched: true, why: 'stuck' })
  })
})

const i2cConfig = [0xf0, 0x78, 0, 0, 0xf7]
const i2cRead = [0xf0, 0x76, 0x50, 0x08, 1, 0, 0xf7]

function statesOf(edges: readonly Edge[]) {
  return edges.map(({ state }) => state)
}

/** Whole pulses, but for the first `skipped`: that has no period. */
function pulsesOf(edges: readonly Edge[], skipped = 1) {
  const rises = edges.filter(({ state }) => state === 'high')
  const falls = edges.filter(({ state }) => state === 'low')
  return rises.slice(skipped).flatMap((rise, index) => {
    const before = rises[index + skipped - 1]
    const fall = falls.find(({ chipMs }) => chipMs > rise.chipMs)
    if (fall === undefined) return []
    return {
      micros: (fall.chipMs - rise.chipMs) * 1000,
      periodMs: rise.chipMs - (before?.chipMs ?? NaN),
    }
  })
}
