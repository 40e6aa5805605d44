import { printable } from '../terminal.ts'

/** The most fields of a context that are told, and the characters of each. */
export const fieldsMax = 24
export const charactersMax = 120

/**
 * A context in a few words a field. Whatever is in it (cycles, getters that throw, secrets, half a world), this ends
 * soon, throws nothing, tells no secret, and keeps to the limits.
 */
export function summaryOf(context: unknown): Readonly<Record<string, string>> {
  if (typeof context !== 'object' || context === null) return {}
  return Object.fromEntries(
    keysOf(context, fieldsMax).map((key) => [
      cut(printable(key)),
      cut(printable(isTelling(key) ? mask : describe(fieldOf(context, key), depthMax, []))),
    ]),
  )
}

const mask = '[secret]'
const depthMax = 3
/** The most entries of a list or a record that are told. */
const entriesMax = 6

/** What is called like this is never looked at. */
function isTelling(key: string): boolean {
  return /(^|[a-z_-])(api_?key|key|token|password|secret|authorization|credential)s?$/i.test(key)
}

function describe(value: unknown, depth: number, within: readonly object[]): string {
  switch (typeof value) {
    case 'string':
      return within.length > 0 ? JSON.stringify(value.slice(0, charactersMax)) : value.slice(0, 500)
    case 'number':
      return Number.isInteger(value) ? String(value) : String(Math.round(value * 1_000) / 1_000)
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'undefined':
      return 'none'
    case 'function':
      return 'a function'
    case 'symbol':
      return 'a symbol'
    case 'object':
      return value === null ? 'none' : describeObject(value, depth, within)
  }
}

function describeObject(value: object, depth: number, within: readonly object[]): string {
  if (within.includes(value)) return 'itself'
  try {
    if (value instanceof Error) return `${value.name}: ${value.message}`
    if (Array.isArray(value)) return listOf(value, value.length, depth, [...within, value])
    if (value instanceof Set) return listOf([...value], value.size, depth, [...within, value])
    if (value instanceof Map) return `${value.size} entries`
    if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
    const ownWords: unknown = 'toJSON' in value && value.toJSON
    if (typeof ownWords === 'function') return String(ownWords.call(value))
    if ('getSnapshot' in value) return 'an actor'
    return recordOf(value, depth, [...within, value])
  } catch {
    return 'unreadable'
  }
}

function listOf(
  items: readonly unknown[],
  size: number,
  depth: number,
  within: readonly object[],
): string {
  if (size === 0) return 'nothing'
  if (depth === 0) return `${size} of them`
  const told = items.slice(0, entriesMax).map((item) => describe(item, depth - 1, within))
  return `[${told.join(', ')}${size > entriesMax ? `, ${size - entriesMax} more` : ''}]`
}

function recordOf(value: object, depth: number, within: readonly object[]): string {
  if (depth === 0) return '…'
  const told = keysOf(value, entriesMax).map((key) => {
    return `${key} ${isTelling(key) ? mask : describe(fieldOf(value, key), depth - 1, within)}`
  })
  return told.length > 0 ? `{${told.join(', ')}}` : 'nothing'
}

function keysOf(value: object, max: number): readonly string[] {
  try {
    return Object.keys(value).slice(0, max)
  } catch {
    return []
  }
}

function fieldOf(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key)
  } catch {
    return 'unreadable'
  }
}

function cut(text: string): string {
  return text.length > charactersMax ? `${text.slice(0, charactersMax - 1)}…` : text
}
