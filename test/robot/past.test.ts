import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createRobot, type Robot, virtualClock, wallClock } from '../../index.ts'
import { watchActors } from '../../inspector/cockpit/hub.ts'
import type { ActorView, WorldView } from '../../inspector/cockpit/protocol.ts'
import { flightRecordIn, recordLimits } from '../../store/flight-record.ts'
import { demoRover } from '../../testing.ts'
import { keptRecord } from '../support/kept-record.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mechos-past-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** What was shown of the robot at a moment, while that was the present. */
interface Seen {
  readonly world: WorldView
  readonly state: string
  readonly actors: ReadonlyMap<string, readonly string[]>
}

test('shows a run that goes on as it was shown then: charts, place, scan, battery, outputs', async () => {
  const clock = virtualClock()
  const record = flightRecordIn(join(folder, 'one'), recordLimits, wallClock().now)
  const robot = createRobot(demoRover, { clock, seed: 7, record })
  const actors = new Map<string, ActorView>()
  watchActors(
    (observer) => robot.inspect(observer),
    (changed) => {
      for (const actor of changed) actors.set(actor.id, actor)
    },
    { clock, failed: (cause) => expect.unreachable(cause) },
  )
  await Promise.all([robot.start(), clock.advance(100)])
  const seen: Seen[] = []
  for (let moment = 0; moment < 12; moment++) {
    // oxlint-disable-next-line no-await-in-loop -- time goes on step by step
    await clock.advance(1_000)
    // oxlint-disable-next-line no-await-in-loop -- as above
    if (moment === 8) await Promise.all([robot.halt('a hand'), clock.advance(300)])
    // So that views that are told late are told.
    // oxlint-disable-next-line no-await-in-loop -- as above
    await clock.advance(60)
    const charts = [...actors.values()].filter(({ active }) => active.length > 0)
    seen.push({
      world: robot.world(),
      state: robot.snapshot().state,
      actors: new Map(charts.map(({ id, active }) => [id, active])),
    })
  }
  await isKept(robot, clock.now())
  for (const { world, state, actors: then } of seen) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const past = await robot.past?.at(world.atMs)
    expect(past?.atMs).toBe(world.atMs)
    expect(new Map(past?.actors.map(({ id, active }) => [id, active]))).toEqual(then)
    expect(past?.causes).toEqual(state === 'halted' ? ['a hand'] : [])
    // The record has the place ten times a second.
    const [one, other] = [past?.world.pose, world.pose]
    expect(
      Math.hypot((one?.x ?? 9) - (other?.x ?? 0), (one?.y ?? 9) - (other?.y ?? 0)),
    ).toBeLessThan(0.06)
    expect(past?.world.battery).toBe(world.battery)
    expect(past?.world.planned?.twist).toEqual(world.planned?.twist)
    expect(past?.world.planned?.leftMs).toBe(world.planned?.leftMs)
    expect(past?.world.refused?.message).toBe(world.refused?.message)
    expect(Math.abs((past?.world.scan.length ?? 0) - world.scan.length)).toBeLessThan(3)
    expect(past?.world.velocity?.linear).toBeCloseTo(world.velocity?.linear ?? 0, 1)
    expect(past?.world.commanded.linear).toBeCloseTo(world.commanded.linear, 9)
    expect(past?.world.outputs.map(({ name, safe }) => [name, safe])).toEqual(
      world.outputs.map(({ name, safe }) => [name, safe]),
    )
  }
  const last = await robot.past?.at(clock.now())
  expect(last?.events.map(({ kind, text }) => `${kind}: ${text}`).slice(0, 3)).toEqual([
    'command: start',
    'command: halt: a hand',
    'halt: halted: a hand',
  ])
  expect(robot.past?.reach).toEqual({
    fromMs: 0,
    toMs: clock.now(),
    marks: [{ atMs: expect.any(Number), kind: 'halt' }],
  })
  // What is not in the record is not made up.
  expect(last?.actors.map(({ context, refused }) => [context, refused])).toEqual(
    last?.actors.map(() => [{}, []]),
  )
  expect(last?.world).toMatchObject({ covariance: null, planned: null })
  await Promise.all([robot.stop(), clock.advance(1_000)])
  await expect(robot.past?.at(1_000)).rejects.toThrow()
})

test('there is none without a record, nor with one that cannot be looked at while it is written', () => {
  const options = { clock: virtualClock(), seed: 7 }
  expect(createRobot(demoRover, options).past).toBe(undefined)
  expect(createRobot(demoRover, { ...options, record: keptRecord() }).past).toBe(undefined)
})

/** Resolves once everything up to that moment is in the record. */
function isKept(robot: Robot, atMs: number): Promise<void> {
  return vi.waitFor(
    () => {
      if (robot.past?.reach?.toMs !== atMs) throw new Error('it is not kept yet')
    },
    { interval: 5, timeout: 10_000 },
  )
}
