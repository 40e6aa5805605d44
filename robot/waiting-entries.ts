import { hash } from 'node:crypto'
import type { Entry } from '../core/record/entry.ts'
import { textOf } from '../core/record/text.ts'
import { messageOf } from '../core/vocabulary/errors.ts'
import type { ImageReading } from '../core/vocabulary/reading.ts'

/** How many entries may wait to be written; what comes then is lost, and the record says so. */
const waitingMax = 100_000
/** For so long at once, in ms, and so many, entries are made text: whatever else there is to do comes in between. */
const sliceMs = 3
const sliceMax = 500

/** Entries on their way to the disk. `add` never throws and keeps nobody waiting. */
export interface WaitingEntries {
  readonly length: number
  /** Pictures that were left out because there was too much to be written. */
  readonly shed: number
  add(entry: Entry): void
  /** The oldest of them as texts, taken away, as many as can be made in a few ms. */
  slice(nowMs: () => number): readonly string[]
  /** From now on the pixels of pictures are left out. */
  shedPictures(isShedding: boolean): void
  /** Drops what waits, and all that comes. */
  close(): void
}

export function waitingEntries(keepsPictures: boolean): WaitingEntries {
  let waiting: (string | Entry)[] = []
  let lost = 0
  let shed = 0
  let isShedding = false
  let isClosed = false

  const pictureText = (entry: Entry, picture: ImageReading): string => {
    if (keepsPictures && !isShedding) return textOf(entry)
    if (keepsPictures) shed += 1
    const { data, ...rest } = picture
    const sha256 = isShedding ? '' : hash('sha256', Buffer.from(data), 'base64url')
    return textOf({ ...entry, value: { ...rest, data: { bytes: data.length, sha256 } } })
  }
  const finished = (entry: string | Entry): string => {
    if (typeof entry === 'string') return entry
    const picture = pictureIn(entry)
    return picture ? pictureText(entry, picture) : textOf(entry)
  }
  const push = (entry: Entry) => {
    // A text is made of it now, while it is what it is, unless that would take long.
    waiting.push(isBulky(entry) ? entry : textOf(entry))
  }
  return {
    get length() {
      return waiting.length
    },
    get shed() {
      return shed
    },
    add(entry) {
      if (isClosed) return
      // Whoever was full once is not full again at once: every time is a gap.
      if (waiting.length >= (lost > 0 ? waitingMax / 2 : waitingMax)) {
        lost += 1
        return
      }
      if (lost > 0) push({ kind: 'gap', cause: `${lost} entries were lost: the disk is too slow` })
      lost = 0
      try {
        push(entry)
      } catch (error) {
        push({ kind: 'gap', cause: `an entry could not be written: ${messageOf(error)}` })
      }
    },
    slice(nowMs) {
      const texts: string[] = []
      const endMs = nowMs() + sliceMs
      for (const entry of waiting) {
        if (texts.length >= sliceMax || nowMs() > endMs) break
        texts.push(finished(entry))
      }
      waiting = waiting.slice(texts.length)
      return texts
    },
    shedPictures(sheds) {
      isShedding = sheds
    },
    close() {
      isClosed = true
      waiting = []
    },
  }
}

/** Scans and pictures are the outside's own copies, and are made text later. */
function isBulky(entry: Entry): boolean {
  return kindOf(entry) === 'lidar' || kindOf(entry) === 'image'
}

function kindOf(entry: Entry): unknown {
  if (entry.kind !== 'in' && entry.kind !== 'nested') return undefined
  const { value } = entry
  return typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined
}

function pictureIn(entry: Entry): ImageReading | undefined {
  if (kindOf(entry) !== 'image' || !('value' in entry)) return undefined
  return isPicture(entry.value) ? entry.value : undefined
}

function isPicture(value: unknown): value is ImageReading {
  return (
    typeof value === 'object' &&
    value !== null &&
    'data' in value &&
    value.data instanceof Uint8Array
  )
}
