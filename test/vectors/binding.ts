import { z } from 'zod'

/** What a vector file says beside the case itself: its tolerance, and the fields next to an array one level down. */
export interface CaseContext {
  readonly tolerance: number
  readonly neighbours: Readonly<Record<string, unknown>>
  /** The whole file, for conventions that its cases are read by. */
  readonly file: Readonly<Record<string, unknown>>
}

/** The differences that a case found, none when it passed; or the reason why nothing can judge it yet. */
export type Finding = readonly string[] | { readonly unbound: string }

/** Runs one case against the product. What it throws is a failure of the case. */
export type CaseCheck = (item: unknown, context: CaseContext) => Finding

/** Binds one vector file to the product. */
export interface Binding {
  /** The file's own name; a copy under another name is known by its title. */
  readonly file: string
  readonly title: string
  /** One check for each array of cases, by its key, or `key.key` one level down. Any other array fails. */
  readonly sections: Readonly<Record<string, CaseCheck>>
  /** Fields that are no cases: next to an array one level down as `key.key`, or beside all of them as `key`. */
  readonly neighbours?: readonly string[]
}

/** A check that reads its case strictly first: an unknown field or op is a failure. */
export function strictly<T>(
  schema: z.ZodType<T>,
  check: (item: T, context: CaseContext) => Finding,
): CaseCheck {
  return (item, context) => {
    const read = schema.safeParse(item)
    return read.success ? check(read.data, context) : read.error.issues.map(explain)
  }
}

/** No difference when `got` is within `tolerance` of `expected`. NaN is near nothing. */
export function near(name: string, got: number, expected: number, tolerance: number): string[] {
  if (Math.abs(got - expected) <= tolerance) return []
  return [`${name}: expected ${expected}, got ${got}`]
}

/** No difference when `got` is `expected`. */
export function same<T extends string | number | boolean>(
  name: string,
  got: T,
  expected: T,
): string[] {
  return got === expected ? [] : [`${name}: expected ${expected}, got ${got}`]
}

/** A number, or one of the words that JSON has no number for. */
export const numeral = z.union([
  z.number(),
  z.enum(['NaN', 'Infinity', '-Infinity']).transform(Number),
])

/** A tolerance tight enough to check anything. */
export const tolerance = z.number().positive().max(0.01)

function explain(issue: z.core.$ZodIssue): string {
  const at = issue.path.join('.')
  return at === '' ? issue.message : `${at}: ${issue.message}`
}
