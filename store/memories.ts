import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Level } from 'level'
import { MechosError, messageOf } from '../core/vocabulary/errors.ts'
import { tallyOf } from '../core/vocabulary/memory.ts'
import {
  type Change,
  type Database,
  type Found,
  type Kept,
  readRecords,
  removeStrange,
  writeRecords,
} from './memory-records.ts'
import { emptied, isHeadless, mended, putAside } from './rescue.ts'
import { ownerOf } from './run-directory.ts'

/** Where memories are, in a robot's state folder. */
export function memoriesFolder(state: string): string {
  return join(state, 'memories')
}

/** All that was kept, in the order in which it was. */
export interface Opened {
  readonly kept: readonly Kept[]
  readonly lastId: number
  /** What was damaged, what is lost, and where the damaged folder is; undefined when all was well. */
  readonly loss: string | undefined
}

/**
 * Where memories outlive their process. What a write resolved for is on the disk and survives a loss of power; each change
 * is made whole or not at all, in the order of the calls. Everything rejects with ERR_MEMORY_UNKEPT, and may be tried again.
 */
export interface MemoryStore {
  /** Reads everything; again, when it was open. What is damaged is put aside, mended as far as possible, and told. */
  open(): Promise<Opened>
  /** Only after `open` has resolved once. */
  write(change: Change): Promise<void>
  /** Waits for what is being written. Nothing can be kept afterwards. */
  close(): Promise<void>
}

/** The store of a memory that ends with its process. */
export function volatileMemoryStore(): MemoryStore {
  return {
    open: async () => ({ kept: [], lastId: 0, loss: undefined }),
    write: async () => {},
    close: async () => {},
  }
}

/** The store in this folder, which is made (mode 0700) where needed and belongs to one process at a time. */
export function memoryStoreAt(folder: string): MemoryStore {
  let database: Database | undefined
  let state: 'unread' | 'sound' | 'failed' | 'closed' = 'unread'
  let last: Promise<unknown> = Promise.resolve()
  /** One after the other; none overtakes another. */
  const inOrder = <Result>(act: () => Promise<Result>): Promise<Result> => {
    const next = last.then(act)
    last = next.catch(() => {})
    return next.catch((cause: unknown) => {
      throw unkept(folder, cause)
    })
  }
  const reopen = async () => {
    if (state === 'closed') throw new TypeError('it was closed')
    await database?.close()
    database = undefined
    const [sound, found] = await openAt(folder)
    database = sound
    state = 'sound'
    return { database: sound, found }
  }
  return {
    open: () => inOrder(async () => (await reopen()).found),
    write: (change) =>
      inOrder(async () => {
        if (state === 'unread') throw new TypeError('it was not read yet')
        // LevelDB would write behind what it wrote in part, and never find that again: it has to read its log first.
        const sound = state === 'sound' && database ? database : (await reopen()).database
        state = 'failed'
        await writeRecords(sound, change)
        state = 'sound'
      }),
    close: () =>
      inOrder(async () => {
        state = 'closed'
        await database?.close()
      }),
  }
}

async function openAt(folder: string): Promise<readonly [Database, Opened]> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  let reason = 'its table of contents is missing'
  let expected: Found['expected']
  // LevelDB would take one without for an empty one, and delete what it finds.
  if (!(await isHeadless(folder))) {
    try {
      const [database, found] = await opened(folder)
      const { kept, lastId, fault } = found
      if (fault === undefined) return [database, { kept, lastId, loss: undefined }]
      await database.close()
      reason = fault
      expected = found.expected
    } catch (cause) {
      if (codeOf(cause) !== 'LEVEL_CORRUPTION') throw cause
      reason = reasonOf(cause)
    }
  }
  return mend(folder, reason, expected)
}

/** Opens and reads it, and closes it again when it cannot be read. */
async function opened(folder: string): Promise<readonly [Database, Found]> {
  const database: Database = new Level(folder, { keyEncoding: 'utf8', valueEncoding: 'utf8' })
  try {
    await database.open()
    return [database, await readRecords(database)]
  } catch (cause) {
    await database.close()
    throw cause
  }
}

/** Reads what is left, once the folder as it was is put aside. Where that is nothing it begins anew. */
async function mend(
  folder: string,
  reason: string,
  known: Found['expected'],
): Promise<readonly [Database, Opened]> {
  const backup = await putAside(folder)
  const left = (await mended(folder)) ? opened(folder).catch(() => undefined) : undefined
  const [database, found] = (await left) ?? (await emptied(folder), await opened(folder))
  const { kept, lastId, strange, expected = known } = found
  await removeStrange(database, strange)
  await writeRecords(database, { keep: [], forget: [], lastId, tally: tallyOf(kept) })
  const total = expected && expected.episodes + expected.notes
  const lost = total === undefined ? 'some' : `${Math.max(0, total - kept.length)} of ${total}`
  const loss = `memory: ${folder} was damaged (${reason}); ${lost} memories are lost, ${kept.length} are there; the folder as it was is ${backup}`
  return [database, { kept, lastId, loss }]
}

function unkept(folder: string, cause: unknown): MechosError {
  return new MechosError('ERR_MEMORY_UNKEPT', faultOf(folder, cause), { cause })
}

function faultOf(folder: string, cause: unknown): string {
  if (codeOf(cause) !== 'LEVEL_LOCKED') {
    return `memory: ${folder} does not keep what is written: ${reasonOf(cause)}; see whether its disk is full, or give the robot another --state`
  }
  const owner = ownerOf(dirname(folder))
  const whose = owner ? `${owner.name}, process ${owner.pid}` : 'another process'
  return `memory: ${folder} is in use by ${whose}; halt that robot, or give this one another --state`
}

/** LevelDB says only that it did not open; why is in the cause. */
function codeOf(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return undefined
  if ('code' in thrown && thrown.code !== 'LEVEL_DATABASE_NOT_OPEN') return thrown.code
  return codeOf(thrown.cause)
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error && thrown.cause instanceof Error
    ? thrown.cause.message
    : messageOf(thrown)
}
