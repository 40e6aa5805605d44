import type { z } from 'zod'

/** One line for the first thing that is wrong: field, value, and what is allowed. */
export function explainIssues(issues: readonly z.core.$ZodIssue[], value: unknown): string {
  // A field that does not exist is often the reason why another is missing.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
  if (!issue) return 'not valid'
  const field = pathOf(issue.path)
  if (issue.code === 'unrecognized_keys') {
    return `${joined(field, issue.keys[0] ?? '')}: no such field`
  }
  if (issue.code === 'custom') return `${field}: ${issue.message}`
  const given = valueAt(value, issue.path)
  const fault = given === undefined ? 'missing' : `${show(given)} is not allowed`
  return `${field}: ${fault}; ${expected(issue.message)}`
}

/** A value as a person would write it, cut to a line. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (typeof value === 'function') return 'a function'
  const text = jsonOf(value) ?? typeof value
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    // It holds itself, or numbers that JSON has no form for.
    return undefined
  }
}

/** The library's own words, without what was said already. */
function expected(message: string): string {
  return message.replace(/^Invalid input: /, '').replace(/, received .*$/, '')
}

function pathOf(path: readonly PropertyKey[]): string {
  const text = path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')
  return text === '' ? 'configuration' : text
}

function joined(field: string, key: string): string {
  return field === 'configuration' ? key : `${field}.${key}`
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at: unknown = value
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined
    at = Reflect.get(at, key)
  }
  return at
}
