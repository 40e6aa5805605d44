import { afterEach, describe, expect, test } from 'vitest'
import type { Intent, RobotConfiguration } from '../../index.ts'
import { createRobot, virtualClock } from '../../index.ts'
import { demoRover, scriptedBrain } from '../../testing.ts'
import { type Bench, benchWith, twoWheels } from '../support/hand-made-body.ts'
import { startHostile } from '../support/model-server.ts'

const ahead = (durationMs: number): Intent => ({
  type: 'drive',
  linear: 0.4,
  angular: 0,
  durationMs,
})
const aheadForLong = scriptedBrainOf(...Array.from({ length: 50 }, () => ahead(1_000)))

function scriptedBrainOf(...script: readonly Intent[]) {
  return () => scriptedBrain(script)
}

function expectStill({ body, robot }: Bench): void {
  expect(body.wheels).toEqual({ left: 0, right: 0 })
  expect(body.isArmed).toBe(false)
  expect(body.outputs().map(({ safe }) => safe)).toEqual([true, true, true])
  expect(robot.snapshot().state).toMatch(/^(halted|off|failed)$/)
}

/** Whatever a test did, its robot ends with every output safe, and nothing reached the body that should not. */
async function expectSafeEnd(bench: Bench) {
  const report = await bench.robot.stop()
  expect(Object.values(report.actuators).map(({ safe }) => safe)).toEqual([true, true, true])
  expect(bench.body.isOpen).toBe(false)
  return report
}

describe('createRobot with a body of the caller', () => {
  const displacementOf = async (seed: number) => {
    const bench = benchWith({ seed })
    await bench.drive()
    await bench.clock.advance(20_000)
    await expectSafeEnd(bench)
    return bench.body.at
  }

  test('drives it for more than a metre, each seed its own way', async () => {
    const [seven, again, eight] = [
      await displacementOf(7),
      await displacementOf(7),
      await displacementOf(8),
    ]
    expect(Math.hypot(seven.x, seven.y)).toBeGreaterThan(1)
    expect(again).toEqual(seven)
    expect(Math.hypot(seven.x - eight.x, seven.y - eight.y)).toBeGreaterThan(0.01)
  })

  test('turns its wheels the way the robot is to go', async () => {
    const left: Intent = { type: 'drive', linear: 0.2, angular: 0.5, durationMs: 2_000 }
    const bench = benchWith({ brain: scriptedBrain([left]) })
    await bench.drive()
    await bench.clock.advance(1_500)
    expect(bench.body.wheels.right).toBeGreaterThan(bench.body.wheels.left)
    expect(bench.body.wheels.left).toBeCloseTo((0.2 - 0.05) / 0.05, 6)
    expect(bench.body.wheels.right).toBeCloseTo((0.2 + 0.05) / 0.05, 6)
    expect(bench.body.at.x).toBeGreaterThan(0.15)
    expect(bench.body.at.heading).toBeGreaterThan(0.4)
    const { pose } = bench.robot.snapshot()
    expect(pose?.x).toBeCloseTo(bench.body.at.x, 2)
    expect(pose?.heading).toBeCloseTo(bench.body.at.heading, 2)
    await expectSafeEnd(bench)
  })

  test('stands by until a person arms it', async () => {
    const bench = benchWith({ brain: aheadForLong() })
    await bench.start()
    await bench.clock.advance(5_000)
    expect(bench.robot.snapshot().state).toBe('standby')
    expect(bench.robot.send({ type: 'robot.resume' })).toEqual({
      ok: false,
      message: 'resume: the robot is standby; arm it first',
    })
    expect(bench.robot.send({ type: 'robot.arm', epoch: 9 }).ok).toBe(false)
    expect(bench.robot.send({ type: 'robot.arm', epoch: 1 })).toEqual({
      ok: true,
      state: 'active.holding',
      epoch: 2,
    })
    await bench.clock.advance(1_000)
    expect([bench.body.isArmed, bench.body.writes]).toEqual([false, []])
    expect(bench.robot.send({ type: 'robot.resume' })).toEqual({
      ok: true,
      state: 'active.autonomous',
      epoch: 2,
    })
    await bench.clock.advance(1_000)
    expect(bench.body.at.x).toBeGreaterThan(0.1)
    await expectSafeEnd(bench)
  })

  test('keeps to acceleration limits on the way up, and asks nobody on the way down', async () => {
    const bench = benchWith({ brain: aheadForLong() })
    await bench.drive()
    await bench.clock.advance(1_500)
    const speeds = bench.body.writes.map((write) =>
      write.kind === 'wheels' ? write.left * 0.05 : 0,
    )
    const steps = speeds.map((speed, index) => speed - (speeds[index - 1] ?? 0))
    expect(Math.max(...steps)).toBeLessThanOrEqual(1 * 0.02 + 1e-9)
    expect(Math.max(...speeds)).toBeCloseTo(0.4, 9)
    void bench.robot.halt()
    expectStill(bench)
    await expectSafeEnd(bench)
  })

  test('stop, said twice, is one stop', async () => {
    const bench = benchWith({ brain: aheadForLong() })
    await bench.drive()
    await bench.clock.advance(1_000)
    const [one, other] = await Promise.all([bench.robot.stop(), bench.robot.stop()])
    expect(other).toBe(one)
    expect(one).toMatchObject({
      state: 'halted',
      exit: 0,
      causes: ['end of run'],
      body: 'custom',
      deadman: true,
    })
    expect(one.distanceM).toBeGreaterThan(0.1)
    expect(one.collisions).toBe(null)
    const { length } = bench.body.writes
    await bench.clock.advance(5_000)
    expect(bench.body.writes.length).toBe(length)
  })
})

describe('a body without a deadman', () => {
  test('is not driven', async () => {
    const bench = benchWith({ brain: aheadForLong() }, twoWheels, false)
    await bench.drive()
    await bench.clock.advance(3_000)
    expect(bench.body.writes).toEqual([])
    expect(bench.robot.snapshot().causes[0]).toMatch(/^this board has no deadman/)
    await expectSafeEnd(bench)
  })

  test('is driven where its owner accepts that, and slowly', async () => {
    const slow: Intent = { type: 'drive', linear: 0.25, angular: 0, durationMs: 1_000 }
    const configuration: RobotConfiguration = { ...twoWheels, acceptNoDeadman: true }
    const bench = benchWith({ brain: scriptedBrain([ahead(1_000), slow]) }, configuration, false)
    await bench.drive()
    await bench.clock.advance(900)
    expect(bench.body.at.x).toBeGreaterThan(0.05)
    const fastest = bench.body.writes.map((write) =>
      write.kind === 'wheels' ? write.left * 0.05 : 0,
    )
    expect(Math.max(...fastest)).toBeCloseTo(0.25, 9)
    expect(bench.robot.snapshot().epoch).toBe(2)
    await expectSafeEnd(bench)
  })
})

describe('a halt is done when the call returns, whatever the robot is doing:', () => {
  const ways: Record<string, (bench: Bench) => Promise<void> | void> = {
    'before it starts': () => {},
    'standing by': (bench) => bench.start(),
    holding: async (bench) => {
      await bench.drive()
      bench.robot.send({ type: 'robot.pause' })
    },
    'driving by itself': async (bench) => {
      await bench.drive()
      await bench.clock.advance(1_000)
      expect(bench.body.wheels.left).toBeGreaterThan(1)
    },
    'driven by hand': async (bench) => {
      await bench.drive()
      bench.robot.send({ type: 'robot.takeOver' })
      bench.robot.drive({ linear: 0, angular: 0 })
      bench.robot.drive({ linear: 0.3, angular: 0 })
      await bench.clock.advance(100)
      expect(bench.body.wheels.left).toBeGreaterThan(0)
    },
    halted: async (bench) => {
      await bench.drive()
      await bench.robot.halt('earlier')
    },
  }
  for (const [title, reach] of Object.entries(ways)) {
    test(title, async () => {
      const bench = benchWith({ brain: aheadForLong() })
      await reach(bench)
      const evidence = bench.robot.halt('enough')
      expect([bench.body.wheels, bench.body.isArmed]).toEqual([{ left: 0, right: 0 }, false])
      expect(await evidence).toEqual({ evidence: 'measured', ms: expect.any(Number) })
      const { length } = bench.body.writes
      await bench.clock.advance(3_000)
      expect(bench.body.writes.length).toBe(length)
      expect(bench.body.wheels).toEqual({ left: 0, right: 0 })
      await expectSafeEnd(bench)
    })
  }

  test('opening', async () => {
    const bench = benchWith()
    bench.body.faults.open = () => new Promise(() => {})
    const started = bench.robot.start()
    const rejected = expect(started).rejects.toThrow('enough')
    await bench.clock.advance(100)
    expect(bench.robot.snapshot().state).toBe('booting')
    await bench.robot.halt('enough')
    expectStill(bench)
    await rejected
    expect((await bench.robot.stop()).causes).toEqual(['enough'])
  })

  test('ended', async () => {
    const bench = benchWith({ brain: aheadForLong() })
    await bench.drive()
    await bench.robot.stop()
    await bench.robot.halt('enough')
    expect(bench.robot.snapshot().state).toBe('off')
    expect(bench.body.isArmed).toBe(false)
  })

  test('and it takes reset, arm and resume to drive again, each with a younger epoch', async () => {
    const bench = benchWith({ brain: aheadForLong() })
    const { robot } = bench
    await bench.drive()
    await bench.clock.advance(500)
    await robot.halt('look out')
    expect(robot.snapshot()).toMatchObject({ state: 'halted', causes: ['look out'], epoch: 3 })
    for (const type of [
      'robot.resume',
      'robot.takeOver',
      'robot.pause',
      'robot.release',
    ] as const) {
      expect(robot.send({ type }).ok).toBe(false)
    }
    expect(robot.send({ type: 'robot.arm', epoch: 3 }).ok).toBe(false)
    expect(robot.send({ type: 'robot.goal', text: 'go on' })).toMatchObject({ state: 'halted' })
    await bench.clock.advance(2_000)
    expectStill(bench)

    expect(robot.send({ type: 'robot.reset' })).toEqual({ ok: true, state: 'standby', epoch: 3 })
    expect(robot.send({ type: 'robot.arm', epoch: 2 })).toMatchObject({ ok: false })
    expect(robot.send({ type: 'robot.arm', epoch: 3 })).toEqual({
      ok: true,
      state: 'active.holding',
      epoch: 4,
    })
    const from = bench.body.at.x
    await bench.clock.advance(1_000)
    expect(bench.body.at.x).toBe(from)
    expect(robot.send({ type: 'robot.resume' })).toMatchObject({ ok: true })
    await bench.clock.advance(1_000)
    expect(bench.body.at.x).toBeGreaterThan(from + 0.1)
    expect((await expectSafeEnd(bench)).causes).toEqual(['end of run'])
  })
})

describe('a body that fails', () => {
  const broken = (): never => {
    throw new Error('broken')
  }
  const inMidDrive: Record<string, (bench: Bench) => void> = {
    'in writing': ({ body }) => (body.faults.write = broken),
    'in moving its world on': ({ body }) => (body.faults.step = broken),
    'by being lost': ({ body }) => body.lose('broken'),
  }
  for (const [title, fail] of Object.entries(inMidDrive)) {
    test(`${title} halts the robot`, async () => {
      const bench = benchWith({ brain: aheadForLong() })
      await bench.drive()
      await bench.clock.advance(1_000)
      fail(bench)
      await bench.clock.advance(100)
      expectStill(bench)
      expect(bench.robot.snapshot().causes[0]).toMatch(/broken/)
      const report = await expectSafeEnd(bench)
      expect(report).toMatchObject({ state: 'halted', exit: 1 })
      expect(bench.body.lateWrites).toBe(0)
    })
  }

  test('in arming moves nothing and halts the robot', async () => {
    const bench = benchWith({ brain: aheadForLong() })
    bench.body.faults.arm = broken
    await bench.drive()
    await bench.clock.advance(1_000)
    expectStill(bench)
    expect(bench.body.writes).toEqual([])
    expect((await expectSafeEnd(bench)).causes[0]).toBe('broken')
  })

  test('in halting keeps its gate shut all the same', async () => {
    const bench = benchWith({ brain: aheadForLong() })
    await bench.drive()
    await bench.clock.advance(1_000)
    bench.body.faults.halt = broken
    await bench.robot.halt('enough')
    const { length } = bench.body.writes
    await bench.clock.advance(2_000)
    expect(bench.body.writes.length).toBe(length)
    expect(bench.robot.snapshot().state).toBe('halted')
    await expectSafeEnd(bench)
  })

  test('in halting from the start is not driven at all', async () => {
    const bench = benchWith({ brain: aheadForLong() })
    bench.body.faults.halt = broken
    const started = expect(bench.robot.start()).rejects.toThrow('broken')
    await bench.clock.advance(100)
    await started
    expect(bench.body.writes).toEqual([])
    expect((await bench.robot.stop()).exit).toBe(1)
  })

  test('in confirming has no evidence to show, and is halted', async () => {
    const bench = benchWith({ brain: aheadForLong() })
    await bench.drive()
    await bench.clock.advance(500)
    bench.body.faults.confirm = () => Promise.reject(new Error('broken'))
    expect(await bench.robot.halt('enough')).toMatchObject({ evidence: 'none' })
    expect(await expectSafeEnd(bench)).toMatchObject({ halt: { evidence: 'none' } })
  })

  test('in opening ends the start with its own error', async () => {
    const bench = benchWith()
    bench.body.faults.open = () => Promise.reject(new Error('no such port'))
    const started = expect(bench.robot.start()).rejects.toThrow('no such port')
    await bench.clock.advance(100)
    await started
    expectStill(bench)
    expect(await expectSafeEnd(bench)).toMatchObject({
      state: 'halted',
      exit: 1,
      causes: ['no such port'],
    })
  })

  test('by never opening ends the start in time', async () => {
    const bench = benchWith()
    bench.body.faults.open = () => new Promise(() => {})
    const started = expect(bench.robot.start()).rejects.toThrow('in time')
    await bench.clock.advance(21_000)
    await started
    expectStill(bench)
    await expectSafeEnd(bench)
  })

  test('and comes back is driven only after reset and arm', async () => {
    const bench = benchWith({ brain: aheadForLong() })
    const { robot } = bench
    await bench.drive()
    await bench.clock.advance(500)
    bench.body.lose('unplugged')
    await bench.clock.advance(100)
    expect(robot.snapshot()).toMatchObject({ state: 'halted', causes: ['unplugged'] })
    expect(robot.send({ type: 'robot.reset' })).toEqual({
      ok: false,
      message: 'reset: the body is not there yet',
    })
    await bench.clock.advance(3_000)
    expect(bench.body.isOpen).toBe(true)
    expectStill(bench)
    const reset = robot.send({ type: 'robot.reset' })
    if (!reset.ok) throw new Error(reset.message)
    robot.send({ type: 'robot.arm', epoch: reset.epoch })
    robot.send({ type: 'robot.resume' })
    const from = bench.body.at.x
    await bench.clock.advance(1_000)
    expect(bench.body.at.x).toBeGreaterThan(from + 0.1)
    await expectSafeEnd(bench)
  })
})

describe('a brain that', () => {
  const brains: Record<string, { decide: () => Promise<never>; because: RegExp | undefined }> = {
    'never answers': { decide: () => new Promise(() => {}), because: undefined },
    rejects: { decide: () => Promise.reject(new Error('I cannot')), because: /^I cannot$/ },
    'throws at once': {
      decide: () => {
        throw new Error('I will not')
      },
      because: /^I will not$/,
    },
  }
  for (const [title, { decide, because }] of Object.entries(brains)) {
    test(`${title} leaves the robot still and ready`, async () => {
      const bench = benchWith({ brain: { name: 'odd', decide } })
      await bench.drive()
      await bench.clock.advance(5_000)
      expect(bench.body.wheels).toEqual({ left: 0, right: 0 })
      expect(bench.body.at).toEqual({ x: 0, y: 0, heading: 0 })
      const { state, causes } = bench.robot.snapshot()
      expect(state).toBe('active.autonomous')
      if (because) expect(causes).toEqual([expect.stringMatching(because)])
      expect(await expectSafeEnd(bench)).toMatchObject({ exit: 0, distanceM: 0 })
    })
  }

  const rubbish: Record<string, unknown> = {
    nothing: undefined,
    'no intent': {},
    NaN: { type: 'drive', linear: NaN, angular: 0, durationMs: 500 },
    Infinity: { type: 'drive', linear: 0, angular: Infinity, durationMs: 500 },
    'a text for a number': { type: 'drive', linear: '0.3', angular: 0, durationMs: 500 },
    '99 m/s': { type: 'drive', linear: 99, angular: 0, durationMs: 500 },
    'to turn at 9 rad/s': { type: 'drive', linear: 0, angular: 9, durationMs: 500 },
  }
  for (const [title, intent] of Object.entries(rubbish)) {
    test(`wants ${title} gets nothing, and hears why`, async () => {
      const outcomes: string[] = []
      const brain = {
        name: 'odd',
        decide: async ({ history }: { history: readonly { outcome: string }[] }) => {
          outcomes.push(...history.slice(-1).map(({ outcome }) => outcome))
          return { reason: 'why not', intent }
        },
      }
      const bench = benchWith({ brain })
      await bench.drive()
      await bench.clock.advance(3_000)
      expect(bench.body.writes.every((write) => write.kind === 'wheels' && write.left === 0)).toBe(
        true,
      )
      expect(bench.body.at).toEqual({ x: 0, y: 0, heading: 0 })
      expect(outcomes[0]).toMatch(/^refused: .+/)
      expect(bench.robot.snapshot().causes).toHaveLength(1)
      const report = await expectSafeEnd(bench)
      expect([report.intents.permitted, report.intents.refused > 1, report.exit]).toEqual([
        0,
        true,
        0,
      ])
    })
  }

  test('falls silent in mid-drive is obeyed until its intent ends, and no longer', async () => {
    let asked = 0
    const decide = () =>
      asked++ === 0
        ? Promise.resolve({ reason: 'go', intent: ahead(1_000) })
        : new Promise<never>(() => {})
    const bench = benchWith({ brain: { name: 'odd', decide } })
    await bench.drive()
    await bench.clock.advance(900)
    expect(bench.body.wheels.left).toBeGreaterThan(5)
    // Braking at 2 m/s² from 0.4 m/s takes 0.2 s.
    await bench.clock.advance(400)
    expect(bench.body.wheels).toEqual({ left: 0, right: 0 })
    expect(bench.robot.snapshot().state).toBe('active.autonomous')
    await expectSafeEnd(bench)
  })

  test('asks for a relay gets it, and a halt switches it off', async () => {
    const bench = benchWith({
      brain: scriptedBrain([{ type: 'setRelay', relay: 'lamp', on: true }]),
    })
    await bench.drive()
    await bench.clock.advance(500)
    expect(bench.body.outputs()[2]).toEqual({ name: 'lamp', output: 1, safe: false })
    void bench.robot.halt()
    expectStill(bench)
    await expectSafeEnd(bench)
  })

  test('falls silent loses the relay that it switched on, and not before', async () => {
    let asked = 0
    const decide = () =>
      asked++ === 0
        ? Promise.resolve({
            reason: 'light',
            intent: { type: 'setRelay', relay: 'lamp', on: true },
          })
        : new Promise<never>(() => {})
    const bench = benchWith({ brain: { name: 'odd', decide } })
    const lamp = () => bench.body.outputs()[2]
    await bench.drive()
    await bench.clock.advance(14_000)
    expect(lamp()).toEqual({ name: 'lamp', output: 1, safe: false })
    // The deadline of a model, 10 s, and 5 s for the longest act before it is asked.
    await bench.clock.advance(2_000)
    expect(lamp()).toEqual({ name: 'lamp', output: 0, safe: true })
    expect(bench.robot.snapshot().state).toBe('active.autonomous')
    await expectSafeEnd(bench)
  })

  test('hears a new goal with its next question', async () => {
    const goals: (string | undefined)[] = []
    const brain = {
      name: 'odd',
      decide: async ({ goal }: { goal: string | undefined }) => {
        goals.push(goal)
        return { reason: 'go', intent: ahead(5_000) }
      },
    }
    const bench = benchWith({ brain })
    await bench.drive()
    await bench.clock.advance(200)
    expect(goals).toEqual([undefined])
    expect(bench.robot.send({ type: 'robot.goal', text: 'home' })).toMatchObject({
      ok: true,
      state: 'active.autonomous',
    })
    await bench.clock.advance(200)
    expect(goals).toEqual([undefined, 'home'])
    expect(bench.robot.snapshot().goal).toBe('home')
    expect((await expectSafeEnd(bench)).goal).toBe('home')
  })
})

describe('a sensor that guards motion and', () => {
  const faults: Record<string, Bench['body']['faults']['sense']> = {
    'falls silent': (reading) => (reading.kind === 'lidar' ? undefined : reading),
    'says NaN': (reading) =>
      reading.kind === 'lidar' ? { ...reading, ranges: [NaN, 1, 1] } : reading,
    'says NaN of its wheels': (reading) =>
      reading.kind === 'encoders' ? { ...reading, left: NaN } : reading,
    'keeps repeating an old stamp': (reading) =>
      reading.kind === 'lidar' ? { ...reading, stampMs: 100 } : reading,
    'stamps without a time': (reading) =>
      reading.kind === 'lidar' ? { ...reading, stampMs: NaN } : reading,
  }
  for (const [title, sense] of Object.entries(faults)) {
    test(`${title} stops the wheels within half a second`, async () => {
      const bench = benchWith({ brain: aheadForLong() })
      await bench.drive()
      await bench.clock.advance(1_000)
      expect(bench.body.wheels.left).toBeGreaterThan(5)
      if (sense) bench.body.faults.sense = sense
      await bench.clock.advance(500)
      expect(bench.body.wheels).toEqual({ left: 0, right: 0 })
      await bench.clock.advance(2_000)
      expect(bench.body.wheels).toEqual({ left: 0, right: 0 })
      expect(bench.robot.snapshot().causes.join()).toMatch(
        /^(lidar|encoders) has not been heard of/,
      )

      bench.body.faults.sense = (reading) => reading
      await bench.clock.advance(6_000)
      expect(bench.body.at.x).toBeGreaterThan(0.5)
      await expectSafeEnd(bench)
    })
  }

  test('falls silent after a stamp from the future is no fresher for it', async () => {
    const bench = benchWith({ brain: aheadForLong() })
    bench.body.faults.sense = (reading) => ({ ...reading, stampMs: reading.stampMs + 3_600_000 })
    await bench.drive()
    await bench.clock.advance(1_000)
    bench.body.faults.sense = () => undefined
    await bench.clock.advance(500)
    expect(bench.body.wheels).toEqual({ left: 0, right: 0 })
    await expectSafeEnd(bench)
  })
})

describe('driving by hand', () => {
  const forward = { linear: 0.3, angular: 0 }
  const still = { linear: 0, angular: 0 }

  test('needs a take-over, and the agent is out meanwhile', async () => {
    const bench = benchWith({ brain: aheadForLong() })
    await bench.drive()
    expect(bench.robot.drive(forward)).toMatchObject({ permitted: false, rule: 'override' })
    await bench.clock.advance(500)
    expect(bench.robot.send({ type: 'robot.takeOver' })).toMatchObject({
      ok: true,
      state: 'active.manual',
    })
    await bench.clock.advance(1_000)
    expect(bench.body.wheels).toEqual({ left: 0, right: 0 })
    expect(bench.robot.drive(forward)).toMatchObject({ permitted: false, rule: 'rest' })
    bench.robot.drive(still)
    expect(bench.robot.drive(forward)).toMatchObject({ permitted: true })
    await bench.clock.advance(150)
    expect(bench.body.wheels.left).toBeGreaterThan(1)
    expect(bench.robot.send({ type: 'robot.release' })).toMatchObject({ state: 'active.holding' })
    expect(bench.body.wheels).toEqual({ left: 0, right: 0 })
    expect(bench.robot.drive(forward)).toMatchObject({ permitted: false, rule: 'locked' })
    await expectSafeEnd(bench)
  })

  test('ends 200 ms after the last word, and goes on for as long as there are words', async () => {
    const bench = benchWith({ brain: aheadForLong() })
    await bench.drive()
    bench.robot.send({ type: 'robot.takeOver' })
    bench.robot.drive(still)
    for (let word = 0; word < 10; word++) {
      expect(bench.robot.drive(forward).permitted).toBe(true)
      await bench.clock.advance(100)
    }
    expect(bench.body.wheels.left).toBeCloseTo(6, 6)
    // 100 of its 200 ms are over; 150 ms are needed to brake from 0.3 m/s at 2 m/s².
    await bench.clock.advance(80)
    expect(bench.body.wheels.left).toBeCloseTo(6, 6)
    await bench.clock.advance(220)
    expect(bench.body.wheels).toEqual({ left: 0, right: 0 })
    await expectSafeEnd(bench)
  })

  test('is refused beyond hard limits and without numbers', async () => {
    const bench = benchWith()
    await bench.drive()
    bench.robot.send({ type: 'robot.takeOver' })
    for (const [linear, angular] of [
      [0.51, 0],
      [0, 1.6],
      [-0.51, 0],
      [NaN, 0],
      [0, Infinity],
    ] as const) {
      const verdict = bench.robot.drive({ linear, angular })
      expect(verdict, `${linear} ${angular}`).toMatchObject({
        permitted: false,
        message: expect.any(String),
      })
    }
    await bench.clock.advance(500)
    expect(bench.body.at).toEqual({ x: 0, y: 0, heading: 0 })
    bench.robot.drive(still)
    expect(bench.robot.drive({ linear: 0.5, angular: -1.5 })).toMatchObject({ permitted: true })
    await expectSafeEnd(bench)
  })
})

describe('a beginning', () => {
  test('after an end that was not clean is halted, and says why', async () => {
    const bench = benchWith({
      unclean: 'the last run ended without halting',
      brain: aheadForLong(),
    })
    await bench.start()
    expect(bench.robot.snapshot()).toMatchObject({
      state: 'halted',
      causes: ['the last run ended without halting'],
    })
    expect(bench.robot.send({ type: 'robot.arm', epoch: bench.robot.snapshot().epoch }).ok).toBe(
      false,
    )
    await bench.clock.advance(1_000)
    expectStill(bench)
    const reset = bench.robot.send({ type: 'robot.reset' })
    expect(reset).toMatchObject({ ok: true, state: 'standby' })
    await expectSafeEnd(bench)
  })

  test('that must be noted first, and cannot be, moves nothing', async () => {
    const beforeMotion = () => {
      throw new Error('the disk is full')
    }
    const bench = benchWith({ beforeMotion, brain: aheadForLong() })
    await bench.drive()
    await bench.clock.advance(1_000)
    expectStill(bench)
    expect(bench.body.writes).toEqual([])
    expect((await expectSafeEnd(bench)).causes.join()).toContain('the disk is full')
  })

  test('of a simulated body is by itself, unless told otherwise', async () => {
    for (const [selfArm, state] of [
      [true, 'active.autonomous'],
      [false, 'standby'],
    ] as const) {
      const clock = virtualClock()
      const robot = createRobot(demoRover, { clock, seed: 7, selfArm })
      const started = robot.start()
      await clock.advance(100)
      await started
      expect(robot.snapshot().state).toBe(state)
      await robot.stop()
    }
  })

  test('with a configuration that is not valid is none', () => {
    expect(() => createRobot({ ...twoWheels, leaseMs: 0 })).toThrow(
      'leaseMs: 0 is not allowed; a number from 50 to 2000 ms',
    )
  })
})

describe('a model that never answers', () => {
  const closers: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of closers.splice(0)) await close()
  })

  test('is given up within its 10 s, and the report of a run of 15 s says so', async () => {
    const server = await startHostile(() => {})
    closers.push(server.close)
    const corner = (x: number, y: number) => ({ x, y })
    const geofence = [corner(-5, -5), corner(5, -5), corner(5, 5), corner(-5, 5)]
    const bench = benchWith(
      { unattended: true },
      { ...twoWheels, geofence, brains: [{ url: server.url, model: 'm' }] },
    )
    await bench.drive()
    await bench.clock.advance(15_000)
    expect(bench.robot.snapshot().llm.lastError).toBe('the model gave no answer within 10 s')
    const report = await expectSafeEnd(bench)
    expect(report).toMatchObject({ exit: 0, distanceM: 0, tokens: { spent: 0, held: 0 } })
    expect(report.causes).toEqual(['end of run', 'the model gave no answer within 10 s'])
    expect(report.tokens.assumed).toBeGreaterThan(0)
  })
})
