import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Observation } from '../../core/vocabulary/observation.ts'
import { pace } from '../../drivers/pace.ts'
import { type Brain, createRobot, type RobotConfiguration, virtualClock } from '../../index.ts'
import type { Robot, RobotOptions } from '../../robot/contract.ts'
import { replay } from '../../replay.ts'
import { type MemoryStore, memoryStoreAt, volatileMemoryStore } from '../../store/memories.ts'
import { settingsFileIn } from '../../store/settings.ts'
import { startEmbeddings } from '../support/embedding-server.ts'
import { dockFact, guided, shortWait } from '../support/guided-model.ts'
import { twoWheels } from '../support/hand-made-body.ts'
import { keptRecord } from '../support/kept-record.ts'
import { keptOf, noteOf } from '../support/memories.ts'
import { waitMsMax } from '../support/mechos.ts'
import { reply, startModel } from '../support/model-server.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mechos-memory-'))
  path = join(folder, 'memories')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Never the same place twice: nobody is taken to repeat himself. */
const turn = { type: 'drive', linear: 0, angular: 1, durationMs: 200 }

/** Runs a robot until `isOver`, and stops it. */
async function during(
  configuration: RobotConfiguration,
  options: RobotOptions,
  isOver: (robot: Robot) => void,
) {
  const clock = virtualClock()
  const robot = createRobot(configuration, { seed: 7, ...options, clock })
  const ending = new AbortController()
  const lines: string[] = []
  robot.onNotice((line) => lines.push(line))
  await robot.start()
  const pacing = pace(clock, { speed: 1, forMs: 10 * waitMsMax, signal: ending.signal })
  try {
    await vi.waitFor(() => isOver(robot), { timeout: waitMsMax, interval: 10 })
    return { robot, lines, status: robot.snapshot(), memory: robot.memory }
  } finally {
    ending.abort()
    await pacing
    await robot.stop()
  }
}

const rover = (url: string): RobotConfiguration => ({
  name: 'rover',
  body: { kind: 'simulated', wheels: { radiusMetres: 0.03, trackMetres: 0.15 }, lidar: {} },
  limits: { linear: 0.3, angular: 1.5 },
  brains: [{ url, model: 'm' }],
  budget: { tokensPerDay: 1_000_000, requestsPerMinute: 6_000 },
})

describe('a rover with a memory', { timeout: 120_000 }, () => {
  test('is told once where the dock is, and finds it after it was started anew', async ({
    onTestFinished,
  }) => {
    const model = await startModel(guided)
    onTestFinished(model.close)
    const configuration = rover(model.url)
    const go = { ...configuration, goal: 'go to the dock' }
    const heading = (robot: Robot) => robot.snapshot().pose?.heading ?? 0

    // Without the memory it does not know.
    const before = await during(go, { memory: memoryStoreAt(path) }, () =>
      expect(model.briefings.length).toBeGreaterThan(2),
    )
    expect(heading(before.robot)).toBe(0)

    const told = await during(
      { ...configuration, goal: `Remember: ${dockFact}` },
      { memory: memoryStoreAt(path) },
      (robot) => expect(robot.snapshot().memory?.notes).toBe(1),
    )
    expect(told.status.memory).toMatchObject({ state: 'ready', notes: 1, cause: null })

    const since = model.briefings.length
    await during(go, { memory: memoryStoreAt(path), run: 'later' }, (robot) =>
      expect(heading(robot)).toBeGreaterThan(0.2),
    )
    const [first] = model.briefings.slice(since)
    expect(first?.memories[0]).toEqual({ text: dockFact, age: 'just now' })
    expect(first?.memories.length).toBeLessThanOrEqual(5)
    expect(first?.may).toContain('remember')
  })

  test('remembers how its turns ended', async ({ onTestFinished }) => {
    const model = await startModel(({ last }) =>
      last.length === 0
        ? reply('fast', { type: 'drive', linear: 9, angular: 0, durationMs: 200 })
        : reply('to rest', shortWait),
    )
    onTestFinished(model.close)
    const { memory } = await during(
      { ...rover(model.url), goal: 'race' },
      { memory: memoryStoreAt(path) },
      (robot) => expect(robot.snapshot().memory?.episodes).toBeGreaterThanOrEqual(3),
    )
    const texts = memory?.list().map(({ text }) => text) ?? []
    expect(texts.at(-1)).toMatch(
      /^goal "race": drive 9\.00 m\/s 0\.00 rad\/s \(fast\): linear 9 m\/s is beyond the limit of 0\.3 m\/s; an obstacle/,
    )
    expect(texts.at(-2)).toMatch(/^goal "race": wait 200 ms \(to rest\): permitted; done; an obst/)
    const sought = await memory?.query('beyond the limit')
    expect(sought?.[0]).toMatchObject({ kind: 'episode', text: texts.at(-1), id: 1 })
  })

  test('is offered no remembering without one, and no kernel minds', async ({ onTestFinished }) => {
    const model = await startModel(() => reply('so', { type: 'remember', text: 'x' }))
    onTestFinished(model.close)
    const { status, memory } = await during(rover(model.url), {}, (robot) =>
      expect(robot.snapshot().agent.lastVerdict).toBe('permitted'),
    )
    expect([status.memory, memory]).toEqual([null, undefined])
    expect(model.briefings[0]?.may).not.toContain('remember')
    expect(JSON.stringify(model.requests[0]?.response_format)).not.toContain('remember')
  })
})

describe('a memory with the embedding of an endpoint', { timeout: 120_000 }, () => {
  test('is found by what it means, and paid for from the same budget', async ({
    onTestFinished,
  }) => {
    const server = await startEmbeddings([
      ['dock', 'charger'],
      ['lamp', 'light'],
    ])
    onTestFinished(server.close)
    const model = await startModel(() => reply('to look', turn))
    onTestFinished(model.close)
    const configuration: RobotConfiguration = {
      ...rover(model.url),
      goal: 'go to the dock',
      memory: { embeddings: { url: server.url, model: 'e' } },
    }
    const store = memoryStoreAt(path)
    await store.open()
    const notes = ['The lamp hangs over the table', 'The charger stands left of the start']
    await store.write({
      keep: notes.map((text, at) => keptOf(noteOf(at + 1, text, { run: 'before' }))),
      forget: [],
      lastId: 2,
      tally: { episodes: 0, notes: 2 },
    })
    await store.close()
    const { robot, lines } = await during(configuration, { memory: memoryStoreAt(path) }, () =>
      expect(model.briefings.at(-1)?.memories[0]?.text).toBe(notes[1]),
    )
    expect(lines).toEqual([])
    expect(server.texts.toSorted()).toEqual(['go to the dock', ...notes].toSorted())
    const { spent } = robot.snapshot().budget
    expect(spent).toBeGreaterThanOrEqual(
      model.usedTokens + Math.ceil(server.texts.join('').length / 4),
    )

    // The next run finds the vectors where they are kept, and asks for none of them again.
    const asked = server.texts.length
    const since = model.briefings.length
    await during(configuration, { memory: memoryStoreAt(path), run: 'later' }, () =>
      expect(model.briefings[since]?.memories[0]?.text).toBe(notes[1]),
    )
    expect(server.texts.slice(asked).filter((text) => notes.includes(text))).toEqual([])
  })

  test('is found by words while nobody answers, and says so once', async ({ onTestFinished }) => {
    const model = await startModel(() => reply('to rest', shortWait))
    onTestFinished(model.close)
    const configuration: RobotConfiguration = {
      ...rover(model.url),
      goal: 'go to the dock',
      memory: { embeddings: { url: 'http://127.0.0.1:1/v1', model: 'e' } },
    }
    const { lines } = await during(configuration, { memory: memoryStoreAt(path) }, (robot) => {
      void robot.memory?.remember('the dock is there')
      expect(model.briefings.at(-1)?.memories[0]?.text).toBe('the dock is there')
    })
    expect(lines).toEqual([
      'rover: memory: embeddings: nobody answers at the address of the model: connection refused. Memories are found by their words',
    ])
  })

  test('whose price nobody knows keeps the robot from starting', async () => {
    const robot = createRobot(
      {
        ...rover('http://127.0.0.1:1/v1'),
        memory: { embeddings: { url: 'https://example.org/v1', model: 'e' } },
      },
      { memory: memoryStoreAt(path) },
    )
    await expect(robot.start()).rejects.toMatchObject({
      code: 'ERR_CONFIGURATION',
      message: expect.stringMatching(/^memory\.embeddings\.price: missing; nobody knows/),
    })
    await robot.stop()
  })
})

/** A brain of a test, and all that it was told. */
function listening(intent: object = shortWait): Brain & { readonly seen: Observation[] } {
  const seen: Observation[] = []
  return {
    name: 'listening',
    seen,
    async decide(observation) {
      seen.push(observation)
      return { reason: 'so', intent }
    },
  }
}

/** A store whose writes fail while the test says so. */
function failing(store: MemoryStore) {
  const disk = { isFull: false }
  return {
    disk,
    store: {
      ...store,
      write: async (change) => {
        if (disk.isFull) throw new Error('memory: the disk is full')
        await store.write(change)
      },
    } satisfies MemoryStore,
  }
}

describe('a memory that fails', () => {
  test('leaves the robot driving, and says so once', async () => {
    const { disk, store } = failing(memoryStoreAt(path))
    disk.isFull = true
    const brain = listening({ type: 'drive', linear: 0.1, angular: 0.5, durationMs: 200 })
    const { robot, lines } = await during(twoWheels, { brain, memory: store }, (running) => {
      expect(running.snapshot().memory?.state).toBe('degraded')
      expect(brain.seen.at(-1)?.canRemember).toBe(false)
    })
    expect(lines).toEqual(['hand-made: memory: the disk is full. The robot goes on without'])
    expect(robot.snapshot()).toMatchObject({ state: 'off', causes: ['end of run'] })
    expect(brain.seen.length).toBeGreaterThan(3)
    expect(robot.snapshot().pose?.x).not.toBe(0)
  })

  const broken: Record<string, { open: MemoryStore['open']; state: string; line?: RegExp }> = {
    'does not answer': { open: () => new Promise(() => {}), state: 'opening' },
    'throws where it should reject': {
      open: () => {
        throw new Error('boom')
      },
      state: 'degraded',
      line: /boom\. The robot goes on without$/,
    },
    'opens to rubbish': {
      open: async () => JSON.parse('{"kept":[{}],"lastId":"x"}'),
      state: 'degraded',
      line: /The robot goes on without$/,
    },
  }
  for (const [title, { open, state, line }] of Object.entries(broken)) {
    test(`because its disk ${title} keeps nobody from driving`, async () => {
      const brain = listening({ type: 'drive', linear: 0.1, angular: 0.5, durationMs: 200 })
      const memory: MemoryStore = { ...volatileMemoryStore(), open }
      const { lines } = await during(twoWheels, { brain, memory }, (robot) => {
        expect(robot.snapshot()).toMatchObject({ state: 'active.autonomous', memory: { state } })
        expect(robot.snapshot().pose?.x).not.toBe(0)
      })
      expect(brain.seen[0]).toMatchObject({ canRemember: false, memories: [] })
      expect(lines).toEqual(line ? [expect.stringMatching(line)] : [])
    })
  }

  test('says so when it belongs to another process', async () => {
    const first = memoryStoreAt(path)
    await first.open()
    const { lines, status } = await during(
      twoWheels,
      { brain: listening(), memory: memoryStoreAt(path) },
      (robot) => expect(robot.snapshot().memory?.state).toBe('degraded'),
    )
    expect(lines[0]).toMatch(`hand-made: memory: ${path} is in use by another process;`)
    expect(status.state).toBe('active.autonomous')
    await first.close()
  })
})

test('what people write down reaches the brain with its next decision', async () => {
  const written = (x: number) =>
    writeFileSync(
      join(folder, 'settings.json'),
      JSON.stringify({
        places: { dock: { x, y: 0, frame: 'odom' } },
        remember: ['never enter the kitchen'],
      }),
    )
  written(2)
  const brain = listening()
  const options = { brain, memory: memoryStoreAt(path), settings: settingsFileIn(folder) }
  await during(twoWheels, options, (robot) => {
    expect(brain.seen[0]).toMatchObject({
      places: [{ name: 'dock', x: 2, y: 0, frame: 'odom' }],
      notes: ['never enter the kitchen'],
    })
    expect(robot.memory?.settings.places.length).toBe(1)
    if (brain.seen.at(-1)?.places?.[0]?.x === 2) written(3)
    expect(brain.seen.at(-1)?.places?.[0]?.x).toBe(3)
  })
})

test('a run with a memory decides the same when it is replayed', async () => {
  const record = keptRecord()
  const brain = listening({ type: 'drive', linear: 0.1, angular: 0.3, durationMs: 200 })
  const store = memoryStoreAt(path)
  await store.open()
  await store.write({
    keep: [keptOf(noteOf(1, 'explore the kitchen'))],
    forget: [],
    lastId: 1,
    tally: { episodes: 0, notes: 1 },
  })
  await store.close()
  const { disk, store: memory } = failing(memoryStoreAt(path))
  await during(twoWheels, { brain, record, memory }, (robot) => {
    disk.isFull = brain.seen.length > 3
    expect(robot.snapshot().memory?.state).toBe('degraded')
  })
  expect(brain.seen[0]?.memories?.[0]?.text).toBe('explore the kitchen')
  const { differences, first, gap } = await replay(record.entries())
  expect({ differences, first, gap }).toEqual({ differences: 0, first: null, gap: null })
  expect(record.texts.some((text) => text.includes('explore the kitchen'))).toBe(true)
})

describe('the same seed is the same run', () => {
  const tour = async (options: RobotOptions) => {
    const clock = virtualClock()
    const robot = createRobot(twoWheels, { seed: 3, ...options, clock })
    await robot.start()
    const poses: unknown[] = []
    for (let at = 0; at < 40; at++) {
      // oxlint-disable-next-line no-await-in-loop -- one step of time after the other
      await clock.advance(200)
      poses.push(robot.snapshot().pose)
    }
    await robot.stop()
    return poses
  }

  test('with a memory, and without, for whoever reads none', async () => {
    const plain = await tour({})
    expect(await tour({ memory: memoryStoreAt(path) })).toEqual(plain)
    // What the first of these has left behind changes nothing either.
    expect(await tour({ memory: memoryStoreAt(path) })).toEqual(plain)
  })
})
