import { describe, expect, test } from 'vitest'
import { createActor } from 'xstate'
import { createReflex, type ReflexParts, tickMs } from '../../actors/reflex.ts'
import { comfortLimits } from '../../core/motion/profile.ts'
import { parseConfiguration } from '../../core/vocabulary/configuration.ts'
import type { DriveIntent } from '../../core/vocabulary/intent.ts'
import type { Scene } from '../../core/vocabulary/scene.ts'
import { virtualClock } from '../../drivers/clock.ts'
import { MotionGate } from '../../drivers/gate.ts'
import { kernelMachine } from '../../machines/kernel.machine.ts'
import { motionMachine } from '../../machines/motion.machine.ts'
import { handMadeBody, twoWheels } from '../support/hand-made-body.ts'

const { limits, leaseMs } = parseConfiguration({ ...twoWheels, leaseMs: 300 })
const ahead: DriveIntent = { type: 'drive', linear: 0.4, angular: 0, durationMs: 5_000 }
const openField: Scene = {
  footprintMetres: 0.15,
  obstacles: [],
  sectors: [{ facing: 0, halfAngle: Math.PI, whole: true }],
  stale: [],
  blindCreep: false,
}

/** The loop with real gate, kernel and motion, all of them open, and a body that moves. `missing` are taken away later. */
async function rig() {
  const clock = virtualClock()
  const body = handMadeBody(clock)
  await body.open()
  const gate = new MotionGate(body, clock)
  const kernel = createActor(kernelMachine, {
    clock,
    input: { rules: { limits }, grants: new Set(['drive']) },
  }).start()
  const motion = createActor(motionMachine, { clock, input: { stopLimitMs: 3_000 } }).start()
  kernel.send({ type: 'kernel.open', epoch: 2 })
  motion.send({ type: 'motion.permit' })
  const state = { isBeating: true, hasKernel: true, hasMotion: true, scene: openField }
  const refused: string[] = []
  const failures: string[] = []
  const parts: ReflexParts = {
    clock,
    body,
    gate,
    drive: { leftRadiusMetres: 0.05, rightRadiusMetres: 0.05, trackMetres: 0.2 },
    fullSpeed: 20,
    limits: comfortLimits(limits),
    leaseMs,
    openLoop: () => false,
    motion: () => (state.hasMotion ? motion : undefined),
    kernel: () => (state.hasKernel ? kernel : undefined),
    scene: () => state.scene,
    feel() {},
    beat: (stampMs) => {
      if (state.isBeating) gate.beat(stampMs)
    },
    refused: (_, verdict) => refused.push(verdict.permitted ? 'permitted' : verdict.rule),
    failed: (cause) => failures.push(cause),
  }
  const reflex = createReflex(parts)
  kernel.on('kernel.verdict', ({ claim, verdict }) => reflex.hear(claim, verdict))
  reflex.start()
  await clock.advance(tickMs)
  gate.allow(2)
  const driveFor = async (ms: number, intent = ahead) => {
    reflex.give({ intent, source: 'agent', epoch: 2, untilMs: clock.now() + intent.durationMs })
    await clock.advance(ms)
  }
  const metresPerSecond = () => body.wheels.left * 0.05
  return {
    clock,
    body,
    gate,
    kernel,
    motion,
    reflex,
    state,
    refused,
    failures,
    driveFor,
    metresPerSecond,
  }
}

describe('the reflex loop', () => {
  test('ticks fifty times a second and ramps up to what is asked for', async () => {
    const { clock, reflex, driveFor, metresPerSecond } = await rig()
    const ticks: number[] = []
    reflex.ticks.subscribe((now) => ticks.push(now))
    await driveFor(100)
    // 1 m/s², the first of five ticks included.
    expect(metresPerSecond()).toBeCloseTo(0.1, 9)
    await clock.advance(900)
    expect(metresPerSecond()).toBeCloseTo(0.4, 9)
    expect(ticks).toHaveLength(50)
  })

  test('ends an order at its time', async () => {
    const { clock, reflex, driveFor, metresPerSecond } = await rig()
    await driveFor(990, { ...ahead, durationMs: 1_000 })
    expect(metresPerSecond()).toBeCloseTo(0.4, 9)
    await clock.advance(300)
    expect([metresPerSecond(), reflex.order]).toEqual([0, undefined])
  })

  test('stops within the lease when nobody renews it', async () => {
    const { clock, state, driveFor, metresPerSecond } = await rig()
    await driveFor(1_000)
    state.hasKernel = false
    await clock.advance(leaseMs - tickMs)
    expect(metresPerSecond()).toBeCloseTo(0.4, 9)
    // Braking at 2 m/s² from 0.4 m/s takes 0.2 s.
    await clock.advance(200 + 3 * tickMs)
    expect(metresPerSecond()).toBe(0)
  })

  test('stops by its own lease also when the chart of motion has lost its timers', async () => {
    const { clock, state, motion, driveFor, metresPerSecond } = await rig()
    await driveFor(1_000)
    state.hasKernel = false
    motion.stop()
    await clock.advance(leaseMs + 200 + 3 * tickMs)
    expect(metresPerSecond()).toBe(0)
  })

  test('brakes at once when the order is withdrawn, and drives no order of another source away', async () => {
    const { clock, reflex, driveFor, metresPerSecond } = await rig()
    await driveFor(1_000)
    reflex.withdraw('operator')
    await clock.advance(100)
    expect(metresPerSecond()).toBeCloseTo(0.4, 9)
    reflex.withdraw('agent')
    await clock.advance(200 + 2 * tickMs)
    expect(metresPerSecond()).toBe(0)
  })

  test('has each order judged again on every tick, and tells whose was refused', async () => {
    const { clock, state, refused, reflex, driveFor, metresPerSecond } = await rig()
    await driveFor(1_000)
    state.scene = { ...openField, obstacles: [{ x: 0.25, y: 0 }] }
    await clock.advance(tickMs)
    expect([refused, reflex.order]).toEqual([['path'], undefined])
    await clock.advance(200 + tickMs)
    expect(metresPerSecond()).toBe(0)
  })

  test('drives nothing from an older epoch', async () => {
    const { kernel, refused, driveFor, body } = await rig()
    kernel.send({ type: 'kernel.open', epoch: 3 })
    await driveFor(500)
    expect([refused, body.at.x]).toEqual([['epoch'], 0])
  })

  test('carries out nothing from before a hold, however short that was, and begins anew after it', async () => {
    const { clock, gate, body, motion, reflex, driveFor, metresPerSecond } = await rig()
    await driveFor(1_000)
    const hold = () => {
      gate.shut()
      motion.send({ type: 'motion.inhibit' })
      motion.send({ type: 'motion.permit' })
      gate.allow(2)
    }
    hold()
    const { length } = body.writes
    await clock.advance(500)
    expect([body.writes.length, reflex.order]).toEqual([length, undefined])
    await driveFor(1_000)
    hold()
    await driveFor(tickMs)
    // 1 m/s², for one tick.
    expect(metresPerSecond()).toBeCloseTo(0.02, 9)
  })

  test('trips the gate when its beat does not come through', async () => {
    const { clock, state, gate, body, driveFor } = await rig()
    await driveFor(1_000)
    state.isBeating = false
    await clock.advance(300 + tickMs)
    expect([gate.isOpen, body.wheels, body.isArmed]).toEqual([false, { left: 0, right: 0 }, false])
    expect(gate.causes).toEqual(["the robot's heart stopped for more than 300 ms"])
  })

  test('trips the gate and says so when anything in it throws', async () => {
    const { clock, gate, body, failures, driveFor } = await rig()
    await driveFor(1_000)
    body.faults.write = () => {
      throw new Error('broken')
    }
    await clock.advance(tickMs)
    expect([gate.isOpen, body.wheels]).toEqual([false, { left: 0, right: 0 }])
    expect(failures).toEqual(['the reflex loop failed: broken'])
  })

  test('writes nothing while the gate is shut or motion is inhibited', async () => {
    const { clock, gate, body, motion, driveFor } = await rig()
    motion.send({ type: 'motion.inhibit' })
    await driveFor(500)
    expect(body.writes).toEqual([])
    motion.send({ type: 'motion.permit' })
    gate.trip('enough')
    await clock.advance(500)
    expect(body.writes).toEqual([])
  })

  test('falls silent when it is stopped', async () => {
    const { clock, reflex, body, driveFor } = await rig()
    await driveFor(500)
    reflex.stop()
    const { length } = body.writes
    await clock.advance(1_000)
    expect(body.writes).toHaveLength(length)
  })
})
