import { describe, expect, test as plainTest } from 'vitest'
import type { Brain } from '../../actors/deliberation.ts'
import type { Condition, Why } from '../../core/vocabulary/why.ts'
import { whyText } from '../../inspector/why.ts'
import type { RobotCommand } from '../../machines/robot.machine.ts'
import { type Bench, benchWith, twoWheels } from '../support/hand-made-body.ts'
import { startModel } from '../support/model-server.ts'
import { type Status, test } from '../support/mechos.ts'

/** The conditions that are not met, by name. */
function unmet({ conditions }: Why): Readonly<Record<string, Condition>> {
  return Object.fromEntries(
    conditions.filter(({ isMet }) => !isMet).map((condition) => [condition.what, condition]),
  )
}

/** Says to a robot what a printed command says, and nothing else. */
function obey({ robot }: Bench, line: string): void {
  const [, verb, , , epoch] = /^mechos (\w+) (\S+)( --epoch (\d+))?$/.exec(line) ?? []
  const commands: Readonly<Record<string, RobotCommand>> = {
    reset: { type: 'robot.reset' },
    resume: { type: 'robot.resume' },
    halt: { type: 'robot.halt', cause: 'to begin anew' },
    arm: { type: 'robot.arm', epoch: Number(epoch) },
  }
  const command = commands[verb ?? '']
  if (!command) throw new Error(`nobody can say: ${line}`)
  expect(robot.send(command)).toMatchObject({ ok: true })
}

function commandsOf({ way }: Why): readonly string[] {
  return (way ?? []).flatMap((step) => ('command' in step ? step.command : []))
}

async function followed(bench: Bench): Promise<Why> {
  for (const line of commandsOf(bench.robot.why())) obey(bench, line)
  await bench.clock.advance(500)
  return bench.robot.why()
}

describe('a robot that is asked why', () => {
  plainTest('says that it moves, and that nothing is in the way', async () => {
    const bench = benchWith()
    await bench.drive()
    await bench.clock.advance(500)
    const why = bench.robot.why()
    expect(why).toEqual({
      name: 'hand-made',
      state: 'active.autonomous',
      moves: true,
      stopped: { causes: [] },
      conditions: [
        {
          what: 'motion gate',
          isMet: true,
          value: 'open',
          limit: 'open',
          liftedBy: 'operator',
          command: null,
        },
        {
          what: 'heartbeat age in ms',
          isMet: true,
          value: 0,
          limit: 300,
          liftedBy: 'itself',
          command: null,
        },
        {
          what: 'command lease age in ms',
          isMet: true,
          value: 0,
          limit: 500,
          liftedBy: 'itself',
          command: null,
        },
        {
          what: 'kernel',
          isMet: true,
          value: 'open',
          limit: 'open',
          liftedBy: 'operator',
          command: null,
        },
        {
          what: 'epoch of the kernel',
          isMet: true,
          value: 2,
          limit: 2,
          liftedBy: 'operator',
          command: null,
        },
      ],
      way: [],
    })
    expect(whyText(why).split('\n')).toEqual([
      'hand-made moves: it is autonomous',
      'as it should be: motion gate open, heartbeat age in ms 0 of 300, command lease age in ms 0 of 500, kernel open, epoch of the kernel 2 of 2',
    ])
    await bench.robot.stop()
  })

  plainTest('halted, names the cause and three commands, which make it move', async () => {
    const bench = benchWith()
    await bench.drive()
    await bench.clock.advance(500)
    await bench.robot.halt('asked to halt')
    await bench.clock.advance(500)
    const why = bench.robot.why()
    expect([why.moves, why.state, why.stopped]).toEqual([
      false,
      'halted',
      { causes: ['asked to halt'] },
    ])
    expect(why.way).toEqual([
      { command: 'mechos reset hand-made' },
      { command: 'mechos arm hand-made --epoch 3' },
      { command: 'mechos resume hand-made' },
    ])
    expect(unmet(why)).toMatchObject({
      'motion gate': {
        value: 'shut: asked to halt',
        limit: 'open',
        liftedBy: 'operator',
        command: 'mechos reset hand-made',
      },
      'command lease age in ms': { value: 'no command', limit: 500 },
      kernel: { value: 'locked', limit: 'open' },
      'epoch of the kernel': { value: 2, limit: 3 },
    })
    expect(whyText(why)).toContain('hand-made does not move: it is halted: asked to halt\n')
    expect(await followed(bench)).toMatchObject({ moves: true, way: [] })
    await bench.robot.stop()
  })

  plainTest('is not touched by the question', async () => {
    const bench = benchWith()
    await bench.drive()
    await bench.clock.advance(500)
    const before = [bench.robot.snapshot(), bench.body.wheels, bench.body.isArmed]
    for (let times = 0; times < 20; times++) bench.robot.why()
    expect([bench.robot.snapshot(), bench.body.wheels, bench.body.isArmed]).toEqual(before)
    await bench.robot.stop()
  })

  plainTest('armed by nobody yet, names the epoch to arm', async () => {
    const bench = benchWith()
    await bench.start()
    const why = bench.robot.why()
    expect([why.state, commandsOf(why)]).toEqual([
      'standby',
      ['mechos arm hand-made --epoch 1', 'mechos resume hand-made'],
    ])
    expect(await followed(bench)).toMatchObject({ moves: true })
    await bench.robot.stop()
  })

  plainTest('whose body is lost, waits for it first', async () => {
    const bench = benchWith()
    await bench.drive()
    await bench.clock.advance(500)
    bench.body.faults.open = async () => {
      throw new Error('no such port')
    }
    bench.body.lose('the cable was pulled')
    await bench.clock.advance(1_500)
    const why = bench.robot.why()
    expect(why.stopped.causes[0]).toBe('the cable was pulled')
    expect(why.way?.[0]).toEqual({ waitFor: 'the board is ready' })
    expect(unmet(why)['board']).toMatchObject({
      value: 'lost: no such port',
      limit: 'ready',
      liftedBy: 'hardware',
    })
    delete bench.body.faults.open
    await bench.clock.advance(2_000)
    expect(commandsOf(bench.robot.why())).toHaveLength(3)
    expect(await followed(bench)).toMatchObject({ moves: true })
    await bench.robot.stop()
  })

  plainTest('whose sensor fell silent, names it', async () => {
    const bench = benchWith()
    await bench.drive()
    await bench.clock.advance(500)
    bench.body.faults.sense = (reading) => (reading.kind === 'lidar' ? undefined : reading)
    await bench.clock.advance(2_000)
    expect(unmet(bench.robot.why())['sensor lidar']).toMatchObject({
      value: 'stale',
      limit: 'live',
      liftedBy: 'hardware',
    })
    await bench.clock.advance(6_000)
    const held = bench.robot.why()
    expect(held.way).toEqual([
      { waitFor: 'this is over: lidar was not heard of for too long' },
      { command: 'mechos resume hand-made' },
    ])
    delete bench.body.faults.sense
    await bench.clock.advance(1_000)
    expect(commandsOf(bench.robot.why())).toEqual(['mechos resume hand-made'])
    expect(await followed(bench)).toMatchObject({ moves: true })
    await bench.robot.stop()
  })

  plainTest('that has ended, says that nobody can', async () => {
    const bench = benchWith()
    await bench.drive()
    await bench.robot.stop()
    const why = bench.robot.why()
    expect([why.moves, why.way]).toEqual([false, null])
    expect(new Set(Object.values(unmet(why)).map(({ liftedBy }) => liftedBy))).toEqual(
      new Set(['nobody']),
    )
    expect(whyText(why)).toContain('nobody can make it move again')
  })
})

describe('a robot that may move, and does not', () => {
  const tooFast: Brain = {
    name: 'too fast',
    decide: async () => ({
      reason: 'hurry',
      intent: { type: 'drive', linear: 0.9, angular: 0, durationMs: 500 },
    }),
  }

  plainTest('since the kernel refuses, names the rule, the value and the limit', async () => {
    const bench = benchWith({ brain: tooFast })
    await bench.drive()
    await bench.clock.advance(300)
    const why = bench.robot.why()
    expect([why.moves, why.way]).toEqual([false, []])
    const rule = 'kernel rule limits.linear: linear 0.9 m/s is beyond the limit of 0.5 m/s'
    expect(unmet(why)[rule]).toEqual({
      what: rule,
      isMet: false,
      value: 0.9,
      limit: 0.5,
      liftedBy: 'owner of the configuration',
      command: 'limits.linear in the configuration, then mechos run',
    })
    await bench.robot.stop()
  })

  plainTest('for want of a grant, sends to whoever owns the configuration', async () => {
    const bench = benchWith({}, { ...twoWheels, grants: [] })
    await bench.drive()
    await bench.clock.advance(300)
    const refusals = Object.values(unmet(bench.robot.why())).filter(({ what }) =>
      what.startsWith('kernel rule capability'),
    )
    expect(refusals).toMatchObject([
      {
        value: 'drive',
        liftedBy: 'owner of the configuration',
        command: 'grants in the configuration, then mechos run',
      },
    ])
    await bench.robot.stop()
  })

  plainTest(
    'since its board has no deadman, says which word of the configuration accepts that',
    async () => {
      const bench = benchWith({}, twoWheels, false)
      await bench.drive()
      await bench.clock.advance(300)
      const refusals = Object.values(unmet(bench.robot.why())).filter(({ what }) =>
        what.startsWith('kernel rule deadman'),
      )
      expect(refusals).toMatchObject([
        {
          value: 'absent',
          limit: 'a deadman',
          liftedBy: 'owner of the configuration',
          command: 'acceptNoDeadman: true in the configuration, then mechos run',
        },
      ])
      await bench.robot.stop()
    },
  )

  plainTest('since its brain fails, says what of', async () => {
    const brain: Brain = {
      name: 'empty',
      decide: async () => {
        throw new Error('nothing comes to mind')
      },
    }
    const bench = benchWith({ brain })
    await bench.drive()
    await bench.clock.advance(2_000)
    const why = bench.robot.why()
    expect([why.moves, why.way, why.stopped.causes]).toEqual([false, [], ['nothing comes to mind']])
    expect(unmet(why)['brain empty: setbacks in a row']).toMatchObject({
      value: expect.stringMatching(/^\d+: nothing comes to mind$/),
      limit: 0,
      liftedBy: 'itself',
    })
    await bench.robot.stop()
  })
})

const drives = ({ state, pose }: Status) => state === 'active.autonomous' && (pose?.x ?? 0) > 0.05

describe.concurrent('mechos why', { timeout: 120_000 }, () => {
  test('prints commands that, typed as they are, make a halted rover drive again', async ({
    place,
  }) => {
    place.start(['run', '--headless', '--for', '3600', '--speed', '1'])
    await place.reaches('rover', drives)
    expect((await place.run('why')).stdout).toMatch(/^rover moves: it is autonomous\n/)

    await place.run('halt')
    const halted = await place.reaches('rover', ({ state }) => state === 'halted')
    const asked = await place.run('why', 'rover')
    expect([asked.code, asked.stderr]).toEqual([0, ''])
    expect(asked.stdout).toMatch(/^rover does not move: it is halted: asked to halt\n/)
    const lines = [...asked.stdout.matchAll(/^ {2}\d+\. mechos (.+)$/gm)].map(([, line]) => line)
    expect(lines).toEqual(['reset rover', `arm rover --epoch ${halted.epoch}`, 'resume rover'])
    for (const line of lines) {
      // oxlint-disable-next-line no-await-in-loop -- one command comes after the other
      expect((await place.run(...(line ?? '').split(' '))).code).toBe(0)
    }
    const { pose } = await place.reaches('rover', ({ state }) => state === 'active.autonomous')
    await place.reaches(
      'rover',
      (now) =>
        Math.hypot((now.pose?.x ?? 0) - (pose?.x ?? 0), (now.pose?.y ?? 0) - (pose?.y ?? 0)) > 0.1,
    )
    const json = await place.run('why', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({
      name: 'rover',
      stopped: { causes: [] },
      way: [],
    })
  })

  test('speaks of a budget that is spent', async ({ place }) => {
    const model = await startModel(() => ({
      reason: 'wait',
      intent: { type: 'wait', durationMs: 100 },
    }))
    const brain = ['--brain', model.url, '--model', 'm', '--budget-tokens', '3000']
    place.start(['run', '--headless', '--for', '3600', ...brain])
    await place.reaches('rover', ({ budget }) => budget.state === 'exhausted')
    const { conditions }: Why = JSON.parse((await place.run('why', '--json')).stdout)
    expect(conditions.find(({ what }) => what === 'budget of the day, in tokens')).toMatchObject({
      isMet: false,
      limit: 3000,
      liftedBy: 'owner of the configuration',
    })
    await model.close()
  })

  test('answers to a key', async ({ place }) => {
    const terminal = place.open(['run', '--seed', '7'])
    await terminal.says(/w says why it does not move/)
    await terminal.says(/autonomous/)
    terminal.type(' ')
    await terminal.says(/halted/)
    terminal.type('w')
    await terminal.says(
      /the way to motion, when all are clear of rover:\r?\n +1\. mechos reset rover/,
    )
    terminal.type('q')
    expect(await terminal.ended).toBe(0)
  })

  test('says that no robot is running', async ({ place }) => {
    expect(await place.run('why')).toMatchObject({ code: 1, stderr: 'no robot is running\n' })
  })
})
