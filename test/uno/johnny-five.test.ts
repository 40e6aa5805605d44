import { once } from 'node:events'
import { createRequire } from 'node:module'
import five from 'johnny-five'
import type { SerialPort } from 'serialport'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { builtHex, readyMadeHex } from '../support/uno/firmware.ts'
import { type Host, openHost } from '../support/uno/host.ts'
import { type DutyChange, type Uno, startUno } from '../support/uno/uno.ts'
import { until } from '../support/uno/until.ts'

type FirmataConstructor = new (
  transport: SerialPort,
  options: { reportVersionTimeout: number },
) => NodeJS.EventEmitter

/** firmata-io comes without types. */
const { Firmata } = z
  .custom<{ Firmata: FirmataConstructor }>(
    (value) => typeof value === 'function' && 'Firmata' in value,
  )
  .parse(createRequire(import.meta.url)('firmata-io'))

let uno: Uno
let host: Host

beforeEach(async () => {
  uno = await startUno({ firmware: builtHex().firmware ?? readyMadeHex() })
  host = await openHost(uno.path)
})
afterEach(async () => {
  await host.close()
  await uno.close()
})

test("Johnny-Five's motor turns and stops on the board", async () => {
  const board = await connectBoard(host.port)
  const motor = new five.Motor({ board, pins: { pwm: 9, dir: 8 } })
  const changes: DutyChange[] = []
  uno.onDuty((change) => changes.push(change))

  motor.forward(128)
  await dutyBecomes(9, 128 / 255)
  expect(uno.levelOf(8)).toBe(1)

  motor.reverse(200)
  await dutyBecomes(9, 200 / 255)
  expect(uno.levelOf(8)).toBe(0)

  motor.stop()
  await dutyBecomes(9, 0)
  expect(changes.filter(({ pin }) => pin === 9).map(({ duty }) => Math.round(duty * 255))).toEqual([
    128, 0, 200, 0,
  ])
})

async function connectBoard(port: SerialPort) {
  const io = new Firmata(port, { reportVersionTimeout: 50 })
  await once(io, 'ready')
  const board = new five.Board(quietly({ io }))
  await new Promise((resolve, reject) => {
    board.on('ready', () => resolve(board))
    board.on('error', reject)
  })
  return board
}

/** Without a prompt, without a log, without a signal handler; the types do not know of the last. */
function quietly(options: five.BoardOption): five.BoardOption {
  return Object.assign(options, { repl: false, debug: false, sigint: false })
}

function dutyBecomes(pin: number, duty: number) {
  return until({
    what: () => `the duty of pin ${pin} becomes ${duty}, last ${uno.dutyOf(pin)}`,
    condition: () => uno.dutyOf(pin) === duty,
    on: (listener) => uno.onDuty(listener),
  })
}
