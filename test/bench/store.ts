import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMemoryBook } from '../../actors/memory-book.ts'
import { recalledMax } from '../../actors/recollection.ts'
import type { Brain } from '../../actors/deliberation.ts'
import { cueFor } from '../../core/memory/listing.ts'
import { bestOf, type Entry } from '../../core/memory/recall.ts'
import { parseConfiguration } from '../../core/vocabulary/configuration.ts'
import { tallyOf } from '../../core/vocabulary/memory.ts'
import type { Reading } from '../../core/vocabulary/reading.ts'
import type { Body } from '../../drivers/body.ts'
import { type Clock, unixMs, wallClock } from '../../drivers/clock.ts'
import { simulatedBody } from '../../drivers/simulated/body.ts'
import { demoRover } from '../../drivers/simulated/rover.ts'
import { createRobot } from '../../robot.ts'
import { flightRecordIn } from '../../store/flight-record.ts'
import { memoryStoreAt } from '../../store/memories.ts'
import { happening, keptOf, noteOf } from '../support/memories.ts'
import type { BenchOptions } from './command.ts'
import { countedFigure, type Figure, timingFigure } from './figure.ts'

/** What is promised of a robot that records and remembers while it drives. */
const promised = {
  delay: { name: 'event loop delay', bound: 10, floor: 0 },
  missed: { name: 'reflex ticks missed', unit: 'ticks', bound: 0, op: '<=' },
  events: { name: 'events a second', unit: 'events/s', bound: 1_000, op: '>=' },
  recall: { name: 'recall of 5', bound: 10, floor: 0 },
} as const

const tickMs = 20
/** What comes beside the sensors of the rover itself: so many readings every so many ms. */
const burst = { readings: 10, everyMs: 10 }
const warmUpMs = 2_000
const recalls = 300

/** How much is remembered before, and for how long the robot drives, in ms. */
export interface StoreLoad {
  readonly memories: number
  readonly driveMs: number
}

const load: StoreLoad = { memories: 10_000, driveMs: 20_000 }

/**
 * A rover in real time that keeps a flight record of a thousand events a second, remembers each of its turns beside ten
 * thousand others, and is reminded of five before each decision: whether its loop notices.
 */
export function storeBench(options: BenchOptions): Promise<readonly Figure[]> {
  return storeFigures(load, options)
}

export async function storeFigures(
  { driveMs, memories }: StoreLoad,
  { note }: Pick<BenchOptions, 'note'>,
): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mechos-store-bench-'))
  const path = join(folder, 'memories')
  try {
    note(`remembering ${memories} things`)
    await fill(path, memories)
    note('driving')
    const { beatsMs, delaysMs, events, seconds } = await drive(folder, path, driveMs)
    note('recalling')
    const recallsMs = await recallTimes(path)
    const timings = (ms: readonly number[]) => ({ ms, excluded: 0, remarks: [] })
    return [
      timingFigure(promised.delay, timings(delaysMs)),
      countedFigure(promised.missed, {
        value: missedIn(beatsMs),
        n: beatsMs.length,
        reason: `of ${beatsMs.length} ticks in ${Math.round(seconds)} s`,
      }),
      countedFigure(promised.events, {
        value: events / seconds,
        n: events,
        reason: 'readings taken in; each is an entry of the flight record',
      }),
      timingFigure(promised.recall, timings(recallsMs)),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Nine episodes for each note, no two of which read the same. */
async function fill(path: string, count: number): Promise<void> {
  const store = memoryStoreAt(path)
  await store.open()
  const all = Array.from({ length: count }, (_, at) =>
    keptOf(
      at % 10 === 9
        ? noteOf(at + 1, `The shelf number ${at} stands beside the door of room ${at % 37}`)
        : happening(at + 1, {
            run: 'before',
            wallMs: unixMs() - (count - at) * 1_000,
            goal: `bring the parcel ${at % 101} to room ${at % 37}`,
            intended: `drive 0.${at % 40} m/s 0.00 rad/s`,
            reason: `there is room ahead, as far as beam ${at % 360} says`,
          }),
    ),
  )
  const slice = 1_000
  for (let from = 0; from < all.length; from += slice) {
    const upTo = all.slice(0, from + slice)
    // oxlint-disable-next-line no-await-in-loop -- one batch after the other
    await store.write({
      keep: all.slice(from, from + slice),
      forget: [],
      lastId: upTo.length,
      tally: tallyOf(upTo),
    })
  }
  await store.close()
}

interface Driven {
  readonly delaysMs: readonly number[]
  readonly beatsMs: readonly number[]
  readonly events: number
  readonly seconds: number
}

async function drive(folder: string, path: string, driveMs: number): Promise<Driven> {
  const clock = wallClock()
  const configuration = parseConfiguration({ ...demoRover, goal: 'bring the parcel to room 7' })
  const { body, stop, taken } = busyBody(simulatedBody(configuration, { clock, seed: 7 }), clock)
  const robot = createRobot(configuration, {
    body,
    clock,
    brain: restless,
    run: 'bench',
    memory: memoryStoreAt(path),
    record: flightRecordIn(join(folder, 'record'), configuration.record, clock.now),
  })
  const beatsMs: number[] = []
  try {
    await robot.start()
    await sleep(warmUpMs)
    const unwatch = robot.inspect((seen) => {
      if (seen.type !== '@xstate.event' || seen.event.type !== 'robot.beat') return
      beatsMs.push(clock.now())
    })
    const [sinceMs, before] = [clock.now(), taken()]
    const delaysMs = await delaysDuring(driveMs)
    const seconds = (clock.now() - sinceMs) / 1_000
    unwatch()
    return { beatsMs, delaysMs, events: taken() - before, seconds }
  } finally {
    stop()
    await robot.stop()
  }
}

/** Turns on the spot, and decides five times a second. */
const restless: Brain = {
  name: 'restless',
  decide: async () => ({
    reason: 'to look around',
    intent: { type: 'drive', linear: 0, angular: 1, durationMs: 200 },
  }),
}

/** The same body with another sensor that says much. */
function busyBody(inner: Body, clock: Clock) {
  const listeners = new Set<(reading: Reading) => void>()
  let taken = 0
  const timer = setInterval(() => {
    for (let at = 0; at < burst.readings; at++) {
      const stampMs = clock.now()
      for (const listen of listeners) {
        listen({ kind: 'battery', stampMs, charge: 0.9, volts: 7.4 + at / 1_000 })
      }
    }
  }, burst.everyMs)
  const body: Body = {
    ...inner,
    onReading(listener) {
      const counting = (reading: Reading) => {
        taken += 1
        listener(reading)
      }
      listeners.add(counting)
      const unhear = inner.onReading(counting)
      return () => {
        listeners.delete(counting)
        unhear()
      }
    },
  }
  return { body, taken: () => taken, stop: () => clearInterval(timer) }
}

/** By how much timers were late, in ms, one after the other. */
async function delaysDuring(durationMs: number): Promise<readonly number[]> {
  const delays: number[] = []
  const stepMs = 5
  const endMs = performance.now() + durationMs
  while (performance.now() < endMs) {
    const dueMs = performance.now() + stepMs
    // oxlint-disable-next-line no-await-in-loop -- each begins where the one before it ended
    await sleep(stepMs)
    delays.push(Math.max(0, performance.now() - dueMs))
  }
  return delays
}

/** A tick that did not come before the next one was due. */
function missedIn(beatsMs: readonly number[]): number {
  let missed = 0
  for (const [at, beatMs] of beatsMs.entries()) {
    const gapMs = beatMs - (beatsMs[at - 1] ?? beatMs)
    missed += Math.max(0, Math.floor(gapMs / tickMs) - 1)
  }
  return missed
}

/** All slices of a recall, one right after the other. */
async function recallTimes(path: string): Promise<readonly number[]> {
  const book = createMemoryBook(memoryStoreAt(path), wallClock(), unixMs)
  await book.open()
  const times: number[] = []
  for (let at = -20; at < recalls; at++) {
    const tookMs = recallTime(
      book.entries,
      `bring parcel ${at + 20} to the shelf beside room ${at + 20}`,
    )
    if (at >= 0) times.push(tookMs)
  }
  await book.close()
  return times
}

function recallTime(entries: readonly Entry[], text: string): number {
  const sinceMs = performance.now()
  bestOf(entries, cueFor(text, unixMs()), recalledMax)
  return performance.now() - sinceMs
}
