import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { createCockpit, type RunCockpit } from '../../cockpit.ts'
import { type Clock, virtualClock, wallClock } from '../../drivers/clock.ts'
import { demoRover } from '../../drivers/simulated/rover.ts'
import { answerMs } from '../../inspector/cockpit/past.ts'
import type { PageWord } from '../../inspector/cockpit/protocol.ts'
import { createRobot } from '../../robot.ts'
import { silence } from '../../robot/log.ts'
import { type FlightRecord, flightRecordIn, recordLimits } from '../../store/flight-record.ts'
import { keptRecord } from '../support/kept-record.ts'
import { countedFigure, type Figure, timingFigure } from './figure.ts'
import { missedIn } from './missed.ts'
import { collect, phaseMs, timingsOf } from './sampling.ts'

/** What is promised of a page that goes back in a long run, while its robot drives. */
const promised = {
  answer: { name: 'ten seconds back, in a run of ten minutes', bound: 300, floor: 0 },
  missed: { name: 'reflex ticks missed while it is scrubbed', unit: 'ticks', bound: 0, op: '<=' },
} as const

const tickMs = 20
/** A minute of a rover, kept ten times over. */
const minuteMs = 60_000
const minutes = 10
const sliceMax = 500
const backMs = 10_000
const aloneMs = 10_000
const sampleMsMax = 5_000

/** A rover in real time, ten minutes into its run, while a page goes ten seconds back again and again. */
export async function scrubbingFigures({
  note,
}: {
  note(line: string): void
}): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mechos-scrubbing-'))
  try {
    note('ten minutes of a rover')
    const before = await minuteOf()
    const inner = flightRecordIn(join(folder, 'run'), recordLimits, wallClock().now)
    return await scrub(recordAfter(inner, before), note)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function scrub(
  record: FlightRecord,
  note: (line: string) => void,
): Promise<readonly Figure[]> {
  const clock = laterClock(minutes * minuteMs)
  const robot = createRobot(demoRover, { clock, seed: 7, record })
  const cockpit = createCockpit({
    robot,
    clock: wallClock(),
    port: 0,
    folder: 'dist/cockpit',
    log: silence,
  })
  await cockpit.open()
  await robot.start()
  const page = await openPage(cockpit)
  const beatsMs: number[] = []
  const unwatch = robot.inspect((seen) => {
    if (seen.type === '@xstate.event' && seen.event.type === 'robot.beat') beatsMs.push(clock.now())
  })
  try {
    await sleep(1_000)
    note('nobody looks back')
    beatsMs.length = 0
    await sleep(aloneMs)
    const alone = `${missedIn(beatsMs)} of ${beatsMs.length} while nobody looks`
    note('going back in them')
    beatsMs.length = 0
    const answers = await collect(async (index) => {
      await sleep(answerMs + phaseMs(index, tickMs))
      return { ms: await page.looks(clock.now() - backMs), slipMs: 0 }
    })
    return [
      timingFigure(promised.answer, timingsOf(answers)),
      countedFigure(promised.missed, {
        value: missedIn(beatsMs),
        n: beatsMs.length,
        reason: `of ${beatsMs.length} ticks with ${answers.kept.length} looks back; ${alone}`,
      }),
    ]
  } finally {
    unwatch()
    page.close()
    await cockpit.close()
    await robot.stop()
  }
}

/** The entries of a minute of a rover that explores. */
async function minuteOf(): Promise<readonly string[]> {
  const clock = virtualClock()
  const record = keptRecord()
  const robot = createRobot(demoRover, { clock, seed: 7, record })
  await Promise.all([robot.start(), clock.advance(100)])
  await clock.advance(minuteMs - 100)
  await Promise.all([robot.stop(), clock.advance(1_000)])
  return record.texts.filter((text) => !/^\{"kind":"(begin|end)"/.test(text))
}

/** A record that has minutes in it before its robot writes the first word. */
function recordAfter(record: FlightRecord, minute: readonly string[]): FlightRecord {
  return {
    ...record,
    async open(run) {
      await record.open(run)
      for (let count = 0; count < minutes; count++) {
        const texts = minute.map((text) =>
          text.replace(/"atMs":(\d+)/, (_, atMs) => `"atMs":${Number(atMs) + count * minuteMs}`),
        )
        for (let from = 0; from < texts.length; from += sliceMax) {
          const slice = texts.slice(from, from + sliceMax)
          // oxlint-disable-next-line no-await-in-loop -- one slice after the other, as a recorder does
          await record.append(slice, { sync: false })
        }
      }
    },
  }
}

function laterClock(byMs: number): Clock {
  const wall = wallClock()
  const startedMs = wall.now()
  return { ...wall, now: () => wall.now() - startedMs + byMs }
}

interface Page {
  /** How long the answer took, in ms. */
  looks(atMs: number): Promise<number>
  close(): void
}

async function openPage(cockpit: RunCockpit): Promise<Page> {
  const { headers } = await fetch(cockpit.link('watch') ?? '', { redirect: 'manual' })
  const cookie = (headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const url = `${cockpit.present.address?.replace('http', 'ws')}/live`
  const socket = new WebSocket(url, { headers: { cookie } })
  let hear: ((text: string) => void) | undefined
  socket.on('message', (data: Buffer) => hear?.(data.toString('utf8')))
  await once(socket, 'open')
  return {
    looks(atMs) {
      const sentMs = performance.now()
      const answered = new Promise<number>((resolve) => {
        hear = (text) => {
          if (text.startsWith('{"type":"past"')) resolve(performance.now() - sentMs)
        }
      })
      socket.send(JSON.stringify({ type: 'past', atMs } satisfies PageWord))
      const never = sleep(sampleMsMax, Number.POSITIVE_INFINITY, { ref: false })
      return Promise.race([answered, never])
    },
    close: () => socket.close(),
  }
}
