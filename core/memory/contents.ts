import { type Tally, tallyOf } from '../vocabulary/memory.ts'
import type { Embedded, Entry } from './recall.ts'
import { toForget } from './retention.ts'

/** All that is remembered, in the order in which it was kept, and how much that is, so that nobody has to count. */
export interface Contents {
  readonly entries: readonly Entry[]
  readonly tally: Tally
}

/** What is to be done to it. */
export interface Revision {
  /** With numbers above all others. */
  readonly added: readonly Entry[]
  readonly forget: ReadonlySet<number>
  /** The vectors of an endpoint for memories of these numbers. */
  readonly vectors: ReadonlyMap<number, Embedded>
}

/** What there is then; whose entries are new or others, and which numbers are gone. */
export interface Revised {
  readonly after: Contents
  readonly changed: readonly Entry[]
  readonly gone: readonly number[]
}

/**
 * Adds and forgets what it is told, and forgets what was said again since, what is too old and what is too much. Goes
 * through all that there is only where something goes, or a note comes: it is done once a second.
 */
export function revised(
  { entries, tally }: Contents,
  { added, forget, vectors }: Revision,
  wallMs: number,
): Revised {
  const all = [...entries, ...added]
  const asked = new Set([...forget, ...saidAgain(all, added)])
  const wanted = asked.size === 0 ? all : all.filter(({ memory }) => !asked.has(memory.id))
  const more = tallyOf(added)
  const count =
    asked.size === 0
      ? { episodes: tally.episodes + more.episodes, notes: tally.notes + more.notes }
      : tallyOf(wanted)
  const expired = new Set(toForget(memoriesOf(wanted), count, wallMs))
  const left = expired.size === 0 ? wanted : wanted.filter(({ memory }) => !expired.has(memory.id))
  const present = vectors.size === 0 ? left : left.map((entry) => embeddedBy(vectors, entry))
  const isGone = ({ memory: { id } }: Entry) => asked.has(id) || expired.has(id)
  const embedded = vectors.size === 0 ? [] : present.filter(({ memory }) => vectors.has(memory.id))
  return {
    after: { entries: present, tally: expired.size === 0 ? count : tallyOf(present) },
    changed: [...embedded, ...added.filter((entry) => !isGone(entry))],
    gone: asked.size + expired.size === 0 ? [] : entries.filter(isGone).map(idOf),
  }
}

/** The older ones of notes that read the same as one that is added: whoever says something twice says it anew. */
function saidAgain(all: readonly Entry[], added: readonly Entry[]): readonly number[] {
  const said = new Map(
    added.flatMap(({ memory, text }) => (memory.kind === 'note' ? [[text, memory.id]] : [])),
  )
  if (said.size === 0) return []
  return all.flatMap(({ memory, text }) =>
    memory.kind === 'note' && (said.get(text) ?? memory.id) !== memory.id ? [memory.id] : [],
  )
}

function embeddedBy(vectors: ReadonlyMap<number, Embedded>, entry: Entry): Entry {
  const embedded = vectors.get(entry.memory.id)
  return embedded ? { ...entry, embedded } : entry
}

function* memoriesOf(entries: readonly Entry[]) {
  for (const { memory } of entries) yield memory
}

function idOf({ memory: { id } }: Entry): number {
  return id
}
