import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { chainStart, isLinkAfter, readLink } from '../core/record/chain.ts'
import { type Entry, entrySchema } from '../core/record/entry.ts'
import { valueOf } from '../core/record/text.ts'
import { MechosError, messageOf } from '../core/vocabulary/errors.ts'
import { droppedKey, droppedSchema, entriesName, entryKey, hashOf } from './record-layout.ts'

/**
 * The entries of the record in this folder, in their order, each checked against the chain of hashes. Where some were
 * dropped because of the cap there is a gap. Throws ERR_RECORD_BROKEN, naming the entry, where the chain is broken, an
 * entry is missing or cannot be read; ERR_RECORD_UNKEPT where there is no record or its robot is still running.
 */
export async function* readRecord(folder: string): AsyncGenerator<Entry> {
  const path = join(folder, entriesName)
  if (!existsSync(path)) throw new MechosError('ERR_RECORD_UNKEPT', `record: ${folder} holds none`)
  const database = new Level(path, { keyEncoding: 'utf8', valueEncoding: 'utf8' })
  await openFor(folder, database)
  try {
    yield* entriesOf(folder, database)
  } finally {
    await database.close()
  }
}

async function openFor(folder: string, database: Level): Promise<void> {
  try {
    await database.open()
  } catch (cause) {
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
    const isLocked = reason instanceof Error && 'code' in reason && reason.code === 'LEVEL_LOCKED'
    if (isLocked) {
      const message = `record: ${folder} is still being written: its robot is running`
      throw new MechosError('ERR_RECORD_UNKEPT', message, { cause })
    }
    throw broken(folder, `it cannot be opened: ${messageOf(reason)}`, cause)
  }
}

async function* entriesOf(folder: string, database: Level): AsyncGenerator<Entry> {
  const word = await database.get(droppedKey)
  const dropped = word === undefined ? undefined : droppedSchema.parse(valueOf(word))
  let hash = chainStart
  let number = 0
  const links = database.iterator({ gte: entryKey(0), lt: 'f' })
  try {
    for await (const [key, written] of links) {
      if (dropped && number === dropped.from) {
        yield { kind: 'gap', cause: droppedCause(dropped) }
        number = dropped.to + 1
        hash = dropped.hash
      }
      // What could not be cleared before a crash is dropped all the same.
      if (dropped && number > dropped.to && key <= entryKey(dropped.to) && key > entryKey(0))
        continue
      if (key !== entryKey(number)) throw broken(folder, `entry ${number} is missing`)
      const link = readLink(written)
      if (!isLinkAfter(hash, link, hashOf)) {
        throw broken(folder, `entry ${number} is not the one that was written: its hash is wrong`)
      }
      yield entryIn(folder, number, link.text)
      hash = link.hash
      number += 1
    }
  } catch (cause) {
    if (cause instanceof MechosError) throw cause
    throw broken(folder, `entry ${number} cannot be read: ${messageOf(cause)}`, cause)
  }
}

function droppedCause({ from, to }: { readonly from: number; readonly to: number }): string {
  return `entries ${from} to ${to} were dropped: the record had reached its cap`
}

function entryIn(folder: string, number: number, text: string): Entry {
  try {
    return entrySchema.parse(valueOf(text))
  } catch (cause) {
    throw broken(folder, `entry ${number} is no entry`, cause)
  }
}

function broken(folder: string, what: string, cause?: unknown): MechosError {
  return new MechosError('ERR_RECORD_BROKEN', `record: ${folder}: ${what}`, { cause })
}
