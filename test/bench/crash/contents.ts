import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { readLink } from '../../../core/record/chain.ts'
import type { Entry } from '../../../core/record/entry.ts'
import { openLedgerStore } from '../../../store/ledger.ts'
import { memoryStoreAt } from '../../../store/memories.ts'
import type { Kept } from '../../../store/memory-records.ts'
import { entriesName, entryKey } from '../../../store/record-layout.ts'
import { readRecord } from '../../../store/record-reader.ts'
import { type Change, canonical, digestOf } from './notes.ts'

/** What a store holds, in a form in which two can be compared. */
export type Contents = ReadonlyMap<string, string>

export function memoryDigest({ memory, embedding, vector }: Kept): string {
  return digestOf(canonical([memory, embedding, [...vector]]))
}

/** What an entry of a record decides by: proposals, verdicts, orders and writes. */
const decision = /^\{"kind":"out","what":"(proposal|verdict|write|halt|state)"/

export function recordChange(texts: readonly string[]): Change & { of: 'record' } {
  return {
    of: 'record',
    entries: texts.length,
    digest: digestOf(texts.join('\n')),
    decisions: texts.filter((text) => decision.test(text)).length,
  }
}

/** What a ledger or a memory holds after a change, made whole. */
export function after(contents: Contents, change: Change): Contents {
  const next = new Map(contents)
  if (change.of === 'ledger') {
    next.set('books', change.books)
    if (change.hold) next.set(`hold ${change.hold[0]}`, change.hold[1])
    for (const id of change.ended) next.delete(`hold ${id}`)
  }
  if (change.of === 'memories') {
    for (const [id, digest] of change.keep) next.set(String(id), digest)
    for (const id of change.forget) next.delete(String(id))
  }
  return next
}

/** Rejects when it cannot be opened. */
export async function ledgerIn(folder: string): Promise<Contents> {
  const store = await openLedgerStore(join(folder, 'ledger'))
  const { kept } = store
  await store.close()
  if (!kept) return new Map()
  const holds = [...kept.holds].map(([id, worst]) => [`hold ${id}`, canonical(worst)] as const)
  return new Map([['books', canonical(kept.books)], ...holds])
}

/** Rejects when it cannot be opened, or only once it was mended. */
export async function memoriesIn(folder: string): Promise<Contents> {
  const store = memoryStoreAt(join(folder, 'memories'))
  const { kept, loss } = await store.open()
  await store.close()
  if (loss !== undefined) throw new Error(loss)
  return new Map(kept.map((one) => [String(one.memory.id), memoryDigest(one)]))
}

/** The texts of a record, whose chain is whole. Rejects when it is not, or cannot be opened; none where there is none yet. */
export async function textsIn(folder: string, run: string): Promise<readonly string[]> {
  const path = join(folder, 'records', run)
  if (!existsSync(join(path, entriesName))) return []
  const entries: Entry[] = []
  for await (const entry of readRecord(path)) entries.push(entry)
  const database = new Level(join(path, entriesName), {
    keyEncoding: 'utf8',
    valueEncoding: 'utf8',
  })
  await database.open()
  const written = await database.values({ gte: entryKey(0), lt: 'f' }).all()
  await database.close()
  if (written.length !== entries.length) {
    throw new Error(`${path} has ${written.length} entries, of which ${entries.length} are read`)
  }
  return written.map((link) => readLink(link).text)
}
