import type { Embedded, Entry } from '../core/memory/recall.ts'
import { messageOf } from '../core/vocabulary/errors.ts'
import type { Clock } from '../drivers/clock.ts'
import { type Embedder, textsMax } from './embedding.ts'

/** The vectors of an endpoint, as far as they are there: asked for in the background, and never waited for by anybody. */
export interface Embeddings {
  /** The vector of a text that is looked for: at once when it was had before. Never rejects. */
  vectorOf(text: string): Promise<Embedded | undefined>
  /** There are new memories, some of which may want a vector. */
  noteEntries(): void
  close(): void
}

export interface EmbeddingsInput {
  readonly embedder: Embedder
  /** The wall's. */
  readonly clock: Clock
  readonly run: string
  readonly entries: () => readonly Entry[]
  /** Takes the vectors of memories by their numbers. */
  readonly take: (vectors: ReadonlyMap<number, Embedded>) => void
  /** Whether there is money for what is not urgent. */
  readonly isAmple: () => boolean
  /** Says something that a person should hear. */
  readonly tell: (line: string) => void
}

/** So many texts that were looked for are remembered with their vectors. */
const knownMax = 16

/** After a failure nothing is asked for so long, in ms. Episodes are asked for as often, and so many of them at once. */
const pauseMs = 60_000
const episodesMax = 8

/**
 * Asks for one thing at a time. Notes get their vectors as soon as they are kept; of the episodes of this run a few do every
 * minute, while the budget is ample: a robot makes one every second.
 */
export function createEmbeddings(input: EmbeddingsInput): Embeddings {
  const { clock, embedder, entries, isAmple, run, take, tell } = input
  const known = new Map<string, Embedded>()
  const asked = new Map<string, Promise<Embedded | undefined>>()
  /** An answer that is no vector is not asked for again: it would cost the same once more. */
  const answered = new Set<number>()
  const ending = new AbortController()
  let pausedUntilMs = Number.NEGATIVE_INFINITY
  let episodesAtMs = clock.now() + pauseMs
  let hasFailed = false
  let last: Promise<unknown> = Promise.resolve()
  let isLooking = false

  const vectorsOf = async (texts: readonly string[]) => {
    if (clock.now() < pausedUntilMs || ending.signal.aborted) return []
    try {
      const vectors = await embedder.embed(texts, ending.signal)
      hasFailed = false
      return vectors
    } catch (error) {
      pausedUntilMs = clock.now() + pauseMs
      if (!hasFailed && !ending.signal.aborted) {
        tell(`memory: ${messageOf(error)}. Memories are found by their words`)
      }
      hasFailed = true
      return []
    }
  }
  const inOrder = <Result>(act: () => Promise<Result>): Promise<Result> => {
    const next = last.then(act)
    last = next.catch(() => {})
    return next
  }
  const ask = async (text: string) => {
    const [vector] = await inOrder(() => vectorsOf([text]))
    asked.delete(text)
    if (vector) remember(known, text, vector)
    return vector
  }
  const isWanted = ({ embedded, memory }: Entry) =>
    embedded?.name !== embedder.name && !answered.has(memory.id)
  const wanted = () => {
    const all = entries().filter(isWanted).toReversed()
    const notes = all.filter(({ memory }) => memory.kind === 'note').slice(0, textsMax)
    if (notes.length > 0 || clock.now() < episodesAtMs || !isAmple()) return notes
    episodesAtMs = clock.now() + pauseMs
    const own = all.filter(({ memory }) => memory.run === run)
    const texts = [...new Set(own.map(({ text }) => text))].slice(0, episodesMax)
    return own.filter(({ text }) => texts.includes(text))
  }
  const look = async () => {
    isLooking = false
    const some = wanted()
    const texts = [...new Set(some.map(({ text }) => text))]
    if (texts.length === 0) return
    const vectors = await vectorsOf(texts)
    if (vectors.length === 0) return
    const found = new Map<number, Embedded>()
    for (const { memory, text } of some) {
      const vector = vectors[texts.indexOf(text)]
      answered.add(memory.id)
      if (vector) found.set(memory.id, vector)
    }
    if (found.size > 0) take(found)
  }

  return {
    vectorOf(text) {
      const vector = known.get(text)
      if (vector) return Promise.resolve(vector)
      const asking = asked.get(text) ?? ask(text)
      asked.set(text, asking)
      return asking
    },
    noteEntries() {
      if (isLooking) return
      isLooking = true
      inOrder(look).catch((error: unknown) => tell(`memory: ${messageOf(error)}`))
    },
    close: () => ending.abort(new Error('the robot stops')),
  }
}

function remember(known: Map<string, Embedded>, text: string, vector: Embedded): void {
  known.set(text, vector)
  const [oldest] = known.keys()
  if (known.size > knownMax && oldest !== undefined) known.delete(oldest)
}
