import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frames, splitFrames } from '../../../drivers/guardian/frames.ts'
import type { LineEvent } from '../../../drivers/guardian/line.ts'
import { asksMax } from '../../../drivers/guardian/outbox.ts'
import type { PinTable } from '../../../drivers/guardian/pin-table.ts'
import { makeWarden, type Warden } from '../../../drivers/guardian/warden.ts'
import { makeTransport } from '../../../drivers/johnny-five/transport.ts'
import { type CountingClock, countingClock, pass } from './counting-clock.ts'
import { answerSafe, type FakePort, fakePort } from './fake-port.ts'
import { hex, tableOf, wheelsOn } from './tables.ts'

/** A reset would turn the pull-up of its bumper into an output. */
const bumping = tableOf({
  wheels: wheelsOn({ pwm: 3, dir: 2 }, { pwm: 11, dir: 12 }),
  bumpers: [{ name: 'nose', pin: 4 }],
  ranges: [{ name: 'front', pin: 'A0' }],
})
/** A reset harms none of its parts. */
const plain = tableOf({
  wheels: wheelsOn({ pwm: 3, dir: 2 }, { pwm: 11, dir: 12 }),
  ranges: [{ name: 'front', pin: 'A0' }],
})
const haltBytes = 'F7 E3 00 00 EB 00 00 90 00 00 91 00 00'
const preamble =
  '90 00 00 91 00 00 F4 02 01 F4 0C 01 90 00 00 91 00 00 F4 03 03 E3 00 00 F4 0B 03 EB 00 00'
const banner = [0xf9, 2, 5, 0xf0, 0x79, 2, 5, 0x68, 0, 0x69, 0, 0xf7]

interface Rig {
  readonly warden: Warden
  readonly clock: CountingClock
  readonly port: FakePort
  readonly written: string[]
  readonly said: LineEvent[]
  readonly heard: string[]
}

function rig(table: PinTable = bumping): Rig {
  const clock = countingClock()
  const port = fakePort()
  const said: LineEvent[] = []
  const heard: string[] = []
  const warden = makeWarden({
    table,
    name: 'rover',
    clock,
    port,
    hear: (bytes) => heard.push(hex(bytes)),
    say: (event) => said.push(event),
  })
  return { warden, clock, port, written: port.written, said, heard }
}

/** One whose board has reported itself. */
function known(table?: PinTable): Rig {
  const made = rig(table)
  made.port.say(...banner)
  return made
}

/** One that is armed, on a line that is free again after the preamble. */
async function armed(table?: PinTable): Promise<Rig> {
  const made = known(table)
  made.warden.arm(0, 0)
  await made.clock.advance(20)
  made.warden.beat()
  made.written.length = 0
  return made
}

/** The robot's loop is alive: it beats every 20 ms for so long. */
async function live({ warden, clock }: Rig, milliseconds: number): Promise<void> {
  for (let ms = 0; ms < milliseconds; ms += 20) {
    warden.beat()
    // oxlint-disable-next-line no-await-in-loop -- time passes step by step
    await clock.advance(20)
  }
}

/** What Johnny-Five writes for a direction and a duty of the left wheel. */
const forward = (duty: number) => [frames.analog(3, 0), frames.port(0, 4), frames.analog(3, duty)]
const reverse = (duty: number) => [frames.analog(3, 0), frames.port(0, 0), frames.analog(3, duty)]

function write(warden: Warden, ...sent: readonly Uint8Array[]) {
  warden.forward(Buffer.concat(sent))
}

describe('the latch', () => {
  test('before the firmware has reported itself only queries pass', () => {
    const { warden, written } = rig()
    write(warden, frames.reportAnalog(0, true), frames.mode(4, 0), frames.analog(3, 9))
    write(warden, frames.version(), frames.pinState(3))
    expect(written).toEqual(['F9', 'F0 6D 03 F7'])
    expect(warden.counts()).toEqual({ refused: 0, shut: 3, overflowed: 0 })
  })

  test('what a robot in the same process answers to a report has the latch know of it', () => {
    const clock = countingClock()
    const port = fakePort()
    const warden = makeWarden({
      table: bumping,
      name: 'rover',
      clock,
      port,
      hear: () => write(warden, frames.reportAnalog(0, true)),
      say: () => undefined,
    })
    port.say(...banner)
    expect(port.written).toEqual(['C0 01'])
  })

  test('latched, queries, reporting and declared input modes pass, and nothing that moves', () => {
    const { warden, written } = known()
    write(warden, frames.reportAnalog(0, true), frames.mode(4, 0), frames.pinState(3))
    write(warden, frames.mode(3, 3), frames.mode(2, 1), frames.analog(3, 100), frames.port(0, 4))
    expect(written).toEqual(['C0 01', 'F4 04 0B', 'F0 6D 03 F7'])
    expect(warden.counts()).toEqual({ refused: 0, shut: 4, overflowed: 0 })
  })

  test('what the table does not declare is refused, armed or not', async () => {
    for (const { warden, written } of [known(), await armed()]) {
      write(warden, frames.reset(), frames.mode(106, 1), frames.analog(5, 200), frames.port(3, 1))
      expect(written).toEqual([])
      expect(warden.counts().refused).toBe(4)
    }
  })

  test('arming writes the preamble before it returns, and opens', async () => {
    const { warden, written, clock } = known()
    warden.arm(0, 0)
    expect(written).toEqual([preamble])
    expect(warden.isArmed).toBe(true)
    await clock.advance(20)
    write(warden, ...forward(160))
    expect(written.slice(1)).toEqual(['E3 00 00 90 04 00 E3 20 01'])
  })

  test('a board that has not reported itself is not armed, and the robot is told', () => {
    const { warden, written, said } = rig()
    warden.arm(0, 0)
    expect(warden.isArmed).toBe(false)
    expect(written.filter((bytes) => !bytes.startsWith('F0 6D'))).toEqual([])
    expect(said).toEqual([
      { kind: 'tripped', cause: 'the board has not reported itself', trips: 1 },
    ])
  })

  test('modes of outputs are not set again while armed: that would drop what a pin puts out', async () => {
    const { warden, written } = await armed()
    write(warden, frames.mode(3, 3), frames.mode(2, 1))
    expect(written).toEqual([])
    expect(warden.counts().shut).toBe(0)
  })

  test('a frame may come in pieces, and half a frame is nothing', async () => {
    const { warden, written } = await armed()
    for (const byte of frames.analog(3, 200).subarray(0, 2)) warden.forward(Uint8Array.of(byte))
    expect(written).toEqual([])
    warden.forward(frames.analog(3, 200).subarray(2))
    expect(written).toEqual(['E3 48 01'])
  })

  test('noise never throws, and puts nothing on a pin that is not declared', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 10 }),
        async (chunks) => {
          const { warden, port, written } = await armed()
          for (const chunk of chunks) {
            warden.forward(chunk)
            port.say(...chunk)
          }
          const sent = splitFrames('outbound').push(bytesOf(written))
          const pins = sent.flatMap(([status = 0, pin = 0]) =>
            status === 0xf4 || (status === 0xf0 && pin === 0x6f) ? [pin] : [],
          )
          return pins.every((pin) => [4, 14].includes(pin))
        },
      ),
      { numRuns: 500 },
    )
  })

  test('a port that is lost latches, and is told once with its cause', async () => {
    const { warden, port, said } = await armed()
    port.lose('the fake cable was pulled')
    expect(warden.isArmed).toBe(false)
    expect(said).toEqual([{ kind: 'lost', cause: 'the fake cable was pulled' }])
  })

  test("the board's bytes go on to the robot as they came", () => {
    const { port, heard } = rig()
    port.say(0xe0, 1)
    port.say(2, 0xff, 3)
    expect(heard).toEqual(['E0 01', '02 FF 03'])
  })
})

describe('what passes', () => {
  test('is paced at 80 % of the line, and its last value wins', async () => {
    const made = await armed()
    const { warden, written, clock } = made
    let last = 0
    for (let ms = 0; ms < 1000; ms++) {
      for (let n = 0; n < 5; n++) {
        last = 30 + ((ms * 5 + n) % 200)
        write(warden, frames.analog(3, last))
      }
      if (ms % 100 === 0) warden.beat()
      // oxlint-disable-next-line no-await-in-loop -- time must pass between the commands
      await clock.advance(1)
    }
    const bytes = bytesOf(written).length
    expect(bytes).toBeGreaterThan(4300)
    expect(bytes).toBeLessThanOrEqual(4608 + 30)
    await clock.advance(20)
    expect(written.at(-1)).toBe(hex(frames.analog(3, last)))
  })

  test('is one transaction for each motor, whatever was replaced while it waited', async () => {
    const { warden, written, clock } = await armed()
    write(warden, ...forward(160))
    await clock.advance(20)
    for (let n = 0; n < 20; n++) write(warden, frames.pinState(99))
    written.length = 0
    write(warden, ...reverse(50), ...forward(70), ...reverse(90), frames.analog(11, 33))
    await pass(clock, 100)
    const moving = written.filter((bytes) => !bytes.startsWith('F0'))
    expect(moving).toEqual(['E3 00 00 90 00 00 E3 5A 00', 'EB 21 00'])
  })

  test('a half of a change of direction that is sent is the half that stops', async () => {
    const { warden, written, clock } = await armed()
    write(warden, ...forward(160))
    await clock.advance(20)
    written.length = 0
    const [zero = frames.reset(), direction = frames.reset(), duty = frames.reset()] = reverse(90)
    for (const frame of [zero, direction, duty]) write(warden, frame)
    expect(written).toEqual(['E3 00 00', 'E3 00 00 90 00 00', 'E3 5A 00'])
  })

  test('queries have a limit', () => {
    const { warden } = known()
    for (let n = 0; n < 1000; n++) write(warden, frames.pinState(99))
    expect(warden.counts().overflowed).toBeGreaterThan(1000 - asksMax - 10)
  })

  test('a port that takes nothing gets no more than a halt', async () => {
    const made = await armed()
    const { warden, port, written, clock } = made
    port.backlogBytes = 1000
    write(warden, ...forward(100))
    await live(made, 1000)
    expect(written).toEqual([])
    warden.halt(1)
    expect(written).toEqual([haltBytes])
    port.backlogBytes = 0
    await clock.advance(50)
    expect(written.filter((bytes) => bytes.startsWith('E3'))).toEqual([])
  })
})

/** Port 0 has both directions and the lamp. */
const crowded = tableOf({
  wheels: wheelsOn({ pwm: 3, dir: 2 }, { pwm: 5, dir: 4 }),
  relays: [{ name: 'lamp', pin: 7, halt: 'low' }],
})

test('whatever is commanded at whatever speed, no duty is ever put out in another direction than it was meant for', async () => {
  const side = fc.record({
    do: fc.constant('drive' as const),
    side: fc.constantFrom('left' as const, 'right' as const),
    isForward: fc.boolean(),
    half: fc.integer({ min: 15, max: 126 }),
  })
  const other = fc.oneof(
    fc.record({ do: fc.constant('lamp' as const), on: fc.boolean() }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ do: fc.constantFrom('halt' as const, 'ask' as const) }),
  )
  const pieces = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(side, side, other), { maxLength: 60 }), pieces, check),
    { numRuns: 300 },
  )

  type Step =
    typeof side extends fc.Arbitrary<infer A>
      ? typeof other extends fc.Arbitrary<infer B>
        ? A | B
        : never
      : never

  /** An odd duty was meant forward, an even one in reverse. */
  async function check(steps: readonly Step[], sizes: readonly number[]) {
    const made = known(crowded)
    const { warden, port, clock } = made
    const board = { left: { dir: 0, duty: 0 }, right: { dir: 0, duty: 0 } }
    let faults = 0
    port.onFrame(([status = 0, first = 0, second = 0]) => {
      const value = first + 128 * second
      if (status === 0xe3) board.left.duty = value
      if (status === 0xe5) board.right.duty = value
      if (status === 0x90) {
        board.left.dir = (value >> 2) & 1
        board.right.dir = (value >> 4) & 1
      }
      for (const { dir, duty } of [board.left, board.right]) {
        if (duty > 0 && duty % 2 !== dir) faults++
      }
    })
    let halts = 0
    let size = 0
    const transport = makeTransport({
      table: crowded,
      write(bytes) {
        for (let at = 0; at < bytes.length;) {
          const step = sizes[size++ % sizes.length] ?? 1
          warden.forward(bytes.subarray(at, at + step))
          at += step
        }
      },
      onReport: () => undefined,
      onFault: () => undefined,
    })
    const levels = { left: 0, right: 0, lamp: 0 }
    const portFrame = () =>
      frames.port(0, (levels.left << 2) | (levels.right << 4) | (levels.lamp << 7))
    warden.arm(0, 0)
    transport.open()
    for (const each of steps) {
      switch (each.do) {
        case 'drive': {
          levels[each.side] = each.isForward ? 1 : 0
          const pin = each.side === 'left' ? 3 : 5
          const duty = each.half * 2 + (each.isForward ? 1 : 0)
          transport.command(each.side, () => {
            for (const frame of [frames.analog(pin, 0), portFrame(), frames.analog(pin, duty)])
              transport.stream.write(frame)
          })
          break
        }
        case 'lamp':
          levels.lamp = each.on ? 1 : 0
          transport.command('lamp', () => transport.stream.write(portFrame()))
          break
        case 'ask':
          transport.ask(frames.pinState(99))
          break
        case 'halt':
          warden.halt(++halts)
          transport.shut()
          warden.arm(halts, 0)
          transport.open()
          Object.assign(levels, { left: 0, right: 0, lamp: 0 })
          break
        case 'pass':
          warden.beat()
          // oxlint-disable-next-line no-await-in-loop -- one step after the other
          await clock.advance(each.ms)
      }
    }
    warden.beat()
    await pass(clock, 100)
    expect(faults).toBe(0)
    const wished = { left: levels.left, right: levels.right }
    for (const wheel of ['left', 'right'] as const) {
      if (board[wheel].duty > 0) expect(board[wheel].dir).toBe(wished[wheel])
    }
  }
})

describe('a halt', () => {
  test('overtakes what waits, and what waited never comes', async () => {
    const { warden, written, clock } = await armed()
    for (let n = 0; n < 5000; n++) {
      write(warden, frames.analog(3, 30 + (n % 200)), frames.analog(11, 30 + (n % 200)))
    }
    warden.halt(1)
    const at = written.indexOf(haltBytes)
    expect(written.slice(at + 1).filter((bytes) => !bytes.startsWith('F0'))).toEqual([])
    await pass(clock, 10_000)
    const after = written.slice(at + 1)
    expect(after.filter((bytes) => !bytes.startsWith('F0') && bytes !== haltBytes)).toEqual([])
  })

  test('is written each time that it is asked for by a new number, and once for each', async () => {
    const { warden, written } = await armed()
    for (const number of [1, 1, 2, 2, 1]) warden.halt(number)
    expect(written.filter((bytes) => bytes === haltBytes)).toHaveLength(2)
  })

  test('writes nothing to what has not shown to be a board', async () => {
    const { warden, written, clock } = rig()
    warden.halt(1)
    await pass(clock, 500)
    expect(written.filter((bytes) => !bytes.startsWith('F0 6D'))).toEqual([])
    expect(warden.evidence).toBe('none')
  })

  test('latches: nothing moves until the next arming, and then only what comes after it', async () => {
    const { warden, written, clock } = await armed()
    write(warden, ...forward(100))
    warden.halt(1)
    await clock.advance(20)
    written.length = 0
    write(warden, ...forward(100))
    expect(written).toEqual([])
    warden.arm(1, 0)
    expect(written).toEqual([preamble])
    await clock.advance(20)
    write(warden, ...forward(100))
    expect(written.at(-1)).toBe('E3 00 00 90 04 00 E3 64 00')
  })
})

describe('an arming and the halts and trips that it knows of', () => {
  test('a trip that the robot had not heard of refuses it', async () => {
    const { warden } = await armed()
    warden.trip('enough')
    warden.arm(0, 0)
    expect(warden.isArmed).toBe(false)
    warden.arm(0, 1)
    expect(warden.isArmed).toBe(true)
  })

  test('a robot that claims to know of a trip that was not is refused', () => {
    const { warden } = known()
    warden.arm(0, 1)
    expect(warden.isArmed).toBe(false)
  })

  test('a halt that it knows of and that is still on its way is done first, and is void when it comes', async () => {
    const { warden, written } = await armed()
    write(warden, ...forward(100))
    written.length = 0
    warden.arm(1, 0)
    expect(written).toEqual([haltBytes, preamble])
    warden.halt(1)
    expect(warden.isArmed).toBe(true)
    expect(written).toHaveLength(2)
    warden.halt(2)
    expect(warden.isArmed).toBe(false)
  })

  test('a halt that it does not know of refuses it', () => {
    const { warden } = known()
    warden.halt(1)
    warden.halt(2)
    warden.arm(1, 0)
    expect(warden.isArmed).toBe(false)
    warden.arm(2, 0)
    expect(warden.isArmed).toBe(true)
  })
})

describe('beats', () => {
  const silence = 'the robot process was silent for more than 300 ms'

  test('armed, 300 ms without any trips, once, and says so', async () => {
    const made = await armed()
    const { warden, written, said, clock } = made
    warden.beat()
    await pass(clock, 300)
    expect([warden.isArmed, said]).toEqual([true, []])
    await pass(clock, 25)
    expect(warden.isArmed).toBe(false)
    expect(written[0]).toBe(haltBytes)
    await pass(clock, 2000)
    expect(said.filter(({ kind }) => kind === 'tripped')).toEqual([
      { kind: 'tripped', cause: silence, trips: 1 },
    ])
  })

  test('the arming counts as one', async () => {
    const { warden, clock } = known()
    await pass(clock, 1000)
    warden.arm(0, 0)
    await pass(clock, 300)
    expect(warden.isArmed).toBe(true)
  })

  test('as long as they come it stays armed', async () => {
    const made = await armed()
    await live(made, 5000)
    expect(made.warden.isArmed).toBe(true)
  })

  test('latched, nobody has to beat', async () => {
    const { clock, said } = known()
    await pass(clock, 5000)
    expect(said).toEqual([])
  })

  test('one that comes after the trip opens nothing', async () => {
    const made = await armed()
    await pass(made.clock, 400)
    await live(made, 500)
    expect(made.warden.isArmed).toBe(false)
  })

  test('one that arrived while this process stalled is read before it is judged', async () => {
    const { warden, clock, said } = await armed()
    await clock.advance(320)
    warden.beat()
    await clock.advance(100)
    expect([warden.isArmed, said]).toEqual([true, []])
  })

  test('to a board without a deadman none is sent', async () => {
    const made = await armed()
    await live(made, 500)
    expect(made.written).toEqual([])
  })
})

describe('after a halt', () => {
  test('the safe outputs are written again every 100 ms until there is evidence', async () => {
    const { warden, written, clock } = known()
    warden.halt(1)
    await pass(clock, 995)
    expect(written.filter((bytes) => bytes === haltBytes)).toHaveLength(10)
  })

  test('what is known of it is told within 190 ms, and again only when it is news', async () => {
    const { warden, said, clock } = known()
    warden.halt(1)
    await pass(clock, 95)
    expect(said).toEqual([])
    await pass(clock, 95)
    expect(said).toEqual([{ kind: 'evidence', halt: 1, evidence: 'written' }])
    expect(warden.evidence).toBe('written')
    await pass(clock, 1000)
    expect(said).toHaveLength(1)
  })

  test('there is none when the port does not get rid of its bytes', async () => {
    const { warden, port, said, clock } = known()
    port.takes = false
    warden.halt(1)
    await pass(clock, 1000)
    expect(said).toEqual([])
    expect(warden.evidence).toBe('none')
  })

  test('answers are evidence, and from then on it is written again once a second', async () => {
    const { warden, port, written, said, clock } = known()
    answerSafe(port)
    warden.halt(1)
    await pass(clock, 50)
    expect(said).toEqual([{ kind: 'evidence', halt: 1, evidence: 'echoed' }])
    expect(written.filter((bytes) => bytes === haltBytes)).toHaveLength(1)
    await pass(clock, 3_100)
    expect(written.filter((bytes) => bytes === haltBytes)).toHaveLength(4)
    expect(said).toHaveLength(1)
  })

  test('evidence that is lost is told too, and looked for every 100 ms again', async () => {
    const { warden, port, written, said, clock } = known()
    const answers = answerSafe(port)
    warden.halt(1)
    await pass(clock, 50)
    answers.stop()
    await pass(clock, 1_300)
    expect(said.slice(1)).toEqual([{ kind: 'evidence', halt: 1, evidence: 'written' }])
    written.length = 0
    await pass(clock, 1_000)
    expect(written.filter((bytes) => bytes === haltBytes)).toHaveLength(10)
  })

  test('evidence that comes late is told when it comes', async () => {
    const { warden, port, said, clock } = known()
    warden.halt(1)
    await pass(clock, 450)
    answerSafe(port)
    await pass(clock, 150)
    expect(said.map((event) => event.kind === 'evidence' && event.evidence)).toEqual([
      'written',
      'echoed',
    ])
  })

  test('each halt has its own evidence', async () => {
    const { warden, port, said, clock } = known()
    answerSafe(port)
    warden.halt(1)
    await pass(clock, 50)
    warden.halt(2)
    await pass(clock, 50)
    expect(said).toEqual([
      { kind: 'evidence', halt: 1, evidence: 'echoed' },
      { kind: 'evidence', halt: 2, evidence: 'echoed' },
    ])
  })

  test('an arming ends it', async () => {
    const made = known()
    const { warden, written, said, clock } = made
    warden.halt(1)
    await pass(clock, 50)
    warden.arm(1, 0)
    written.length = 0
    await live(made, 2000)
    expect([written, said]).toEqual([[], []])
  })

  test('a halt that an arming has overtaken leaves no search for its evidence behind', async () => {
    const made = await armed()
    made.warden.arm(1, 0)
    made.warden.halt(1)
    await live(made, 1000)
    expect(made.said).toEqual([])
    expect(made.warden.isArmed).toBe(true)
  })
})

describe('without evidence', () => {
  const notQueries = (written: readonly string[]) =>
    written.filter((bytes) => !bytes.startsWith('F0 6D'))

  test('a body that no reset harms is reset by message after 300 ms and by its DTR line after 600', async () => {
    const { warden, port, written, clock } = known(plain)
    warden.halt(1)
    await pass(clock, 295)
    expect(notQueries(written)).toEqual([haltBytes, haltBytes, haltBytes])
    written.length = 0
    await pass(clock, 100)
    expect(notQueries(written)).toEqual([haltBytes, 'FF', haltBytes])
    expect(port.resets).toBe(0)
    await pass(clock, 300)
    expect(port.resets).toBe(1)
    await pass(clock, 5000)
    expect(port.resets).toBe(1)
    expect(written.filter((bytes) => bytes === 'FF')).toHaveLength(1)
  })

  test('inputs are set again after each reset, with the last that was wanted of them', async () => {
    const { warden, written, clock } = known(plain)
    write(warden, frames.mode(14, 2), frames.reportAnalog(0, false), frames.reportAnalog(0, true))
    write(warden, frames.samplingInterval(20))
    warden.halt(1)
    await pass(clock, 295)
    written.length = 0
    await pass(clock, 100)
    const settings = ['F4 0E 02', 'C0 01', 'F0 7A 14 00 F7']
    expect(notQueries(written)).toEqual([haltBytes, 'FF', haltBytes, ...settings])
    written.length = 0
    await pass(clock, 300)
    expect(notQueries(written).filter((bytes) => bytes !== haltBytes)).toEqual(settings)
  })

  test('a body that a reset would harm is never reset', async () => {
    const harmed: readonly Parameters<typeof tableOf>[0][] = [
      { bumpers: [{ name: 'nose', pin: 4 }] },
      { relays: [{ name: 'lock', pin: 8, halt: 'high' }] },
      { servos: [{ name: 'gripper', pin: 9, halt: 'hold' }] },
      { servos: [{ name: 'tail', pin: 10, halt: 'release' }] },
    ]
    for (const body of harmed) {
      const { warden, port, written, clock } = known(tableOf(body))
      warden.halt(1)
      // oxlint-disable-next-line no-await-in-loop -- one body after the other
      await pass(clock, 2000)
      expect([port.resets, written.includes('FF')]).toEqual([0, false])
    }
  })

  test('with evidence nothing is reset', async () => {
    const { warden, port, written, clock } = known(plain)
    answerSafe(port)
    warden.halt(1)
    await pass(clock, 5000)
    expect([port.resets, written.includes('FF')]).toEqual([0, false])
  })
})

describe('closing', () => {
  test('halts, lets go of the port when that has left, and leaves no timer', async () => {
    const made = await armed()
    const { warden, port, written, clock } = made
    for (let n = 0; n < 30; n++) write(warden, frames.pinState(99))
    written.length = 0
    await warden.close()
    expect(written).toEqual([haltBytes])
    expect([port.isOpen(), warden.isArmed, clock.running]).toEqual([false, false, 0])
  })

  test('does not wait longer than half a second for a port that takes nothing', async () => {
    const { warden, port, clock } = await armed()
    port.takes = false
    const closed = warden.close()
    await pass(clock, 495)
    expect(port.isOpen()).toBe(true)
    await pass(clock, 10)
    await closed
    expect([port.isOpen(), clock.running]).toEqual([false, 0])
  })

  test('ends the search for evidence', async () => {
    const { warden, clock } = known()
    warden.halt(1)
    await pass(clock, 250)
    await warden.close()
    expect(clock.running).toBe(0)
  })

  test('nothing is taken, written or said while it closes and after it', async () => {
    const { warden, port, written, said, clock } = await armed()
    port.takes = false
    const closed = warden.close()
    const before = written.length
    warden.trip('too late')
    warden.halt(7)
    warden.arm(7, 0)
    await pass(clock, 505)
    await closed
    warden.arm(7, 1)
    warden.halt(8)
    warden.beat()
    warden.trip('far too late')
    write(warden, frames.version(), ...forward(100))
    port.lose('the fake cable was pulled')
    await pass(clock, 1000)
    expect(written.slice(before)).toEqual([])
    expect([said, warden.isArmed, clock.running]).toEqual([[], false, 0])
  })

  test('is one thing, however often it is asked for', async () => {
    const { warden, written } = await armed()
    await Promise.all([warden.close(), warden.close()])
    await warden.close()
    expect(written).toEqual([haltBytes])
  })
})

function bytesOf(written: readonly string[]): Uint8Array {
  return Buffer.from(written.join('').replaceAll(' ', ''), 'hex')
}
