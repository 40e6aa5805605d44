import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Effect, frames, splitFrames } from '../../../drivers/guardian/frames.ts'
import { asksMax, makeOutbox, type Outbox } from '../../../drivers/guardian/outbox.ts'
import { hex, tableOf, wheelsOn } from './tables.ts'

/** Both directions and the relay share port 0. */
const table = tableOf({
  wheels: wheelsOn({ pwm: 3, dir: 2 }, { pwm: 5, dir: 4 }),
  relays: [{ name: 'lamp', pin: 7, halt: 'low' }],
  servos: [{ name: 'gripper', pin: 9, halt: 'hold' }],
})
const leftDir = 1 << 2
const rightDir = 1 << 4
const lamp = 1 << 7

const duty = (pin: number, value: number): Effect => ({ kind: 'analog', pin, value })
const levels = (bits: number): Effect => ({ kind: 'levels', port: 0, levels: bits })

/** What Johnny-Five writes for `forward` and `reverse`. */
function drive(outbox: Outbox, side: 'left' | 'right', dirBits: number, value: number) {
  const pin = side === 'left' ? 3 : 5
  outbox.wish(side, duty(pin, 0))
  outbox.wish(side, levels(dirBits))
  outbox.wish(side, duty(pin, value))
}

function sendAll(outbox: Outbox): string[] {
  const sent: string[] = []
  for (let bytes = outbox.next(); bytes; bytes = outbox.next()) sent.push(hex(bytes))
  return sent
}

describe('what waits to be sent', () => {
  test('a change of direction is one transaction: zero, direction, duty', () => {
    const outbox = makeOutbox(table)
    drive(outbox, 'left', leftDir, 160)
    expect(sendAll(outbox)).toEqual(['E3 00 00 90 04 00 E3 20 01'])
  })

  test('a new duty in the same direction goes alone', () => {
    const outbox = makeOutbox(table)
    drive(outbox, 'left', leftDir, 160)
    sendAll(outbox)
    outbox.wish('left', duty(3, 100))
    expect(sendAll(outbox)).toEqual(['E3 64 00'])
  })

  test('a newer transaction replaces an unsent older one of the same motor', () => {
    const outbox = makeOutbox(table)
    drive(outbox, 'left', leftDir, 160)
    sendAll(outbox)
    drive(outbox, 'left', 0, 50)
    drive(outbox, 'left', leftDir, 70)
    drive(outbox, 'left', 0, 90)
    expect(outbox.waiting).toBe(1)
    expect(sendAll(outbox)).toEqual(['E3 00 00 90 00 00 E3 5A 00'])
  })

  test('one motor cannot turn the other: a port carries what was sent, not what waits', () => {
    const outbox = makeOutbox(table)
    drive(outbox, 'right', rightDir, 80)
    drive(outbox, 'left', leftDir | rightDir, 160)
    expect(sendAll(outbox)).toEqual(['E5 00 00 90 10 00 E5 50 00', 'E3 00 00 90 14 00 E3 20 01'])
    // The library thinks that the right wheel reverses, but the command was for the left one.
    drive(outbox, 'left', 0, 160)
    expect(sendAll(outbox)).toEqual(['E3 00 00 90 10 00 E3 20 01'])
  })

  test('an effect on another part is ignored', () => {
    const outbox = makeOutbox(table)
    outbox.wish('lamp', duty(3, 200))
    outbox.wish('left', levels(lamp | rightDir))
    expect(sendAll(outbox)).toEqual(['E3 00 00'])
  })

  test('a relay is written each time, though it has not changed', () => {
    const outbox = makeOutbox(table)
    outbox.wish('lamp', levels(lamp))
    expect(sendAll(outbox)).toEqual(['90 00 01'])
    outbox.wish('lamp', levels(lamp))
    expect(sendAll(outbox)).toEqual(['90 00 01'])
  })

  test('a servo is attached together with its first pulse, never alone', () => {
    const outbox = makeOutbox(table)
    outbox.wish('gripper', { kind: 'attach', pin: 9 })
    expect(sendAll(outbox)).toEqual([])
    outbox.wish('gripper', duty(9, 1500))
    expect(sendAll(outbox)).toEqual(['F4 09 04 E9 5C 0B'])
    outbox.wish('gripper', duty(9, 1600))
    expect(sendAll(outbox)).toEqual(['E9 40 0C'])
  })

  test('settling forgets outputs and keeps asks', () => {
    const outbox = makeOutbox(table)
    drive(outbox, 'left', leftDir, 160)
    outbox.ask(frames.pinState(3))
    outbox.settle()
    expect(sendAll(outbox)).toEqual(['F0 6D 03 F7'])
    outbox.wish('left', duty(3, 10))
    expect(sendAll(outbox)).toEqual(['E3 0A 00'])
  })

  test('is bounded, however much is asked and wished', () => {
    const outbox = makeOutbox(table)
    const asked = Array.from({ length: 1000 }, () => outbox.ask(frames.version()))
    for (let n = 0; n < 1000; n++)
      drive(outbox, n % 2 ? 'left' : 'right', n % 3 ? leftDir : 0, n % 256)
    expect(asked.filter(Boolean)).toHaveLength(asksMax)
    expect(outbox.waiting).toBe(asksMax + 2)
    sendAll(outbox)
    expect(outbox.ask(frames.version())).toBe(true)
  })

  test('whatever is wished and sent when: no direction changes under a duty, and the last wish wins', () => {
    const step = fc.record({
      side: fc.constantFrom('left', 'right'),
      isForward: fc.boolean(),
      value: fc.integer({ min: 0, max: 255 }),
      sends: fc.integer({ min: 0, max: 2 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const outbox = makeOutbox(table)
        const board = { left: { duty: 0, dir: 0 }, right: { duty: 0, dir: 0 } }
        const last = { left: { duty: 0, dir: 0 }, right: { duty: 0, dir: 0 } }
        const execute = (bytes: Uint8Array) => {
          for (const [status = 0, low = 0, high = 0] of splitFrames('outbound').push(bytes)) {
            const value = low + high * 128
            if (status === 0xe3) board.left.duty = value
            if (status === 0xe5) board.right.duty = value
            if (status !== 0x90) continue
            const next = { left: (value >> 2) & 1, right: (value >> 4) & 1 }
            for (const side of ['left', 'right'] as const) {
              if (next[side] !== board[side].dir) expect(board[side].duty).toBe(0)
              board[side].dir = next[side]
            }
          }
        }
        for (const { side, isForward, value, sends } of steps) {
          last[side] = { duty: value, dir: isForward ? 1 : 0 }
          drive(outbox, side, last.left.dir * leftDir + last.right.dir * rightDir, value)
          for (let n = 0; n < sends; n++) execute(outbox.next() ?? new Uint8Array())
        }
        for (let bytes = outbox.next(); bytes; bytes = outbox.next()) execute(bytes)
        expect(board).toEqual(last)
      }),
    )
  })
})
