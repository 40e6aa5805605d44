import { describe, expect, test } from 'vitest'
import type { Intent } from '../../core/vocabulary/intent.ts'
import { scriptedBrain } from '../../testing.ts'
import { type Bench, benchWith } from '../support/hand-made-body.ts'

const ahead: Intent = { type: 'drive', linear: 0.4, angular: 0, durationMs: 5_000 }
const word = { linear: 0.4, angular: 0 }
const rest = { linear: 0, angular: 0 }

/** A person drives by hand at full speed, and another word of his has just been heard. */
async function byHand(): Promise<Bench> {
  const bench = benchWith({ brain: scriptedBrain([]) })
  await bench.drive()
  bench.robot.send({ type: 'robot.takeOver' })
  bench.robot.drive(rest)
  for (let at = 0; at < 20; at++) {
    bench.robot.drive(word)
    // oxlint-disable-next-line no-await-in-loop -- one word after the other
    await bench.clock.advance(50)
  }
  expect(metresPerSecond(bench)).toBeCloseTo(0.4, 9)
  bench.robot.drive(word)
  return bench
}

/** A brain drives at full speed, and has four more seconds to go; then it has nothing more to say. */
async function byBrain(script: readonly Intent[]): Promise<Bench> {
  const bench = benchWith({ brain: scriptedBrain(script) })
  await bench.drive()
  await bench.clock.advance(1_000)
  expect(metresPerSecond(bench)).toBeCloseTo(0.4, 9)
  return bench
}

function metresPerSecond({ body }: Bench): number {
  return body.wheels.left * 0.05
}

/** Lets so much time pass, and answers with the speed that was written first, in m/s; undefined when nothing was. */
async function firstSpeed({ body, clock }: Bench, ms: number): Promise<number | undefined> {
  const before = body.writes.length
  await clock.advance(ms)
  const first = body.writes.slice(before).find(({ kind }) => kind === 'wheels')
  return first?.kind === 'wheels' ? first.left * 0.05 : undefined
}

const holds: Record<string, (bench: Bench) => void> = {
  'released and taken over': ({ robot }) => {
    robot.send({ type: 'robot.release' })
    robot.send({ type: 'robot.takeOver' })
  },
  'paused and taken over': ({ robot }) => {
    robot.send({ type: 'robot.pause' })
    robot.send({ type: 'robot.takeOver' })
  },
  'halted, reset, armed and taken over': ({ robot }) => {
    void robot.halt()
    robot.send({ type: 'robot.reset' })
    robot.send({ type: 'robot.arm', epoch: robot.snapshot().epoch })
    robot.send({ type: 'robot.takeOver' })
  },
}

describe('a hold that is over before the next tick', () => {
  for (const [title, hold] of Object.entries(holds)) {
    test(`voids what was ordered by hand before it: ${title}`, async () => {
      const bench = await byHand()
      const { x } = bench.body.at
      hold(bench)
      expect([bench.robot.snapshot().state, metresPerSecond(bench)]).toEqual(['active.manual', 0])
      expect([await firstSpeed(bench, 500), bench.body.at.x]).toEqual([undefined, x])
      await bench.robot.stop()
    })

    test(`has the wheels begin anew when another word follows at once: ${title}`, async () => {
      const bench = await byHand()
      hold(bench)
      bench.robot.drive(rest)
      bench.robot.drive(word)
      // One tick at 1 m/s².
      expect(await firstSpeed(bench, 100)).toBeCloseTo(0.02, 9)
      await bench.robot.stop()
    })
  }

  test('voids what a brain had ordered before it', async () => {
    const bench = await byBrain([ahead])
    const { x } = bench.body.at
    bench.robot.send({ type: 'robot.pause' })
    bench.robot.send({ type: 'robot.resume' })
    expect(bench.robot.snapshot().state).toBe('active.autonomous')
    expect([await firstSpeed(bench, 500), bench.body.at.x]).toEqual([undefined, x])
    await bench.robot.stop()
  })

  test('has the wheels begin anew for the next order of a brain', async () => {
    const bench = await byBrain([ahead, ahead])
    bench.robot.send({ type: 'robot.pause' })
    bench.robot.send({ type: 'robot.resume' })
    expect(await firstSpeed(bench, 500)).toBeCloseTo(0.02, 9)
    await bench.robot.stop()
  })

  test('ends what a brain had ordered also when a person has driven in between', async () => {
    const bench = await byBrain([ahead])
    const { x } = bench.body.at
    for (const type of ['robot.takeOver', 'robot.release', 'robot.resume'] as const) {
      expect(bench.robot.send({ type })).toMatchObject({ ok: true })
    }
    expect([await firstSpeed(bench, 500), bench.body.at.x]).toEqual([undefined, x])
    await bench.robot.stop()
  })
})
