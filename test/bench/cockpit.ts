import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { WebSocket } from 'ws'
import { createCockpit, type RunCockpit } from '../../cockpit.ts'
import type { PageWord, Role } from '../../inspector/cockpit/protocol.ts'
import { handoverMs } from '../../inspector/cockpit/hands.ts'
import { pagesMax } from '../../inspector/cockpit/server.ts'
import { wallClock } from '../../drivers/clock.ts'
import { createRobot } from '../../robot.ts'
import type { Robot } from '../../robot/contract.ts'
import { silence } from '../../robot/log.ts'
import { handMadeBody, twoWheels } from '../support/hand-made-body.ts'
import { attackFigures } from './attack.ts'
import { countedFigure, type Figure, timingFigure } from './figure.ts'
import { collect, phaseMs, timingsOf } from './sampling.ts'
import { scrubbingFigures } from './scrubbing.ts'

/** What is promised of the cockpit, with as many pages watching as there are places. Milliseconds, and shares of a period. */
const promised = {
  command: { name: 'command to actuator', bound: 30, floor: 0 },
  halt: { name: 'HALT to actuator', bound: 15, floor: 0 },
  cost: { name: 'reflex loop: its period, taken by 20 watchers', unit: '%', bound: 5, op: '<=' },
} as const

const tickMs = 20
/** How many ticks the cost is measured over, with and without watchers. */
const ticksMeasured = 500
/** How long a sample may take before it counts as one that never came, in ms. */
const sampleMsMax = 2_000

/**
 * A robot in real time, driven over the socket, while 20 pages watch: how long until its wheels hear, and what the pages
 * cost; then another one, of which a page looks at the past, and a third that is flooded.
 */
export async function cockpitBench(options: {
  note(line: string): void
}): Promise<readonly Figure[]> {
  return [
    ...(await drivenFigures(options)),
    ...(await scrubbingFigures(options)),
    ...(await attackFigures(options)),
  ]
}

async function drivenFigures({ note }: { note(line: string): void }): Promise<readonly Figure[]> {
  const stage = await raise()
  try {
    note('what the reflex loop takes by itself')
    await stage.drive(0.1)
    // What runs for the first time is slow, with or without pages.
    await stage.ticks()
    await stage.ticks()
    const alone = await stage.ticks()
    note('what it takes while 20 pages watch')
    const heard = await stage.watch()
    await stage.ticks()
    const watched = await stage.ticks()
    note('commands')
    const commands = await collect((index) => commandSample(stage, index))
    note('halts')
    const halts = await collect((index) => haltSample(stage, index))
    const words = await heard()
    const added = mean(watched.ms) - mean(alone.ms)
    return [
      timingFigure(promised.command, timingsOf(commands)),
      timingFigure(promised.halt, timingsOf(halts)),
      countedFigure(promised.cost, {
        value: (added / tickMs) * 100,
        n: watched.ms.length,
        reason: `a tick takes ${mean(alone.ms).toFixed(3)} ms alone and ${mean(watched.ms).toFixed(3)} ms watched; all of the thread is busy ${percent(alone.share)} and ${percent(watched.share)}; the pages heard ${words} words`,
      }),
    ]
  } finally {
    await stage.leave()
  }
}

async function commandSample(stage: Stage, index: number): Promise<{ ms: number; slipMs: number }> {
  const [from, to] = index % 2 === 0 ? [0.1, 0.2] : [0.2, 0.1]
  await stage.drive(from)
  await sleep(phaseMs(index, tickMs))
  const sentMs = performance.now()
  const heardMs = stage.body.next((left) => Math.abs(left * 0.05 - from) > 1e-6)
  stage.say(to)
  return { ms: (await soon(heardMs)) - sentMs, slipMs: 0 }
}

async function haltSample(stage: Stage, index: number): Promise<{ ms: number; slipMs: number }> {
  await stage.drive(0.1)
  await sleep(phaseMs(index, tickMs))
  const sentMs = performance.now()
  const heardMs = stage.body.nextHalt()
  stage.page.say({ type: 'halt' })
  return { ms: (await soon(heardMs)) - sentMs, slipMs: 0 }
}

function soon(moment: Promise<number>): Promise<number> {
  return Promise.race([moment, sleep(sampleMsMax, Number.POSITIVE_INFINITY, { ref: false })])
}

/** A robot that can be driven over the socket, and what is measured on it. */
interface Stage {
  readonly body: Watched
  readonly page: Page
  /** Resolves when it drives by hand at that speed, in m/s, whatever it did before. */
  drive(speed: number): Promise<void>
  /** From now on the stick is held there. */
  say(speed: number): void
  /** How long each of the next ticks takes, in ms, and how busy the thread is meanwhile. */
  ticks(): Promise<{ readonly ms: readonly number[]; readonly share: number }>
  /** Seats the watchers. Answers with how to ask what they have heard. */
  watch(): Promise<() => Promise<number>>
  leave(): Promise<void>
}

async function raise(): Promise<Stage> {
  const body = watchedBody()
  const robot = createRobot(twoWheels, { body: body.body, clock: wallClock(), seed: 7 })
  const cockpit = createCockpit({
    robot,
    clock: wallClock(),
    port: 0,
    folder: 'dist/cockpit',
    log: silence,
  })
  await cockpit.open()
  await robot.start()
  const page = await openPage(cockpit, await cookieOf(cockpit, 'drive'))
  const stick = holdStick(page)
  let worker: Worker | undefined
  return {
    body,
    page,
    async drive(speed) {
      if (robot.snapshot().state !== 'active.manual') await takeOver(robot, page, stick)
      stick.hold(speed)
      await body.next((left) => Math.abs(left * 0.05 - speed) < 1e-6)
    },
    say: (speed) => stick.hold(speed),
    ticks: () => body.ticks(ticksMeasured),
    async watch() {
      worker = new Worker(new URL('watchers.mjs', import.meta.url), {
        workerData: {
          url: liveOf(cockpit),
          cookie: await cookieOf(cockpit, 'watch'),
          count: pagesMax.watch,
        },
      })
      await once(worker, 'message')
      const watchers = worker
      return async () => {
        watchers.postMessage('count')
        const [heard]: unknown[] = await once(watchers, 'message')
        return Number(heard)
      }
    },
    async leave() {
      stick.let()
      await worker?.terminate()
      await cockpit.close()
      await robot.stop()
    },
  }
}

/** From wherever it is: reset, armed, and driven by this page, whose stick is at zero. */
async function takeOver(robot: Robot, page: Page, stick: Stick): Promise<void> {
  stick.hold(0)
  const reaches = (state: string) =>
    new Promise<void>((resolve) => {
      const stop = robot.onState((next) => {
        if (next !== state) return
        stop()
        resolve()
      })
    })
  if (robot.snapshot().state === 'halted') {
    await robot.halt()
    const standing = reaches('standby')
    page.say({ type: 'reset' })
    await standing
  }
  if (robot.snapshot().state === 'standby') {
    const armed = reaches('active.holding')
    page.say({ type: 'arm', epoch: robot.snapshot().epoch })
    await armed
  }
  await sleep(handoverMs)
  const driven = reaches('active.manual')
  page.say({ type: 'takeOver' })
  await driven
  // Nobody moves anything before he was seen at zero.
  stick.hold(0)
  await sleep(2 * tickMs)
}

interface Page {
  say(word: PageWord): void
}

async function openPage(cockpit: RunCockpit, cookie: string): Promise<Page> {
  const socket = new WebSocket(liveOf(cockpit), { headers: { cookie } })
  socket.on('message', () => {})
  await once(socket, 'open')
  return { say: (word) => socket.send(JSON.stringify(word)) }
}

function liveOf(cockpit: RunCockpit): string {
  return `${cockpit.present.address?.replace('http', 'ws')}/live`
}

async function cookieOf(cockpit: RunCockpit, role: Role): Promise<string> {
  const { headers } = await fetch(cockpit.link(role) ?? '', { redirect: 'manual' })
  return (headers.get('set-cookie') ?? '').split(';')[0] ?? ''
}

interface Stick {
  hold(speed: number): void
  let(): void
}

/** Says at 20 Hz where the stick is, and at once when it moves. */
function holdStick(page: Page): Stick {
  let speed = 0
  let sequence = 0
  const say = () => {
    sequence += 1
    page.say({ type: 'drive', linear: speed, angular: 0, sequence })
  }
  const timer = setInterval(say, 50)
  return {
    hold(next) {
      speed = next
      say()
    },
    let: () => clearInterval(timer),
  }
}

/** A body whose every tick, write and halt is seen at its time. */
interface Watched {
  readonly body: ReturnType<typeof handMadeBody>
  /** When the wheels are first told something that passes, in ms. */
  next(passes: (left: number) => boolean): Promise<number>
  nextHalt(): Promise<number>
  ticks(count: number): Promise<{ readonly ms: readonly number[]; readonly share: number }>
}

function watchedBody(): Watched {
  const body = handMadeBody(wallClock())
  const writes = new Set<(left: number) => void>()
  const halts = new Set<() => void>()
  let begunMs = 0
  body.faults.step = () => {
    begunMs = performance.now()
  }
  body.faults.write = (command) => {
    if (command.kind !== 'wheels') return
    for (const hear of writes) hear(command.left)
  }
  body.faults.halt = () => {
    for (const hear of halts) hear()
  }
  return {
    body,
    next: (passes) =>
      new Promise((resolve) => {
        const hear = (left: number) => {
          if (!passes(left)) return
          writes.delete(hear)
          resolve(performance.now())
        }
        writes.add(hear)
      }),
    nextHalt: () =>
      new Promise((resolve) => {
        const hear = () => {
          halts.delete(hear)
          resolve(performance.now())
        }
        halts.add(hear)
      }),
    ticks: (count) =>
      new Promise((resolve) => {
        const ms: number[] = []
        const before = performance.eventLoopUtilization()
        const hear = () => {
          ms.push(performance.now() - begunMs)
          if (ms.length < count) return
          writes.delete(hear)
          resolve({ ms, share: performance.eventLoopUtilization(before).utilization })
        }
        writes.add(hear)
      }),
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
