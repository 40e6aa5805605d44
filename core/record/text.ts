/**
 * A value as one line of JSON from which `valueOf` makes it again, bit for bit: also NaN, Infinity, -0, undefined in a
 * list, bigints, bytes, maps and sets. What has no value (functions, symbols, undefined fields) is left out. Throws
 * TypeError for what holds itself.
 */
export function textOf(value: unknown): string {
  return JSON.stringify(value, written) ?? 'null'
}

/** The value of a text that `textOf` has made. Throws SyntaxError for any that is no JSON or has marks that are none. */
export function valueOf(text: string): unknown {
  return revived(JSON.parse(text))
}

/** The field that marks what JSON has no form for. */
const mark = '$'

/** What is given back is written part by part, but not shown to this function again as a whole. */
function written(this: unknown, _key: string, value: unknown): unknown {
  if (typeof value === 'number') {
    return Number.isFinite(value) && !Object.is(value, -0) ? value : { $: nameOf(value) }
  }
  if (typeof value === 'bigint') return { $: 'bigint', is: String(value) }
  if (value === undefined) return Array.isArray(this) ? { $: 'undefined' } : undefined
  return typeof value === 'object' && value !== null ? writtenObject(value) : value
}

function nameOf(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function writtenObject(value: object): unknown {
  if (value instanceof Map) return { $: 'map', is: [...value] }
  if (value instanceof Set) return { $: 'set', is: [...value] }
  if (value instanceof Uint8Array) return { $: 'bytes', is: base64Of(value) }
  // Somebody else's field of that name must not be taken for a mark.
  return Object.hasOwn(value, mark) ? { $: 'fields', is: Object.entries(value) } : value
}

function revived(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const [key, part] of Object.entries(value)) {
    const whole = revived(part)
    if (whole !== part) Object.defineProperty(value, key, { value: whole, ...plain })
  }
  return Object.hasOwn(value, mark) ? unmarked(value) : value
}

const plain = { writable: true, enumerable: true, configurable: true }

function unmarked(marked: object): unknown {
  const kind: unknown = Reflect.get(marked, mark)
  const is: unknown = Reflect.get(marked, 'is')
  switch (kind) {
    case 'NaN':
    case 'Infinity':
    case '-Infinity':
    case '-0':
      return Number(kind)
    case 'undefined':
      return undefined
    case 'bigint':
      return BigInt(String(is))
    case 'bytes':
      return bytesOf(String(is))
    case 'map':
      return new Map(pairsIn(is))
    case 'set':
      return new Set(Array.isArray(is) ? is : [])
    case 'fields':
      return Object.fromEntries(pairsIn(is))
    default:
      throw new SyntaxError(`${String(kind)} marks nothing`)
  }
}

function pairsIn(is: unknown): readonly (readonly [string, unknown])[] {
  if (!Array.isArray(is)) throw new SyntaxError('a mark without its pairs')
  return is.map((pair: unknown) => {
    if (!Array.isArray(pair)) throw new SyntaxError('a pair that is none')
    return [pair[0], pair[1]]
  })
}

/** So many bytes at once become arguments of a call. */
const chunkBytes = 8192

function base64Of(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    binary += String.fromCharCode(...bytes.subarray(at, at + chunkBytes))
  }
  return btoa(binary)
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}
