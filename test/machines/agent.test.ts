import { describe, expect, test } from 'vitest'
import { createActor } from 'xstate'
import { emptyWorld, type Sighting } from '../../core/space/world.ts'
import { MechosError } from '../../core/vocabulary/errors.ts'
import type { Proposal } from '../../core/vocabulary/intent.ts'
import type { Observation } from '../../core/vocabulary/observation.ts'
import type { Verdict } from '../../core/vocabulary/verdict.ts'
import { virtualClock } from '../../drivers/clock.ts'
import {
  agentMachine,
  type Decision,
  historyMax,
  type Orientation,
} from '../../machines/agent.machine.ts'
import { held } from './held.ts'

const sighting: Sighting = { stampMs: 0, world: emptyWorld() }

const observation: Observation = {
  stampMs: 0,
  goal: undefined,
  pose: { x: 0, y: 0, heading: 0 },
  velocity: { linear: 0, angular: 0 },
  scene: { footprintMetres: 0.1, obstacles: [], sectors: [], stale: [], blindCreep: false },
  obstacles: [],
  battery: undefined,
  limits: { linear: 0.3, angular: 1.5 },
  canDrive: true,
  relays: [],
  approve: [],
  history: [],
  answers: [],
  loop: undefined,
}

const intent = { type: 'drive', linear: 0.2, angular: 0, durationMs: 400 } as const
const proposal: Proposal = { reason: 'the way is free', intent }
const permitted: Verdict = { permitted: true, intent }
const asks = { id: 5, text: 'left or right?', choices: ['left', 'right'] }
const question: Verdict = {
  permitted: true,
  intent: { type: 'askHuman', question: asks.text, choices: asks.choices },
  asks,
}
const approval: Verdict = {
  permitted: false,
  rule: 'approval',
  value: 'drive',
  limit: 'the yes of a person',
  message: 'drive: a person has to approve that first',
  asks: { id: 6, text: 'drive 0.20 m/s', choices: ['yes', 'no'] },
}
const refused: Verdict = {
  permitted: false,
  rule: 'path',
  value: 0.1,
  limit: 0.3,
  message: 'the way is occupied',
}

function thinking() {
  const clock = virtualClock()
  const observe = held<Sighting>()
  const orient = held<Observation, Orientation>()
  const decide = held<Proposal, Decision>()
  const gatekeep = held<Verdict, { proposal: Proposal; epoch: number }>()
  const agent = createActor(
    agentMachine.provide({
      actors: {
        observe: observe.logic,
        orient: orient.logic,
        decide: decide.logic,
        gatekeep: gatekeep.logic,
      },
    }),
    { clock, input: { goal: undefined } },
  )
  const orders: unknown[] = []
  agent.on('order.given', (order) => orders.push(order))
  agent.on('order.withdrawn', (order) => orders.push(order))
  agent.start()
  const state = () => {
    const { value } = agent.getSnapshot()
    return typeof value === 'string' ? value : Object.entries(value).flat().join('.')
  }
  const propose = async () => {
    await observe.last().resolve(sighting)
    await orient.last().resolve(observation)
    await decide.last().resolve(proposal)
  }
  return {
    clock,
    agent,
    observe,
    orient,
    decide,
    gatekeep,
    orders,
    state,
    context: () => agent.getSnapshot().context,
    resume: (epoch = 2) => agent.send({ type: 'agent.resume', epoch }),
    propose,
    async act() {
      await propose()
      await gatekeep.last().resolve(permitted)
    },
    /** How long it takes from a setback until it looks around again, in ms. */
    async patience() {
      for (let waited = 0; waited <= 20_000; waited += 100) {
        if (state() === 'observing') return waited
        await clock.advance(100)
      }
      return Number.POSITIVE_INFINITY
    },
  }
}

describe('the agent', () => {
  test('begins paused, and looks at nothing until it is resumed', async () => {
    const { clock, state, observe } = thinking()
    await clock.advance(600_000)
    expect([state(), observe.calls.length]).toEqual(['holding.paused', 0])
  })

  test('keeps a goal that it is given while paused, and stays paused', () => {
    const { agent, state, context } = thinking()
    agent.send({ type: 'agent.goal', text: 'find the door' })
    expect([state(), context().goal]).toEqual(['holding.paused', 'find the door'])
  })

  test('goes round: observes, orients, decides, asks the gatekeeper, acts, and observes again', async () => {
    const { clock, state, resume, observe, orient, decide, gatekeep, orders } = thinking()
    resume()
    expect(state()).toBe('observing')
    await observe.last().resolve(sighting)
    expect(state()).toBe('orienting')
    expect(orient.last().input).toEqual({
      sighting,
      goal: undefined,
      history: [],
      answers: [],
      loop: undefined,
    })
    await orient.last().resolve(observation)
    expect(state()).toBe('deciding')
    expect(decide.last().input).toEqual({ observation, isFallback: false })
    await decide.last().resolve(proposal)
    expect(state()).toBe('gatekeeping')
    expect(gatekeep.last().input).toEqual({ proposal, epoch: 2 })
    await gatekeep.last().resolve(permitted)
    expect(state()).toBe('acting')
    expect(orders).toEqual([{ type: 'order.given', intent, epoch: 2 }])
    await clock.advance(399)
    expect(state()).toBe('acting')
    await clock.advance(1)
    expect(state()).toBe('observing')
    expect(orders).toEqual([{ type: 'order.given', intent, epoch: 2 }, { type: 'order.withdrawn' }])
  })

  test('tells the brain what became of its last intents, and of no more than it should', async () => {
    const { clock, resume, act, orient, observe, context } = thinking()
    resume()
    for (let round = 0; round < historyMax + 2; round++) {
      await act()
      await clock.advance(400)
    }
    await observe.last().resolve(sighting)
    expect(orient.last().input.history).toEqual(
      Array.from({ length: historyMax }, () => ({
        intent: 'drive 0.20 m/s 0.00 rad/s',
        outcome: 'permitted',
      })),
    )
    expect(context().setbacks).toBe(0)
  })

  test('gives no order when the gatekeeper refuses, says why, and asks again later and later', async () => {
    const { resume, propose, gatekeep, state, context, orders, patience } = thinking()
    resume()
    const waits: number[] = []
    for (let refusals = 0; refusals < 8; refusals++) {
      await propose()
      await gatekeep.last().resolve(refused)
      expect([state(), context().standstill]).toEqual([
        'holding.reconsidering',
        'the way is occupied',
      ])
      waits.push(await patience())
    }
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
    expect(orders).toEqual([])
  })

  test('is patient again from the start once something was done', async () => {
    const { clock, resume, propose, act, gatekeep, context, patience } = thinking()
    resume()
    for (let refusals = 0; refusals < 4; refusals++) {
      await propose()
      await gatekeep.last().resolve(refused)
      await patience()
    }
    await act()
    expect([context().setbacks, context().standstill]).toEqual([4, undefined])
    await clock.advance(400)
    expect([context().setbacks, context().standstill]).toEqual([0, undefined])
    await propose()
    await gatekeep.last().resolve(refused)
    expect(await patience()).toBe(100)
  })

  test.each(['observe', 'orient', 'decide', 'gatekeep'] as const)(
    'holds still when it fails to %s, says why, and tries again',
    async (step) => {
      const rig = thinking()
      rig.resume()
      if (step !== 'observe') await rig.observe.last().resolve(sighting)
      if (step === 'decide' || step === 'gatekeep') await rig.orient.last().resolve(observation)
      if (step === 'gatekeep') await rig.decide.last().resolve(proposal)
      await rig[step].last().reject(new MechosError('ERR_BRAIN_SILENT', 'no answer'))
      expect([rig.state(), rig.context().standstill]).toEqual([
        'holding.reconsidering',
        'no answer',
      ])
      expect(await rig.patience()).toBe(400)
      expect(rig.orders).toEqual([])
    },
  )

  test.each([
    { step: 'observing', limitMs: 5_000, says: 'nothing was sensed for 5 s' },
    { step: 'orienting', limitMs: 5_000, says: 'orienting took more than 5 s' },
    { step: 'deciding', limitMs: 300_000, says: 'the brain gave no answer' },
    { step: 'gatekeeping', limitMs: 1_000, says: 'the kernel gave no verdict' },
  ])('does not wait for ever while $step', async ({ step, limitMs, says }) => {
    const { clock, resume, observe, orient, decide, state, context } = thinking()
    resume()
    if (step !== 'observing') await observe.last().resolve(sighting)
    if (step === 'deciding' || step === 'gatekeeping') await orient.last().resolve(observation)
    if (step === 'gatekeeping') await decide.last().resolve(proposal)
    expect(state()).toBe(step)
    await clock.advance(limitMs)
    expect([state(), context().standstill]).toEqual(['holding.reconsidering', says])
  })

  test('withdraws its order as soon as the kernel refuses it in the middle of the act', async () => {
    const { agent, resume, act, state, context, orders } = thinking()
    resume()
    await act()
    agent.send({ type: 'intent.refused', message: 'something stepped in' })
    expect([state(), context().standstill]).toEqual([
      'holding.reconsidering',
      'something stepped in',
    ])
    expect(orders.at(-1)).toEqual({ type: 'order.withdrawn' })
    expect(context().intent).toBeUndefined()
  })

  test('withdraws its order when it is paused', async () => {
    const { clock, agent, resume, act, state, orders } = thinking()
    resume()
    await act()
    agent.send({ type: 'agent.pause' })
    expect([state(), orders.at(-1)]).toEqual(['holding.paused', { type: 'order.withdrawn' }])
    await clock.advance(600_000)
    expect(state()).toBe('holding.paused')
  })

  test('aborts a pending decision when it is paused, and drops the late answer', async () => {
    const { agent, resume, observe, orient, decide, gatekeep, state, context, orders } = thinking()
    resume()
    await observe.last().resolve(sighting)
    await orient.last().resolve(observation)
    agent.send({ type: 'agent.pause' })
    expect(decide.last().signal.aborted).toBe(true)
    await decide.last().resolve(proposal)
    expect([state(), context().proposal, gatekeep.calls.length, orders]).toEqual([
      'holding.paused',
      undefined,
      0,
      [],
    ])
  })

  test('drops a verdict that comes after a pause, and the decision of before a resume', async () => {
    const { agent, resume, propose, gatekeep, decide, observe, orient, state, orders } = thinking()
    resume(2)
    await propose()
    agent.send({ type: 'agent.pause' })
    resume(4)
    await gatekeep.last().resolve(permitted)
    expect([state(), orders]).toEqual(['observing', []])
    await observe.last().resolve(sighting)
    await orient.last().resolve(observation)
    const [before, now] = decide.calls
    await before?.resolve(proposal)
    expect(state()).toBe('deciding')
    await now?.resolve(proposal)
    expect(gatekeep.last().input.epoch).toBe(4)
  })

  test('takes a new goal up at once, and gives up what it was doing', async () => {
    const { agent, resume, act, state, context, orders } = thinking()
    resume()
    await act()
    agent.send({ type: 'agent.goal', text: 'find the door' })
    expect([state(), context().goal, orders.at(-1)]).toEqual([
      'observing',
      'find the door',
      { type: 'order.withdrawn' },
    ])
  })

  test.each([
    { intent: { type: 'stop' }, lastsMs: 100 },
    { intent: { type: 'wait', durationMs: 700 }, lastsMs: 700 },
    { intent: { type: 'setRelay', relay: 'lamp', on: true }, lastsMs: 100 },
  ] as const)('acts on $intent.type for $lastsMs ms', async ({ intent: asked, lastsMs }) => {
    const { clock, resume, propose, gatekeep, state } = thinking()
    resume()
    await propose()
    await gatekeep.last().resolve({ permitted: true, intent: asked })
    await clock.advance(lastsMs - 1)
    expect(state()).toBe('acting')
    await clock.advance(1)
    expect(state()).toBe('observing')
  })

  test('is thinking while it decides, and at no other time', async () => {
    const { agent, resume, observe, orient, decide } = thinking()
    const isThinking = () => agent.getSnapshot().hasTag('thinking')
    resume()
    await observe.last().resolve(sighting)
    expect(isThinking()).toBe(false)
    await orient.last().resolve(observation)
    expect(isThinking()).toBe(true)
    await decide.last().resolve(proposal)
    expect(isThinking()).toBe(false)
  })

  test('asks later and later too when what was permitted is refused in every act', async () => {
    const { agent, resume, act, patience } = thinking()
    resume()
    const waits: number[] = []
    for (let refusals = 0; refusals < 3; refusals++) {
      await act()
      agent.send({ type: 'intent.refused', message: 'something stepped in' })
      waits.push(await patience())
    }
    expect(waits).toEqual([100, 200, 400])
  })
})

describe('an agent that asks a person', () => {
  async function asking(verdict: Verdict = question) {
    const rig = thinking()
    rig.resume()
    await rig.propose()
    await rig.gatekeep.last().resolve(verdict)
    const told = async () => {
      await rig.observe.last().resolve(sighting)
      return rig.orient.last().input
    }
    const answer = (id: number, text: string) => rig.agent.send({ type: 'agent.answer', id, text })
    return { ...rig, told, answer }
  }

  test('stands still, and says what it asks, in whose words, and since which epoch', async () => {
    const { agent, context, orders, state } = await asking()
    expect([state(), agent.getSnapshot().hasTag('asking'), orders]).toEqual([
      'holding.awaitingHuman',
      true,
      [],
    ])
    expect(context().question).toEqual({
      ...asks,
      kind: 'question',
      modelSays: 'the way is free',
      askedAtEpoch: 2,
    })
    expect(context().standstill).toBe(
      'it waits for a person\'s answer to question 5: "left or right?"',
    )
  })

  test('has the answer in its very next observation, and goes on', async () => {
    const { answer, context, decide, orient, state, told } = await asking()
    answer(5, 'left')
    expect([state(), context().question, context().standstill]).toEqual([
      'observing',
      undefined,
      undefined,
    ])
    expect((await told()).answers).toEqual([{ question: 'left or right?', answer: 'left' }])
    expect(decide.calls.length).toBe(1)
    await orient.last().resolve(observation)
    expect(state()).toBe('deciding')
  })

  test('takes no answer to another question', async () => {
    const { answer, context, state } = await asking()
    for (const id of [4, 6, Number.NaN]) answer(id, 'left')
    expect([state(), context().answers]).toEqual(['holding.awaitingHuman', []])
    const approving = await asking(approval)
    for (const id of [5, 7, Number.NaN]) approving.answer(id, 'yes')
    expect([approving.state(), approving.gatekeep.calls.length]).toEqual([
      'holding.awaitingHuman',
      1,
    ])
  })

  test.each([
    { verdict: question, limitMs: 60_000, text: 'left or right?' },
    { verdict: approval, limitMs: 10_000, text: 'drive 0.20 m/s' },
  ])('takes silence of $limitMs ms for a refusal', async ({ verdict, limitMs, text }) => {
    const { answer, clock, orders, state, told } = await asking(verdict)
    await clock.advance(limitMs - 1)
    expect(state()).toBe('holding.awaitingHuman')
    await clock.advance(1)
    expect(state()).toBe('observing')
    answer(5, 'left')
    answer(6, 'yes')
    expect([state(), orders]).toEqual(['observing', []])
    expect((await told()).answers).toEqual([
      { question: text, answer: `nobody answered within ${limitMs / 1_000} s` },
    ])
  })

  test('claims the same again after a yes, without asking its brain again', async () => {
    const { answer, decide, gatekeep, orders, state } = await asking(approval)
    answer(6, 'yes')
    expect([state(), decide.calls.length, gatekeep.calls.length]).toEqual(['gatekeeping', 1, 2])
    expect(gatekeep.last().input).toEqual({ proposal, epoch: 2 })
    expect(orders).toEqual([])
    await gatekeep.last().resolve(permitted)
    expect([state(), orders]).toEqual(['acting', [{ type: 'order.given', intent, epoch: 2 }]])
  })

  test('does not act after a no, and tells its brain so', async () => {
    const { answer, context, gatekeep, state, told } = await asking(approval)
    answer(6, 'no')
    expect([state(), gatekeep.calls.length, context().standstill]).toEqual([
      'observing',
      1,
      'refused: a person said no',
    ])
    expect(await told()).toMatchObject({
      answers: [{ question: 'drive 0.20 m/s', answer: 'no' }],
      history: [{ intent: JSON.stringify(intent), outcome: 'refused: a person said no' }],
    })
  })

  test('takes a yes to a question for what it is, and no approval', async () => {
    const { answer, gatekeep, state } = await asking()
    answer(5, 'yes')
    expect([state(), gatekeep.calls.length]).toEqual(['observing', 1])
  })

  const ways = [
    { event: { type: 'agent.pause' }, ends: 'holding.paused' },
    { event: { type: 'agent.resume', epoch: 4 }, ends: 'observing' },
    { event: { type: 'agent.goal', text: 'home' }, ends: 'observing' },
  ] as const
  test.each(ways)('closes the question at $event.type', async ({ event, ends }) => {
    for (const verdict of [question, approval]) {
      const { agent, answer, context, gatekeep, state } = await asking(verdict)
      agent.send(event)
      answer(5, 'left')
      answer(6, 'yes')
      expect([state(), context().question, gatekeep.calls.length]).toEqual([ends, undefined, 1])
    }
  })

  test('remembers the last four answers', async () => {
    const { answer, context, gatekeep, propose } = await asking()
    for (let count = 1; count <= 6; count++) {
      answer(5, `answer ${count}`)
      await propose()
      await gatekeep.last().resolve(question)
    }
    expect(context().answers.map((said) => said.answer)).toEqual([
      'answer 3',
      'answer 4',
      'answer 5',
      'answer 6',
    ])
  })
})

describe('an agent whose brain repeats itself', () => {
  const waiting: Proposal = { reason: '', intent: { type: 'wait', durationMs: 500 } }
  const wait: Verdict = { permitted: true, intent: { type: 'wait', durationMs: 500 } }

  async function repeating(rounds: number) {
    const rig = thinking()
    rig.resume()
    /** Has it decide once, on what it is told, and waits until it looks around again. */
    const round = async (made: Proposal | Error = waiting) => {
      await rig.observe.last().resolve(sighting)
      const { loop } = rig.orient.last().input
      await rig.orient.last().resolve({ ...observation, loop })
      const { isFallback } = rig.decide.last().input
      if (made instanceof Error) await rig.decide.last().reject(made)
      else await rig.decide.last().resolve(made)
      if (!(made instanceof Error)) await rig.gatekeep.last().resolve(wait)
      await rig.patience()
      return { loop, isFallback }
    }
    const rounded = []
    for (let count = 0; count < rounds; count++) {
      // oxlint-disable-next-line no-await-in-loop -- one round follows another
      rounded.push(await round())
    }
    return { ...rig, round, rounded }
  }

  test('tells it so, then has somebody else decide five times, then asks it again and tells it why', async () => {
    const { rounded } = await repeating(13)
    expect(rounded.map(({ isFallback }) => isFallback)).toEqual([
      ...Array.from({ length: 6 }, () => false),
      ...Array.from({ length: 5 }, () => true),
      false,
      false,
    ])
    const said = { what: 'wait 500 ms', headway: false, outcome: 'permitted' }
    expect(rounded.map(({ loop }) => loop)).toEqual([
      undefined,
      undefined,
      undefined,
      ...[3, 4, 5].map((times) => ({ ...said, times, caught: false })),
      ...Array.from({ length: 6 }, () => ({ ...said, times: 6, caught: true })),
      undefined,
    ])
  })

  test('holds still and says why when nobody else can decide, and then recovers', async () => {
    const { context, round } = await repeating(6)
    const nobody = new MechosError('ERR_BRAIN_REPEATS', 'the model repeats itself')
    for (let left = 4; left >= 0; left--) {
      // oxlint-disable-next-line no-await-in-loop -- one round follows another
      expect((await round(nobody)).isFallback).toBe(true)
      expect([context().standstill, context().loops.fallbacksLeft]).toEqual([
        'the model repeats itself',
        left,
      ])
    }
    // Five failures of one kind are told once.
    expect(context().history.filter((past) => past.intent === 'none')).toHaveLength(1)
    expect(await round()).toMatchObject({ isFallback: false, loop: { caught: true } })
    expect([context().standstill, context().setbacks]).toEqual([undefined, 0])
  })

  test('forgets it all with a new goal', async () => {
    const { agent, round } = await repeating(6)
    agent.send({ type: 'agent.goal', text: 'home' })
    expect(await round()).toEqual({ loop: undefined, isFallback: false })
  })
})
