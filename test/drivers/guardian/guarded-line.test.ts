import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { wallClock } from '../../../drivers/clock.ts'
import { frames, splitFrames } from '../../../drivers/guardian/frames.ts'
import { openGuardedLine } from '../../../drivers/guardian/guarded-line.ts'
import type { Line, LineEvent } from '../../../drivers/guardian/line.ts'
import { armFrame, beatRecord, farewellRecord } from '../../../drivers/guardian/orders.ts'
import { openPort } from '../../../drivers/guardian/port.ts'
import { type Report, readReport } from '../../../drivers/guardian/reports.ts'
import { factsOf } from '../../../store/process-identity.ts'
import { builtHex, readyMadeHex } from '../../support/uno/firmware.ts'
import { monotonicMs } from '../../support/uno/monotonic.ts'
import { type RemoteUno, startRemoteUno } from '../../support/uno/remote.ts'
import { type Subscribe, until } from '../../support/uno/until.ts'
import { tableOf, wheelsOn } from './tables.ts'

const clock = wallClock()
const table = tableOf({ wheels: wheelsOn({ pwm: 3, dir: 2 }, { pwm: 11, dir: 12 }) })
const program = fileURLToPath(new URL('../../../dist/drivers/guardian/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mechos-guardian-'))
/** How long anything may take on a machine that is busy with other things. */
const limitMs = 10_000
const beatMs = 20
const drive = Buffer.concat([frames.analog(3, 0), frames.port(0, 4), frames.analog(3, 160)])
const driven = 160 / 255

let uno: RemoteUno
beforeAll(async () => {
  uno = await startRemoteUno({ firmware: builtHex().firmware ?? readyMadeHex() })
})
afterAll(async () => {
  await uno.close()
  rmSync(folder, { recursive: true })
})

/** Resolves when the pin puts out this duty, 0 to 1. */
async function reaches(pin: number, duty: number): Promise<void> {
  let seen: number | undefined
  const stop = uno.onDuty((change) => {
    if (change.pin === pin) seen = change.duty
  })
  const now = await uno.dutyOf(pin)
  seen ??= now
  await until({
    what: () => `a duty of ${duty} on pin ${pin}, which has ${seen}`,
    condition: () => seen !== undefined && Math.abs(seen - duty) < 0.01,
    on: uno.onDuty,
    limitMs,
  })
  stop()
}

/** The guardians that this process has started and that live. */
function guardians(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && factsOf(Number(name))?.parent === process.pid)
    .filter((name) => nameOf(name) === 'mechos-guardian')
    .map(Number)
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return 'gone'
  }
}

/** Nobody tells when another process has gone: it is looked for. */
const often: Subscribe = (listener) => {
  const looking = setInterval(listener, 5)
  return () => clearInterval(looking)
}

function gone(pid: number): Promise<void> {
  const what = () => `process ${pid} ends`
  return until({ what, condition: () => factsOf(pid) === undefined, on: often, limitMs })
}

/** Whether a report of that kind has been among the bytes so far. */
function listenFor(kind: Report['kind']): (bytes: Uint8Array) => boolean {
  const splitter = splitFrames('inbound')
  let isHeard = false
  return (bytes) => {
    for (const frame of splitter.push(bytes)) isHeard ||= readReport(frame)?.kind === kind
    return isHeard
  }
}

interface Held {
  readonly line: Line
  readonly guardian: number
  readonly events: readonly LineEvent[]
  /** Resolves when an event of that kind has come. */
  tells(kind: LineEvent['kind']): Promise<void>
  stopBeating(): void
}

/** A line to the board, which has reported itself, in a robot whose loop is alive. */
async function hold(): Promise<Held> {
  const line = await openGuardedLine({
    path: uno.path,
    table,
    name: 'rover',
    note: undefined,
    clock,
  })
  const events: LineEvent[] = []
  const listeners = new Set<() => void>()
  const on: Subscribe = (listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const hasReported = listenFor('firmware')
  let isReported = false
  line.onEvent((event) => {
    events.push(event)
    for (const listener of listeners) listener()
  })
  line.onData((bytes) => {
    isReported = hasReported(bytes)
    for (const listener of listeners) listener()
  })
  line.write(frames.firmware())
  await until({ what: () => 'the board reports itself', condition: () => isReported, on, limitMs })
  const beating = setInterval(() => line.beat(), beatMs)
  const [guardian = NaN] = guardians()
  return {
    line,
    guardian,
    events,
    tells: (kind) =>
      until({
        what: () => `${kind} is told, after ${JSON.stringify(events)}`,
        condition: () => events.some((event) => event.kind === kind),
        on,
        limitMs,
      }),
    stopBeating: () => clearInterval(beating),
  }
}

function evidenceOf(events: readonly LineEvent[]) {
  return events.findLast((event) => event.kind === 'evidence')?.evidence
}

describe('a line to a guardian process', () => {
  let held: Held
  let line: Line
  beforeEach(async () => {
    held = await hold()
    ;({ line } = held)
  })
  afterEach(async () => {
    held.stopBeating()
    await line.close()
    expect(guardians()).toEqual([])
    expect([await uno.dutyOf(3), await uno.dutyOf(11)]).toEqual([0, 0])
  })

  const setOff = async () => {
    line.arm()
    line.write(drive)
    await reaches(3, driven)
  }

  test('drives, halts, and knows how well', async () => {
    await setOff()
    expect(line.halt()).toBe(true)
    await reaches(3, 0)
    expect(line.isOpen()).toBe(true)
    await held.tells('evidence')
    line.write(drive)
    line.write(frames.pinState(3))
    line.arm()
    line.write(frames.analog(11, 100))
    await reaches(11, 100 / 255)
    // What was written while it was latched did not wait for the arming.
    expect(await uno.dutyOf(3)).toBe(0)
  })

  test('has one guardian, with a session of its own and an empty environment', () => {
    expect(guardians()).toEqual([held.guardian])
    expect(factsOf(held.guardian)?.group).toBe(held.guardian)
    expect(readFileSync(`/proc/${held.guardian}/environ`, 'utf8')).toBe('')
    expect(readlinkSync(`/proc/${held.guardian}/cwd`)).toBe('/')
  })

  test('nobody else opens the port while the guardian lives, and anybody once it is closed', async () => {
    await expect(openPort(uno.path, clock)).rejects.toMatchObject({
      code: 'ERR_PORT_UNAVAILABLE',
      message: `cannot open ${uno.path}: it is locked by another program`,
    })
    await line.close()
    const port = await openPort(uno.path, clock)
    expect(port.isOpen()).toBe(true)
    await port.close()
  })

  test('a halt leaves this process though its event loop stands still from then on', async () => {
    await setOff()
    const stopped: number[] = []
    const stop = uno.onDuty(({ pin, duty, hostMs }) => {
      if (pin === 3 && duty === 0) stopped.push(hostMs)
    })
    line.halt()
    const untilMs = monotonicMs() + 500
    while (monotonicMs() < untilMs);
    await reaches(3, 0)
    stop()
    expect(stopped[0]).toBeLessThan(untilMs)
  })

  test('a guardian that is killed in mid-drive is replaced for as long as it takes to halt', async () => {
    await setOff()
    process.kill(held.guardian, 'SIGKILL')
    await reaches(3, 0)
    await held.tells('lost')
    // Whichever comes first: its end, or a beat that cannot be delivered.
    const cause = expect.stringMatching(/^the guardian (process died|takes no orders)$/)
    const evidence = evidenceOf(held.events)
    expect(held.events).toEqual([
      { kind: 'tripped', cause, trips: 1 },
      { kind: 'evidence', halt: 0, evidence },
      { kind: 'lost', cause },
    ])
    expect(evidence).toMatch(/^(echoed|written)$/)
    expect(await line.confirm()).toBe(evidence)
    expect([line.isOpen(), line.halt(), guardians()]).toEqual([false, false, []])
    // Nobody heard that one, and nobody vouches for it.
    expect(await line.confirm()).toBe('none')
    expect(() => line.arm()).toThrow(expect.objectContaining({ code: 'ERR_BOARD_LOST' }))
    const again = await hold()
    again.stopBeating()
    await again.line.close()
  })

  test('a guardian that is frozen is killed, and its port is taken', async () => {
    await setOff()
    process.kill(held.guardian, 'SIGSTOP')
    await reaches(3, 0)
    await held.tells('lost')
    const cause = 'the guardian was silent for more than 300 ms'
    expect(held.events[0]).toEqual({ kind: 'tripped', cause, trips: 1 })
    expect(held.events.at(-1)).toEqual({ kind: 'lost', cause })
    expect(evidenceOf(held.events)).toMatch(/^(echoed|written)$/)
    expect(factsOf(held.guardian)).toBeUndefined()
  })

  test('without beats it trips, and can be armed again', async () => {
    await setOff()
    held.stopBeating()
    await reaches(3, 0)
    await held.tells('evidence')
    const cause = 'the robot process was silent for more than 300 ms'
    expect(held.events[0]).toEqual({ kind: 'tripped', cause, trips: 1 })
    line.write(drive)
    line.arm()
    line.write(frames.analog(11, 100))
    await reaches(11, 100 / 255)
    expect(await uno.dutyOf(3)).toBe(0)
  })

  test('closed in mid-drive it halts, and its guardian is gone within two seconds', async () => {
    await setOff()
    const sinceMs = monotonicMs()
    await line.close()
    expect(monotonicMs() - sinceMs).toBeLessThan(2_000)
    expect(await uno.dutyOf(3)).toBe(0)
    expect(factsOf(held.guardian)).toBeUndefined()
    expect(held.events).toEqual([])
  })

  test('a guardian that is frozen is closed too', async () => {
    await setOff()
    process.kill(held.guardian, 'SIGSTOP')
    await line.close()
    expect(factsOf(held.guardian)).toBeUndefined()
    await reaches(3, 0)
  })

  test('a guardian that dies while it is closed has its board halted too', async () => {
    await setOff()
    process.kill(held.guardian, 'SIGSTOP')
    const closed = line.close()
    process.kill(held.guardian, 'SIGKILL')
    await closed
    await reaches(3, 0)
  })

  test('garbage on the data pipe moves nothing, and a halt comes through it', async () => {
    await setOff()
    const noise = Uint8Array.from({ length: 4_096 }, (_, n) => (n * 167 + (n >> 3) * 59) & 0xff)
    const pinModes = Buffer.concat([frames.mode(26, 1), frames.mode(106, 1), frames.mode(5, 3)])
    for (const bytes of [noise, pinModes, frames.analog(5, 200), frames.reset()]) line.write(bytes)
    line.write(Uint8Array.of(0xf0, 0x0e, 1, 2, 3))
    line.halt()
    await reaches(3, 0)
    await held.tells('evidence')
    expect(await uno.dutyOf(5)).toBe(0)
    await setOff()
    expect(guardians()).toEqual([held.guardian])
    expect(held.events.filter(({ kind }) => kind !== 'evidence')).toEqual([])
  })

  test.for(['SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGTSTP', 'SIGUSR1', 'SIGUSR2'] as const)(
    'a guardian takes no notice of %s',
    async (signal) => {
      await setOff()
      process.kill(held.guardian, signal)
      line.write(frames.analog(3, 80))
      await reaches(3, 80 / 255)
      expect(guardians()).toEqual([held.guardian])
      expect(held.events).toEqual([])
    },
  )

  test('a guardian that is asked to end halts, and stays to keep it so', async () => {
    await setOff()
    process.kill(held.guardian, 'SIGTERM')
    await reaches(3, 0)
    await held.tells('evidence')
    const cause = 'the guardian was asked to end'
    expect(held.events[0]).toEqual({ kind: 'tripped', cause, trips: 1 })
    expect(guardians()).toEqual([held.guardian])
  })
})

describe('a port that does not open', () => {
  test('is refused by name, and leaves no process', async () => {
    const path = '/dev/no-such-port'
    await expect(
      openGuardedLine({ path, table, name: 'rover', note: undefined, clock }),
    ).rejects.toMatchObject({
      code: 'ERR_PORT_UNAVAILABLE',
      message: 'cannot open /dev/no-such-port: no such file; is the board plugged in?',
    })
    const what = () => 'the guardian ends'
    await until({ what, condition: () => guardians().length === 0, on: often, limitMs })
  })

  test('is refused while another guardian holds it, who keeps it', async () => {
    const { line, guardian, stopBeating, events } = await hold()
    await expect(
      openGuardedLine({ path: uno.path, table, name: 'rover', note: undefined, clock }),
    ).rejects.toMatchObject({
      code: 'ERR_PORT_UNAVAILABLE',
      message: `cannot open ${uno.path}: it is locked by another program`,
    })
    line.arm()
    line.write(drive)
    await reaches(3, driven)
    expect(guardians()).toContain(guardian)
    expect(events).toEqual([])
    stopBeating()
    await line.close()
  })
})

interface Bare {
  readonly pid: number
  readonly data: Socket
  readonly urgent: Socket
  readonly note: string
  /** Resolves when the guardian has said it. */
  says(pattern: RegExp): Promise<void>
  readonly ended: Promise<unknown>
}

const bareGuardians: ChildProcess[] = []

/** A guardian whose pipes are in the hands of the test, in mid-drive. */
async function bare(name: string): Promise<Bare> {
  const note = join(folder, name)
  const errand = JSON.stringify({ path: uno.path, table, name: 'rover', note })
  const child = spawn(process.execPath, [program, errand], {
    detached: true,
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit')
  const [, , , data, urgent] = child.stdio
  if (!(data instanceof Socket) || !(urgent instanceof Socket)) throw new TypeError('no sockets')
  bareGuardians.push(child)
  let said = ''
  const hasReported = listenFor('firmware')
  let isReported = false
  urgent.on('data', (bytes: Buffer) => {
    said += bytes.toString()
  })
  data.on('data', (bytes: Buffer) => {
    isReported = hasReported(bytes)
  })
  for (const pipe of [data, urgent]) pipe.on('error', () => undefined)
  const onBytes = (pipe: Socket) => (listener: () => void) => {
    pipe.on('data', listener)
    return () => pipe.off('data', listener)
  }
  const says = (pattern: RegExp) =>
    until({
      what: () => `the guardian says ${pattern}, but ${said}`,
      condition: () => pattern.test(said),
      on: onBytes(urgent),
      limitMs,
    })
  await says(/"opened"/)
  data.write(frames.firmware())
  await until({
    what: () => 'the board reports itself',
    condition: () => isReported,
    on: onBytes(data),
    limitMs,
  })
  const beating = setInterval(() => urgent.writable && urgent.write(beatRecord()), beatMs)
  urgent.once('close', () => clearInterval(beating))
  void ended.then(() => clearInterval(beating))
  data.write(armFrame(0, 0))
  data.write(drive)
  await reaches(3, driven)
  return { pid: child.pid ?? NaN, data, urgent, note, says, ended }
}

describe('a guardian whose robot', () => {
  afterEach(async () => {
    for (const child of bareGuardians.splice(0)) {
      for (const pipe of child.stdio) pipe?.destroy()
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    }
  })

  test.for([
    { how: 'has ended', pipes: ['data', 'urgent'] as const },
    { how: 'has closed its urgent pipe', pipes: ['urgent'] as const },
    { how: 'has closed its data pipe', pipes: ['data'] as const },
  ])('$how halts, notes how that went, and ends', async ({ how, pipes }) => {
    const guardian = await bare(`${how}.json`)
    const sinceMs = monotonicMs()
    for (const pipe of pipes) guardian[pipe].destroy()
    await reaches(3, 0)
    expect(await guardian.ended).toEqual([0, null])
    expect(monotonicMs() - sinceMs).toBeLessThan(3_000)
    expect(JSON.parse(readFileSync(guardian.note, 'utf8'))).toEqual({
      cause: expect.stringMatching(/^the (robot process has ended|\w+ pipe to the robot broke)$/),
      evidence: 'echoed',
      ms: expect.any(Number),
    })
    const port = await openPort(uno.path, clock)
    await port.close()
  })

  test('takes its leave halts, and ends without a note', async () => {
    const { urgent, note, pid, ended } = await bare('farewell.json')
    urgent.write(farewellRecord())
    expect(await ended).toEqual([0, null])
    await gone(pid)
    expect(await uno.dutyOf(3)).toBe(0)
    expect(existsSync(note)).toBe(false)
  })

  test('sends orders that are none halts', async () => {
    const { urgent, says, ended } = await bare('garbage.json')
    urgent.write(Uint8Array.of(1, 2, 3, 4, 5))
    await says(/"tripped","cause":"the robot process sent an order that is none"/)
    await reaches(3, 0)
    urgent.write(farewellRecord())
    await ended
  })

  test('ends with much unread on both sides halts, and ends', async () => {
    const { data, urgent, ended } = await bare('unread.json')
    for (const pipe of [data, urgent]) pipe.pause()
    for (let n = 0; n < 200; n++) data.write(frames.capabilities())
    for (const pipe of [data, urgent]) pipe.destroy()
    await reaches(3, 0)
    expect(await ended).toEqual([0, null])
  })
})
