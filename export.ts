import { type FileHandle, open } from 'node:fs/promises'
import * as schemas from '@foxglove/schemas/jsonschema.js'
import { McapWriter } from '@mcap/core'
import type { Begin, Entry } from './core/record/entry.ts'
import { isMoment } from './core/record/script.ts'
import { type ViewerMessage, viewerMessages } from './core/record/foxglove.ts'
import { MechosError, messageOf } from './core/vocabulary/errors.ts'
import { readRecord } from './store/record-reader.ts'
import { findRecord } from './store/records.ts'

/** What `mechos export` was asked for. */
export interface ExportOptions {
  /** A run, a robot, or a folder. */
  readonly run: string
  readonly state: string | undefined
  readonly stateRoot: string
  /** The file that is written; one that is there is written over. */
  readonly mcap: string
  print(line: string): void
}

/**
 * Writes a recorded run as a file that Foxglove, Lichtblick and PlotJuggler open. What can be read of a broken record is
 * in it, too; then this throws ERR_RECORD_BROKEN afterwards. Throws ERR_USAGE for a run or a file that is none.
 */
export async function exportRun(options: ExportOptions): Promise<number> {
  const { folder, run } = findRecord(options.run, options)
  const file = await fileAt(options.mcap)
  try {
    const messages = await writeMcap(file, readRecord(folder))
    options.print(`${run}: ${messages} messages in ${options.mcap}`)
    return 0
  } finally {
    await file.close()
  }
}

async function fileAt(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'w')
  } catch (cause) {
    const message = `mcap: ${path} is not allowed; a file in a folder that can be written to: ${messageOf(cause)}`
    throw new MechosError('ERR_USAGE', message, { cause })
  }
}

/** Resolves to how many messages were written. The file is whole also when the record is not. */
async function writeMcap(file: FileHandle, record: AsyncIterable<Entry>): Promise<number> {
  const writer = new McapWriter({ writable: writableOf(file) })
  await writer.start({ profile: '', library: 'mechos' })
  const channels = channelsOf(writer)
  let begin: Begin | undefined
  let atMs = 0
  let sequence = 0
  try {
    for await (const entry of record) {
      if (entry.kind === 'begin') begin = entry
      if (entry.kind === 'begin' || isMoment(entry)) atMs = entry.atMs
      const unixMs = (begin?.wallMs ?? 0) + atMs - (begin?.atMs ?? 0)
      const time = BigInt(Math.round(unixMs * 1000)) * 1000n
      for (const message of viewerMessages(entry, unixMs)) {
        // oxlint-disable-next-line no-await-in-loop -- the writer takes one message after the other
        await writer.addMessage({
          channelId: await channels(message),
          sequence: ++sequence,
          logTime: time,
          publishTime: time,
          data: new TextEncoder().encode(JSON.stringify(message.message)),
        })
      }
    }
  } finally {
    await writer.end()
  }
  return sequence
}

function writableOf(file: FileHandle) {
  let position = 0n
  return {
    position: () => position,
    async write(bytes: Uint8Array) {
      await file.write(bytes)
      position += BigInt(bytes.length)
    },
  }
}

/** A channel for each topic, and a schema for each kind of message, made when they are needed first. */
function channelsOf(writer: McapWriter): (message: ViewerMessage) => Promise<number> {
  const known = new Map<string, number>()
  const kinds = new Map<string, number>()
  const schemaId = async (schema: ViewerMessage['schema']) => {
    const data = new TextEncoder().encode(JSON.stringify(schemas[schema]))
    const id =
      kinds.get(schema) ??
      (await writer.registerSchema({ name: `foxglove.${schema}`, encoding: 'jsonschema', data }))
    kinds.set(schema, id)
    return id
  }
  return async ({ schema, topic }) => {
    const id =
      known.get(topic) ??
      (await writer.registerChannel({
        schemaId: await schemaId(schema),
        topic,
        messageEncoding: 'json',
        metadata: new Map(),
      }))
    known.set(topic, id)
    return id
  }
}
