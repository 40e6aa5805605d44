import type { Level } from 'level'
import { z } from 'zod'
import { type Memory, memorySchema, type Tally } from '../core/vocabulary/memory.ts'

/** A memory as it is kept: with the vector that it was found by, and the name of the embedding that made that. */
export interface Kept {
  readonly memory: Memory
  readonly embedding: string
  /** Of any length, and with any numbers: whoever uses it looks. */
  readonly vector: Float32Array
}

export interface Change {
  readonly keep: readonly Kept[]
  readonly forget: readonly number[]
  /** Numbers are never given twice, whatever is forgotten. */
  readonly lastId: number
  /** What there is after the change, so that a later loss can be counted. */
  readonly tally: Tally
}

/** What a folder of memories holds. */
export interface Found {
  readonly kept: readonly Kept[]
  readonly lastId: number
  /** What there should be, if that can be read. */
  readonly expected: Tally | undefined
  /** Why it cannot be as it was written; undefined when it is. */
  readonly fault: string | undefined
  /** The keys of what makes no sense. */
  readonly strange: readonly string[]
}

export type Database = Level

/**
 * Reads everything, in the order in which it was kept, and lets others have their turn meanwhile. What makes no sense is
 * left out, and named. Throws TypeError for what another version of this program has written.
 */
export async function readRecords(database: Database): Promise<Found> {
  const text = await database.get(metaKey)
  const meta = text === undefined ? undefined : metaOf(text)
  const kept: Kept[] = []
  const strange: string[] = []
  const vectors = vectorsIn(database)
  const records = recordsIn(database).iterator()
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, so that others have their turn
      const some = await records.nextv(readAtOnce)
      if (some.length === 0) break
      // oxlint-disable-next-line no-await-in-loop -- as above
      const bytes = await vectors.getMany(some.map(([key]) => key))
      for (const [index, [key, record]] of some.entries()) {
        const one = keptOf(record, bytes[index])
        if (one && keyOf(one.memory.id) === key) kept.push(one)
        else strange.push(key)
      }
    }
  } finally {
    await records.close()
  }
  return {
    kept,
    lastId: Math.max(meta?.lastId ?? 0, kept.at(-1)?.memory.id ?? 0),
    expected: meta,
    fault: faultIn({ isNew: text === undefined, kept, meta, strange }),
    strange,
  }
}

/** Makes a change whole or not at all. On the disk once it resolves. */
export function writeRecords(database: Database, change: Change): Promise<void> {
  const { keep, forget, lastId, tally } = change
  const records = recordsIn(database)
  const vectors = vectorsIn(database)
  const meta: Meta = { version, lastId, ...tally }
  const batch = database.batch().put(metaKey, JSON.stringify(meta))
  for (const { memory, embedding, vector } of keep) {
    const key = keyOf(memory.id)
    batch.put(key, JSON.stringify({ memory, embedding }), { sublevel: records })
    batch.put(key, bytesOf(vector), { sublevel: vectors })
  }
  for (const key of forget.map(keyOf)) {
    batch.del(key, { sublevel: records }).del(key, { sublevel: vectors })
  }
  return batch.write({ sync: true })
}

/** Removes what made no sense. */
export async function removeStrange(database: Database, keys: readonly string[]): Promise<void> {
  await recordsIn(database).batch(keys.map((key) => ({ type: 'del' as const, key })))
}

/** Another form of what is kept has another version. */
const version = 1
const metaKey = 'meta'
const idDigits = 12

/** How many are read between two turns of the event loop. */
const readAtOnce = 50

const metaSchema = z.strictObject({
  version: z.int(),
  lastId: z.int().min(0),
  episodes: z.int().min(0),
  notes: z.int().min(0),
})
const recordSchema = z.strictObject({ memory: memorySchema, embedding: z.string() })

type Meta = z.infer<typeof metaSchema>

function recordsIn(database: Database) {
  return database.sublevel('memory')
}

function vectorsIn(database: Database) {
  return database.sublevel<string, Uint8Array>('vector', { valueEncoding: 'view' })
}

function keyOf(id: number): string {
  return String(id).padStart(idDigits, '0')
}

function metaOf(text: string): Meta | undefined {
  const { success, data } = metaSchema.safeParse(parseJson(text))
  if (!success) return undefined
  if (data.version === version) return data
  throw new TypeError(`it is of version ${data.version}, and this program reads ${version}`)
}

function faultIn(found: {
  readonly isNew: boolean
  readonly meta: Meta | undefined
  readonly kept: readonly Kept[]
  readonly strange: readonly string[]
}): string | undefined {
  const { isNew, kept, meta, strange } = found
  const [first] = strange
  if (first !== undefined) return `memory ${first} makes no sense`
  if (!meta && !isNew) return 'its numbers make no sense'
  const total = meta ? meta.episodes + meta.notes : 0
  return kept.length === total
    ? undefined
    : `it has ${kept.length} memories, and should have ${total}`
}

function keptOf(text: string, bytes: Uint8Array | undefined): Kept | undefined {
  const record = recordSchema.safeParse(parseJson(text))
  if (!record.success) return undefined
  const whole = bytes && bytes.byteLength % 4 === 0 ? bytes : new Uint8Array()
  return { ...record.data, vector: new Float32Array(Uint8Array.from(whole).buffer) }
}

function bytesOf(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Undefined is no record either.
    return undefined
  }
}
