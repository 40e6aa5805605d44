import { describe, expect, test } from 'vitest'
import { createActor, fromPromise, SimulatedClock } from 'xstate'
import { episodesOf } from '../../actors/episodes.ts'
import { episodeOf, type Turn } from '../../core/memory/episode.ts'
import { emptyWorld } from '../../core/space/world.ts'
import { textOf } from '../../core/vocabulary/memory.ts'
import type { Proposal } from '../../core/vocabulary/intent.ts'
import type { Observation } from '../../core/vocabulary/observation.ts'
import type { Verdict } from '../../core/vocabulary/verdict.ts'
import { agentMachine, type Decision } from '../../machines/agent.machine.ts'

const observation: Observation = {
  stampMs: 0,
  goal: 'find the dock',
  pose: { x: 1, y: 2, heading: 3 },
  velocity: { linear: 0, angular: 0 },
  scene: { footprintMetres: 0.1, obstacles: [], sectors: [], stale: ['lidar'], blindCreep: false },
  obstacles: [{ xMin: 1, xMax: 2, yMin: 0.5, yMax: 1 }],
  battery: 0.2,
  limits: { linear: 0.3, angular: 1.5 },
  canDrive: true,
  relays: [],
  approve: [],
  history: [],
  answers: [],
  loop: undefined,
}

const wait = { type: 'wait', durationMs: 200 } as const
const permitted: Verdict = { permitted: true, intent: wait }
const refused: Verdict = {
  permitted: false,
  rule: 'locked',
  value: 'agent',
  limit: 'nobody',
  message: 'not now',
}

/** An agent that gets these verdicts, one after the other, and what is remembered of it. */
async function living(...verdicts: Verdict[]) {
  const clock = new SimulatedClock()
  const turns: Turn[] = []
  const agent = createActor(
    agentMachine.provide({
      actors: {
        observe: fromPromise(async () => ({ stampMs: 0, world: emptyWorld() })),
        orient: fromPromise(async ({ input }) => ({ ...observation, goal: input.goal })),
        decide: fromPromise<Proposal, Decision>(async () => ({ reason: 'to rest', intent: wait })),
        gatekeep: fromPromise(async () => verdicts.shift() ?? refused),
      },
    }),
    { clock, input: { goal: observation.goal } },
  )
  agent.subscribe(episodesOf((turn) => turns.push(turn)))
  agent.start()
  agent.send({ type: 'agent.resume', epoch: 1 })
  const settle = async (milliseconds = 0) => {
    clock.increment(milliseconds)
    for (let turn = 0; turn < 30; turn++) {
      // oxlint-disable-next-line no-await-in-loop -- turn after turn
      await Promise.resolve()
    }
  }
  await settle()
  return { agent, settle, ends: () => turns.map(({ judged, ended }) => [judged, ended]), turns }
}

describe('the turns of an agent', () => {
  test('are told when they are done, once each', async () => {
    const { ends, settle, turns } = await living(permitted, permitted)
    expect(ends()).toEqual([])
    await settle(200)
    expect(ends()).toEqual([['permitted', 'done']])
    await settle(200)
    expect(ends()).toEqual([
      ['permitted', 'done'],
      ['permitted', 'done'],
      ['not now', 'not now'],
    ])
    expect(turns[0]).toMatchObject({ observation, proposal: { reason: 'to rest', intent: wait } })
  })

  test('are told to have been refused while they were carried out', async () => {
    const { agent, ends } = await living(permitted)
    agent.send({ type: 'intent.refused', message: 'something stood up' })
    expect(ends()).toEqual([['permitted', 'something stood up']])
  })

  test('are cut short by a pause, and by a new goal', async () => {
    const { agent, ends, settle } = await living(permitted, permitted)
    agent.send({ type: 'agent.goal', text: 'another' })
    await settle()
    agent.send({ type: 'agent.pause' })
    expect(ends()).toEqual([
      ['permitted', 'cut short'],
      ['permitted', 'cut short'],
    ])
  })

  test('end with the answer of a person', async () => {
    const asks = { id: 5, text: 'left or right?', choices: ['left', 'right'] }
    const { agent, ends, settle } = await living(
      { ...permitted, asks },
      { ...refused, asks: { ...asks, choices: ['yes', 'no'] } },
      permitted,
    )
    agent.send({ type: 'agent.answer', id: 5, text: 'left' })
    await settle()
    expect(ends()).toEqual([['a person was asked', 'answered: left']])
    agent.send({ type: 'agent.answer', id: 5, text: 'yes' })
    await settle()
    expect(ends()).toHaveLength(1)
    await settle(200)
    expect(ends()[1]).toEqual(['permitted', 'done'])
  })
})

describe('an episode', () => {
  const turn: Turn = {
    observation,
    proposal: {
      reason: 'there is room',
      intent: { type: 'drive', linear: 0.2, angular: 0, durationMs: 500 },
    },
    judged: 'permitted',
    ended: 'done',
  }

  test('is what was seen, intended and judged, and how it ended', () => {
    const episode = episodeOf(turn)
    expect(episode).toEqual({
      kind: 'episode',
      at: { frame: 'odom', x: 1, y: 2, heading: 3 },
      goal: 'find the dock',
      seen: { boxes: observation.obstacles, battery: 0.2, blind: ['lidar'] },
      intended: 'drive 0.20 m/s 0.00 rad/s',
      reason: 'there is room',
      judged: 'permitted',
      ended: 'done',
    })
    expect(textOf({ ...episode, run: 'r', wallMs: 0 })).toBe(
      'goal "find the dock": drive 0.20 m/s 0.00 rad/s (there is room): permitted; done; an obstacle ahead left; battery 20 %; blind: lidar',
    )
  })

  test('has a bound, and no number that is none', () => {
    const long = 'x'.repeat(10_000)
    const episode = episodeOf({
      observation: {
        ...observation,
        goal: long,
        pose: { x: NaN, y: 0, heading: 0 },
        obstacles: [{ xMin: -Infinity, xMax: 0, yMin: 0, yMax: 0 }],
        battery: NaN,
        scene: { ...observation.scene, stale: Array.from({ length: 50 }, () => long) },
      },
      proposal: { reason: long, intent: { type: long } },
      judged: long,
      ended: long,
    })
    expect(JSON.stringify(episode).length).toBeLessThan(4_000)
    expect(episode).toMatchObject({
      at: { frame: 'odom', x: 0, y: 0, heading: 0 },
      seen: { boxes: [], battery: null },
    })
  })
})
