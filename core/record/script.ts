import type { Difference } from './difference.ts'
import type { Entry } from './entry.ts'
import { textOf } from './text.ts'

/**
 * What a record says of one moment after the other, and how far a replay has come with it. Everything that the replay
 * does is compared, in its order; where the two go apart, the nearest place is looked for at which they meet again.
 */
export class Script {
  readonly #differ: (difference: Difference) => void
  #entries: readonly Entry[] = []
  #isCut = false
  #at = 0
  #before = 0
  #nowMs: number
  #after = 'the beginning'

  /** `startMs` is on the robot's clock. */
  constructor(startMs: number, differ: (difference: Difference) => void) {
    this.#nowMs = startMs
    this.#differ = differ
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** How far it is within the moment. */
  get at(): number {
    return this.#at
  }

  /** Another moment. `isCut`: nothing is known of what the robot did last in it. */
  load(entries: readonly Entry[], isCut: boolean): void {
    this.#before += this.#entries.length
    this.#entries = entries
    this.#isCut = isCut
    this.#at = entries[0]?.kind === 'begin' ? 1 : 0
  }

  /** What comes in now, and is taken with this; or what the record says comes before, and is not. */
  next(): Entry | undefined {
    const entry = this.#entries[this.#at]
    if (entry && isMoment(entry)) {
      this.#at += 1
      this.#nowMs = entry.atMs
      this.#after = describeEntry(entry)
    }
    return entry
  }

  /** Something else comes in before the promises of this go on. */
  get isGluedOn(): boolean {
    return this.#entries.slice(this.#at).some(isMoment)
  }

  /** What came in while a call was made, or that it threw; taken with this. */
  during(call: string): (Entry & { kind: 'nested' | 'threw' }) | undefined {
    for (let at = this.#at; ; at++) {
      const entry = this.#entries[at]
      if (entry?.kind === 'nested' || entry?.kind === 'threw') {
        if (entry.during !== call) return undefined
        while (this.#at < at) this.miss()
        this.#at += 1
        if (entry.kind === 'nested') this.#after = describeEntry(entry)
        return entry
      }
      if (entry?.kind !== 'out') return undefined
    }
  }

  /** The replay did this. */
  compare(what: string, value: unknown): void {
    const done = outputText(what, value)
    const ahead = this.#outputsAhead()
    const found = ahead.findIndex((entry) => outputText(entry.what, entry.value) === done)
    if (found >= 0) {
      for (let missed = 0; missed < found; missed++) this.miss()
      this.#at += 1
    } else if (ahead[0]?.what === what) {
      this.#tell(this.#at, outputText(what, ahead[0].value), done)
      this.#at += 1
    } else if (!this.#isCut || this.#at < this.#entries.length) {
      this.#tell(this.#at, null, done)
    }
  }

  /** The replay did not do what comes next. */
  miss(): void {
    const entry = this.#entries[this.#at]
    if (!entry) return
    this.#tell(this.#at, describeEntry(entry), null)
    this.#at += 1
  }

  /** Something went another way with what came in last. */
  differAtLast(recorded: string, replayed: string | null): void {
    this.#tell(this.#at - 1, recorded, replayed)
  }

  #tell(at: number, recorded: string | null, replayed: string | null): void {
    const entry = this.#before + at
    this.#differ({ entry, atMs: this.#nowMs, after: this.#after, recorded, replayed })
  }

  #outputsAhead(): readonly (Entry & { kind: 'out' })[] {
    const outputs: (Entry & { kind: 'out' })[] = []
    for (const entry of this.#entries.slice(this.#at)) {
      if (entry.kind !== 'out') break
      outputs.push(entry)
    }
    return outputs
  }
}

/** True for what came in at a moment of its own. */
export function isMoment(entry: Entry): entry is Entry & { kind: 'in' | 'timer' | 'answer' } {
  return entry.kind === 'in' || entry.kind === 'timer' || entry.kind === 'answer'
}

/** An entry in one line, for people. */
export function describeEntry(entry: Entry): string {
  switch (entry.kind) {
    case 'in':
      return short(`${entry.door} ${textOf(entry.value)}`)
    case 'nested':
      return short(`${entry.door} ${textOf(entry.value)} during ${entry.during}`)
    case 'timer':
      return `timer ${entry.timer} of ${entry.delayMs} ms`
    case 'answer':
      return short(`the answer to ${entry.call}: ${textOf(entry.failure ?? entry.value)}`)
    case 'threw':
      return short(`${entry.during}, which threw ${textOf(entry.failure)}`)
    case 'out':
      return short(outputText(entry.what, entry.value))
    case 'begin':
    case 'gap':
    case 'end':
      return entry.kind
  }
}

const lineCharactersMax = 400

function short(text: string): string {
  return text.length <= lineCharactersMax ? text : `${text.slice(0, lineCharactersMax - 1)}…`
}

function outputText(what: string, value: unknown): string {
  return `${what} ${textOf(value)}`
}
