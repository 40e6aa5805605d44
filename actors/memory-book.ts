import { lexicalDimensions, lexicalName, lexicalVector } from '../core/memory/lexical.ts'
import { type Contents, revised } from '../core/memory/contents.ts'
import type { Embedded, Entry } from '../core/memory/recall.ts'
import { forgetMax } from '../core/memory/retention.ts'
import { normalised } from '../core/memory/vector.ts'
import { MechosError } from '../core/vocabulary/errors.ts'
import { type Draft, type Tally, tallyOf, textOf } from '../core/vocabulary/memory.ts'
import type { Clock } from '../drivers/clock.ts'
import type { MemoryStore } from '../store/memories.ts'
import type { Kept } from '../store/memory-records.ts'

/** All that is remembered: in memory, where it is looked through, and in the store, which comes first. */
export interface MemoryBook {
  /** What is on the disk, in the order in which it was kept. A new list after each change. */
  readonly entries: readonly Entry[]
  /** How many episodes were given up because the disk did not keep up. */
  readonly shed: number
  /** Reads everything; what was damaged and lost is told in `loss`. Rejects with ERR_MEMORY_UNKEPT. */
  open(): Promise<{ readonly tally: Tally; readonly loss: string | undefined }>
  /**
   * Takes something for the next write. Resolves once that is on the disk. An episode may be shed instead, and then it never
   * does; a note rejects with ERR_MEMORY_UNKEPT when too many wait already.
   */
  add(draft: Draft): Promise<void>
  /** Has the next write give these memories the vectors of an endpoint's embedding. */
  embed(vectors: ReadonlyMap<number, Embedded>): void
  /** Has the next write forget these, and resolves to how many there were. */
  forget(ids: readonly number[]): Promise<number>
  /** Writes a part of what waits, and opens first where that failed before. Rejects with ERR_MEMORY_UNKEPT; nothing is lost then. */
  write(): Promise<{ readonly tally: Tally; readonly left: number }>
  /** Writes whatever waits, and closes. */
  close(): Promise<void>
}

/** How much may wait for a disk that does not keep up. Episodes are shed then, the oldest first. */
export const waitingMax = { episodes: 500, notes: 50 } as const

/** How much is written at once: making its vectors takes no more than some milliseconds. */
const writeMax = 50

/** How many entries are made between two turns of the event loop. */
const readMax = 50

interface Waiting {
  readonly draft: Draft
  readonly kept: () => void
}

/** What somebody wants to be forgotten, how much of it is gone, and whom to tell. */
interface Forgetting {
  readonly ids: readonly number[]
  readonly before: number
  readonly forgotten: (count: number) => void
}

/** `wallMs` tells the time since 1970; `clock` is the wall's. Nothing is read before `open`. */
export function createMemoryBook(
  store: MemoryStore,
  clock: Clock,
  wallMs: () => number,
): MemoryBook {
  let contents: Contents = { entries: [], tally: { episodes: 0, notes: 0 } }
  let lastId = 0
  let isOpen = false
  let shed = 0
  let waiting: Waiting[] = []
  let forgetting: readonly Forgetting[] = []
  let embedding = new Map<number, Embedded>()
  let last: Promise<unknown> = Promise.resolve()
  const inOrder = <Result>(act: () => Promise<Result>): Promise<Result> => {
    const next = last.then(act)
    last = next.catch(() => {})
    return next
  }

  const open = async () => {
    const opened = await store.open()
    const entries = await entriesOf(opened.kept, clock)
    contents = { entries, tally: tallyOf(entries) }
    lastId = Math.max(lastId, opened.lastId)
    isOpen = true
    return { tally: contents.tally, loss: opened.loss }
  }
  const write = async () => {
    if (!isOpen) await open()
    const taken = waiting.splice(0, writeMax)
    const [[forgets], vectors] = [forgetting, embedding]
    embedding = new Map()
    try {
      const added = taken.map(({ draft }) => entryOf({ ...draft, id: ++lastId }))
      const forget = new Set(forgets?.ids.slice(0, forgetMax))
      const { after, changed, gone } = revised(contents, { added, forget, vectors }, wallMs())
      await store.write({ keep: changed.map(keptOf), forget: gone, lastId, tally: after.tally })
      contents = after
      for (const { kept } of taken) kept()
      const more = forgets && goneOn(forgets, gone.filter((id) => forget.has(id)).length)
      if (forgets) forgetting = [...(more ? [more] : []), ...forgetting.slice(1)]
    } catch (error) {
      waiting = [...taken, ...waiting]
      embedding = new Map([...vectors, ...embedding])
      throw error
    }
    return { tally: contents.tally, left: waiting.length + forgetting.length }
  }

  return {
    get entries() {
      return contents.entries
    },
    get shed() {
      return shed
    },
    open: () => inOrder(open),
    add(draft) {
      const alike = waiting.filter(({ draft: { kind } }) => kind === draft.kind)
      if (draft.kind === 'note' && alike.length >= waitingMax.notes) {
        const message = `memory: ${alike.length} notes wait for the disk already; what is wrong with it is in the status`
        return Promise.reject(new MechosError('ERR_MEMORY_UNKEPT', message))
      }
      if (draft.kind === 'episode' && alike.length >= waitingMax.episodes) {
        shed += 1
        waiting = waiting.filter((one) => one !== alike[0])
      }
      return new Promise((resolve) => waiting.push({ draft, kept: resolve }))
    },
    embed(vectors) {
      embedding = new Map([...embedding, ...vectors])
    },
    forget: (ids) =>
      new Promise((resolve) => {
        const wanted = { ids: [...new Set(ids)], before: 0, forgotten: resolve }
        forgetting = [...forgetting, wanted]
      }),
    write: () => inOrder(write),
    close: () =>
      inOrder(async () => {
        try {
          if (!isOpen) return
          while (waiting.length > 0 || forgetting.length > 0) {
            // oxlint-disable-next-line no-await-in-loop -- one write after the other
            await write()
          }
        } finally {
          await store.close()
        }
      }),
  }
}

/** What is left to be forgotten once a part of it is; undefined, and told, when that was the last. */
function goneOn({ ids, before, forgotten }: Forgetting, count: number): Forgetting | undefined {
  const rest = { ids: ids.slice(forgetMax), before: before + count, forgotten }
  if (rest.ids.length > 0) return rest
  forgotten(rest.before)
  return undefined
}

function entryOf(memory: Entry['memory']): Entry {
  const text = textOf(memory)
  return { memory, text, lexical: lexicalVector(text), embedded: undefined }
}

function keptOf({ embedded, lexical, memory }: Entry): Kept {
  return embedded
    ? { memory, embedding: embedded.name, vector: embedded.vector }
    : { memory, embedding: lexicalName, vector: lexical }
}

/** A vector that was made under another embedding is of no use for words, and one that is none is made anew. */
async function entriesOf(kept: readonly Kept[], clock: Clock): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  for (const [at, { memory, embedding, vector }] of kept.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- lets others have their turn
    if (at % readMax === readMax - 1) await turnOf(clock)
    const sound = normalised(vector)
    const isLexical = embedding === lexicalName
    if (isLexical && sound?.length === lexicalDimensions) {
      entries.push({ memory, text: textOf(memory), lexical: sound, embedded: undefined })
    } else {
      const embedded = sound && !isLexical ? { name: embedding, vector: sound } : undefined
      entries.push({ ...entryOf(memory), embedded })
    }
  }
  return entries
}

function turnOf(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimeout(resolve, 0)
  })
}
