import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classify, splitFrames } from '../../../drivers/guardian/frames.ts'
import {
  armFrame,
  beatRecord,
  farewellRecord,
  makeRecord,
  nameHalt,
  type Order,
  readArming,
  readOrders,
} from '../../../drivers/guardian/orders.ts'
import { tableOf, wheelsOn } from './tables.ts'

const count = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.nat(0xffff_ffff))

function haltRecord(number: number): Uint8Array {
  const record = makeRecord()
  nameHalt(record, number)
  return record
}

describe('an arming', () => {
  test('comes back with the halts and trips that it names', () => {
    fc.assert(
      fc.property(count, count, (halts, trips) => {
        expect(readArming(armFrame(halts, trips))).toEqual({ halts, trips })
      }),
    )
  })

  test('keeps its place among the frames of the data pipe', () => {
    const pipe = Buffer.concat([Uint8Array.of(0xe3, 1, 1), armFrame(300, 2), Uint8Array.of(0xf9)])
    const found = splitFrames('outbound').push(pipe)
    expect(found.map(readArming)).toEqual([undefined, { halts: 300, trips: 2 }, undefined])
  })

  test('is nothing to a board', () => {
    const table = tableOf({ wheels: wheelsOn({ pwm: 3, dir: 2 }, { pwm: 11, dir: 12 }) })
    expect(classify(armFrame(1, 0), table)).toEqual({ kind: 'refused' })
  })

  test.for([
    { what: 'a byte too short', frame: Uint8Array.from([...armFrame(1, 1).slice(0, -2), 0xf7]) },
    { what: 'a byte too long', frame: Uint8Array.from([...armFrame(1, 1).slice(0, -1), 0, 0xf7]) },
    { what: 'another word', frame: Uint8Array.from([0xf0, 0x0f, ...armFrame(1, 1).slice(2)]) },
    { what: 'empty', frame: new Uint8Array() },
  ])('that is $what is none', ({ frame }) => {
    expect(readArming(frame)).toBeUndefined()
  })
})

describe('orders on the urgent pipe', () => {
  test('come back as they were given', () => {
    fc.assert(
      fc.property(count, (number) => {
        const orders = readOrders()
        expect(orders(haltRecord(number))).toEqual([{ kind: 'halt', number }])
      }),
    )
    const orders = readOrders()
    expect(orders(beatRecord())).toEqual([{ kind: 'beat' }])
    expect(orders(farewellRecord())).toEqual([{ kind: 'farewell' }])
  })

  test('one record is used for every halt', () => {
    const record = haltRecord(0xffff_ffff)
    nameHalt(record, 1)
    expect(readOrders()(record)).toEqual([{ kind: 'halt', number: 1 }])
  })

  test('are the same wherever the stream is cut', () => {
    const order = fc.oneof(
      fc.constant<Order>({ kind: 'beat' }),
      fc.constant<Order>({ kind: 'farewell' }),
      count.map((number): Order => ({ kind: 'halt', number })),
    )
    const cuts = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(fc.array(order, { maxLength: 20 }), cuts, (given, sizes) => {
        const stream = Buffer.concat(given.map(recordOf))
        const orders = readOrders()
        const found: unknown[] = []
        for (let at = 0, n = 0; at < stream.length; n++) {
          const size = sizes[n % sizes.length] ?? 1
          found.push(...orders(stream.subarray(at, at + size)))
          at += size
        }
        expect(found).toEqual(given)
      }),
    )
  })

  test('half a record is nothing yet', () => {
    const orders = readOrders()
    expect(orders(haltRecord(3).subarray(0, 4))).toEqual([])
    expect(orders(haltRecord(3).subarray(4))).toEqual([{ kind: 'halt', number: 3 }])
  })

  test('a record that is none is told as such, and does not hide the next', () => {
    const orders = readOrders()
    const found = orders(Buffer.concat([Uint8Array.of(0, 1, 2, 3, 4), haltRecord(9)]))
    expect(found).toEqual([undefined, { kind: 'halt', number: 9 }])
  })

  test('garbage never throws, and is an order for each five bytes at most', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(readOrders()(bytes)).toHaveLength(Math.floor(bytes.length / 5))
      }),
    )
  })
})

function recordOf(order: Order): Uint8Array {
  switch (order.kind) {
    case 'beat':
      return beatRecord()
    case 'farewell':
      return farewellRecord()
    case 'halt':
      return haltRecord(order.number)
  }
}
