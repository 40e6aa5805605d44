/** The size of a picture, and of the file that holds it. */
export interface JpegSize {
  readonly width: number
  readonly height: number
  /** Length of the file without what follows its end marker. */
  readonly bytes: number
}

/** What the frame header (ITU T.81, B.2.2) says; null for anything but a whole JPEG file. */
export function jpegSize(file: Buffer): JpegSize | null {
  if (file.length < 4 || file.readUInt16BE(0) !== 0xffd8) return null
  for (let at = 2; at + 9 <= file.length;) {
    const marker = file.readUInt16BE(at)
    if (marker < 0xff01) return null
    if (isFrameHeader(marker)) {
      const height = file.readUInt16BE(at + 5)
      const width = file.readUInt16BE(at + 7)
      const end = file.lastIndexOf(endOfImage)
      return width > 0 && height > 0 && end > at ? { width, height, bytes: end + 2 } : null
    }
    if (marker === 0xffff) at += 1
    else if (isBare(marker)) at += 2
    else if (marker === startOfScan) return null
    else at += 2 + Math.max(2, file.readUInt16BE(at + 2))
  }
  return null
}

const endOfImage = Buffer.from([0xff, 0xd9])
const startOfScan = 0xffda

/** SOF0 to SOF15, but for the tables that share their range. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker)
}

/** TEM and the restart markers have no length. */
function isBare(marker: number): boolean {
  return marker === 0xff01 || (marker >= 0xffd0 && marker <= 0xffd7)
}
