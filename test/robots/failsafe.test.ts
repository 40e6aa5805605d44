import { describe, expect, test } from 'vitest'
import type { Intent } from '../../index.ts'
import { createRobot, virtualClock } from '../../index.ts'
import { parseConfiguration } from '../../core/vocabulary/configuration.ts'
import type { Reading } from '../../core/vocabulary/reading.ts'
import { simulatedBody } from '../../drivers/simulated/body.ts'
import { scriptedBrain } from '../../testing.ts'
import { type Bench, benchWith } from '../support/hand-made-body.ts'

const ahead: Intent = { type: 'drive', linear: 0.4, angular: 0, durationMs: 1_000 }
const slowly: Intent = { ...ahead, linear: 0.2 }
const forward = { linear: 0.3, angular: 0 }
const still = { linear: 0, angular: 0 }

function manyTimes(intent: Intent) {
  return scriptedBrain(Array.from({ length: 100 }, () => intent))
}

/** A simulated robot with a stop button and a contact in its motor supply, in a room without anything. */
async function guarded() {
  const clock = virtualClock()
  const configuration = parseConfiguration({
    name: 'guarded',
    body: {
      kind: 'simulated',
      wheels: { radiusMetres: 0.05, trackMetres: 0.2 },
      lidar: { beams: 8 },
      stopButtons: [{ name: 'red' }],
      motorPower: {},
    },
    limits: { linear: 0.5, angular: 1.5 },
  })
  const room = { walls: [], discs: [] }
  const body = simulatedBody(configuration, { clock, seed: 1, room })
  const robot = createRobot(configuration, { clock, body, brain: manyTimes(ahead) })
  const started = robot.start()
  await clock.advance(1_000)
  await started
  return { clock, body, robot }
}

function isSafe({ body }: Awaited<ReturnType<typeof guarded>>): boolean {
  return body.outputs().every(({ safe }) => safe)
}

describe('a contact that opens', () => {
  test.each([
    ['red', 'stop button red'],
    ['motorPower', 'motor power lost'],
  ])('%s halts within one tick', async (name, cause) => {
    const rig = await guarded()
    expect(rig.body.truth().distanceMetres).toBeGreaterThan(0.1)
    rig.body.setContact(name, false)
    await rig.clock.advance(20)
    expect(rig.robot.snapshot()).toMatchObject({ state: 'halted', causes: [cause] })
    expect(isSafe(rig)).toBe(true)
    await rig.robot.stop()
  })

  test('blocks the reset while it is open, and says so; then it takes reset, arm and a command', async () => {
    const rig = await guarded()
    const { body, clock, robot } = rig
    body.setContact('red', false)
    await clock.advance(20)
    expect(robot.send({ type: 'robot.reset' })).toEqual({
      ok: false,
      message: 'reset: refused while it lasts: stop button red',
    })
    body.setContact('red', true)
    await clock.advance(1_000)
    expect(robot.snapshot()).toMatchObject({ state: 'halted', causes: ['stop button red'] })
    const { distanceMetres } = body.truth()
    expect(robot.send({ type: 'robot.reset' })).toMatchObject({ ok: true, state: 'standby' })
    await clock.advance(1_000)
    const { epoch, causes } = robot.snapshot()
    expect(causes).toEqual([])
    expect(robot.send({ type: 'robot.arm', epoch })).toMatchObject({ state: 'active.holding' })
    await clock.advance(1_000)
    expect(body.truth().distanceMetres).toBeCloseTo(distanceMetres, 1)
    const before = body.truth().distanceMetres
    expect(robot.send({ type: 'robot.resume' })).toMatchObject({ state: 'active.autonomous' })
    await clock.advance(1_000)
    expect(body.truth().distanceMetres).toBeGreaterThan(before + 0.1)
    await robot.stop()
  })

  test('and closes again before anybody looked is a halt all the same', async () => {
    const rig = await guarded()
    rig.body.setContact('red', false)
    await rig.clock.advance(20)
    rig.body.setContact('red', true)
    await rig.clock.advance(5_000)
    expect(rig.robot.snapshot()).toMatchObject({ state: 'halted', causes: ['stop button red'] })
    await rig.robot.stop()
  })

  test('halts a robot that stands by, and one that was started with it pressed', async () => {
    const { robot, body, clock } = await guarded()
    await robot.halt('to begin with')
    robot.send({ type: 'robot.reset' })
    expect(robot.snapshot().state).toBe('standby')
    body.setContact('red', false)
    await clock.advance(20)
    expect(robot.snapshot()).toMatchObject({ state: 'halted', causes: ['stop button red'] })
    await robot.stop()
  })
})

test('a stop button that is not heard of any more counts as pressed', async () => {
  const bench = benchWith(
    { brain: manyTimes(ahead) },
    {
      name: 'unheard',
      body: {
        kind: 'simulated',
        wheels: { radiusMetres: 0.05, trackMetres: 0.2 },
        lidar: { beams: 8 },
        relays: [{ name: 'lamp', halt: 'low' }],
        stopButtons: [{ name: 'red' }],
      },
      limits: { linear: 0.5, angular: 1.5 },
    },
  )
  await bench.drive()
  await bench.clock.advance(200)
  expect(bench.body.at.x).toBe(0)
  await bench.clock.advance(200)
  expect(bench.robot.snapshot()).toMatchObject({ state: 'halted', causes: ['stop button red'] })
  await bench.robot.stop()
})

describe('the battery', () => {
  const withCharge = async (charge: number, brain = manyTimes(ahead)) => {
    const bench = benchWith({ brain })
    let present = charge
    await bench.drive()
    sayBattery(bench, () => present)
    await bench.clock.advance(1_500)
    const set = (next: number) => {
      present = next
    }
    return { ...bench, set }
  }

  test('that is low slows the robot down, and that is fuller again no longer', async () => {
    const { robot, body, clock, set } = await withCharge(0.15, manyTimes(slowly))
    expect(robot.snapshot().failsafe).toEqual({ rung: 'slow', reasons: ['battery very low'] })
    expect(body.wheels.left).toBeCloseTo(4, 3)
    expect(robot.snapshot().state).toBe('active.autonomous')
    set(0.24)
    await clock.advance(1_000)
    expect(robot.snapshot().failsafe.rung).toBe('slow')
    set(0.5)
    await clock.advance(1_000)
    expect(robot.snapshot().failsafe).toEqual({ rung: 'none', reasons: [] })
    await robot.stop()
  })

  test('that is very low refuses what is too fast for it', async () => {
    const { robot, body } = await withCharge(0.15)
    expect(robot.snapshot().agent.lastVerdict).toMatch(/beyond the limit of 0.25 m\/s/)
    expect(body.wheels).toEqual({ left: 0, right: 0 })
    await robot.stop()
  })

  test('that is nearly empty holds it; a person may drive it home by hand, and the agent not', async () => {
    const { robot, body, clock } = await withCharge(0.05)
    expect(robot.snapshot()).toMatchObject({
      state: 'active.holding',
      causes: ['battery nearly empty'],
    })
    expect(robot.send({ type: 'robot.resume' })).toEqual({
      ok: false,
      message: 'resume: refused while it lasts: battery nearly empty',
    })
    expect(robot.send({ type: 'robot.takeOver' })).toMatchObject({ state: 'active.manual' })
    robot.drive(still)
    robot.drive(forward)
    await clock.advance(100)
    expect(body.wheels.left).toBeGreaterThan(1)
    robot.drive(still)
    expect(robot.send({ type: 'robot.release' })).toMatchObject({ state: 'active.holding' })
    expect(robot.send({ type: 'robot.resume' })).toMatchObject({ ok: false })
    await robot.stop()
  })

  test('that is empty halts it, after five seconds of holding', async () => {
    const { robot, clock } = await withCharge(0.01)
    expect(robot.snapshot()).toMatchObject({ state: 'active.holding' })
    await clock.advance(3_000)
    expect(robot.snapshot().state).toBe('active.holding')
    await clock.advance(2_000)
    expect(robot.snapshot()).toMatchObject({ state: 'halted', causes: ['battery empty'] })
    await robot.stop()
  })
})

/** Has the hand-made body tell of a battery with each scan. */
function sayBattery({ body, clock }: Bench, charge: () => number): void {
  body.faults.sense = (reading): Reading =>
    reading.kind === 'lidar' && Math.round(clock.now() / 20) % 5 === 0
      ? { kind: 'battery', stampMs: clock.now(), charge: charge(), volts: 11 }
      : reading
}

describe('wheels that do other than they are told', () => {
  test('that stand still for half a second halt the robot', async () => {
    const bench = benchWith({ brain: manyTimes(ahead) })
    await bench.drive()
    await bench.clock.advance(1_000)
    bench.body.faults.sense = (reading) =>
      reading.kind === 'encoders' ? { ...reading, left: 3 } : reading
    await bench.clock.advance(380)
    expect(bench.robot.snapshot().state).toBe('active.autonomous')
    await bench.clock.advance(220)
    expect(bench.robot.snapshot()).toMatchObject({
      state: 'halted',
      causes: ['the left wheel is stalled'],
    })
    await bench.clock.advance(200)
    expect(bench.robot.send({ type: 'robot.reset' })).toMatchObject({ ok: true })
    await bench.robot.stop()
  })

  test('that turn while it is halted are a cause of their own, and are answered with nothing', async () => {
    const bench = benchWith({ brain: manyTimes(ahead) })
    await bench.drive()
    await bench.clock.advance(500)
    await bench.robot.halt('to look')
    let turned = 100
    bench.body.faults.sense = (reading) =>
      reading.kind === 'encoders' ? { ...reading, right: (turned += 0.1) } : reading
    const { length } = bench.body.writes
    await bench.clock.advance(1_000)
    expect(bench.robot.snapshot().causes).toEqual(['to look', 'motion measured while halted'])
    expect(bench.body.writes).toHaveLength(length)
    expect(bench.robot.send({ type: 'robot.reset' })).toEqual({
      ok: false,
      message: 'reset: refused while it lasts: motion measured while halted',
    })
    await bench.robot.stop()
  })
})

describe('a sensor that guards motion', () => {
  test('that is silent for five seconds leaves it to a person to go on', async () => {
    const bench = benchWith({ brain: manyTimes(ahead) })
    await bench.drive()
    await bench.clock.advance(1_000)
    bench.body.faults.sense = (reading) => (reading.kind === 'lidar' ? undefined : reading)
    await bench.clock.advance(4_000)
    expect(bench.robot.snapshot()).toMatchObject({ state: 'active.autonomous' })
    expect(bench.robot.snapshot().failsafe.rung).toBe('warn')
    await bench.clock.advance(2_000)
    expect(bench.robot.snapshot().state).toBe('active.holding')
    const { x } = bench.body.at
    bench.body.faults.sense = (reading) => reading
    await bench.clock.advance(5_000)
    expect(bench.robot.snapshot().state).toBe('active.holding')
    expect(bench.body.at.x).toBe(x)
    expect(bench.robot.send({ type: 'robot.resume' })).toMatchObject({ state: 'active.autonomous' })
    await bench.clock.advance(1_000)
    expect(bench.body.at.x).toBeGreaterThan(x)
    await bench.robot.stop()
  })
})

describe('a person at the stick', () => {
  const takenOver = async () => {
    const bench = benchWith({ brain: manyTimes(ahead) })
    await bench.drive()
    bench.robot.send({ type: 'robot.takeOver' })
    return bench
  }

  test('who holds it at arm moves nothing until it was seen at zero', async () => {
    const bench = await takenOver()
    for (let word = 0; word < 10; word++) {
      expect(bench.robot.drive(forward)).toMatchObject({ permitted: false, rule: 'rest' })
      await bench.clock.advance(100)
    }
    expect(bench.body.at).toEqual({ x: 0, y: 0, heading: 0 })
    expect(bench.robot.drive(still).permitted).toBe(true)
    expect(bench.robot.drive(forward).permitted).toBe(true)
    await bench.clock.advance(100)
    expect(bench.body.wheels.left).toBeGreaterThan(0)
    await bench.robot.stop()
  })

  test('who falls silent in the middle of a motion has it stopped, and has to take over again', async () => {
    const bench = await takenOver()
    bench.robot.drive(still)
    bench.robot.drive(forward)
    await bench.clock.advance(180)
    expect(bench.body.wheels.left).toBeGreaterThan(1)
    await bench.clock.advance(60)
    expect(bench.robot.snapshot()).toMatchObject({
      state: 'active.holding',
      causes: ['the stick fell silent'],
    })
    expect(bench.body.wheels).toEqual({ left: 0, right: 0 })
    expect(bench.robot.drive(forward)).toMatchObject({ permitted: false, rule: 'locked' })
    bench.robot.send({ type: 'robot.takeOver' })
    expect(bench.robot.drive(forward)).toMatchObject({ permitted: false, rule: 'rest' })
    bench.robot.drive(still)
    expect(bench.robot.drive(forward)).toMatchObject({ permitted: true })
    await bench.robot.stop()
  })

  test('who lets go first stays at the stick', async () => {
    const bench = await takenOver()
    bench.robot.drive(still)
    bench.robot.drive(forward)
    await bench.clock.advance(100)
    bench.robot.drive(still)
    await bench.clock.advance(1_000)
    expect(bench.robot.snapshot().state).toBe('active.manual')
    expect(bench.robot.drive(forward)).toMatchObject({ permitted: true })
    await bench.robot.stop()
  })

  test('is not overtaken by an older word', async () => {
    const bench = await takenOver()
    bench.robot.drive(still, 1)
    bench.robot.drive(forward, 5)
    expect(bench.robot.drive({ linear: -0.3, angular: 0 }, 4)).toMatchObject({ rule: 'order' })
    await bench.clock.advance(100)
    expect(bench.body.wheels.left).toBeGreaterThan(0)
    await bench.robot.stop()
  })
})
