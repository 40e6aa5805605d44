import { expect, test } from 'vitest'
import { deadmanFrames } from '../../drivers/guardian/deadman.ts'
import { frames } from '../../drivers/guardian/frames.ts'
import { type Bench, describeMechos } from './bench.ts'
import { drive, driving, startRover, unsafePins } from './rover.ts'

const { beat, encoder, status } = deadmanFrames
const i2cConfig = [0xf0, 0x78, 0, 0, 0xf7]
const i2cRead = [0xf0, 0x76, 0x50, 0x08, 1, 0, 0xf7]

/** When the last output came to rest, in ms after `sinceMs`. */
const restedMs = (bench: Bench, sinceMs: number) =>
  Math.max(...bench.edges(2, 3, 8, 11, 12).map(({ chipMs }) => chipMs)) - sinceMs

const beatAndSettle = (bench: Bench) => {
  bench.ask(beat())
  bench.forget()
  return bench.chipMs
}

describeMechos('the watchdog', (firmware) => {
  test('cuts everything half a second after the last beat', () => {
    const bench = startRover(firmware)
    drive(bench)
    const lastBeatMs = beatAndSettle(bench)
    bench.run(440)
    expect(Math.round(bench.dutyOf(3) * 255)).toBe(200)
    bench.run(200)
    expect(restedMs(bench, lastBeatMs)).toBeGreaterThan(450)
    expect(restedMs(bench, lastBeatMs)).toBeLessThan(550)
    expect(unsafePins(bench)).toEqual([])
    expect(bench.resets).toBe(0)
  })

  test('cuts everything half a second after the last beat of a host that goes on with commands', () => {
    const bench = startRover(firmware)
    drive(bench)
    const lastBeatMs = beatAndSettle(bench)
    for (let elapsedMs = 0; elapsedMs < 1500; elapsedMs += 10) {
      bench.send(...driving, frames.analog(3, elapsedMs % 250), frames.pinState(3))
      bench.run(10)
    }
    expect(restedMs(bench, lastBeatMs)).toBeGreaterThan(450)
    expect(restedMs(bench, lastBeatMs)).toBeLessThan(550)
    bench.run(500)
    expect(bench.ask(status())).toMatchObject({ isLatched: true, why: 'watchdog' })
    expect(unsafePins(bench)).toEqual([])
  })

  test('is fed by nothing but a beat', () => {
    const bench = startRover(firmware)
    drive(bench)
    const lastBeatMs = beatAndSettle(bench)
    for (let elapsedMs = 0; elapsedMs < 600; elapsedMs += 50) {
      bench.send(
        status(),
        deadmanFrames.registers([3]),
        deadmanFrames.unlatch(1),
        [0xf0, 0x0f, 0, 0, 0xf7],
      )
      bench.run(50)
    }
    expect(restedMs(bench, lastBeatMs)).toBeGreaterThan(450)
    expect(restedMs(bench, lastBeatMs)).toBeLessThan(550)
  })

  test('starts with the unlatching, without any beat', () => {
    const bench = startRover(firmware)
    bench.unlatch()
    const sinceMs = bench.chipMs
    bench.send(frames.mode(3, 3), frames.analog(3, 200))
    bench.run(5)
    expect(Math.round(bench.dutyOf(3) * 255)).toBe(200)
    bench.run(600)
    expect(restedMs(bench, sinceMs)).toBeGreaterThan(450)
    expect(restedMs(bench, sinceMs)).toBeLessThan(550)
  })

  test('lets a board with beats run, and refuses late commands after the last', () => {
    const bench = startRover(firmware)
    drive(bench)
    for (let beats = 0; beats < 50; beats++) {
      bench.ask(beat())
      bench.run(90)
    }
    expect(Math.round(bench.dutyOf(3) * 255)).toBe(200)
    bench.run(600)
    bench.forget()
    bench.ask(...driving, beat())
    bench.run(700)
    bench.ask(...driving, beat())
    expect(bench.edges(2, 3, 7, 8, 11, 12, 16)).toEqual([])
    expect(bench.resets).toBe(0)
  })

  test('falls as well the second time, without a reset', () => {
    const bench = startRover(firmware)
    drive(bench)
    bench.run(700)
    drive(bench)
    const lastBeatMs = beatAndSettle(bench)
    expect(Math.round(bench.dutyOf(3) * 255)).toBe(200)
    bench.run(1500)
    expect(restedMs(bench, lastBeatMs)).toBeGreaterThan(450)
    expect(restedMs(bench, lastBeatMs)).toBeLessThan(550)
    expect(bench.edges(7, 16)).toEqual([])
    expect(bench.resets).toBe(0)
  })

  test('cuts everything while the loop is stuck, and resets the chip half a second later', () => {
    const bench = startRover(firmware)
    drive(bench)
    bench.ask(i2cConfig, beat())
    const lastBeatMs = beatAndSettle(bench)
    bench.jamI2C()
    bench.send(i2cRead)
    bench.run(700)
    expect(restedMs(bench, lastBeatMs)).toBeLessThan(550)
    expect(unsafePins(bench)).toEqual([])
    expect(bench.resets).toBe(0)
    bench.run(400)
    expect(bench.resets).toBe(1)
    expect(bench.ask(status())).toMatchObject({ isLatched: true, why: 'stuck', boots: 2 })
    expect(unsafePins(bench)).toEqual([])
    bench.run(3000)
    expect(bench.resets).toBe(1)
    expect(bench.reset('external')).toMatchObject({ why: 'boot' })
  })

  test('is not put off by an input that chatters', () => {
    const bench = startRover(firmware)
    bench.ask(encoder(0, { a: 4 }), encoder(1, { a: 5, b: 6 }))
    drive(bench)
    const lastBeatMs = beatAndSettle(bench)
    for (let edges = 0; edges < 60_000; edges++) {
      bench.setInput(4, edges % 2 === 0 ? 1 : 0)
      bench.run(0.01)
    }
    expect(restedMs(bench, lastBeatMs)).toBeGreaterThan(450)
    expect(restedMs(bench, lastBeatMs)).toBeLessThan(550)
  })
})

describeMechos(
  'the watchdog of a board that it must not reset',
  (firmware) => {
    test('cuts everything while the loop is stuck, and stays cut', () => {
      const bench = startRover(firmware)
      drive(bench)
      bench.ask(i2cConfig, beat())
      const lastBeatMs = beatAndSettle(bench)
      bench.jamI2C()
      bench.send(i2cRead)
      bench.run(3000)
      expect(restedMs(bench, lastBeatMs)).toBeLessThan(550)
      expect(unsafePins(bench)).toEqual([])
      expect(bench.resets).toBe(0)
      expect(bench.reset('external')).toMatchObject({ isLatched: true, why: 'stuck' })
    })

    test('cuts everything half a second after the last beat', () => {
      const bench = startRover(firmware)
      drive(bench)
      const lastBeatMs = beatAndSettle(bench)
      bench.run(700)
      expect(restedMs(bench, lastBeatMs)).toBeGreaterThan(450)
      expect(restedMs(bench, lastBeatMs)).toBeLessThan(550)
      expect(bench.ask(status())).toMatchObject({ isLatched: true, why: 'watchdog' })
      expect(unsafePins(bench)).toEqual([])
    })
  },
  'interrupt',
)
