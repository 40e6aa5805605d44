import { mkdirSync } from 'node:fs'
import { Level } from 'level'
import { z } from 'zod'
import type { Books } from '../core/budget/books.ts'
import { MechosError, messageOf } from '../core/vocabulary/errors.ts'
import type { Amount } from '../core/vocabulary/question.ts'

/** What was there when a store was opened. Holds that are left over are of calls that nobody knows the end of. */
export interface Kept {
  readonly books: Books
  readonly holds: ReadonlyMap<string, Amount>
}

/**
 * Where a budget outlives its process. What a promise resolved for is on the disk and survives a loss of power; writes
 * are made whole or not at all, and in the order of the calls. They reject with ERR_BUDGET_UNKEPT.
 */
export interface LedgerStore {
  readonly kept: Kept | undefined
  /** Keeps a hold and the books that it is in. */
  keepHold(id: string, worst: Amount, books: Books): Promise<void>
  /** Keeps the books, and forgets the holds that have ended. */
  keepBooks(books: Books, endedHoldIds: readonly string[]): Promise<void>
  /** Waits for what is being written. Nothing can be kept afterwards. */
  close(): Promise<void>
}

/** The store of a budget that ends with its process. */
export function memoryLedgerStore(): LedgerStore {
  return {
    kept: undefined,
    keepHold: async () => {},
    keepBooks: async () => {},
    close: async () => {},
  }
}

/**
 * The store in this folder, which is made (mode 0700) where needed and belongs to one process at a time. Throws
 * ERR_BUDGET_UNKEPT, with what to do, when the disk refuses, another process has it, or what is there cannot be read.
 */
export async function openLedgerStore(folder: string): Promise<LedgerStore> {
  const database = new Level<string, unknown>(folder, {
    keyEncoding: 'utf8',
    valueEncoding: 'json',
  })
  let kept: Kept | undefined
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    await database.open()
    kept = await read(database)
  } catch (cause) {
    await database.close()
    throw new MechosError('ERR_BUDGET_UNKEPT', openingFault(folder, cause), { cause })
  }
  const write = writer(database, folder)
  return {
    kept,
    keepHold: (id, worst, books) =>
      write([put(versionKey, version), put(booksKey, books), put(holdPrefix + id, worst)]),
    keepBooks: (books, endedHoldIds) =>
      write([
        put(versionKey, version),
        put(booksKey, books),
        ...endedHoldIds.map((id): Operation => ({ type: 'del', key: holdPrefix + id })),
      ]),
    close: () => write(undefined),
  }
}

type Database = Level<string, unknown>
type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'del'; readonly key: string }

/** Another form of what is kept has another version. */
const version = 1
const versionKey = 'version'
const booksKey = 'books'
const holdPrefix = 'hold:'

function put(key: string, value: unknown): Operation {
  return { type: 'put', key, value }
}

/** Writes one batch after the other; none overtakes another. `undefined` closes, for good. */
function writer(
  database: Database,
  folder: string,
): (operations: Operation[] | undefined) => Promise<void> {
  let last: Promise<void> = Promise.resolve()
  let state: 'sound' | 'failed' | 'closed' = 'sound'
  const write = async (operations: Operation[]) => {
    if (state === 'closed') throw new TypeError('it was closed')
    // LevelDB would write behind what it wrote in part, and never find that again: it has to read its log first.
    if (state === 'failed') await database.close().then(() => database.open())
    state = 'failed'
    await database.batch(operations, { sync: true })
    state = 'sound'
  }
  const close = async () => {
    state = 'closed'
    await database.close()
  }
  return (operations) => {
    const next = last.then(() => (operations ? write(operations) : close()))
    last = next.catch(() => {})
    return next.catch((cause: unknown) => {
      const message = `budget: ${folder} does not keep what is written: ${reasonOf(cause)}; see whether its disk is full, or give the robot another --state`
      throw new MechosError('ERR_BUDGET_UNKEPT', message, { cause })
    })
  }
}

async function read(database: Database): Promise<Kept | undefined> {
  const found = new Map<string, unknown>()
  for await (const [key, value] of database.iterator()) found.set(key, value)
  if (found.size === 0) return undefined
  versionSchema.parse(found.get(versionKey))
  const books = booksSchema.parse(found.get(booksKey))
  const holds = new Map<string, Amount>()
  for (const [key, value] of found) {
    if (key.startsWith(holdPrefix))
      holds.set(key.slice(holdPrefix.length), amountSchema.parse(value))
  }
  return { books: { ...books, wanted: books.wanted }, holds }
}

const amountSchema = z.strictObject({ tokens: z.int().min(0), nanoUsd: z.int().min(0) })
const chargedSchema = z.strictObject({
  spent: amountSchema,
  assumed: amountSchema,
  debt: amountSchema,
})
const versionSchema = z.literal(version)
const booksSchema = z.strictObject({
  calendar: z.strictObject({
    day: z.iso.date(),
    bootId: z.string(),
    anchorMs: z.number(),
    anchorUptimeMs: z.number(),
    seenMs: z.number(),
  }),
  charged: z.strictObject({ day: chargedSchema, month: chargedSchema }),
  wanted: amountSchema.optional(),
})

function openingFault(folder: string, cause: unknown): string {
  switch (codeOf(cause)) {
    case 'LEVEL_LOCKED':
      return `budget: ${folder} is in use by another process; halt that robot, or give this one another --state`
    case 'LEVEL_CORRUPTION':
    case 'LEVEL_DECODE_ERROR':
    case 'unreadable':
      return `budget: ${folder} cannot be read: it is damaged, or of another version; see what was spent today where the bill comes from, then move that folder away to start anew`
    default:
      return `budget: ${folder} cannot be used: ${reasonOf(cause)}; make it a folder that can be written to, or give the robot another --state`
  }
}

/** LevelDB says only that it did not open; why is in the cause. */
function codeOf(thrown: unknown): unknown {
  if (thrown instanceof z.ZodError) return 'unreadable'
  if (!(thrown instanceof Error)) return undefined
  if ('code' in thrown && thrown.code !== 'LEVEL_DATABASE_NOT_OPEN') return thrown.code
  return codeOf(thrown.cause)
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error && thrown.cause instanceof Error
    ? thrown.cause.message
    : messageOf(thrown)
}
