import { afterEach, expect, test } from 'vitest'
import { parseConfiguration } from '../../../core/vocabulary/configuration.ts'
import { virtualClock } from '../../../drivers/clock.ts'
import { type PinTable, pinTableOf } from '../../../drivers/guardian/pin-table.ts'
import type { Body } from '../../../drivers/body.ts'
import { firmataBody } from '../../../drivers/johnny-five/body.ts'
import { fakeBoard } from './fake-board.ts'

const guarded = parseConfiguration({
  name: 'guarded',
  body: {
    kind: 'firmata',
    stopButtons: [{ name: 'red', pin: 4 }],
    motorPower: { pin: 'A1' },
  },
  limits: { linear: 0.3, angular: 1.5 },
})

let body: Body | undefined
const clock = virtualClock()

async function settle(milliseconds: number) {
  for (let ms = 0; ms < milliseconds; ms += 5) {
    // oxlint-disable-next-line no-await-in-loop -- time passes step by step
    await clock.advance(5)
  }
}

afterEach(async () => {
  const closed = body?.close()
  await settle(300)
  await closed
})

test('contacts are inputs with a pull-up, so that a cut cable reads as open', () => {
  if (guarded.body.kind !== 'firmata') throw new TypeError('a board is needed')
  expect(pinTableOf(guarded.body).pins).toEqual([
    { kind: 'digital', pin: 4, part: 'red', hasPullUp: true },
    { kind: 'digital', pin: 15, part: 'motorPower', hasPullUp: true },
  ])
})

test('a contact that is low is closed, one that is high is open, and both are said at once', async () => {
  const board = fakeBoard()
  const open = (_path: string, table: PinTable) => board.line(table, clock)
  body = firmataBody(guarded, { port: '/dev/fake', clock, open })
  const said: [string, boolean][] = []
  body.onReading((reading) => {
    if (reading.kind === 'contact') said.push([reading.name, reading.closed])
  })
  await body.open()
  await settle(40)
  said.length = 0
  board.say(0x90, 0, 0)
  board.say(0x90, 0x10, 0)
  board.say(0x91, 0, 1)
  board.say(0x91, 0, 0)
  expect(said).toEqual([
    ['red', true],
    ['red', false],
    ['motorPower', false],
    ['motorPower', true],
  ])
})
