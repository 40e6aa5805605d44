import { promisify } from 'node:util'
import { crc32, deflate } from 'node:zlib'
import type { ImageReading } from '../../core/vocabulary/reading.ts'

/** A picture as a browser takes it. */
export interface Picture {
  readonly type: 'image/jpeg' | 'image/png'
  readonly body: Buffer
}

/**
 * A frame as a picture: a JPEG file as it is, any other as PNG, which is packed beside the event loop. Rejects when there
 * are not as many bytes as the frame says.
 */
export async function pictureOf(frame: ImageReading): Promise<Picture> {
  const { data, height, pixelFormat, width } = frame
  if (pixelFormat === 'jpeg') return { type: 'image/jpeg', body: Buffer.from(data) }
  if (!(width > 0 && height > 0 && data.length === width * height * 3)) {
    throw new Error(`its ${data.length} bytes are no picture of ${width} × ${height}`)
  }
  const pixels = await packed(withFilters(frame))
  return {
    type: 'image/png',
    body: Buffer.concat([
      signature,
      chunk('IHDR', headerOf(width, height)),
      chunk('IDAT', pixels),
      chunk('IEND', Buffer.alloc(0)),
    ]),
  }
}

const packed = promisify<Buffer, Buffer>((pixels, done) => deflate(pixels, { level: 6 }, done))

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** Eight bits each of red, green and blue, row by row (PNG, third edition, §11.2.1). */
function headerOf(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  return header
}

/** Each row begins with how it was filtered: not at all. */
function withFilters({ data, height, width }: ImageReading): Buffer {
  const row = width * 3
  const pixels = Buffer.alloc(height * (row + 1))
  for (let at = 0; at < height; at++) {
    pixels.set(data.subarray(at * row, (at + 1) * row), at * (row + 1) + 1)
  }
  return pixels
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const ends = Buffer.alloc(8)
  ends.writeUInt32BE(data.length, 0)
  ends.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)])
}
