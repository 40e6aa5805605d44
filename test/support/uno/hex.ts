/** The flash of an ATmega328P: 32 KiB. */
const flashBytes = 0x8000

/**
 * The flash image that an Intel HEX text describes, as the 16-bit words that the CPU fetches; what the text does not
 * name reads as erased. Throws where a record is malformed, its checksum is wrong, or it lies outside the flash.
 */
export function parseHex(text: string): Uint16Array<ArrayBuffer> {
  const flash = new Uint8Array(flashBytes).fill(0xff)
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue
    const record = parseRecord(line)
    if (record.type !== 0) continue
    if (record.address + record.data.length > flashBytes)
      throw new Error(`outside the flash: ${line}`)
    flash.set(record.data, record.address)
  }
  return new Uint16Array(flash.buffer)
}

function parseRecord(line: string) {
  if (!/^:(?:[0-9a-f]{2}){5,}$/i.test(line)) throw new Error(`not an Intel HEX record: ${line}`)
  const bytes = Buffer.from(line.slice(1), 'hex')
  const length = bytes.readUInt8(0)
  if (bytes.length !== length + 5) throw new Error(`wrong length: ${line}`)
  if (bytes.reduce((sum, byte) => sum + byte, 0) % 256 !== 0)
    throw new Error(`wrong checksum: ${line}`)
  return { type: bytes.readUInt8(3), address: bytes.readUInt16BE(1), data: bytes.subarray(4, -1) }
}
