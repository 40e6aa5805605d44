import { expect, test } from 'vitest'
import { deadmanFrames } from '../../drivers/guardian/deadman.ts'
import { frames } from '../../drivers/guardian/frames.ts'
import type { Report } from '../../drivers/guardian/reports.ts'
import { type Bench, describeMechos, startBench, tableWith } from './bench.ts'

const { beat, encoder, halt, range, writeTable } = deadmanFrames
const table = tableWith({ 3: 'low', 7: 'high', 12: 'low', 13: 'low' })

const countsIn = (reports: readonly Report[]) =>
  reports.flatMap((report) =>
    report.kind === 'deadman' && report.what === 'encoders' ? [report] : [],
  )
const rangesIn = (reports: readonly Report[]) =>
  reports.flatMap((report) =>
    report.kind === 'deadman' && report.what === 'range' ? [report] : [],
  )

/** Turns a wheel by edges of two channels, one each millisecond; the count is its sign. */
function turn(bench: Bench, a: number, b: number, edges: number) {
  const phases = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ] as const
  for (let edge = 1; edge <= Math.abs(edges); edge++) {
    const [levelA, levelB] = phases[(edge * Math.sign(edges)) & 3] ?? [0, 0]
    bench.setInput(a, levelA)
    bench.setInput(b, levelB)
    bench.run(1)
  }
}

/** Answers each ping with an echo of `echoUs` that begins half a millisecond later; runs for `ms`. */
function echoes(bench: Bench, trigger: number, echo: number, echoUs: number, ms: number) {
  const end = bench.chipMs + ms
  while (bench.chipMs < end) {
    bench.forget()
    bench.run(0.1)
    if (!bench.edges(trigger).some(({ state }) => state === 'high')) continue
    bench.run(0.5)
    bench.setInput(echo, 1)
    bench.run(echoUs / 1000)
    bench.setInput(echo, 0)
  }
}

describeMechos('wheel encoders', (firmware) => {
  const start = () => {
    const bench = startBench(firmware)
    bench.ask(writeTable(table, 'rover'))
    return bench
  }

  test('are counted up and down, on the sampling interval, latched or not', () => {
    const bench = start()
    for (const pin of [4, 5, 14, 15]) bench.setInput(pin, 0)
    expect(bench.ask(encoder(0, { a: 4, b: 5 }))).toMatchObject({
      answers: 'encoder',
      result: 'done',
    })
    bench.ask(encoder(1, { a: 14, b: 15 }))
    turn(bench, 4, 5, 40)
    turn(bench, 14, 15, -28)
    bench.run(30)
    expect(countsIn(bench.heard()).at(-1)?.counts).toEqual([40, -28])

    bench.unlatch()
    turn(bench, 4, 5, -48)
    bench.ask(beat())
    bench.run(30)
    expect(countsIn(bench.heard()).at(-1)?.counts).toEqual([-8, -28])

    bench.ask(halt())
    bench.run(400)
    const reports = countsIn(bench.heard())
    const periods = reports.slice(1).map(({ atMs }, index) => atMs - (reports[index]?.atMs ?? 0))
    expect(reports.length).toBeGreaterThan(18)
    expect(periods.every((ms) => ms >= 19 && ms <= 21)).toBe(true)
    expect(new Set(reports.map(({ counts }) => counts.join()))).toEqual(new Set(['-8,-28']))
  })

  test('of one channel are counted at each edge', () => {
    const bench = start()
    bench.setInput(4, 1)
    bench.ask(encoder(0, { a: 4 }))
    for (let edge = 0; edge < 25; edge++) {
      bench.setInput(4, edge % 2 === 0 ? 0 : 1)
      bench.run(0.2)
    }
    bench.run(30)
    expect(countsIn(bench.heard()).at(-1)?.counts).toEqual([25, 0])
  })

  test('lose no edge of two wheels at 5 kHz, beside commands and servo pulses', () => {
    const bench = start()
    for (const pin of [4, 5]) bench.setInput(pin, 0)
    bench.ask(encoder(0, { a: 4 }), encoder(1, { a: 5 }))
    bench.unlatch()
    bench.ask(frames.mode(9, 4), frames.analog(9, 1500), frames.mode(3, 3), beat())
    for (let edge = 0; edge < 2000; edge++) {
      if (edge % 20 === 0) bench.send(frames.analog(3, edge % 250))
      if (edge % 400 === 0) bench.send(beat())
      bench.setInput(4, edge % 2 === 0 ? 1 : 0)
      bench.run(0.05)
      bench.setInput(5, edge % 2 === 0 ? 1 : 0)
      bench.run(0.05)
    }
    bench.run(60)
    expect(countsIn(bench.heard()).at(-1)?.counts).toEqual([2000, 2000])
  })

  test('are forgotten by a new table, or one by one', () => {
    const bench = start()
    bench.ask(encoder(0, { a: 4, b: 5 }))
    bench.ask(encoder(0))
    bench.heard()
    bench.run(100)
    expect(countsIn(bench.heard())).toEqual([])
    bench.ask(encoder(0, { a: 4, b: 5 }))
    bench.ask(writeTable(tableWith({ 4: 'low' }), 'rover'))
    bench.heard()
    bench.run(100)
    expect(countsIn(bench.heard())).toEqual([])
  })

  test.for([
    { name: 'the serial line', a: 1, b: 4 },
    { name: 'an output', a: 3, b: 4 },
    { name: 'an output as its second channel', a: 4, b: 7 },
    { name: 'one pin as both', a: 4, b: 4 },
    { name: 'a pin that the board has not', a: 20, b: 4 },
    { name: 'a pin of another sensor', a: 8, b: 4 },
  ])('are not taken on $name', ({ a, b }) => {
    const bench = start()
    bench.ask(encoder(1, { a: 8, b: 10 }))
    expect(bench.ask(encoder(0, { a, b }))).toMatchObject({ result: 'malformed' })
    bench.unlatch()
    expect(bench.ask(encoder(0, { a: 4, b: 5 }))).toMatchObject({ result: 'wrongState' })
  })
})

describeMechos('range sensors', (firmware) => {
  const start = () => {
    const bench = startBench(firmware)
    bench.ask(writeTable(table, 'rover'))
    bench.setInput(8, 0)
    bench.setInput(10, 0)
    return bench
  }

  test('tell the time of the echo, latched or not', () => {
    const bench = start()
    expect(bench.ask(range(2, { trigger: 12, echo: 8 }))).toMatchObject({
      answers: 'range',
      result: 'done',
    })
    echoes(bench, 12, 8, 5800, 300)
    // The first was asked for before there was anyone to answer.
    const latched = rangesIn(bench.heard()).slice(1)
    expect(latched.length).toBeGreaterThan(3)
    for (const { slot, echoUs = NaN } of latched) {
      expect(slot).toBe(2)
      expect(Math.abs(echoUs - 5800)).toBeLessThan(30)
    }
    bench.unlatch()
    echoes(bench, 12, 8, 12_000, 200)
    const running = rangesIn(bench.heard())
    expect(running.length).toBeGreaterThan(1)
    for (const { echoUs = NaN } of running) expect(Math.abs(echoUs - 12_000)).toBeLessThan(30)
  })

  test('say so when no echo comes, one after the other, with pulses of 10 µs', () => {
    const bench = start()
    bench.ask(range(0, { trigger: 12, echo: 8 }), range(3, { trigger: 13, echo: 10 }))
    bench.heard()
    bench.forget()
    bench.run(600)
    const heard = rangesIn(bench.heard())
    expect(heard.map(({ echoUs }) => echoUs)).toEqual(heard.map(() => undefined))
    expect(heard.slice(0, 8).map(({ slot }) => slot)).toEqual(
      heard
        .slice(0, 8)
        .map((_, index) => (index % 2 === 0 ? heard[0]?.slot : 3 - (heard[0]?.slot ?? 0))),
    )
    for (const pin of [12, 13]) {
      const edges = bench.edges(pin)
      expect(edges.length).toBeGreaterThan(6)
      const [rise, fall] = edges
      expect(((fall?.chipMs ?? 0) - (rise?.chipMs ?? 0)) * 1000).toBeGreaterThanOrEqual(10)
      expect(((fall?.chipMs ?? 0) - (rise?.chipMs ?? 0)) * 1000).toBeLessThan(14)
    }
  })

  test('keep their trigger to themselves', () => {
    const bench = start()
    bench.ask(range(0, { trigger: 12, echo: 8 }))
    bench.unlatch()
    bench.ask(
      frames.mode(12, 1),
      frames.mode(12, 3),
      frames.mode(8, 1),
      frames.port(1, 0x10),
      Uint8Array.of(0xf5, 12, 1),
      beat(),
    )
    expect([bench.stateOf(12), bench.stateOf(8)]).toEqual(['low', 'floats'])
    bench.ask(halt())
    expect(bench.ask(range(0))).toMatchObject({ result: 'done' })
    bench.unlatch()
    bench.ask(frames.port(1, 0x10), beat())
    expect(bench.stateOf(12)).toBe('high')
  })

  test.for([
    { name: 'a trigger that is no output', trigger: 8, echo: 10 },
    { name: 'a trigger that is safe high', trigger: 7, echo: 8 },
    { name: 'an echo on an output', trigger: 12, echo: 3 },
    { name: 'an echo that the board has not', trigger: 12, echo: 70 },
  ])('are not taken with $name', ({ trigger, echo }) => {
    expect(start().ask(range(0, { trigger, echo }))).toMatchObject({ result: 'malformed' })
  })
})
