import { z } from 'zod'
import { messageOf } from '../../core/vocabulary/errors.ts'
import { type Binding, type CaseCheck, type CaseContext, tolerance } from './binding.ts'

export type Outcome = 'passed' | 'failed' | 'optional' | 'refused' | 'unbound'

/** How one case came out, and why unless it passed. */
export interface CaseReport {
  readonly name: string
  readonly outcome: Outcome
  readonly reasons: readonly string[]
}

export interface FileReport {
  readonly file: string
  readonly cases: readonly CaseReport[]
  /** Said once for the whole file, when no case of it could be run. */
  readonly complaint?: string
}

/** A case in which a peer's rule contradicts our design: it counts neither way. */
export const exceptionSchema = z.strictObject({
  file: z.string(),
  case: z.string(),
  as: z.enum(['optional', 'refused']),
  design: z.string().min(10).describe('the sentence of DESIGN.md that wins, word for word'),
  why: z.string(),
})
export type Exception = z.infer<typeof exceptionSchema>

/** One element of an array of cases, not run yet. `check` is missing where nothing is bound. */
interface Case {
  readonly name: string
  readonly item: unknown
  readonly check: CaseCheck | undefined
  readonly context: CaseContext
}

const prose = ['title', 'source', 'conventions', 'tolerance']
const record = z.record(z.string(), z.unknown())

/** Runs every case of the vector file called `file` whose content is `text`. Never throws. */
export function runFile(
  file: string,
  text: string,
  bindings: readonly Binding[],
  exceptions: readonly Exception[],
): FileReport {
  const content = parse(text)
  if (!content) return { file, cases: [broken('file')], complaint: 'not a JSON object' }
  const binding =
    bindings.find((each) => each.file === file) ??
    bindings.find((each) => each.title === content['title'])
  const cases = casesOf(content, binding)
  if (!binding) {
    const complaint = `no binding for this file yet: its ${cases.length} cases count as failed`
    return { file, cases: cases.map(({ name }) => broken(name)), complaint }
  }
  const known = exceptions.filter((each) => each.file === binding.file)
  const unknown = strangersIn(content, binding).map((name) => broken(name, 'unknown field'))
  return { file, cases: [...cases.map((each) => runCase(each, known)), ...unknown] }
}

/** How many cases of `reports` came out as each outcome. */
export function tally(reports: readonly FileReport[]): Record<Outcome, number> {
  const counts = { passed: 0, failed: 0, optional: 0, refused: 0, unbound: 0 }
  for (const { outcome } of reports.flatMap(({ cases }) => cases)) counts[outcome] += 1
  return counts
}

function runCase(
  { name, item, check, context }: Case,
  exceptions: readonly Exception[],
): CaseReport {
  const exception = exceptions.find((each) => each.case === name)
  if (exception) return { name, outcome: exception.as, reasons: [exception.why] }
  if (!check) return broken(name, 'no binding for this section yet')
  if (isRecord(item) && item['optional'] === true) {
    return { name, outcome: 'optional', reasons: ['marked as a quirk of its source'] }
  }
  try {
    const finding = check(item, context)
    if ('unbound' in finding) return { name, outcome: 'unbound', reasons: [finding.unbound] }
    return { name, outcome: finding.length === 0 ? 'passed' : 'failed', reasons: finding }
  } catch (thrown) {
    return broken(name, `threw ${messageOf(thrown)}`)
  }
}

function casesOf(content: Record<string, unknown>, binding: Binding | undefined): Case[] {
  const context = { tolerance: toleranceOf(content), neighbours: {}, file: content }
  return Object.entries(content).flatMap(([key, value]) => {
    if (prose.includes(key)) return []
    if (Array.isArray(value)) return elementsOf(key, value, binding, context)
    if (!isRecord(value)) return []
    return Object.entries(value).flatMap(([inner, list]) =>
      Array.isArray(list)
        ? elementsOf(`${key}.${inner}`, list, binding, { ...context, neighbours: value })
        : [],
    )
  })
}

function elementsOf(
  section: string,
  list: readonly unknown[],
  binding: Binding | undefined,
  context: CaseContext,
): Case[] {
  const check = binding?.sections[section]
  return list.map((item, index) => ({
    name: nameOf(item, section, index),
    item,
    check,
    context,
  }))
}

function nameOf(item: unknown, section: string, index: number): string {
  const name = isRecord(item) ? item['name'] : undefined
  return typeof name === 'string' ? `${section}/${name}` : `${section}[${index}]`
}

/** Fields that no case is made of and that the binding does not know. */
function strangersIn(content: Record<string, unknown>, binding: Binding): string[] {
  return Object.entries(content).flatMap(([key, value]) => {
    if (prose.includes(key) || Array.isArray(value)) return []
    if (binding.neighbours?.includes(key)) return []
    if (!isRecord(value)) return [key]
    const strange = Object.keys(value).filter(
      (inner) => !Array.isArray(value[inner]) && !binding.neighbours?.includes(`${key}.${inner}`),
    )
    return strange.map((inner) => `${key}.${inner}`)
  })
}

function toleranceOf(content: Record<string, unknown>): number {
  const read = tolerance.safeParse(content['tolerance'])
  return read.success ? read.data : 1e-9
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const content: unknown = JSON.parse(text)
    return isRecord(content) ? content : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return record.safeParse(value).success
}

function broken(name: string, ...reasons: string[]): CaseReport {
  return { name, outcome: 'failed', reasons }
}
