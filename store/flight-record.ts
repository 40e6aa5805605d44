import { mkdirSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Level } from 'level'
import { chainStart, type Link, linkAfter, writtenLink } from '../core/record/chain.ts'
import type { Entry } from '../core/record/entry.ts'
import { createPastIndex } from '../core/record/past-index.ts'
import { textOf } from '../core/record/text.ts'
import { MechosError, messageOf } from '../core/vocabulary/errors.ts'
import {
  droppedKey,
  entriesName,
  entryKey,
  hashOf,
  type RunNote,
  runNoteName,
} from './record-layout.ts'
import { pastIn, type RecordPast } from './record-past.ts'
import { bytesIn, recordsIn } from './records.ts'

/** How much is kept. Whatever comes first; the oldest goes first, whole runs before parts of this one. */
export interface RecordLimits {
  /** Of all runs in one folder together. */
  readonly maxBytes: number
  /** Of one run. */
  readonly maxHours: number
}

export const recordLimits: RecordLimits = { maxBytes: 2 * 1024 * 1024 * 1024, maxHours: 4 }

/** Where the flight record of one run is kept. Its promises reject with ERR_RECORD_UNKEPT. */
export interface FlightRecord {
  /** Null where it is kept in no folder. */
  readonly folder: string | null
  open(run: RunNote): Promise<void>
  /**
   * Keeps entries, in order, each chained to the one before it. They survive this process once it has resolved; with
   * `sync`, a loss of power, too.
   */
  append(texts: readonly string[], options: { readonly sync: boolean }): Promise<void>
  /** Until `thaw` the last minutes are not given up for anything younger. */
  freeze(): void
  thaw(): void
  close(): Promise<void>
  /** Undefined where it cannot be looked at before it is closed. */
  readonly past?: RecordPast
}

/** What a black box holds of the time before it was frozen, in ms. */
const blackBoxMs = 5 * 60_000

/** What is dropped is dropped in pieces of this size. */
const pieceBytes = 1024 * 1024

/** A record in this folder, which is made (mode 0700) and belongs to this process. `nowMs` only has to grow. */
export function flightRecordIn(
  folder: string,
  limits: RecordLimits,
  nowMs: () => number,
): FlightRecord {
  const database = new Level(join(folder, entriesName), {
    keyEncoding: 'utf8',
    valueEncoding: 'utf8',
  })
  const pieces = createPieces(limits, nowMs)
  const index = createPastIndex()
  let hash = chainStart
  let number = 0
  let refused = 0
  let elder: readonly { readonly folder: string; readonly bytes: number }[] = []

  const linked = (texts: readonly string[]): readonly Link[] =>
    texts.map((text) => {
      const link = linkAfter(hash, text, hashOf)
      hash = link.hash
      return link
    })
  const put = async (texts: readonly string[], sync: boolean) => {
    const first = number
    const operations = linked(texts).map((link) => {
      pieces.add(number, link)
      return { type: 'put' as const, key: entryKey(number++), value: writtenLink(link) }
    })
    await database.batch(operations, { sync })
    texts.forEach((text, at) => index.add(first + at, text))
  }
  const makeRoom = async () => {
    const elderBytes = () => elder.reduce((sum, { bytes }) => sum + bytes, 0)
    while (elder.length > 0 && elderBytes() + pieces.bytes > limits.maxBytes) {
      const [oldest, ...others] = elder
      elder = others
      // oxlint-disable-next-line no-await-in-loop -- no more is dropped than has to be
      if (oldest) await rm(oldest.folder, { recursive: true, force: true })
    }
    const dropped = pieces.drop()
    if (!dropped) return
    const word = { from: 1, to: dropped.number, hash: dropped.hash }
    await database.put(droppedKey, textOf(word))
    index.drop(dropped.number)
    await database.clear({ gte: entryKey(1), lte: entryKey(dropped.number) })
  }
  const admitRefused = async () => {
    if (refused === 0) return
    const cause = `${refused} entries were not kept: the record was full, and frozen by a halt`
    refused = 0
    await put([textOf({ kind: 'gap', cause } satisfies Entry)], false)
  }
  const kept = async (texts: readonly string[], sync: boolean) => {
    if (pieces.isFull) {
      refused += texts.length
      return
    }
    await admitRefused()
    await put(texts, sync)
    await makeRoom()
  }

  return {
    folder,
    open: (run) =>
      unkept(folder, async () => {
        mkdirSync(folder, { recursive: true, mode: 0o700 })
        elder = recordsIn(dirname(folder))
          .filter((record) => record.folder !== folder)
          .map((record) => ({ folder: record.folder, bytes: bytesIn(record.folder) }))
        await database.open()
        writeFileSync(join(folder, runNoteName), `${JSON.stringify(run)}\n`, { mode: 0o600 })
      }),
    append: (texts, { sync }) => unkept(folder, () => kept(texts, sync)),
    past: pastIn(database, index),
    freeze: () => pieces.freeze(),
    thaw: () => pieces.thaw(),
    close: () =>
      unkept(folder, async () => {
        await admitRefused()
        await database.close()
      }),
  }
}

async function unkept(folder: string, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (cause) {
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
    const message = `record: ${folder} does not keep what is written: ${messageOf(reason)}; see whether its disk is full`
    throw new MechosError('ERR_RECORD_UNKEPT', message, { cause })
  }
}

/** A part of a record that is dropped as a whole. */
interface Piece {
  readonly startedMs: number
  bytes: number
  last: { readonly number: number; readonly hash: string }
}

/** Keeps count of what there is, so that what is beyond the limits can be dropped. The beginning of a record is never. */
function createPieces({ maxBytes, maxHours }: RecordLimits, nowMs: () => number) {
  let pieces: readonly Piece[] = []
  let bytes = 0
  let frozenFromMs = Number.POSITIVE_INFINITY
  const isBeyond = (piece: Piece) =>
    bytes > maxBytes || nowMs() - piece.startedMs > maxHours * 3_600_000
  return {
    get bytes() {
      return bytes
    },
    /** Nothing more can be kept: what there is, is in the black box. */
    get isFull() {
      const first = pieces[0]
      return bytes > maxBytes && first !== undefined && first.startedMs >= frozenFromMs
    },
    add(number: number, { hash, text }: Link) {
      const size = hash.length + text.length
      const present = pieces.at(-1)
      bytes += size
      if (present && present.bytes < pieceBytes) {
        present.bytes += size
        present.last = { number, hash }
      } else {
        pieces = [...pieces, { startedMs: nowMs(), bytes: size, last: { number, hash } }]
      }
    },
    /** The last entry that is to be dropped now, if any is. */
    drop(): Piece['last'] | undefined {
      let last: Piece['last'] | undefined
      for (let first = pieces[0]; first; first = pieces[0]) {
        // The present piece is still growing.
        if (pieces.length === 1 || first.startedMs >= frozenFromMs || !isBeyond(first)) break
        last = first.last
        bytes -= first.bytes
        pieces = pieces.slice(1)
      }
      return last && { ...last }
    },
    freeze() {
      frozenFromMs = nowMs() - blackBoxMs
    },
    thaw() {
      frozenFromMs = Number.POSITIVE_INFINITY
    },
  }
}
