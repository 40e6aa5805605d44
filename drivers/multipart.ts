import { frameBytesMax } from './camera.ts'

const partHeaderBytesMax = 8 * 1024
/** A line break and two dashes, which some cameras put before a delimiter. */
const tailBytesMax = 4

/** One step of parsing: true when it got on, false when it needs more bytes or has given up. */
type Phase = (bytes: Buffer) => boolean

/** Takes chunks of a multipart stream, calls `show` for each part and `lose` when there is no going on. */
export function partParser(
  boundary: string,
  show: (part: Buffer) => void,
  lose: (cause: string) => void,
): (chunk: Buffer) => void {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1')
  const pending = makePending()
  let skippedBytes = 0
  let scannedBytes = 0
  let declaredBytes: number | undefined
  let phase: Phase
  const give = (cause: string) => {
    lose(cause)
    return false
  }

  const seekDelimiter: Phase = (bytes) => {
    const at = bytes.indexOf(delimiter)
    // What may be the start of a delimiter stays.
    const useless = at < 0 ? Math.max(0, bytes.length - delimiter.length + 1) : at
    skippedBytes += useless
    if (skippedBytes > frameBytesMax) return give(`no boundary within ${frameBytesMax} bytes`)
    pending.drop(at < 0 ? useless : at + delimiter.length)
    if (at < 0) return false
    phase = readHeader
    return true
  }
  const readHeader: Phase = (bytes) => {
    if (bytes.length >= 2 && bytes.toString('latin1', 0, 2) === '--') {
      return give('the camera ended its stream')
    }
    const header = bytes.toString('latin1', 0, partHeaderBytesMax)
    const blank = /\r?\n\r?\n/.exec(header)
    if (!blank) {
      return bytes.length >= partHeaderBytesMax
        ? give(`the header of a frame is longer than ${partHeaderBytesMax} bytes`)
        : false
    }
    pending.drop(blank.index + blank[0].length)
    const length = /^content-length:[ \t]*(\d{1,15})[ \t]*\r?$/im.exec(header.slice(0, blank.index))
    declaredBytes = length ? Number(length[1]) : undefined
    scannedBytes = 0
    phase = readPart
    return true
  }
  const readPart: Phase = (bytes) => {
    const at = declaredBytes ?? bytes.indexOf(delimiter, scannedBytes)
    scannedBytes = Math.max(0, bytes.length - delimiter.length + 1)
    const partBytes = at < 0 ? scannedBytes - tailBytesMax : (declaredBytes ?? trimmed(bytes, at))
    if (partBytes > frameBytesMax) return give(`a frame is larger than ${frameBytesMax} bytes`)
    if (at < 0 || bytes.length < at) return false
    show(bytes.subarray(0, partBytes))
    pending.drop(at)
    skippedBytes = 0
    phase = seekDelimiter
    return true
  }

  phase = seekDelimiter
  return (chunk) => {
    pending.add(chunk)
    while (phase(pending.bytes)) continue
  }
}

/** Where a part ends whose delimiter starts at `at`: the line break before a delimiter belongs to it, as do its dashes. */
function trimmed(bytes: Buffer, at: number): number {
  const tail = bytes.toString('latin1', Math.max(0, at - tailBytesMax), at)
  return at - (/(?:\r?\n)?(?:--)?$/.exec(tail)?.[0].length ?? 0)
}

/** Bytes that came and were not understood yet. Growing by doubling keeps a stream of tiny chunks cheap. */
interface Pending {
  readonly bytes: Buffer
  add(chunk: Buffer): void
  drop(count: number): void
}

function makePending(): Pending {
  let store = Buffer.alloc(64 * 1024)
  let start = 0
  let end = 0
  return {
    get bytes() {
      return store.subarray(start, end)
    },
    add(chunk) {
      if (end + chunk.length > store.length) {
        const needed = 2 * (end - start + chunk.length)
        const next = needed > store.length ? Buffer.alloc(needed) : store
        store.copy(next, 0, start, end)
        store = next
        end -= start
        start = 0
      }
      chunk.copy(store, end)
      end += chunk.length
    },
    drop(count) {
      start += count
    },
  }
}
