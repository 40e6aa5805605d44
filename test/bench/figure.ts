import { z } from 'zod'

/** One number of a bench beside what it is held against, as DESIGN §5 fixes the form. */
export const figureSchema = z.strictObject({
  name: z.string(),
  /** For timings the 99th percentile. Null where there is none: it was skipped, or more than one in a hundred never came. */
  value: z.number().nullable(),
  unit: z.string(),
  bound: z.number(),
  op: z.enum(['<=', '>=']),
  /** What physics or the product's own limits leave to be won. */
  floor: z.number().nullable(),
  /** The same number of another system, where one is known, and `value / peer`. */
  peer: z.number().nullable(),
  ratio: z.number().nullable(),
  /** How many measurements it stands on. */
  n: z.int(),
  p50: z.number().nullable(),
  p99: z.number().nullable(),
  max: z.number().nullable(),
  verdict: z.enum(['ok', 'miss', 'skipped']),
  /** Why it is a miss or was skipped, and what else must be known to read it. */
  reason: z.string().nullable(),
})

/** What `npm run bench -- NAME --json` prints, on one line. */
export const benchReportSchema = z.strictObject({
  bench: z.string(),
  node: z.string(),
  figures: z.array(figureSchema),
})

export type Figure = z.infer<typeof figureSchema>
export type BenchReport = z.infer<typeof benchReportSchema>

/** What a timing is held against. Milliseconds. */
export interface Promised {
  readonly name: string
  readonly bound: number
  readonly floor: number | null
}

/** What a number that is no timing is held against. */
export interface Counted {
  readonly name: string
  readonly unit: string
  readonly bound: number
  readonly op: Figure['op']
}

/** Such a number, how many measurements it stands on, and what must be known to read it. */
export interface Count {
  readonly value: number
  readonly n: number
  readonly reason: string
}

/** The timings of one cause; a sample that never came to its end is Infinity. */
export interface Timings {
  readonly ms: readonly number[]
  /** Samples that were taken besides and do not count: the emulated chip lost time in them, or they were over before their cause. */
  readonly excluded: number
  /** Why. */
  readonly remarks: readonly string[]
}

/** Fewer tell nothing of a 99th percentile. */
export const samplesMin = 100
/** Of all samples taken. */
export const excludedShareMax = 0.05

/** The figure that timings make. Whatever is doubtful is a miss: too few samples, too many excluded, no finite percentile. */
export function timingFigure(promised: Promised, timings: Timings): Figure {
  const { bound } = promised
  const { ms, excluded, remarks } = timings
  const value = percentile(ms, 0.99)
  const reasons = doubts(timings)
  const isKept = value <= bound && reasons.length === 0
  if (!(value <= bound)) reasons.unshift(`${inMs(value)} is above ${bound} ms`)
  if (excluded > 0) {
    reasons.push(`${excluded} of ${ms.length + excluded} samples excluded: ${remarks.join(', ')}`)
  }
  return {
    ...blank(promised),
    value: finite(value),
    n: ms.length,
    p50: finite(percentile(ms, 0.5)),
    p99: finite(value),
    max: finite(percentile(ms, 1)),
    verdict: isKept ? 'ok' : 'miss',
    reason: reasons.length > 0 ? reasons.join('; ') : null,
  }
}

/** The figure that a count makes. NaN is within no bound. */
export function countedFigure(
  { name, unit, bound, op }: Counted,
  { value, n, reason }: Count,
): Figure {
  const isKept = op === '<=' ? value <= bound : value >= bound
  return {
    ...blank({ name, bound, floor: null }),
    unit,
    op,
    value: finite(value),
    n,
    verdict: isKept ? 'ok' : 'miss',
    reason,
  }
}

/** A figure that could not be had here. */
export function skippedFigure(promised: Promised, reason: string): Figure {
  return { ...blank(promised), verdict: 'skipped', reason }
}

/** A figure whose measuring broke: an answer that is owed and was not given is a miss. */
export function brokenFigure(promised: Promised, reason: string): Figure {
  return { ...blank(promised), verdict: 'miss', reason }
}

/** The smallest value that at least `share` of all are not above (nearest rank). NaN of nothing, and of NaN anywhere. */
export function percentile(values: readonly number[], share: number): number {
  if (values.some(Number.isNaN)) return Number.NaN
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

function doubts({ ms, excluded }: Timings): string[] {
  const taken = ms.length + excluded
  const lost = ms.filter((each) => !Number.isFinite(each)).length
  return [
    ...(ms.length < samplesMin ? [`${ms.length} samples are fewer than ${samplesMin}`] : []),
    ...(excluded > taken * excludedShareMax
      ? [`more than ${excludedShareMax * 100} % had to be excluded`]
      : []),
    ...(lost > 0 ? [`${lost} of ${ms.length} never came`] : []),
  ]
}

function blank({ name, bound, floor }: Promised): Omit<Figure, 'verdict'> {
  return {
    name,
    value: null,
    unit: 'ms',
    bound,
    op: '<=',
    floor: floor === null ? null : round(floor),
    peer: null,
    ratio: null,
    n: 0,
    p50: null,
    p99: null,
    max: null,
    reason: null,
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? round(value) : null
}

function inMs(ms: number): string {
  return Number.isFinite(ms) ? `${round(ms)} ms` : 'what never came'
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
