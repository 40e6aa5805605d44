/**
 * The words between a robot process and its guardian.
 *
 * The data pipe carries Firmata as it is, both ways. An arming travels in it, so that it keeps its place among the
 * frames: a sysex frame of a kind that Firmata leaves to users, and that is never sent to a board.
 * The urgent pipe carries what must not wait: from the robot beats, halts and a farewell, as records of five bytes that
 * are made beforehand; from the guardian events, as lines of JSON.
 */

const startSysex = 0xf0
const endSysex = 0xf7
const armCommand = 0x0e
/** Groups of seven bits in a count. */
const groups = 5

/** An arming by a robot that knows of so many halts and trips. */
export function armFrame(halts: number, trips: number): Uint8Array {
  return Uint8Array.of(startSysex, armCommand, ...sevenBits(halts), ...sevenBits(trips), endSysex)
}

/** The halts and trips that an arming names; undefined for any other frame. */
export function readArming(
  frame: Uint8Array,
): { readonly halts: number; readonly trips: number } | undefined {
  const isArming =
    frame.length === 2 * groups + 3 && frame[0] === startSysex && frame[1] === armCommand
  if (!isArming) return undefined
  return { halts: count(frame.subarray(2, 2 + groups)), trips: count(frame.subarray(2 + groups)) }
}

function sevenBits(value: number): number[] {
  return Array.from({ length: groups }, (_, group) => (value >>> (7 * group)) & 0x7f)
}

function count(bytes: Uint8Array): number {
  return bytes.subarray(0, groups).reduceRight((sum, bits) => sum * 128 + bits, 0)
}

/** What a record on the urgent pipe is. */
export type Order =
  | { readonly kind: 'beat' }
  | { readonly kind: 'halt'; readonly number: number }
  | { readonly kind: 'farewell' }

const kinds = { 0x42: 'beat', 0x46: 'farewell', 0x48: 'halt' } as const
const recordBytes = 5

/** A record to be written again and again. */
export function beatRecord(): Uint8Array {
  return Uint8Array.of(0x42, 0, 0, 0, 0)
}

export function farewellRecord(): Uint8Array {
  return Uint8Array.of(0x46, 0, 0, 0, 0)
}

/** Makes `record` the halt with this number, in place. */
export function nameHalt(record: Uint8Array, number: number): void {
  record[0] = 0x48
  for (let byte = 1; byte < recordBytes; byte++) {
    record[byte] = (number >>> (8 * (byte - 1))) & 0xff
  }
}

/** Room for one record. */
export function makeRecord(): Uint8Array {
  return new Uint8Array(recordBytes)
}

/** Reads records from a stream of bytes; undefined in the list stands for one that is none. */
export function readOrders(): (bytes: Uint8Array) => readonly (Order | undefined)[] {
  let held: number[] = []
  return (bytes) => {
    held.push(...bytes)
    const orders: (Order | undefined)[] = []
    while (held.length >= recordBytes) {
      orders.push(orderOf(held.slice(0, recordBytes)))
      held = held.slice(recordBytes)
    }
    return orders
  }
}

function orderOf([kind = 0, a = 0, b = 0, c = 0, d = 0]: readonly number[]): Order | undefined {
  switch (kind === 0x42 || kind === 0x46 || kind === 0x48 ? kinds[kind] : undefined) {
    case 'beat':
      return { kind: 'beat' }
    case 'farewell':
      return { kind: 'farewell' }
    case 'halt':
      return { kind: 'halt', number: ((d << 24) | (c << 16) | (b << 8) | a) >>> 0 }
    case undefined:
      return undefined
  }
}
