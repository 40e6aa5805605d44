import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as known from '../../../inspector/cockpit/page/known.ts'
import { answerMs } from '../../../inspector/cockpit/past.ts'
import type { Past, RobotWord, Role } from '../../../inspector/cockpit/protocol.ts'
import type { Recorded } from '../../../inspector/cockpit/steered.ts'
import { flightRecordIn, recordLimits } from '../../../store/flight-record.ts'
import { type CockpitBench, cockpitOf, type PageClient } from '../../support/cockpit.ts'
import { benchWith } from '../../support/hand-made-body.ts'

const benches: CockpitBench[] = []
const folders: string[] = []

afterEach(async () => {
  for (const bench of benches.splice(0)) {
    expect(bench.failures).toEqual([])
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await bench.leave()
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A robot that drives and keeps its record on the disk, with its cockpit, and where it was at 2 s of 3. */
async function aRecordedRobot(): Promise<{ bench: CockpitBench; x: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'mechos-past-'))
  folders.push(folder)
  const record = flightRecordIn(join(folder, 'one'), recordLimits, () => 0)
  const bench = await cockpitOf(benchWith({ record }))
  benches.push(bench)
  await bench.drive()
  await bench.clock.advance(2_000 - bench.clock.now())
  const { x } = bench.body.at
  await bench.clock.advance(1_000)
  await until(() => bench.robot.past?.reach?.toMs === 3_000)
  return { bench, x }
}

/** A record that answers when it is told to, and what it was asked. */
function heldRecord() {
  const asked: { readonly atMs: number; readonly signal: AbortSignal | undefined }[] = []
  const waiting: (() => void)[] = []
  const past: Recorded = {
    reach: { fromMs: 0, toMs: 60_000, marks: [] },
    at: (atMs, signal) =>
      new Promise((resolve, reject) => {
        asked.push({ atMs, signal })
        signal?.addEventListener('abort', () => reject(new Error('called off')))
        waiting.push(() => resolve(pastAt(atMs)))
      }),
  }
  return { past, asked, answer: () => waiting.shift()?.() }
}

async function aHeldRobot() {
  const held = heldRecord()
  const bench = benchWith()
  const cockpit = await cockpitOf(bench, { robot: { ...bench.robot, past: held.past } })
  benches.push(cockpit)
  await cockpit.start()
  return { bench: cockpit, ...held }
}

describe('a page that looks back', () => {
  test.each<{ role: Role }>([{ role: 'watch' }, { role: 'drive' }])(
    'is shown what was, whoever it is: $role',
    async ({ role }) => {
      const { bench, x } = await aRecordedRobot()
      const page = await bench.join(role)
      const first = await page.hears('past')
      expect(first).toMatchObject({ past: null, reach: { fromMs: 0 } })
      await bench.robot.halt()
      page.say({ type: 'past', atMs: 2_010 })
      const { past } = await page.hears('past', (word) => word.past !== null)
      expect(past?.atMs).toBe(2_000)
      expect(past?.actors.find(({ id }) => id === 'robot')?.active).toContain(
        'robot.active.autonomous',
      )
      expect(past?.world.pose?.x).toBeCloseTo(x, 1)
      page.say({ type: 'past', atMs: null })
      await bench.within(answerMs, () => page.heard.at(-1)?.type === 'past')
      expect(await page.hears('past')).toMatchObject({ past: null })
    },
  )

  test('is told by nothing but that page, and the others go on with the present', async () => {
    const { bench, asked, answer } = await aHeldRobot()
    const page = await bench.join('watch')
    const other = await bench.join('watch')
    page.say({ type: 'past', atMs: 1_000 })
    await until(() => asked.length === 1)
    answer()
    await page.hears('past', ({ past }) => past !== null)
    await bench.clock.advance(500)
    await other.hears('world')
    expect(pastsOf(other)).toEqual([])
  })

  test('is told why, where there is no record', async () => {
    const bench = await cockpitOf(benchWith())
    benches.push(bench)
    const page = await bench.join()
    expect(await page.hears('past')).toEqual({ type: 'past', reach: null, past: null })
    page.say({ type: 'past', atMs: 5 })
    expect(await page.hears('refused')).toEqual({
      type: 'refused',
      word: 'past',
      message: 'past: no flight record is kept that can be looked at',
    })
  })

  test('is told why, where the record cannot be read', async () => {
    const past: Recorded = {
      reach: { fromMs: 0, toMs: 9, marks: [] },
      at: () => Promise.reject(new Error('the disk is gone')),
    }
    const bench = benchWith()
    const cockpit = await cockpitOf(bench, { robot: { ...bench.robot, past } })
    benches.push(cockpit)
    const page = await cockpit.join()
    page.say({ type: 'past', atMs: 5 })
    const { message } = await page.hears('refused')
    expect(message).toBe('past: the flight record cannot be read: the disk is gone')
  })

  test.each(['NaN', '1e999', '-1e999', '-1', '"5"', 'true', '[]', '{}', 'undefined', ''])(
    'is refused a moment that is none: %s',
    async (atMs) => {
      const { bench, asked } = await aHeldRobot()
      const page = await bench.join()
      page.socket.send(`{"type":"past","atMs":${atMs}}`)
      const { word, message } = await page.hears('refused')
      expect(word).toBe('unknown')
      if (isJson(atMs)) expect(message).toMatch(/^atMs: .* is not allowed; /)
      expect(asked).toEqual([])
    },
  )

  test('gets the youngest of a thousand wishes, and is answered no more than ten times a second', async () => {
    const { bench, asked, answer } = await aHeldRobot()
    const page = await bench.join()
    for (let atMs = 0; atMs < 90; atMs++) page.say({ type: 'past', atMs })
    await until(() => asked.length === 1)
    await settled(page)
    answer()
    await page.hears('past', ({ past }) => past !== null)
    // It is not asked again before its time.
    await bench.clock.advance(answerMs - 1)
    expect(asked.map(({ atMs }) => atMs)).toEqual([0])
    await bench.within(1, () => asked.length === 2)
    expect(asked[1]?.atMs).toBe(89)
    answer()
    await page.hears('past', ({ past }) => past?.atMs === 89)
    // Nobody who says a thousand in a second is listened to; a halt of somebody else is.
    for (let atMs = 0; atMs < 1_100; atMs++) page.say({ type: 'past', atMs })
    await until(() => page.socket.readyState === page.socket.CLOSED)
    const other = await bench.join('watch')
    other.say({ type: 'halt' })
    await until(() => bench.robot.snapshot().state === 'halted')
    expect(asked.length).toBeLessThanOrEqual(3)
  })

  test('is read for alone, one page after the other', async () => {
    const { bench, asked, answer } = await aHeldRobot()
    const [one, other] = [await bench.join(), await bench.join('watch')]
    one.say({ type: 'past', atMs: 1 })
    await until(() => asked.length === 1)
    other.say({ type: 'past', atMs: 2 })
    await settled(other)
    expect(asked.length).toBe(1)
    answer()
    await until(() => asked.length === 2)
    answer()
    await other.hears('past', ({ past }) => past?.atMs === 2)
    expect(pastsOf(one).map(({ atMs }) => atMs)).toEqual([1])
  })

  test('that goes in the middle of it is not read for on, and the next one is', async () => {
    const { bench, asked, answer } = await aHeldRobot()
    const [one, other] = [await bench.join(), await bench.join('watch')]
    one.say({ type: 'past', atMs: 1 })
    await until(() => asked.length === 1)
    other.say({ type: 'past', atMs: 2 })
    await settled(other)
    await one.close()
    await until(() => asked.length === 2)
    expect(asked[0]?.signal?.aborted).toBe(true)
    answer()
    answer()
    await other.hears('past', ({ past }) => past?.atMs === 2)
  })

  test('is not seen to hold a stick by that: who drove and only looks back drives no more', async () => {
    const { bench } = await aHeldRobot()
    bench.robot.send({ type: 'robot.arm', epoch: 1 })
    const page = await bench.join()
    page.say({ type: 'takeOver' })
    await page.hears('driver', ({ driver }) => driver === 'you')
    for (let count = 0; count < 21; count++) {
      page.say({ type: 'past', atMs: null })
      // oxlint-disable-next-line no-await-in-loop -- one after the other, each in its time
      await settled(page)
      // oxlint-disable-next-line no-await-in-loop -- as above
      await bench.clock.advance(100)
    }
    await page.hears('driver', ({ driver }) => driver === 'nobody')
    expect(bench.robot.snapshot().state).toBe('active.holding')
  })
})

describe('what a page shows', () => {
  const reach = { fromMs: 0, toMs: 9_000, marks: [] }
  const { take } = known

  beforeEach(() => {
    take({ type: 'hello', role: 'drive', name: 'rover', run: 'one' })
    take({ type: 'world', world: { ...pastAt(9_000).world, battery: 0.5 } })
    take({ type: 'past', reach, past: null })
    known.touch.value = 'live'
  })

  test('is the past while somebody wants it, and then nothing can be told anything', () => {
    known.wishedMs.value = 2_000
    expect([known.isInTouch.value, known.isLive.value]).toEqual([true, false])
    expect(known.world.value?.atMs).toBe(9_000)
    take({ type: 'past', reach, past: pastAt(2_000) })
    expect(known.world.value?.atMs).toBe(2_000)
    // Live words go on coming, and are what is shown again afterwards.
    take({ type: 'world', world: pastAt(9_100).world })
    expect(known.world.value?.atMs).toBe(2_000)
    expect(known.samples.value).toEqual([])
    known.showPresent()
    expect(known.world.value?.atMs).toBe(9_100)
    expect(known.samples.value.length).toBe(2)
    expect(known.isLive.value).toBe(true)
  })

  test('is the present, whatever comes of a wish that nobody has any more', () => {
    known.wishedMs.value = 2_000
    known.showPresent()
    take({ type: 'past', reach, past: pastAt(2_000) })
    expect([known.past.value, known.world.value?.atMs]).toEqual([null, 9_000])
  })

  test.each<{ word: RobotWord }>([
    { word: { type: 'refused', word: 'past', message: 'past: it cannot be read' } },
    { word: { type: 'hello', role: 'drive', name: 'rover', run: 'two' } },
  ])('is the present again after $word.type', ({ word }) => {
    known.wishedMs.value = 2_000
    take({ type: 'past', reach, past: pastAt(2_000) })
    take(word)
    expect([known.wishedMs.value, known.past.value]).toEqual([null, null])
  })
})

function pastAt(atMs: number): Past {
  const still = { linear: 0, angular: 0 }
  return {
    atMs,
    causes: [],
    actors: [],
    world: {
      atMs,
      pose: null,
      covariance: null,
      planned: null,
      refused: null,
      geofence: null,
      velocity: null,
      commanded: still,
      obstacles: [],
      scan: [],
      battery: null,
      outputs: [],
    },
    turns: [],
    events: [],
  }
}

function isJson(text: string): boolean {
  return !['NaN', 'undefined', ''].includes(text)
}

/** The moments that a page was shown. */
function pastsOf({ heard }: PageClient): readonly Past[] {
  return heard.flatMap((word) => (word.type === 'past' && word.past ? [word.past] : []))
}

/** Resolves when everything that a page has said was heard. */
function settled({ socket }: PageClient): Promise<void> {
  return new Promise((resolve) => {
    socket.once('pong', () => resolve())
    socket.ping()
  })
}

function until(passes: () => boolean): Promise<void> {
  return vi.waitFor(
    () => {
      if (!passes()) throw new Error('it did not come to that')
    },
    { interval: 2, timeout: 10_000 },
  )
}
