import { assign } from 'xstate'
import { describe, expect, test } from 'vitest'
import type { Entry } from '../core/record/entry.ts'
import { textOf } from '../core/record/text.ts'
import type { Rules } from '../core/rules/gatekeeper.ts'
import { pace } from '../drivers/pace.ts'
import {
  type Brain,
  createRobot,
  type Intent,
  type Robot,
  type RobotConfiguration,
  type RobotOptions,
  virtualClock,
  type VirtualClock,
  wallClock,
} from '../index.ts'
import { kernelMachine } from '../machines/kernel.machine.ts'
import { replay } from '../replay.ts'
import { volatileMemoryStore } from '../store/memories.ts'
import { demoRover, scriptedBrain } from '../testing.ts'
import { type Bench, benchWith, twoWheels } from './support/hand-made-body.ts'
import { type KeptRecord, keptRecord } from './support/kept-record.ts'
import { driveSensibly, startHostile, startModel } from './support/model-server.ts'

const ahead: Intent = { type: 'drive', linear: 0.3, angular: 0.2, durationMs: 700 }

/** A run of the demo rover in its room, and what was kept of it. */
async function runOf(
  options: RobotOptions,
  act: (robot: Robot, clock: VirtualClock) => Promise<void>,
  configuration: RobotConfiguration = demoRover,
): Promise<KeptRecord> {
  const record = keptRecord()
  const clock = virtualClock()
  const robot = createRobot(configuration, { clock, record, ...options })
  await Promise.all([robot.start(), clock.advance(100)])
  await act(robot, clock)
  await Promise.all([robot.stop(), clock.advance(1_000)])
  return record
}

/** A run of a body made by hand, which can fail in every way. */
async function benchRunOf(
  options: RobotOptions,
  act: (bench: Bench) => Promise<void>,
  configuration: RobotConfiguration = twoWheels,
): Promise<KeptRecord> {
  const record = keptRecord()
  const bench = benchWith({ record, ...options }, configuration)
  await bench.drive()
  await act(bench)
  await Promise.all([bench.robot.stop(), bench.clock.advance(1_000)])
  return record
}

async function expectSame(record: KeptRecord): Promise<void> {
  const { differences, events, first, gap } = await replay(record.entries())
  expect({ differences, first, gap }).toEqual({ differences: 0, first: null, gap: null })
  // All of it but the word that it ends.
  expect(events).toBe(record.texts.length - 1)
  expect(record.texts.at(-1)).toBe('{"kind":"end","shed":0}')
}

const countOf = (record: KeptRecord, part: string) =>
  record.texts.filter((text) => text.includes(part)).length

describe('a recorded run decides the same when it is replayed:', () => {
  test.each([1, 7, 42])('the explorer in its room, seed %i', async (seed) => {
    const record = await runOf({ seed }, (_, clock) => clock.advance(15_000))
    expect(countOf(record, '"what":"write"')).toBeGreaterThan(100)
    expect(countOf(record, '"what":"proposal"')).toBeGreaterThan(10)
    await expectSame(record)
  })

  test('a run of which nobody keeps a record goes the same way', async () => {
    const poseOf = async (record?: KeptRecord) => {
      const clock = virtualClock()
      const robot = createRobot(demoRover, { clock, seed: 7, ...(record && { record }) })
      await Promise.all([robot.start(), clock.advance(100)])
      await clock.advance(10_000)
      await robot.stop()
      return robot.snapshot().pose
    }
    expect(await poseOf(keptRecord())).toEqual(await poseOf())
  })

  test('a brain that was handed in, whatever it says', async () => {
    const words: readonly unknown[] = [
      ahead,
      { type: 'drive', linear: NaN, angular: 0, durationMs: 500 },
      { type: 'setRelay', relay: 'lamp', on: true },
      'no intent at all',
      { type: 'drive', linear: -0, angular: -0.5, durationMs: 300 },
      undefined,
    ]
    let turn = 0
    const brain: Brain = {
      name: 'moody',
      async decide() {
        turn += 1
        if (turn % 4 === 0) throw new Error(`turn ${turn} is no good`)
        return { reason: `turn ${turn}`, intent: words[turn % words.length] }
      },
    }
    const record = await runOf({ brain }, (_, clock) => clock.advance(20_000))
    expect(countOf(record, 'is no good')).toBeGreaterThan(0)
    expect(countOf(record, '"linear":{"$":"NaN"}')).toBeGreaterThan(0)
    await expectSame(record)
  })

  test('a person who takes over, drives, halts, resets, arms, and answers', async () => {
    const brain = scriptedBrain([
      ahead,
      { type: 'askHuman', question: 'left or right?', choices: ['left', 'right'] },
      ahead,
      ahead,
    ])
    const record = await runOf({ brain }, async (robot, clock) => {
      await clock.advance(1_500)
      const { question } = robot.snapshot()
      robot.send({ type: 'robot.answer', id: question?.id ?? 0, text: '1' })
      await clock.advance(500)
      robot.send({ type: 'robot.pause' })
      robot.send({ type: 'robot.resume' })
      await clock.advance(300)
      robot.send({ type: 'robot.takeOver' })
      for (let word = 0; word < 20; word++) {
        robot.drive({ linear: word === 0 ? 0 : 0.2, angular: 0.1 }, word)
        await clock.advance(60)
      }
      robot.drive({ linear: NaN, angular: 0 })
      await Promise.all([robot.halt('enough'), clock.advance(200)])
      robot.send({ type: 'robot.arm', epoch: 1 })
      robot.send({ type: 'robot.reset' })
      robot.send({ type: 'robot.arm', epoch: robot.snapshot().epoch })
      robot.send({ type: 'robot.goal', text: 'the door' })
      await clock.advance(2_000)
    })
    expect(countOf(record, '"door":"drive"')).toBe(21)
    expect(countOf(record, '"glued":true')).toBeGreaterThan(3)
    expect(countOf(record, '"active":"manual"')).toBeGreaterThan(0)
    await expectSame(record)
  })

  test('what needs an approval, and is given it, or not', async () => {
    const record = await runOf(
      { brain: scriptedBrain([ahead, ahead, ahead]) },
      async (robot, clock) => {
        for (const text of ['yes', 'no']) {
          // oxlint-disable-next-line no-await-in-loop -- one question after the other
          await clock.advance(1_000)
          robot.send({ type: 'robot.answer', id: robot.snapshot().question?.id ?? 0, text })
        }
        // Nobody answers the third one.
        await clock.advance(14_000)
      },
      { ...demoRover, approve: ['drive'] },
    )
    expect(countOf(record, '"type":"robot.answer"')).toBe(2)
    expect(countOf(record, '"what":"write"')).toBeGreaterThan(10)
    await expectSame(record)
  })

  test('what is remembered and recalled', async () => {
    const brain = scriptedBrain([{ type: 'remember', text: 'the door is blue' }, ahead, ahead])
    const memory = volatileMemoryStore()
    const record = await runOf(
      { brain, memory },
      async (robot, clock) => {
        await robot.memory?.remember('the dock is behind the door')
        await clock.advance(4_000)
      },
      { ...demoRover, goal: 'go to the dock' },
    )
    expect(countOf(record, '"call":"recollect:')).toBeGreaterThan(3)
    expect(countOf(record, '"memories":[{')).toBeGreaterThan(0)
    await expectSame(record)
  })

  test('a run that begins halted, and one whose body does not open', async () => {
    const unclean = await runOf({ unclean: 'the last run died' }, (_, clock) => clock.advance(300))
    expect(countOf(unclean, '"value":"halted"')).toBe(1)
    await expectSame(unclean)
    const record = keptRecord()
    const { body, clock, robot } = benchWith({ record })
    body.faults.open = () => Promise.reject(new Error('no such port'))
    const started = robot.start().catch((error: unknown) => String(error))
    await clock.advance(21_000)
    expect(await started).toMatch(/no such port/)
    await robot.stop()
    await expectSame(record)
  })

  test('whoever waits for the start, and goes on at once', async () => {
    const record = keptRecord()
    const clock = virtualClock()
    const robot = createRobot(demoRover, { clock, record, seed: 7 })
    const going = robot.start().then(() => {
      robot.send({ type: 'robot.pause' })
      return robot.send({ type: 'robot.resume' })
    })
    await clock.advance(3_000)
    expect(await going).toMatchObject({ ok: true })
    await robot.stop()
    await expectSame(record)
  })

  const faults: readonly (readonly [string, (bench: Bench) => void])[] = [
    ['a body that is lost', ({ body }) => body.lose('the cable was pulled')],
    ['a write that throws', ({ body }) => void (body.faults.write = throwing('no such pin'))],
    ['a step that throws', ({ body }) => void (body.faults.step = throwing('no ground'))],
    ['a halt that throws', ({ body }) => void (body.faults.halt = throwing('stuck'))],
    ['sensors that fall silent', ({ body }) => void (body.faults.sense = () => undefined)],
    [
      'a reading that is no number',
      ({ body }) =>
        void (body.faults.sense = (reading) =>
          reading.kind === 'encoders' ? { ...reading, left: NaN, right: -0 } : reading),
    ],
    ['a halt of which nothing is known', ({ body }) => void (body.faults.confirm = never)],
  ]
  test.each(faults)('%s', async (_, fail) => {
    const record = await benchRunOf({}, async (bench) => {
      await bench.clock.advance(1_000)
      fail(bench)
      await bench.clock.advance(1_000)
      void bench.robot.halt('to be safe')
      // How long evidence is waited for is counted by the wall's clock.
      await new Promise((resolve) => wallClock().setTimeout(() => resolve(undefined), 600))
      await bench.clock.advance(500)
      bench.robot.send({ type: 'robot.reset' })
      bench.robot.send({ type: 'robot.arm', epoch: bench.robot.snapshot().epoch })
      await bench.clock.advance(500)
    })
    await expectSame(record)
  })

  test('what a driver says, and a person does, in the middle of a call of the robot', async () => {
    const record = await benchRunOf({}, async ({ body, clock, robot }) => {
      let steps = 0
      body.faults.step = () => {
        steps += 1
        if (steps === 20) robot.send({ type: 'robot.pause' })
        if (steps === 40) robot.send({ type: 'robot.resume' })
        if (steps === 60) body.lose('in the middle of a step')
      }
      await clock.advance(3_000)
    })
    expect(countOf(record, '"door":"send","during":"step:')).toBe(2)
    expect(countOf(record, '"door":"lost","during":"step:')).toBe(1)
    await expectSame(record)
  })

  test('on a clock that nobody holds', { timeout: 20_000 }, async () => {
    const record = keptRecord()
    const robot = createRobot(demoRover, { clock: wallClock(), record, seed: 3 })
    await robot.start()
    await new Promise((resolve) => wallClock().setTimeout(() => resolve(undefined), 1_500))
    await robot.stop()
    expect(countOf(record, '"kind":"timer"')).toBeGreaterThan(30)
    await expectSame(record)
  })

  test('a loop that was held up for longer than a heart may stand still', async () => {
    const record = keptRecord()
    const clock = wallClock()
    const brain: Brain = {
      name: 'slow',
      async decide(_, signal) {
        const endMs = clock.now() + (signal.aborted ? 0 : 450)
        while (clock.now() < endMs);
        return { reason: 'at last', intent: ahead }
      },
    }
    const robot = createRobot(demoRover, { clock, record, brain })
    await robot.start()
    await new Promise((resolve) => clock.setTimeout(() => resolve(undefined), 1_500))
    await robot.stop()
    expect(countOf(record, "the robot's heart stopped")).toBeGreaterThan(0)
    await expectSame(record)
  })

  test('a model behind HTTP', { timeout: 20_000 }, async ({ onTestFinished }) => {
    const model = await startModel(driveSensibly)
    onTestFinished(model.close)
    const record = await modelRunOf(model.url, 2_500)
    expect(countOf(record, '"call":"complete:')).toBeGreaterThan(1)
    expect(countOf(record, '"what":"complete"')).toBe(model.requests.length)
    await expectSame(record)
  })

  test('a budget that runs out', { timeout: 20_000 }, async ({ onTestFinished }) => {
    const model = await startModel(driveSensibly)
    onTestFinished(model.close)
    const record = await modelRunOf(model.url, 2_500, { tokensPerRun: 3_000 })
    expect(countOf(record, '"call":"complete:')).toBeGreaterThan(0)
    expect(countOf(record, 'ERR_BUDGET_EXHAUSTED')).toBeGreaterThan(0)
    await expectSame(record)
  })

  test('a server that fails', { timeout: 20_000 }, async ({ onTestFinished }) => {
    let turn = 0
    const server = await startHostile((response) => {
      turn += 1
      if (turn % 3 === 0) response.destroy()
      else response.writeHead(turn % 2 === 0 ? 500 : 429).end('no')
    })
    onTestFinished(server.close)
    const record = await modelRunOf(server.url, 2_500)
    expect(turn).toBeGreaterThan(1)
    await expectSame(record)
  })
})

/** A run with a model, which thinks in the wall's time. */
async function modelRunOf(
  url: string,
  forMs: number,
  budget: NonNullable<RobotConfiguration['budget']> = {},
): Promise<KeptRecord> {
  const record = keptRecord()
  const clock = virtualClock()
  const robot = createRobot(
    {
      ...demoRover,
      goal: 'explore',
      budget,
      brains: [{ url, model: 'm' }, { url: 'explorer' }],
    },
    { clock, record, seed: 5 },
  )
  const { signal } = new AbortController()
  await Promise.all([robot.start(), pace(clock, { speed: 1, forMs, signal })])
  await robot.stop()
  return record
}

describe('what differs is named', () => {
  test('with one rule of the kernel changed', async () => {
    const brain = scriptedBrain([{ type: 'wait', durationMs: 500 }, ahead, ahead])
    const record = await runOf({ brain }, (_, clock) => clock.advance(3_000))
    const stricter = kernelMachine.provide({
      actions: {
        noteRules: assign({
          rules: (_, { rules }: { rules: Rules }) => ({
            ...rules,
            limits: { ...rules.limits, linear: rules.limits.linear / 2 },
          }),
        }),
      },
    })
    const { differences, first } = await replay(record.entries(), {
      machine: (bound) => bound.provide({ actors: { kernel: stricter } }),
    })
    expect(differences).toBeGreaterThan(0)
    expect(first).toMatchObject({
      atMs: 520,
      after: expect.stringMatching(/^the answer to decide:2: /),
      recorded: expect.stringMatching(/^verdict .*"permitted":true/),
      replayed: expect.stringMatching(/^verdict .*beyond the limit of 0\.2 m\/s/),
    })
  })

  test('with one number of one reading changed', async () => {
    const record = await runOf({ seed: 7 }, (_, clock) => clock.advance(3_000))
    const place = record.texts.findIndex(
      (text) => text.includes('"kind":"encoders"') && text.includes('"stampMs":2000'),
    )
    const changed = record.texts.map((text, index) =>
      index === place ? text.replace(/"left":([\d.]+?)\d(?=[,}])/, '"left":$19') : text,
    )
    expect(changed[place]).not.toBe(record.texts[place])
    const { differences, first } = await replay(entriesIn(changed))
    expect(differences).toBeGreaterThan(0)
    expect(first?.entry).toBeGreaterThan(place)
    expect(first?.atMs).toBeLessThan(2_200)
  })

  test('with one decision left out, or one more', async () => {
    const record = await runOf({ seed: 7 }, (_, clock) => clock.advance(3_000))
    const place = record.texts.findIndex((text) => text.includes('"what":"write"'))
    const { atMs } = await momentOf(record, place)
    const without = await replay(entriesIn(record.texts.toSpliced(place, 1)))
    expect(without.differences).toBe(1)
    expect(without.first).toMatchObject({ entry: place, atMs, recorded: null })
    expect(without.first?.replayed).toMatch(/^write /)
    const more = await replay(
      entriesIn(record.texts.toSpliced(place, 0, textOf({ kind: 'out', what: 'write', value: 1 }))),
    )
    expect(more.differences).toBe(1)
    expect(more.first).toMatchObject({ entry: place, atMs, recorded: 'write 1', replayed: null })
  })
})

describe('a record that says too little', () => {
  test('cut anywhere, as by kill -9, is replayed as far as it goes', async () => {
    const record = await runOf({ seed: 7 }, (_, clock) => clock.advance(2_000))
    for (let length = 2; length < record.texts.length; length += 37) {
      const { differences, events, first, gap } = await replay(
        entriesIn(record.texts.slice(0, length)),
      )
      expect({ events, differences, first, gap }).toEqual({
        events: length,
        differences: 0,
        first: null,
        gap: null,
      })
    }
  })

  test('is not replayed beyond the gap, which is named', async () => {
    const record = await runOf({ seed: 7 }, (_, clock) => clock.advance(1_000))
    const gap = textOf({ kind: 'gap', cause: '7 entries were lost: the disk is too slow' })
    const came = await replay(entriesIn(record.texts.toSpliced(200, 1, gap)))
    expect(came).toMatchObject({
      events: 200,
      differences: 0,
      gap: '7 entries were lost: the disk is too slow',
    })
  })

  test('because somebody commanded from within the robot says so', async () => {
    const record = keptRecord()
    const clock = virtualClock()
    const robot = createRobot(demoRover, { clock, record, seed: 7 })
    robot.onState((state) => {
      if (state === 'halted') robot.send({ type: 'robot.reset' })
    })
    await Promise.all([robot.start(), clock.advance(500)])
    robot.send({ type: 'robot.halt', cause: 'enough' })
    await clock.advance(500)
    await robot.stop()
    const { gap } = await replay(record.entries())
    expect(gap).toBe('send came from within the robot itself')
  })
})

test('a replay stops where it is told to, and shows the robot there', async () => {
  const record = await runOf({ seed: 7 }, (_, clock) => clock.advance(3_000))
  const { differences, status } = await replay(record.entries(), { untilSeconds: 1.5 })
  expect(differences).toBe(0)
  expect(status.state).toBe('active.autonomous')
  expect(status.pose?.x).toBeGreaterThan(0.2)
})

async function* entriesIn(texts: readonly string[]): AsyncGenerator<Entry> {
  const { entrySchema } = await import('../core/record/entry.ts')
  const { valueOf } = await import('../core/record/text.ts')
  for (const text of texts) yield entrySchema.parse(valueOf(text))
}

/** The moment to which an entry belongs. */
async function momentOf(record: KeptRecord, place: number): Promise<{ readonly atMs: number }> {
  let atMs = 0
  let index = 0
  for await (const entry of record.entries()) {
    if (index > place) break
    if ('atMs' in entry) atMs = entry.atMs
    index += 1
  }
  return { atMs }
}

function throwing(message: string): () => never {
  return () => {
    throw new Error(message)
  }
}

function never(): Promise<never> {
  return new Promise(() => {})
}
