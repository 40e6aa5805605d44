import { setImmediate as turn } from 'node:timers/promises'
import five from 'johnny-five'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Reading } from '../../../core/vocabulary/reading.ts'
import type { Body, GuardianFact } from '../../../drivers/body.ts'
import { type VirtualClock, virtualClock } from '../../../drivers/clock.ts'
import type { PinTable } from '../../../drivers/guardian/pin-table.ts'
import { firmataBody } from '../../../drivers/johnny-five/body.ts'
import { hex } from '../guardian/tables.ts'
import { type FakeBoard, fakeBoard, isQuery } from './fake-board.ts'
import { rover, threePin } from './rover.ts'

const shut = expect.objectContaining({ code: 'ERR_GATE_SHUT' })
const haltBytes = ['E3 00 00', 'EB 00 00', 'F4 0A 01', '90 00 00', '91 01 00']

/** A body that nobody beats for. */
function stillBodyOn(board: FakeBoard, clock: VirtualClock, configuration = rover): Body {
  const open = (_path: string, table: PinTable) => board.line(table, clock)
  return firmataBody(configuration, { port: '/dev/fake', clock, open })
}

/** A body whose robot's loop is alive. */
function bodyOn(board: FakeBoard, clock: VirtualClock, configuration = rover): Body {
  const body = stillBodyOn(board, clock, configuration)
  const beat = () => {
    body.beat?.()
    clock.setTimeout(beat, 20)
  }
  beat()
  return body
}

/** Lets the fake board answer, and what is paced be sent. */
async function settle(clock: VirtualClock, milliseconds = 40) {
  for (let ms = 0; ms < milliseconds; ms += 5) {
    // oxlint-disable-next-line no-await-in-loop -- time passes step by step
    await clock.advance(5)
  }
}

function motions(board: FakeBoard): string[] {
  return board.heard.filter((frame) => !isQuery(frame)).map(hex)
}

/** Without ports that are written as they are: those belong to the lamp on them, and change nothing. */
function changesOf(sent: readonly string[]): string[] {
  let port = ''
  return sent.filter((frame) => {
    if (!frame.startsWith('90')) return true
    const isNews = frame !== port
    port = frame
    return isNews
  })
}

describe('a Firmata body on a fake board', () => {
  let board: FakeBoard
  let clock: VirtualClock
  let body: Body
  const lost: string[] = []

  beforeEach(() => {
    board = fakeBoard()
    clock = virtualClock()
    body = bodyOn(board, clock)
    lost.length = 0
    body.onLost?.((cause) => lost.push(cause))
  })
  afterEach(async () => {
    const closed = body.close()
    await settle(clock, 300)
    await closed
  })

  test('writes nothing but queries before the firmware has reported itself', async () => {
    const opening = body.open()
    await turn()
    expect(board.heard.every(isQuery)).toBe(true)
    await opening
    expect(motions(board)[0]).toBe('F0 7A 14 00 F7')
  })

  test('opens latched, with outputs at their safe levels and inputs reporting', async () => {
    expect(await body.open()).toEqual({ firmware: 'StandardFirmata.ino 2.5', deadman: false })
    await settle(clock)
    expect(motions(board).toSorted()).toEqual(
      ['F0 7A 14 00 F7', ...haltBytes, 'F4 04 0B', 'D0 01', 'C0 01'].toSorted(),
    )
    expect(() => body.write({ kind: 'wheels', left: 1, right: 1 })).toThrow(shut)
  })

  test('says a range when its report arrives, and nothing when none does', async () => {
    const readings: Reading[] = []
    body.onReading((reading) => readings.push(reading))
    await body.open()
    await settle(clock)
    readings.length = 0
    board.say(0xe0, 0x57, 3)
    expect(readings).toEqual([
      { kind: 'range', name: 'front', stampMs: clock.now(), metres: expect.closeTo(0.1017, 3) },
    ])
    board.hang()
    await settle(clock, 500)
    expect(readings.filter((reading) => reading.kind === 'range')).toHaveLength(1)
  })

  test('repeats a bumper for as long as the board is heard, stamped when it was heard', async () => {
    const stamps: number[] = []
    body.onReading((reading) => {
      if (reading.kind === 'bumper') stamps.push(reading.stampMs)
    })
    await body.open()
    await settle(clock, 1000)
    expect(stamps.length).toBeGreaterThanOrEqual(9)
    board.hang()
    await settle(clock, 200)
    const heard = stamps.length
    const lastHeardMs = stamps.at(-1) ?? NaN
    await settle(clock, 600)
    expect(stamps).toHaveLength(heard)
    expect(lastHeardMs).toBeLessThanOrEqual(1040)
    expect(lost).toEqual([])
  })

  test('a bumper is pressed when its pin is low, and says so at once', async () => {
    const pressed: boolean[] = []
    body.onReading((reading) => {
      if (reading.kind === 'bumper') pressed.push(reading.pressed)
    })
    await body.open()
    await settle(clock, 20)
    pressed.length = 0
    board.say(0x90, 0, 0)
    board.say(0x90, 0x10, 0)
    expect(pressed).toEqual([true, false])
  })

  test('a board that says nothing for a second is lost', async () => {
    await body.open()
    body.arm()
    body.write({ kind: 'wheels', left: 10, right: 10 })
    await settle(clock)
    board.hang()
    board.forget()
    await settle(clock, 1300)
    expect(lost).toEqual(['the board said nothing for 1 s'])
    expect(motions(board).slice(0, haltBytes.length)).toEqual(haltBytes)
    expect(body.outputs().every((output) => output.safe)).toBe(true)
    expect(() => body.write({ kind: 'wheels', left: 1, right: 1 })).toThrow(shut)
    expect(() => body.arm()).toThrow(shut)
  })

  test.for([
    { name: 'its version', bytes: [0xf9, 2, 5] },
    { name: 'its firmware', bytes: [0xf0, 0x79, 2, 5, 0x53, 0, 0xf7] },
  ])('a board that reports $name unasked has restarted, and is lost', async ({ bytes }) => {
    await body.open()
    await settle(clock)
    body.arm()
    board.say(...bytes)
    expect(lost).toEqual(['the board restarted'])
    expect(() => body.write({ kind: 'wheels', left: 1, right: 1 })).toThrow(shut)
  })

  test('a port that closes is lost once, and its outputs are not called safe', async () => {
    await body.open()
    body.arm()
    body.write({ kind: 'wheels', left: 20, right: 0 })
    await settle(clock)
    board.vanish()
    body.halt()
    expect(lost).toEqual(['the fake cable was pulled'])
    expect(body.outputs()[0]).toEqual({ name: 'left', output: 1, safe: false })
    const confirmed = body.confirm()
    await settle(clock, 200)
    expect(await confirmed).toBe('none')
    expect(board.portsOpen).toBe(0)
  })

  test('after a loss it opens again, on a new port, latched', async () => {
    await body.open()
    body.arm()
    body.write({ kind: 'wheels', left: 20, right: 0 })
    await settle(clock)
    board.vanish()
    await body.open()
    await settle(clock)
    expect(board.portsOpen).toBe(1)
    expect(motions(board)).not.toContain('E3 7F 01')
    expect(motions(board)).toContain('E3 00 00')
    expect(body.outputs().every((output) => output.safe)).toBe(true)
    expect(() => body.write({ kind: 'wheels', left: 1, right: 1 })).toThrow(shut)
    body.arm()
    board.forget()
    body.write({ kind: 'wheels', left: 20, right: 0 })
    await settle(clock)
    expect(motions(board)).toContain('E3 7F 01')
  })

  test('a listener of readings that throws loses the board instead of the process', async () => {
    await body.open()
    await settle(clock)
    body.onReading(() => {
      throw new Error('cannot count')
    })
    board.say(0xe0, 1, 1)
    expect(lost).toEqual(['a report of analog was not understood: cannot count'])
  })

  test('opening twice is a mistake', async () => {
    await body.open()
    await expect(body.open()).rejects.toThrow(TypeError)
  })

  test('closing while it opens ends the opening', async () => {
    const opening = body.open()
    const closed = body.close()
    await expect(opening).rejects.toMatchObject({ code: 'ERR_BOARD_LOST' })
    await closed
    expect(board.portsOpen).toBe(0)
    expect(lost).toEqual([])
  })

  test('a wheel changes direction through zero, and keeps it without a gap', async () => {
    await body.open()
    body.arm()
    await settle(clock)
    board.forget()
    for (const speed of [10, 15, -10, 0, -10]) {
      body.write({ kind: 'wheels', left: speed, right: 0 })
      // oxlint-disable-next-line no-await-in-loop -- each is to be sent before the next
      await settle(clock, 10)
    }
    const left = motions(board).filter((frame) => frame.startsWith('E3') || frame.startsWith('90'))
    expect(changesOf(left)).toEqual(
      [
        ['E3 00 00', '90 04 00', 'E3 00 01'],
        ['E3 3F 01'],
        ['E3 00 00', '90 00 00', 'E3 00 01'],
        ['E3 00 00'],
        ['E3 00 01'],
      ].flat(),
    )
  })

  test('a servo moves to its angle, clipped to what is declared; after a release it is driven anew', async () => {
    await body.open()
    body.arm()
    await settle(clock)
    board.forget()
    body.write({ kind: 'servo', name: 'tail', radians: 3 })
    await settle(clock, 10)
    // 90 + 57.3 degrees of 600 to 2400 µs.
    const pulse = `EA ${hex(Uint8Array.of(2072 % 128, Math.floor(2072 / 128)))}`
    expect(motions(board)).toEqual(['F4 0A 04', pulse])
    expect(body.outputs().at(-1)).toEqual({ name: 'tail', output: 1, safe: false })
    body.halt()
    body.arm()
    await settle(clock)
    board.forget()
    body.write({ kind: 'servo', name: 'tail', radians: 3 })
    await settle(clock, 10)
    expect(motions(board)).toEqual(['F4 0A 04', pulse])
  })

  test.for([
    { what: 'start', start: (parts: Parts) => parts.motor.start(200) },
    { what: 'forward', start: (parts: Parts) => parts.motor.forward(200) },
    { what: 'relay', start: (parts: Parts) => parts.relay.close() },
    { what: 'sweep', start: (parts: Parts) => parts.servo.sweep() },
  ])('what Johnny-Five does by itself moves nothing, armed or halted: $what', async ({ start }) => {
    await body.open()
    body.arm()
    body.write({ kind: 'servo', name: 'gripper', radians: 0.2 })
    await settle(clock)
    const parts = partsOf(five.Board.cache.at(-1))
    board.forget()
    start(parts)
    await settle(clock, 100)
    body.halt()
    start(parts)
    await realMs(60)
    await settle(clock, 100)
    parts.servo.stop()
    expect(motions(board)).toEqual(haltBytes)
  })

  test('evidence is echoed when every output pin answers that it is safe', async () => {
    await body.open()
    body.arm()
    body.write({ kind: 'wheels', left: 20, right: -20 })
    body.write({ kind: 'relay', name: 'lamp', on: true })
    await settle(clock)
    body.halt()
    const confirmed = body.confirm()
    await settle(clock)
    expect(await confirmed).toBe('echoed')
  })

  test('evidence is written when a pin answers otherwise, after a second halt frame', async () => {
    await body.open()
    body.arm()
    await settle(clock)
    const stuck = { mode: 3, state: 200 }
    vi.spyOn(board.pins, 'get').mockImplementation((pin) => (pin === 3 ? stuck : undefined))
    board.forget()
    body.halt()
    const confirmed = body.confirm()
    await settle(clock, 190)
    expect(await confirmed).toBe('written')
    expect(motions(board)).toEqual([...haltBytes, ...haltBytes])
    vi.restoreAllMocks()
  })

  test('evidence is written when the board answers nothing, within 200 ms', async () => {
    await body.open()
    await settle(clock)
    board.hang()
    body.halt()
    const askedAt = clock.now()
    let answeredAt = Infinity
    const confirmed = body.confirm().then((evidence) => {
      answeredAt = clock.now()
      return evidence
    })
    await settle(clock, 250)
    expect(await confirmed).toBe('written')
    expect(answeredAt - askedAt).toBeLessThanOrEqual(200)
  })

  test('an answer to an earlier question vouches for nothing', async () => {
    await body.open()
    body.arm()
    await settle(clock)
    body.halt()
    board.hang()
    const confirmed = body.confirm()
    for (const pin of [3, 11, 2, 12, 7, 8, 10]) {
      const state = pin === 8 ? 1 : 0
      board.say(0xf0, 0x6e, pin, pin === 3 || pin === 11 ? 3 : 1, state, 0xf7)
    }
    await settle(clock, 250)
    expect(await confirmed).toBe('written')
  })

  test('there is no evidence before a halt, nor while armed', async () => {
    expect(await body.confirm()).toBe('none')
    await body.open()
    body.arm()
    expect(await body.confirm()).toBe('none')
  })
})

describe('a body and whoever holds its port', () => {
  interface Watched {
    readonly board: FakeBoard
    readonly clock: VirtualClock
    readonly body: Body
    readonly facts: GuardianFact[]
  }

  async function opened(make = bodyOn): Promise<Watched> {
    const board = fakeBoard()
    const clock = virtualClock()
    const body = make(board, clock)
    const facts: GuardianFact[] = []
    body.onGuardian?.((fact) => facts.push(fact))
    await body.open()
    await settle(clock)
    return { board, clock, body, facts }
  }

  async function closed({ body, clock }: Watched): Promise<void> {
    const closing = body.close()
    await settle(clock, 100)
    await closing
  }

  test('it is told of the guardian from its start to its end', async () => {
    const watched = await opened()
    expect(watched.facts).toEqual([{ kind: 'starting' }, { kind: 'guarding' }])
    await closed(watched)
    expect(watched.facts.slice(2)).toEqual([{ kind: 'gone' }])
  })

  test('armed, it is halted when nobody has beaten for 300 ms, and can be armed again', async () => {
    const watched = await opened(stillBodyOn)
    const { board, clock, body, facts } = watched
    facts.length = 0
    body.beat?.()
    body.arm()
    body.write({ kind: 'wheels', left: 20, right: 20 })
    await settle(clock, 280)
    expect(facts).toEqual([])
    board.forget()
    await settle(clock, 80)
    const cause = 'the robot process was silent for more than 300 ms'
    expect(facts).toEqual([{ kind: 'tripped', cause }])
    expect(motions(board)).toEqual(haltBytes)
    expect(body.outputs().every((output) => output.safe)).toBe(true)
    expect(() => body.write({ kind: 'wheels', left: 1, right: 1 })).toThrow(shut)
    body.arm()
    body.beat?.()
    board.forget()
    body.write({ kind: 'wheels', left: 20, right: 20 })
    await settle(clock)
    expect(motions(board)).toContain('E3 7F 01')
    await closed(watched)
  })

  test('a port that is lost is a guardian that is', async () => {
    const watched = await opened()
    watched.facts.length = 0
    watched.board.vanish()
    expect(watched.facts).toEqual([{ kind: 'lost', cause: 'the fake cable was pulled' }])
    await closed(watched)
  })
})

describe('a body and the rest of its process', () => {
  test('two bodies do not disturb each other', async () => {
    const clock = virtualClock()
    const boards = [fakeBoard(), fakeBoard()] as const
    const bodies = [bodyOn(boards[0], clock), bodyOn(boards[1], clock, threePin)] as const
    await Promise.all(bodies.map((body) => body.open()))
    for (const body of bodies) body.arm()
    await settle(clock)
    boards[0].forget()
    boards[1].forget()
    bodies[0].write({ kind: 'wheels', left: 20, right: 20 })
    bodies[0].write({ kind: 'relay', name: 'lamp', on: true })
    await settle(clock, 20)
    expect(motions(boards[0])).toContain('E3 7F 01')
    expect(motions(boards[1])).toEqual([])
    boards[0].vanish()
    bodies[1].write({ kind: 'wheels', left: 20, right: 20 })
    await settle(clock, 20)
    expect(motions(boards[1])).toContain('E5 7F 01')
    const closed = Promise.all(bodies.map((body) => body.close()))
    await settle(clock, 200)
    await closed
  })

  test('leaves no listener on the process, no board in the library, and no timer', async () => {
    const events = [
      'SIGINT',
      'SIGTERM',
      'exit',
      'beforeExit',
      'uncaughtException',
      'unhandledRejection',
    ]
    const count = () => events.map((event) => process.listenerCount(event))
    const before = count()
    const boardsBefore = five.Board.cache.length
    const clock = virtualClock()
    const board = fakeBoard()
    const body = bodyOn(board, clock)
    const timersBefore = timers()
    for (let round = 0; round < 3; round++) {
      // oxlint-disable no-await-in-loop -- one after the other is the point
      await body.open()
      body.arm()
      body.write({ kind: 'servo', name: 'tail', radians: 0.5 })
      await settle(clock)
      board.say(0x90, 0, 0)
      await realMs(20)
      expect(count()).toEqual(before)
      const closed = body.close()
      await settle(clock, 200)
      await closed
      // oxlint-enable no-await-in-loop
    }
    expect(count()).toEqual(before)
    expect(five.Board.cache).toHaveLength(boardsBefore)
    await realMs(20)
    expect(timers()).toBeLessThanOrEqual(timersBefore)
  })

  test('a board that never answers is silent, and its port is let go', async () => {
    const clock = virtualClock()
    const board = fakeBoard({ isSilent: true })
    const body = bodyOn(board, clock)
    const opening = expect(body.open()).rejects.toMatchObject({
      code: 'ERR_BOARD_SILENT',
      message: expect.stringContaining(
        'no Firmata answer on /dev/fake within 10 s; is StandardFirmata',
      ),
    })
    await settle(clock, 11_000)
    await opening
    expect(board.heard.length).toBeGreaterThan(2)
    expect(board.heard.every(isQuery)).toBe(true)
    expect(board.portsOpen).toBe(0)
  })

  test.for([
    {
      what: 'lacks a pin',
      faults: { deadPin: 12 },
      message: 'cannot use pin 12 as right needs it',
    },
    {
      what: 'is another than was declared',
      faults: { pinCount: 70 },
      message: 'uno is not what is on /dev/fake: StandardFirmata.ino 2.5 reports 70 pins',
    },
  ])('a board that $what is refused by name', async ({ faults, message }) => {
    const clock = virtualClock()
    const board = fakeBoard(faults)
    const body = bodyOn(board, clock)
    const opening = expect(body.open()).rejects.toMatchObject({
      code: 'ERR_BOARD_REFUSED',
      message: expect.stringContaining(message),
    })
    await settle(clock, 300)
    await opening
    expect(board.portsOpen).toBe(0)
  })

  test('a configuration of another kind is a mistake', () => {
    const simulated = { ...rover, body: { ...rover.body, kind: 'simulated' as const, imu: true } }
    expect(() => firmataBody(simulated, { port: '/dev/fake', clock: virtualClock() })).toThrow(
      TypeError,
    )
  })
})

interface Parts {
  readonly motor: InstanceType<typeof five.Motor>
  readonly relay: InstanceType<typeof five.Relay>
  readonly servo: InstanceType<typeof five.Servo>
}

/** Johnny-Five's own parts, behind the body's back. */
function partsOf(made: InstanceType<typeof five.Board> | undefined): Parts {
  const register: unknown = made && Reflect.get(made, 'register')
  const parts: readonly unknown[] = Array.isArray(register) ? register : []
  const motor = parts.find((part) => part instanceof five.Motor)
  const relay = parts.find((part) => part instanceof five.Relay)
  const servo = parts.find((part) => part instanceof five.Servo)
  if (!motor || !relay || !servo) throw new TypeError('the board has no such parts')
  return { motor, relay, servo }
}

function timers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
}

/** For timers that are Johnny-Five's own and know no other clock. */
function realMs(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}
