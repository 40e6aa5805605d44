import type { Memory, Spot } from '../vocabulary/memory.ts'
import { cosine, type Sparse, sparseCosine } from './vector.ts'

/** A memory with what it is found by. Vectors have length 1. */
export interface Entry {
  readonly memory: Memory
  /** What people and models read of it. */
  readonly text: string
  readonly lexical: Float32Array
  /** By the embedding of an endpoint, where it was made by one. */
  readonly embedded: Embedded | undefined
}

/** A vector and the name of the embedding that made it. Only those of one name can be compared. */
export interface Embedded {
  readonly name: string
  readonly vector: Float32Array
}

/** What memories are looked for by: a moment, and a text of what it is about. */
export interface Cue {
  readonly lexical: Sparse
  readonly embedded: Embedded | undefined
  /** Milliseconds since 1970. */
  readonly wallMs: number
  /** Where the robot is; undefined where that is not to count. */
  readonly at: Spot | undefined
  readonly run: string
  /** The numbers of those that are known already, and not looked for. */
  readonly told: ReadonlySet<number>
}

export interface Found {
  readonly entry: Entry
  readonly score: number
}

/**
 * What a score is made of; each part is from 0 to 1. Likeness of the words decides, age and place break what is alike, and
 * what was meant to be kept comes before what merely happened.
 */
export const weights = { likeness: 0.7, recency: 0.12, place: 0.08, note: 0.1 } as const

/** Words that have nothing in common may share a number or two of their vectors: that is no likeness. */
const likenessMin = 0.05

/** At this age half of the recency is left; a third at twice that. */
export const halfAgeMs = 24 * 3_600_000

/** At this distance half of the nearness is left, in metres. */
export const halfDistanceMetres = 2

/**
 * The best of `entries`, at most `count`, best first, beside those that were found before in others. Of those that read the
 * same only the best is taken. Equal scores go to the younger one. What has nothing in common with the cue is never found.
 */
export function bestOf(
  entries: readonly Entry[],
  cue: Cue,
  count: number,
  before: readonly Found[] = [],
): readonly Found[] {
  const best = [...before]
  for (const entry of entries) {
    const score = scoreOf(entry, cue)
    const last = best.length < count ? undefined : best.at(-1)
    if (!(score > 0) || (last && !isBetter({ entry, score }, last))) continue
    insert(best, { entry, score }, count)
  }
  return best
}

/** Nought for what is not like the cue at all, and for what cannot be compared. */
export function scoreOf(entry: Entry, cue: Cue): number {
  const likeness = cue.told.has(entry.memory.id) ? 0 : likenessOf(entry, cue)
  if (!(likeness > likenessMin)) return 0
  const { memory } = entry
  return (
    weights.likeness * likeness +
    weights.recency * recencyOf(cue.wallMs - memory.wallMs) +
    weights.place * nearnessOf(entry.memory, cue) +
    (memory.kind === 'note' ? weights.note : 0)
  )
}

/** By the endpoint's embedding where both were made under it, otherwise by words. */
function likenessOf({ lexical, embedded }: Entry, cue: Cue): number {
  return embedded && cue.embedded && isComparable(embedded, cue.embedded)
    ? cosine(embedded.vector, cue.embedded.vector)
    : sparseCosine(cue.lexical, lexical)
}

function isComparable(one: Embedded, other: Embedded): boolean {
  return one.name === other.name && one.vector.length === other.vector.length
}

/** A clock that was set back makes nothing younger than now. */
function recencyOf(ageMs: number): number {
  return ageMs > 0 ? halfAgeMs / (halfAgeMs + ageMs) : 1
}

/** Nought where the two places cannot be compared. */
function nearnessOf({ at, run }: Memory, cue: Cue): number {
  if (!cue.at || !isSameFrame({ at, run }, { at: cue.at, run: cue.run })) return 0
  const dx = at.x - cue.at.x
  const dy = at.y - cue.at.y
  const distance = Math.sqrt(dx * dx + dy * dy)
  return distance >= 0 ? halfDistanceMetres / (halfDistanceMetres + distance) : 0
}

/** Where and in which run: `map` is the same in all of them, `odom` begins anew with each. */
export function isSameFrame(
  one: { readonly at: Spot; readonly run: string },
  other: { readonly at: Spot; readonly run: string },
): boolean {
  return one.at.frame === other.at.frame && (one.at.frame === 'map' || one.run === other.run)
}

function isBetter(one: Found, other: Found): boolean {
  if (one.score !== other.score) return one.score > other.score
  const [a, b] = [one.entry.memory, other.entry.memory]
  return a.wallMs === b.wallMs ? a.id > b.id : a.wallMs > b.wallMs
}

function insert(best: Found[], found: Found, count: number): void {
  const same = best.findIndex(({ entry }) => entry.text === found.entry.text)
  const known = best[same]
  if (known && !isBetter(found, known)) return
  if (known) best.splice(same, 1)
  const at = best.findIndex((other) => isBetter(found, other))
  best.splice(at < 0 ? best.length : at, 0, found)
  if (best.length > count) best.pop()
}
