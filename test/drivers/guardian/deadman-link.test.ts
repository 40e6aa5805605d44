import { describe, expect, test } from 'vitest'
import { deadmanFrames, safeTableCrc, safeTableOf } from '../../../drivers/guardian/deadman.ts'
import { frames } from '../../../drivers/guardian/frames.ts'
import type { LineEvent } from '../../../drivers/guardian/line.ts'
import { makeWarden, type Warden } from '../../../drivers/guardian/warden.ts'
import { type CountingClock, countingClock, pass } from './counting-clock.ts'
import { type FakeDeadman, fakeDeadman } from './fake-deadman.ts'
import { type FakePort, fakePort } from './fake-port.ts'
import { hex, tableOf, wheelsOn } from './tables.ts'

const table = tableOf({
  wheels: wheelsOn({ pwm: 3, dir: 2 }, { pwm: 11, dir: 12 }),
  relays: [{ name: 'lock', pin: 8, halt: 'high' }],
})
const safe = safeTableOf(table)
const crc = safeTableCrc(safe, 'rover')
const haltBytes = 'F7 E3 00 00 EB 00 00 90 00 00 91 01 00'
const preamble =
  '90 00 00 91 01 00 F4 02 01 F4 0C 01 F4 08 01 90 00 00 91 01 00 F4 03 03 E3 00 00 F4 0B 03 EB 00 00'
const beat = hex(deadmanFrames.beat())
const told = { kind: 'deadman', name: 'rover', boots: 7 }

interface Rig {
  readonly warden: Warden
  readonly clock: CountingClock
  readonly port: FakePort
  readonly board: FakeDeadman
  readonly written: string[]
  readonly said: LineEvent[]
}

/** A warden before a board that has announced itself, and keeps our table if `keeps`. */
async function rig({ keeps = true } = {}): Promise<Rig> {
  const clock = countingClock()
  const port = fakePort()
  const board = fakeDeadman(port)
  board.pins.set(8, { isHigh: true })
  if (keeps) board.tableCrc = crc
  const said: LineEvent[] = []
  const warden = makeWarden({
    table,
    name: 'rover',
    clock,
    port,
    hear: () => undefined,
    say: (event) => said.push(event),
  })
  board.announce()
  if (keeps) await pass(clock, 20)
  return { warden, clock, port, board, written: port.written, said }
}

/** The robot's loop is alive: it beats every 20 ms for so long. */
async function live({ warden, clock }: Rig, milliseconds: number): Promise<void> {
  for (let ms = 0; ms < milliseconds; ms += 20) {
    warden.beat()
    // oxlint-disable-next-line no-await-in-loop -- time passes step by step
    await pass(clock, 20)
  }
}

async function armed(): Promise<Rig> {
  const made = await rig()
  made.warden.arm(0, 0)
  await live(made, 40)
  expect([made.warden.isArmed, made.board.isLatched]).toEqual([true, false])
  made.written.length = 0
  made.said.length = 0
  return made
}

const tripped = (said: readonly LineEvent[]) =>
  said.flatMap((event) => (event.kind === 'tripped' ? [event.cause] : []))

describe('the safe table', () => {
  test('of a board that keeps ours is left as it is', async () => {
    const { board, said } = await rig()
    expect(said).toEqual([told])
    expect(board.heard).toEqual({ status: 1 })
  })

  test.for([
    { what: 'none', tableCrc: 0 },
    { what: 'that of another robot', tableCrc: safeTableCrc(safe, 'tractor') },
  ])('is written once where the board keeps $what', async ({ tableCrc }) => {
    const { board, clock, written, said } = await rig({ keeps: false })
    board.tableCrc = tableCrc
    await pass(clock, 50)
    expect(written).toContain(hex(deadmanFrames.writeTable(safe, 'rover')))
    expect(board.heard['writeTable']).toBe(1)
    expect(board.tableCrc).toBe(crc)
    expect(said).toEqual([told])
  })

  test('that the board does not take trips, and is not sent again', async () => {
    const { board, clock, said, warden } = await rig({ keeps: false })
    board.faults.refusesTable = true
    await pass(clock, 1000)
    expect(tripped(said)).toEqual(['the board did not take its table of safe outputs: malformed'])
    expect(board.heard['writeTable']).toBe(1)
    warden.arm(0, 1)
    expect(warden.isArmed).toBe(false)
  })
})

describe('an arming of a board with a deadman', () => {
  test('asks for a nonce, then unlatches, then writes the preamble', async () => {
    const { warden, written, clock, board } = await rig()
    written.length = 0
    warden.arm(0, 0)
    expect(written).toEqual([hex(deadmanFrames.status())])
    await pass(clock, 10)
    expect(written.slice(1)).toEqual([expect.stringMatching(/^F0 0F 02( ..){4} F7$/), preamble])
    expect(board.isLatched).toBe(false)
  })

  test('uses each nonce once', async () => {
    const made = await rig()
    const { warden, written, board } = made
    for (let round = 0; round < 20; round++) {
      if (round > 0) warden.halt(round)
      warden.arm(round, 0)
      // oxlint-disable-next-line no-await-in-loop -- one arming after the other
      await live(made, 40)
      expect([warden.isArmed, board.isLatched]).toEqual([true, false])
    }
    const keys = written.filter((bytes) => bytes.startsWith('F0 0F 02'))
    expect(keys).toHaveLength(20)
    expect(new Set(keys).size).toBe(20)
  })

  test('works at once after a halt, which makes void what the board offered before', async () => {
    const made = await armed()
    const { warden, board, said } = made
    warden.halt(1)
    warden.arm(1, 0)
    await live(made, 100)
    expect([warden.isArmed, board.isLatched, tripped(said)]).toEqual([true, false, []])
    warden.arm(2, 0)
    warden.halt(2)
    await live(made, 100)
    expect([warden.isArmed, board.isLatched, tripped(said)]).toEqual([true, false, []])
  })

  test('works at any moment of the search for evidence', async () => {
    for (let ms = 80; ms < 130; ms += 5) {
      // oxlint-disable no-await-in-loop -- one moment after the other
      const made = await rig()
      const { warden, board, clock, said } = made
      board.faults.hidesLatch = true
      warden.halt(1)
      await pass(clock, ms)
      warden.arm(1, 0)
      await live(made, 60)
      // oxlint-enable no-await-in-loop
      expect([ms, warden.isArmed, board.isLatched, tripped(said)]).toEqual([ms, true, false, []])
    }
  })

  test('keeps commands back until the board is unlatched, and then sends them in order', async () => {
    const { warden, written, clock } = await rig()
    written.length = 0
    warden.arm(0, 0)
    warden.forward(Buffer.concat([frames.analog(3, 0), frames.port(0, 4), frames.analog(3, 160)]))
    expect(written).toHaveLength(1)
    await pass(clock, 30)
    expect(written.slice(2)).toEqual([preamble, 'E3 00 00 90 04 00 E3 20 01'])
  })

  test('that a halt overtakes unlatches nothing', async () => {
    const made = await rig()
    const { warden, board, written } = made
    warden.arm(0, 0)
    warden.halt(1)
    await live(made, 500)
    expect([warden.isArmed, board.isLatched]).toEqual([false, true])
    expect(written.filter((bytes) => bytes.startsWith('F0 0F 02') || bytes === preamble)).toEqual(
      [],
    )
    expect(tripped(made.said)).toEqual([])
  })

  test('trips when the board does not offer a nonce within 400 ms', async () => {
    const made = await rig()
    made.board.faults.silent = ['status']
    made.warden.arm(0, 0)
    await live(made, 380)
    expect(made.warden.isArmed).toBe(true)
    await live(made, 40)
    expect(made.warden.isArmed).toBe(false)
    expect(tripped(made.said)).toEqual(['the board did not answer its unlatching'])
  })

  test('trips when the board does not answer the nonce', async () => {
    const made = await rig()
    made.board.faults.silent = ['unlatch']
    made.warden.arm(0, 0)
    await live(made, 420)
    expect(made.warden.isArmed).toBe(false)
    expect(tripped(made.said)).toEqual(['the board did not answer its unlatching'])
  })

  test('trips when the board stays latched', async () => {
    const made = await rig()
    made.board.tableCrc = 0
    made.warden.arm(0, 0)
    await live(made, 40)
    expect(made.warden.isArmed).toBe(false)
    expect(tripped(made.said)).toEqual(['the board stayed latched: noTable'])
    expect(made.written.at(-1)).not.toBe(preamble)
  })

  test('trips before the board keeps our table', async () => {
    const { warden, said } = await rig({ keeps: false })
    warden.arm(0, 0)
    expect(warden.isArmed).toBe(false)
    expect(tripped(said)).toEqual(['the board does not keep our table of safe outputs'])
  })
})

describe('a board that runs', () => {
  test('is fed a beat for each of the robot, and none of our own', async () => {
    const made = await armed()
    await live(made, 200)
    expect(made.written).toEqual(Array.from({ length: 10 }, () => beat))
    await pass(made.clock, 290)
    expect(made.written).toHaveLength(10)
  })

  test('is fed none while it is latched', async () => {
    const made = await rig()
    await live(made, 200)
    expect(made.board.heard['beat']).toBeUndefined()
  })

  test('and halts itself trips, with its reason', async () => {
    const made = await armed()
    made.board.fall('watchdog')
    expect(made.warden.isArmed).toBe(false)
    expect(made.written[0]).toBe(hex(deadmanFrames.halt()))
    expect(made.written[1]).toBe(haltBytes)
    expect(tripped(made.said)).toEqual(['the board halted itself: watchdog'])
  })

  test('is told to halt in its own words too, and that is no trip', async () => {
    const made = await armed()
    made.warden.halt(1)
    expect(made.written.slice(0, 2)).toEqual([hex(deadmanFrames.halt()), haltBytes])
    await live(made, 500)
    expect(made.board.isLatched).toBe(true)
    expect(tripped(made.said)).toEqual([])
  })

  test('is halted when its warden closes, which is no trip and leaves no timer', async () => {
    const made = await armed()
    made.port.takes = false
    const closed = made.warden.close()
    await pass(made.clock, 505)
    await closed
    await pass(made.clock, 500)
    expect(made.board.isLatched).toBe(true)
    expect(made.said).toEqual([])
    expect(made.clock.running).toBe(0)
  })

  test('and is lost while it was being armed is lost, and no more', async () => {
    const made = await rig()
    made.said.length = 0
    made.warden.arm(0, 0)
    made.port.lose('the fake cable was pulled')
    await live(made, 500)
    expect(made.said).toEqual([{ kind: 'lost', cause: 'the fake cable was pulled' }])
  })
})

describe('evidence by registers', () => {
  test('is measured when each output is at its safe level and the board is latched', async () => {
    const made = await armed()
    made.warden.halt(1)
    await pass(made.clock, 20)
    expect(made.said).toEqual([{ kind: 'evidence', halt: 1, evidence: 'measured' }])
    expect(made.warden.evidence).toBe('measured')
  })

  test.for([
    { what: 'a timer drives a motor', pin: 3, registers: { duty: 1 } },
    { what: 'a motor is driven high', pin: 11, registers: { isHigh: true } },
    { what: 'a direction is high', pin: 2, registers: { isHigh: true } },
    { what: 'a lock is low', pin: 8, registers: { isHigh: false } },
    { what: 'there are servo pulses', pin: 12, registers: { pulseUs: 1500 } },
  ])('is only written when $what', async ({ pin, registers }) => {
    const made = await armed()
    made.board.pins.set(pin, registers)
    made.warden.halt(1)
    await pass(made.clock, 190)
    expect(made.said).toEqual([{ kind: 'evidence', halt: 1, evidence: 'written' }])
  })

  test('is only written when the board says that it is not latched', async () => {
    const made = await armed()
    made.board.faults.hidesLatch = true
    made.warden.halt(1)
    await pass(made.clock, 190)
    expect(made.said).toEqual([{ kind: 'evidence', halt: 1, evidence: 'written' }])
  })

  test('an answer to an earlier question vouches for nothing', async () => {
    const made = await armed()
    made.board.faults.isLate = true
    made.warden.halt(1)
    await pass(made.clock, 190)
    expect(made.said).toEqual([{ kind: 'evidence', halt: 1, evidence: 'written' }])
  })

  test('a second halt soon after the first has evidence as soon', async () => {
    const made = await armed()
    made.board.faults.silent = ['registers']
    made.warden.halt(1)
    await pass(made.clock, 60)
    made.warden.halt(2)
    await pass(made.clock, 30)
    made.board.faults.silent = []
    // The answer to the second question, though late, after the time of the first is over.
    made.port.say(...registersOf(made.written))
    await pass(made.clock, 5)
    expect(made.said).toEqual([{ kind: 'evidence', halt: 2, evidence: 'measured' }])
  })
})

/** What a safe board answers to the last question about its registers. */
function registersOf(written: readonly string[]): readonly number[] {
  const question = written.findLast((bytes) => bytes.startsWith('F0 0F 05')) ?? ''
  const [token = 0, ...pins] = [...Buffer.from(question.replaceAll(' ', ''), 'hex')].slice(3, -1)
  const registers = pins.flatMap((pin) => [pin, pin === 8 ? 7 : 1, 0, 0])
  return [0xf0, 0x0f, 0x41, token, 1, ...registers, 0xf7]
}
