import {
  deadmanCommand,
  type DeadmanCause,
  type DeadmanResult,
  type PinRegisters,
} from '../../../drivers/guardian/deadman.ts'
import { sevenBits, sysex } from '../../../drivers/guardian/frames.ts'
import type { FakePort } from './fake-port.ts'

/**
 * A fake: what MechosFirmata says, by the specification in drivers/guardian/deadman.ts, with no chip behind it. It is
 * here for faults; what the firmware does is tested on the emulated board.
 */
export interface FakeDeadman {
  /** Reports its name, as at the opening of the port. */
  announce(): void
  readonly isLatched: boolean
  /** Latches by itself, and says so. */
  fall(why: DeadmanCause): void
  /** Registers that are not those of a low output. */
  readonly pins: Map<number, Partial<PinRegisters>>
  /** CRC of the table that it keeps; 0 for none. */
  tableCrc: number
  /** How often it heard each word. */
  readonly heard: { readonly [word: string]: number }
  /** What it does wrong. */
  readonly faults: {
    /** It answers none of these words. */
    silent: readonly string[]
    /** It takes no table. */
    refusesTable: boolean
    /** It latches, and does not report that with the registers. */
    hidesLatch: boolean
    /** It reports registers under the token before. */
    isLate: boolean
  }
}

const words = ['beat', 'halt', 'unlatch', 'status', 'writeTable', 'registers'] as const
const none = 0x7f
const results: readonly DeadmanResult[] = [
  'done',
  'wrongState',
  'malformed',
  'wrongNonce',
  'noTable',
]
const causes: readonly DeadmanCause[] = ['none', 'boot', 'halt', 'watchdog', 'stuck']
const boots = 7

/** A board that has booted, latched, without a table. */
export function fakeDeadman(port: FakePort): FakeDeadman {
  const pins = new Map<number, Partial<PinRegisters>>()
  const heard: Record<string, number> = {}
  const faults = { silent: [], refusesTable: false, hidesLatch: false, isLate: false }
  let why: DeadmanCause = 'boot'
  let nonce = 1_000_000

  const text = (value: string) =>
    [...Buffer.from(value)].flatMap((byte) => [byte & 0x7f, byte >> 7])
  const status = (answers: number, result: DeadmanResult) =>
    port.say(
      ...sysex(
        deadmanCommand,
        0x40,
        answers,
        results.indexOf(result),
        (why === 'none' ? 0 : 1) + (board.tableCrc === 0 ? 0 : 2),
        causes.indexOf(why),
        ...sevenBits(why === 'none' ? 0 : nonce, 4),
        ...sevenBits(boots, 3),
        ...sevenBits(board.tableCrc, 3),
        ...Buffer.from('rover'),
      ),
    )
  const latch = (cause: DeadmanCause) => {
    nonce++
    if (why === 'none') why = cause
  }
  const unlatch = (data: readonly number[]): DeadmanResult => {
    if (why === 'none') return 'wrongState'
    if (board.tableCrc === 0) return 'noTable'
    const isRight = numberOf(data) === nonce
    nonce++
    if (!isRight) return 'wrongNonce'
    why = 'none'
    return 'done'
  }
  const writeTable = (data: readonly number[]): DeadmanResult => {
    if (why === 'none') return 'wrongState'
    if (board.faults.refusesTable) return 'malformed'
    board.tableCrc = numberOf(data.slice(-3))
    latch('halt')
    return 'done'
  }
  const registers = ([token = 0, ...asked]: readonly number[]) =>
    port.say(
      ...sysex(
        deadmanCommand,
        0x41,
        board.faults.isLate ? (token + 126) % 127 : token,
        why === 'none' || board.faults.hidesLatch ? 0 : 1,
        ...asked.flatMap((pin) => {
          const { isOutput = true, isHigh = false, duty, pulseUs } = pins.get(pin) ?? {}
          const flags =
            (isOutput ? 1 : 0) +
            (isHigh ? 6 : 0) +
            (duty === undefined ? 0 : 8) +
            (pulseUs === undefined ? 0 : 16)
          return [pin, flags, ...sevenBits(pulseUs ?? duty ?? 0, 2)]
        }),
      ),
    )
  const answer = (word: (typeof words)[number], data: readonly number[]) => {
    switch (word) {
      case 'beat':
        return status(0, 'done')
      case 'halt':
        latch('halt')
        return status(1, 'done')
      case 'unlatch':
        return status(2, unlatch(data))
      case 'status':
        return status(3, 'done')
      case 'writeTable':
        return status(4, writeTable(data))
      case 'registers':
        return registers(data)
    }
  }

  port.onFrame((frame) => {
    const [start, command, code = none] = frame
    const word = words[code]
    if (start !== 0xf0 || command !== deadmanCommand || word === undefined) return
    heard[word] = (heard[word] ?? 0) + 1
    if (!board.faults.silent.includes(word)) answer(word, [...frame.subarray(3, -1)])
  })

  const board: FakeDeadman & { faults: FakeDeadman['faults'] } = {
    announce: () => port.say(0xf9, 2, 5, ...sysex(0x79, 1, 0, ...text('MechosFirmata.ino'))),
    get isLatched() {
      return why !== 'none'
    },
    fall(cause) {
      latch(cause)
      status(none, 'done')
    },
    pins,
    tableCrc: 0,
    heard,
    faults,
  }
  return board
}

function numberOf(groups: readonly number[]): number {
  return groups.reduceRight((sum, bits) => sum * 128 + bits, 0)
}
