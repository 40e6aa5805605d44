import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Bench, command } from './command.ts'
import {
  benchReportSchema,
  countedFigure,
  type Figure,
  figureSchema,
  percentile,
  skippedFigure,
  timingFigure,
  type Timings,
} from './figure.ts'
import { collect, phaseMs, type Sample, warmUps } from './sampling.ts'

const promised = { name: 'halt', bound: 10, floor: 2.256 }

/** A hundred times 1 ms, but for those. */
function timings(slow: readonly number[], excluded = 0): Timings {
  return {
    ms: [...slow, ...Array.from({ length: 100 - slow.length }, () => 1)],
    excluded,
    remarks: excluded > 0 ? ['why'] : [],
  }
}

describe('a percentile', () => {
  test('is the nearest rank: a value that was measured', () => {
    const oneToHundred = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect([0.5, 0.99, 1].map((share) => percentile(oneToHundred, share))).toEqual([50, 99, 100])
    expect([0.5, 0.99, 1].map((share) => percentile([3], share))).toEqual([3, 3, 3])
    expect(percentile([1, 2, 3], 0.5)).toBe(2)
  })

  test('is that of the middle of the order, not of the arrival', () => {
    expect(percentile([30, 1, 20, 2, 10], 0.5)).toBe(10)
  })

  test('is none of nothing, and none where one is not a number', () => {
    expect(percentile([], 0.99)).toBeNaN()
    expect(percentile([1, Number.NaN, 2], 0.5)).toBeNaN()
  })
})

describe('a timing', () => {
  test('is ok up to its bound', () => {
    expect(timingFigure(promised, timings([12, 10, 10]))).toEqual({
      name: 'halt',
      value: 10,
      unit: 'ms',
      bound: 10,
      op: '<=',
      floor: 2.26,
      peer: null,
      ratio: null,
      n: 100,
      p50: 1,
      p99: 10,
      max: 12,
      verdict: 'ok',
      reason: null,
    })
  })

  test('is a miss above it, though it looks the same when rounded', () => {
    expect(timingFigure(promised, timings([12, 10.001]))).toMatchObject({
      value: 10,
      verdict: 'miss',
      reason: '10 ms is above 10 ms',
    })
  })

  test('is a miss when a single one never came, though the percentile is kept', () => {
    expect(timingFigure(promised, timings([Infinity]))).toMatchObject({
      value: 1,
      max: null,
      verdict: 'miss',
      reason: '1 of 100 never came',
    })
  })

  test('that is no number is a miss', () => {
    expect(timingFigure(promised, timings([Number.NaN]))).toMatchObject({
      value: null,
      verdict: 'miss',
    })
  })

  test('of fewer than a hundred samples is a miss', () => {
    expect(timingFigure(promised, { ms: [1, 1], excluded: 0, remarks: [] })).toMatchObject({
      n: 2,
      p99: 1,
      verdict: 'miss',
      reason: '2 samples are fewer than 100',
    })
  })

  test('counts what was excluded, and is a miss where that is more than 5 %', () => {
    expect(timingFigure(promised, timings([], 5))).toMatchObject({
      n: 100,
      verdict: 'ok',
      reason: '5 of 105 samples excluded: why',
    })
    expect(timingFigure(promised, timings([], 6))).toMatchObject({
      verdict: 'miss',
      reason: 'more than 5 % had to be excluded; 6 of 106 samples excluded: why',
    })
  })
})

describe('a count', () => {
  const spent = { name: 'share', unit: 'share', bound: 0.9, op: '>=' } as const
  const count = { n: 20, reason: 'seed 7' }

  test('is held against its bound from the side that it has, before it is rounded', () => {
    expect(countedFigure(spent, { ...count, value: 0.9 })).toEqual({
      name: 'share',
      value: 0.9,
      unit: 'share',
      bound: 0.9,
      op: '>=',
      floor: null,
      peer: null,
      ratio: null,
      n: 20,
      p50: null,
      p99: null,
      max: null,
      verdict: 'ok',
      reason: 'seed 7',
    })
    const verdictOf = (op: '<=' | '>=', value: number) =>
      countedFigure({ ...spent, op }, { ...count, value }).verdict
    expect([verdictOf('>=', 0.8999), verdictOf('>=', 1)]).toEqual(['miss', 'ok'])
    expect([verdictOf('<=', 0.9001), verdictOf('<=', 0)]).toEqual(['miss', 'ok'])
  })

  test('that is no number is a miss on either side', () => {
    for (const op of ['<=', '>='] as const) {
      const figure = countedFigure({ ...spent, op }, { ...count, value: Number.NaN })
      expect(figure).toMatchObject({ value: null, verdict: 'miss' })
    }
  })
})

describe('samples', () => {
  /** Takes samples in which the chip slipped by what `slip` says of their number. */
  async function collected(slip: (index: number) => number) {
    const taken: number[] = []
    const { kept, excluded } = await collect((index): Promise<Sample> => {
      taken.push(index)
      return Promise.resolve({ ms: index, slipMs: slip(index) })
    })
    return {
      taken: taken.length,
      excluded,
      first: kept[0]?.ms,
      last: kept.at(-1)?.ms,
      kept: kept.length,
    }
  }

  test('are a hundred after twenty that only warm up, slip or not', async () => {
    expect(await collected((index) => (index < warmUps ? 50 : 5))).toEqual({
      taken: 120,
      excluded: 0,
      first: 20,
      last: 119,
      kept: 100,
    })
  })

  test('in which the chip slipped are replaced', async () => {
    expect(await collected((index) => (index === 20 || index === 60 ? 5.1 : 0))).toEqual({
      taken: 122,
      excluded: 2,
      first: 21,
      last: 121,
      kept: 100,
    })
  })

  test('end when too many had to be excluded for the rest to count', async () => {
    expect(await collected(() => 6)).toMatchObject({ taken: 26, excluded: 6, kept: 0 })
  })

  test('that were over before their cause do not count', async () => {
    const { kept, excluded } = await collect((index) =>
      Promise.resolve({ ms: index === 50 ? -0.1 : 0, slipMs: 0 }),
    )
    expect([kept.length, excluded]).toEqual([100, 1])
  })

  test('that could not be taken do not count, not even while warming up, and say why', async () => {
    const { kept, excluded, remarks } = await collect((index): Promise<Sample> =>
      Promise.resolve({ ms: 1, slipMs: 0, ...(index < 2 && { fault: 'no board' }) }),
    )
    expect([kept.length, excluded, remarks]).toEqual([100, 2, ['no board']])
  })

  test('in which the slip is no number do not count', async () => {
    expect(await collected(() => Number.NaN)).toMatchObject({ excluded: 6, kept: 0 })
  })

  test('meet every phase of a period, in the same order each time', () => {
    const phases = Array.from({ length: 100 }, (_, index) => phaseMs(index, 100))
    const tenths = new Set(phases.map((phase) => Math.floor(phase / 10)))
    expect([...tenths].toSorted((one, other) => one - other)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ])
    expect(phases).toEqual(Array.from({ length: 100 }, (_, index) => phaseMs(index, 100)))
  })
})

describe('npm run bench', () => {
  const kept = timingFigure(promised, timings([]))
  const missed = timingFigure(promised, timings([20, 20]))
  const left = skippedFigure(promised, 'needs to look at the pins')

  async function run(words: readonly string[], figures: readonly Figure[] = []) {
    const said = { out: '', err: '' }
    const ports: (string | undefined)[] = []
    const bench: Bench = ({ port }) => {
      ports.push(port)
      return Promise.resolve(figures)
    }
    const code = await command(
      words,
      { halt: bench, broken: () => Promise.reject(new Error('no board')) },
      {
        out: (text) => void (said.out += text),
        err: (text) => void (said.err += text),
      },
    )
    return { code, ports, ...said }
  }

  test('prints one line of JSON in the form that others rely on', async () => {
    const { code, out } = await run(['halt', '--json'], [kept, left])
    expect(code).toBe(0)
    expect(out.indexOf('\n')).toBe(out.length - 1)
    expect(benchReportSchema.parse(JSON.parse(out))).toEqual({
      bench: 'halt',
      node: process.versions.node,
      figures: [kept, left],
    })
  })

  test('names every field, also where it has no value', () => {
    expect(Object.keys(left).toSorted()).toEqual(Object.keys(figureSchema.shape).toSorted())
    expect(z.array(figureSchema).parse([kept, missed, left])).toEqual([kept, missed, left])
  })

  test('prints a table for people', async () => {
    const { out } = await run(['halt'], [kept, missed, left])
    expect(out.split('\n').slice(1)).toEqual([
      'figure  value  unit  p50   p99   max  bound  floor    n  verdict',
      'halt        1    ms  1.0   1.0   1.0  <= 10    2.3  100  ok',
      'halt       20    ms  1.0  20.0  20.0  <= 10    2.3  100  miss',
      'halt        -    ms    -     -     -  <= 10    2.3    0  skipped',
      'miss halt: 20 ms is above 10 ms',
      'skipped halt: needs to look at the pins',
      '',
    ])
  })

  test('exits with 1 for a miss and for a bench that broke, with 0 for what was skipped', async () => {
    expect((await run(['halt'], [kept, missed])).code).toBe(1)
    expect((await run(['halt'], [left])).code).toBe(0)
    expect(await run(['broken'])).toMatchObject({ code: 1, out: '', err: 'broken: no board\n' })
  })

  test('hands on the port of another board', async () => {
    expect((await run(['halt', '--port', '/dev/ttyACM0'])).ports).toEqual(['/dev/ttyACM0'])
    expect((await run(['halt'])).ports).toEqual([undefined])
  })

  test.each([[['walt']], [['toString']], [[]], [['halt', 'broken']], [['halt', '--jsn']]])(
    'refuses %j and says what is allowed',
    async (words) => {
      const { code, out, err, ports } = await run(words)
      expect([code, out, ports]).toEqual([2, '', []])
      expect(err).toContain('NAME is one of: halt, broken\n')
    },
  )
})
