import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Observation } from '../../core/vocabulary/observation.ts'
import type { Brain, RobotConfiguration } from '../../index.ts'
import { type Bench, benchWith, twoWheels } from '../support/hand-made-body.ts'
import { expectSafe, reportOf, test as testAt, waitMsMax } from '../support/mechos.ts'

const ahead = { type: 'drive', linear: 0.2, angular: 0, durationMs: 1_000 }
const wait = { type: 'wait', durationMs: 1_000 }
const ask = { type: 'askHuman', question: 'Left or right?', choices: ['left', 'right'] }
const mustAsk: RobotConfiguration = { ...twoWheels, approve: ['drive', 'relay:lamp'] }

/** A brain that keeps what it is told, proposes each of these in turn, and then waits. */
function listening(...script: readonly unknown[]): Brain & { readonly seen: Observation[] } {
  const seen: Observation[] = []
  return {
    name: 'listening',
    seen,
    async decide(observation) {
      const intent = script[seen.length] ?? wait
      seen.push(observation)
      return { reason: 'because \u001b[2J I say so', intent }
    },
  }
}

/** A robot that drives by itself, what it said to people, and the ways to answer. */
async function company(brain: Brain, configuration: RobotConfiguration = twoWheels) {
  const bench = benchWith({ brain, run: 'rover-1' }, configuration)
  const heard: string[] = []
  bench.robot.onNotice((line) => heard.push(line))
  await bench.drive()
  await bench.clock.advance(200)
  const asked = () => bench.robot.snapshot().question
  const answer = (text: string, id = asked()?.id ?? 0) =>
    bench.robot.send({ type: 'robot.answer', id, text })
  return { ...bench, heard, asked, answer }
}

function expectUnmoved({ body }: Bench): void {
  expect([body.wheels, body.at]).toEqual([
    { left: 0, right: 0 },
    { x: 0, y: 0, heading: 0 },
  ])
}

describe('a question to a person', () => {
  test('is said once, stands in the status, and its answer is in the very next observation', async () => {
    const brain = listening(ask, ahead)
    const bench = await company(brain)
    const id = bench.asked()?.id ?? 0
    expect(bench.asked()).toEqual({
      id,
      kind: 'question',
      text: 'Left or right?',
      choices: ['left', 'right'],
      modelSays: 'because \u001b[2J I say so',
    })
    expect(bench.heard).toEqual([
      `hand-made asks (${id}), in the words of its model: "Left or right?" (1 "left", 2 "right") within 60 s: mechos answer TEXT --id ${id}; the model says: "because \\u001b[2J I say so"`,
    ])
    await bench.clock.advance(20_000)
    expect([brain.seen.length, bench.heard.length]).toEqual([1, 1])
    expectUnmoved(bench)
    expect(bench.robot.snapshot()).toMatchObject({
      causes: [`it waits for a person's answer to question ${id}: "Left or right?"`],
      agent: { state: 'holding.awaitingHuman' },
    })

    expect(bench.answer('2')).toEqual({ ok: true, state: 'active.autonomous', epoch: 2 })
    expect(bench.asked()).toBe(null)
    await bench.clock.advance(1_000)
    expect(brain.seen[1]?.answers).toEqual([{ question: 'Left or right?', answer: 'right' }])
    expect(bench.body.at.x).toBeGreaterThan(0)
    await bench.robot.stop()
  })

  test('takes no answer that is stale, none to another, and none that is no choice', async () => {
    const bench = await company(listening(ask, ask))
    const id = bench.asked()?.id ?? 0
    expect(bench.answer('up')).toEqual({
      ok: false,
      message: 'answer: "up" is not allowed; one of "left", "right"',
    })
    expect(bench.answer('left', id + 1)).toEqual({
      ok: false,
      message: `answer: question ${id + 1} is not open; the open one is ${id}`,
    })
    expect(bench.answer('left').ok).toBe(true)
    expect(bench.answer('left', id)).toEqual({ ok: false, message: 'answer: nothing is asked' })
    await bench.clock.advance(200)
    expect(bench.asked()?.id).toBe(id + 1)
    expect(bench.answer('right', id)).toEqual({
      ok: false,
      message: `answer: question ${id} is not open; the open one is ${id + 1}`,
    })
    await bench.robot.stop()
  })

  test('that nobody answers is over after 60 s, and the brain is told so', async () => {
    const brain = listening(ask)
    const bench = await company(brain)
    await bench.clock.advance(59_000)
    expect(brain.seen.length).toBe(1)
    await bench.clock.advance(2_000)
    expect(brain.seen[1]?.answers).toEqual([
      { question: 'Left or right?', answer: 'nobody answered within 60 s' },
    ])
    await bench.robot.stop()
  })

  const ends: Record<string, (bench: Bench) => unknown> = {
    'a halt': ({ robot }) => robot.halt(),
    'a pause': ({ robot }) => robot.send({ type: 'robot.pause' }),
    'a take-over': ({ robot }) => robot.send({ type: 'robot.takeOver' }),
    'a new goal': ({ robot }) => robot.send({ type: 'robot.goal', text: 'home' }),
  }
  for (const [title, end] of Object.entries(ends)) {
    test(`is closed by ${title}`, async () => {
      const bench = await company(listening(ask))
      const id = bench.asked()?.id ?? 0
      await end(bench)
      expect(bench.asked()).toBe(null)
      expect(bench.answer('left', id)).toMatchObject({ message: 'answer: nothing is asked' })
      await bench.robot.stop()
    })
  }

  test('has a number that another run would not give it', async () => {
    const [one, again, other] = await Promise.all(
      ['rover-1', 'rover-1', 'rover-2'].map(async (run) => {
        const bench = benchWith({ brain: listening(ask), run })
        await bench.drive()
        await bench.clock.advance(200)
        const { question } = bench.robot.snapshot()
        await bench.robot.stop()
        return question?.id
      }),
    )
    expect(one).toBeGreaterThan(100_000)
    expect(again).toBe(one)
    expect(Math.abs((other ?? 0) - (one ?? 0))).toBeGreaterThanOrEqual(1_000)
  })
})

describe('a drive that a person must approve', () => {
  const wording = 'drive 0.20 m/s 0.00 rad/s for 1000 ms, within 0.5 m/s and 1.5 rad/s'

  test("is shown in the kernel's words, the model's apart, and moves nothing meanwhile", async () => {
    const bench = await company(listening(ahead), mustAsk)
    const id = bench.asked()?.id ?? 0
    expect(bench.asked()).toEqual({
      id,
      kind: 'approval',
      text: wording,
      choices: ['yes', 'no'],
      modelSays: 'because \u001b[2J I say so',
    })
    expect(bench.heard).toEqual([
      `hand-made asks (${id}): ${wording}? within 10 s: mechos answer yes --id ${id}, or no; the model says: "because \\u001b[2J I say so"`,
    ])
    await bench.clock.advance(9_000)
    expectUnmoved(bench)
    await bench.robot.stop()
  })

  test('moves after a yes, as far as was approved, and the next one is asked for anew', async () => {
    const bench = await company(listening(ahead, ahead), mustAsk)
    const first = bench.asked()?.id ?? 0
    expect(bench.answer('yes').ok).toBe(true)
    await bench.clock.advance(3_000)
    const { x } = bench.body.at
    expect(x).toBeGreaterThan(0.1)
    expect(x).toBeLessThan(0.3)
    expect(bench.asked()?.id).toBe(first + 1)
    await bench.clock.advance(5_000)
    expect(bench.body.at.x).toBe(x)
    expect(bench.body.wheels).toEqual({ left: 0, right: 0 })
    await bench.robot.stop()
  })

  test('does not move after a no, nor after silence', async () => {
    const brain = listening(ahead, ahead)
    const bench = await company(brain, mustAsk)
    expect(bench.answer('no').ok).toBe(true)
    await bench.clock.advance(12_000)
    expectUnmoved(bench)
    expect(brain.seen[2]?.answers).toEqual([
      { question: wording, answer: 'no' },
      { question: wording, answer: 'nobody answered within 10 s' },
    ])
    expect(brain.seen[2]?.history.slice(-2).map(({ outcome }) => outcome)).toEqual([
      'refused: a person said no',
      'refused: nobody answered within 10 s',
    ])
    expect(bench.robot.snapshot().agent.lastVerdict).toBe('permitted')
    await bench.robot.stop()
  })

  test('is not approved by a yes that comes too late, or in another epoch', async () => {
    const bench = await company(listening(ahead, wait, ahead), mustAsk)
    const id = bench.asked()?.id ?? 0
    await bench.clock.advance(10_200)
    expect(bench.answer('yes', id)).toMatchObject({ message: 'answer: nothing is asked' })
    await bench.clock.advance(2_000)
    expect(bench.asked()?.id).toBe(id + 1)

    await bench.robot.halt('enough')
    bench.robot.send({ type: 'robot.reset' })
    bench.robot.send({ type: 'robot.arm', epoch: bench.robot.snapshot().epoch })
    bench.robot.send({ type: 'robot.resume' })
    expect(bench.answer('yes', id + 1)).toMatchObject({ ok: false })
    await bench.clock.advance(3_000)
    expectUnmoved(bench)
    await bench.robot.stop()
  })

  test('is not approved by a yes to something else', async () => {
    const lamp = { type: 'setRelay', relay: 'lamp', on: true }
    const bench = await company(listening(lamp, ahead), mustAsk)
    expect(bench.asked()?.text).toBe('switch lamp on')
    expect(bench.answer('yes').ok).toBe(true)
    await bench.clock.advance(1_000)
    expect(bench.body.outputs().find(({ name }) => name === 'lamp')?.output).toBe(1)
    expect(bench.asked()?.text).toBe(wording)
    expectUnmoved(bench)
    await bench.robot.stop()
  })

  test('is not put before a person when it is refused anyway', async () => {
    const bench = await company(listening({ ...ahead, linear: 99 }), mustAsk)
    expect([bench.asked(), bench.heard]).toEqual([null, []])
    await bench.robot.stop()
  })

  test('is approved by yes and by no other word', async () => {
    const bench = await company(listening(ahead), mustAsk)
    for (const text of ['y', '1', 'ok', '']) expect(bench.answer(text).ok).toBe(false)
    await bench.clock.advance(1_000)
    expectUnmoved(bench)
    await bench.robot.stop()
  })

  test('is not approved by anything that a brain can say', async () => {
    const id = (more: number) => ({ id: 100_000 + more, text: 'yes' })
    const tricks = [
      { type: 'kernel.approve', ...id(1) },
      { type: 'robot.answer', ...id(1) },
      { type: 'agent.answer', ...id(1) },
      { ...ahead, approved: true },
      { type: 'askHuman', question: wording, choices: ['yes'] },
    ]
    const bench = await company(listening(...tricks, ahead), mustAsk)
    await bench.clock.advance(2_000)
    // The yes to a question of the model approves what the model asked for as little.
    expect(bench.asked()).toMatchObject({ kind: 'question', text: wording })
    expect(bench.answer('yes').ok).toBe(true)
    await bench.clock.advance(2_000)
    expect(bench.asked()).toMatchObject({ kind: 'approval', text: wording })
    expectUnmoved(bench)
    await bench.robot.stop()
  })

  test('is approved in one place of the program only', () => {
    const folders = ['actors', 'core', 'inspector', 'machines', 'robot', 'store']
    const senders = folders
      .flatMap((folder) =>
        readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(
          (file) => `${folder}/${file}`,
        ),
      )
      .filter((file) => file.endsWith('.ts'))
      .filter((file) => /send\([^)]*kernel\.approve/s.test(readFileSync(file, 'utf8')))
    expect(senders).toEqual(['robot/answering.ts'])
  })

  test('is asked for of a person who drives by hand as little as ever', async () => {
    const bench = await company(listening(wait), mustAsk)
    bench.robot.send({ type: 'robot.takeOver' })
    bench.robot.drive({ linear: 0, angular: 0 })
    expect(bench.robot.drive({ linear: 0.2, angular: 0 })).toMatchObject({ permitted: true })
    await bench.robot.stop()
  })
})

describe('a robot whose brain repeats itself', () => {
  test('holds still, says why, and asks it again, which is told so', async () => {
    const brain = listening()
    const bench = await company(brain)
    await bench.clock.advance(8_000)
    expect(brain.seen.length).toBe(6)
    expect(brain.seen[5]?.loop).toMatchObject({ times: 5, caught: false })
    expect(bench.robot.snapshot().causes).toEqual([
      'the model repeats itself: 6 times wait 1000 ms (permitted)',
    ])
    expect(bench.robot.snapshot().state).toBe('active.autonomous')
    await bench.clock.advance(20_000)
    expect(brain.seen[6]?.loop).toMatchObject({ times: 6, caught: true })
    expect(bench.robot.snapshot().causes).toEqual([])
    await bench.robot.stop()
  })

  test('is not stopped while it drives straight on and gets somewhere', async () => {
    const script = Array.from({ length: 30 }, () => ahead)
    const brain = listening(...script)
    const bench = await company(brain)
    await bench.clock.advance(28_000)
    expect(bench.body.at.x).toBeGreaterThan(5)
    expect(brain.seen.at(-1)?.loop).toMatchObject({ headway: true, caught: false })
    await bench.robot.stop()
  })
})

describe.concurrent('a person who is asked', { timeout: 120_000 }, () => {
  const cautious = `export default { name: 'rover', approve: ['drive'],
    body: { kind: 'simulated', wheels: { radiusMetres: 0.03, trackMetres: 0.15 }, lidar: {} },
    limits: { linear: 0.3, angular: 1.5 } }`

  testAt('answers from another terminal', async ({ place }) => {
    place.write('robot.config.ts', cautious)
    const robot = place.start('run --headless --for 3600 --seed 7 --report -'.split(' '))
    await robot.says(/^rover asks \(\d{6}\): drive .* m\/s .* rad\/s\? within 10 s: /m)
    const id = /answer yes --id (\d+)/.exec(robot.text())?.[1] ?? ''
    expect((await place.run('status')).stdout).toMatch(
      new RegExp(`^answer +mechos answer yes\\|no --id ${id} --name rover$`, 'm'),
    )
    const stale = await place.run('answer', 'yes', '--id', '5')
    expect([stale.code, stale.stdout]).toEqual([
      2,
      `answer: question 5 is not open; the open one is ${id}\n`,
    ])
    const taken = await place.run('answer', 'yes', '--id', id)
    expect([taken.code, taken.stdout]).toEqual([0, 'rover: active.autonomous, epoch 2\n'])
    // The next drive is asked for anew.
    await robot.says(new RegExp(`answer yes --id ${Number(id) + 1}`))
    robot.signal('SIGTERM')
    const report = reportOf(await robot.ended)
    expect(report.distanceM).toBeGreaterThan(0.01)
    expect(report.distanceM).toBeLessThan(0.3)
    expect(report.intents.permitted).toBe(1)
    expectSafe(report)
  })

  testAt('answers by a key, and not by one that comes too soon', async ({ place }) => {
    place.write('robot.config.ts', cautious)
    const terminal = place.open('run --for 3600 --seed 7 --state here'.split(' '))
    const typing = (key: string, until: RegExp) =>
      expect
        .poll(
          () => {
            terminal.type(key)
            return terminal.text()
          },
          { timeout: waitMsMax, interval: 50 },
        )
        .toMatch(until)
    await terminal.says(/rover: simulated body/)
    // Somebody who leans on the key approves nothing that he has not read.
    await typing('y', /too soon: read the question, then press the key again/)
    expect(terminal.text()).toMatch(
      /rover asks \(\d{6}\): drive [^?]*\? [^\r\n]*; y approves it once, n refuses it/,
    )
    await typing('n', /rover asks [^]*rover asks /)
    terminal.type('q')
    expect(await terminal.ended).toBe(0)
    expect(terminal.text()).toMatch(/ 0\.0 m in /)
  })
})
