/** JSON as people write it: the value and the lines that its parts stand on, or the line on which it is none, and why. */
export type Located =
  | {
      readonly ok: true
      readonly value: unknown
      /** The line, from 1, of what is at a path; of the nearest thing around it where there is nothing. */
      lineOf(path: readonly PropertyKey[]): number
    }
  | { readonly ok: false; readonly line: number; readonly message: string }

/** Reads JSON, and takes a key that is there twice for a mistake. Never throws. */
export function parseLocated(text: string): Located {
  const lines = new Map<string, number>()
  const scan = scannerOf(text)
  try {
    readValue(scan, [], lines)
    if (scan.peek() !== '') throw new Mistake(scan.line, `${scan.peek()} comes after the end`)
    const value: unknown = JSON.parse(text)
    return { ok: true, value, lineOf: (path) => nearest(lines, path) }
  } catch (error) {
    const isMistake = error instanceof Mistake
    const message = isMistake ? error.message : 'it is no JSON'
    return { ok: false, line: isMistake ? error.line : 1, message }
  }
}

const depthMax = 32

class Mistake extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

interface Scanner {
  /** Of the next token. */
  readonly line: number
  /** The next token; nothing at the end. */
  peek(): string
  take(): string
}

const token =
  /[{}[\]:,]|"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/uy

function scannerOf(text: string): Scanner {
  let at = 0
  let line = 1
  let next: string | undefined
  const skipBlanks = () => {
    for (; at < text.length && ' \t\r\n'.includes(text.charAt(at)); at++) {
      if (text.charAt(at) === '\n') line += 1
    }
  }
  const peek = () => {
    if (next !== undefined) return next
    skipBlanks()
    token.lastIndex = at
    const [found] = token.exec(text) ?? []
    if (found === undefined && at < text.length) {
      throw new Mistake(line, `${JSON.stringify(text.slice(at, at + 12))} is no JSON`)
    }
    next = found ?? ''
    at += next.length
    return next
  }
  return {
    get line() {
      peek()
      return line
    },
    peek,
    take() {
      const taken = peek()
      next = undefined
      return taken
    },
  }
}

function readValue(scan: Scanner, path: readonly PropertyKey[], lines: Map<string, number>): void {
  lines.set(keyOf(path), scan.line)
  if (path.length > depthMax) throw new Mistake(scan.line, 'it is nested too deeply')
  const first = scan.take()
  if (first === '{') readObject(scan, path, lines)
  else if (first === '[') readArray(scan, path, lines)
  else if (first === '') throw new Mistake(scan.line, 'it ends in the middle')
  else if ('}]:,'.includes(first))
    throw new Mistake(scan.line, `a value is missing before ${first}`)
}

function readObject(scan: Scanner, path: readonly PropertyKey[], lines: Map<string, number>): void {
  const keys = new Set<string>()
  readList(scan, '}', () => {
    const { line } = scan
    const quoted = scan.take()
    if (!quoted.startsWith('"'))
      throw new Mistake(line, `a name in quotes is missing before ${show(quoted)}`)
    const key = String(JSON.parse(quoted))
    if (keys.has(key)) throw new Mistake(line, `${[...path, key].join('.')} is there twice`)
    keys.add(key)
    if (scan.take() !== ':') throw new Mistake(line, `a colon is missing after ${quoted}`)
    readValue(scan, [...path, key], lines)
  })
}

function readArray(scan: Scanner, path: readonly PropertyKey[], lines: Map<string, number>): void {
  let index = 0
  readList(scan, ']', () => readValue(scan, [...path, index++], lines))
}

/** Whatever stands between two brackets, with commas in between and none at the end. */
function readList(scan: Scanner, end: string, readOne: () => void): void {
  if (scan.peek() === end) return void scan.take()
  for (;;) {
    readOne()
    const { line } = scan
    const after = scan.take()
    if (after === end) return
    if (after !== ',') throw new Mistake(line, `a comma or ${end} is missing before ${show(after)}`)
  }
}

function show(found: string): string {
  return found === '' ? 'the end' : found.slice(0, 20)
}

function keyOf(path: readonly PropertyKey[]): string {
  return JSON.stringify(path.map(String))
}

function nearest(lines: ReadonlyMap<string, number>, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const line = lines.get(keyOf(path.slice(0, length)))
    if (line !== undefined) return line
  }
  return 1
}
