import {
  type AnyActorLogic,
  type AnyStateMachine,
  fromCallback,
  fromPromise,
  StateMachine,
} from 'xstate'
import type { Brain } from '../../actors/deliberation.ts'
import type { RobotConfiguration } from '../../core/vocabulary/configuration.ts'
import type { Intent } from '../../core/vocabulary/intent.ts'
import type { Attempt, AttemptFailure, Completion } from '../../core/vocabulary/question.ts'
import type { Reading } from '../../core/vocabulary/reading.ts'
import type { robotMachine } from '../../machines/robot.machine.ts'
import { makeFaulty } from './faulty.ts'
import { rover, type Scenario, type Stage } from './stage.ts'

type Machine = typeof robotMachine

const askedBy = (id: number) => ({
  type: 'llm.ask',
  question: { id, messages: [], schema: {} },
})

const abortedBy = (id: number) => ({ type: 'llm.abort', id })

const answer = (usedTokens = 100): Completion => ({
  content: JSON.stringify({
    reason: 'on',
    intent: { type: 'drive', linear: 0.3, angular: 0, durationMs: 500 },
  }),
  finish: 'stop',
  usage: { promptTokens: usedTokens - 20, completionTokens: 20 },
})

const failure = (retryable: boolean): AttemptFailure => ({
  code: 'ERR_BRAIN_UNREACHABLE',
  message: 'nobody there',
  outcome: { kind: 'unsent' },
  retryable,
})

type Complete = (attempt: number, signal: AbortSignal, endpoint: number) => Promise<Completion>

interface Model {
  readonly configuration: RobotConfiguration
  /** The first attempt is number 1. It drives until it has moved, by four answers at least. */
  readonly complete: Complete
  readonly seconds: number
  /** What else of its chart is another's. */
  readonly actors?: () => Readonly<Record<string, AnyActorLogic>>
}

/** Answers a few times, and then never again. */
function tiring<Output>(output: Output): AnyActorLogic {
  let calls = 0
  return fromPromise(() => (++calls > 2 ? new Promise<never>(() => {}) : Promise.resolve(output)))
}

const served = { url: 'http://127.0.0.1:9/v1', model: 'none' }

/** Models that answer at first, and then do this. */
const models: Readonly<Record<string, Model>> = {
  answers: { configuration: modelRover(), complete: async () => answer(), seconds: 2 },
  'fails now and then': {
    configuration: modelRover({ deadlineMs: 500 }),
    complete: (attempt) =>
      attempt % 2 === 0 ? Promise.reject(failure(true)) : Promise.resolve(answer()),
    seconds: 4,
  },
  'fails for long': {
    configuration: modelRover(),
    complete: (attempt) =>
      attempt > 2 && attempt < 9 ? Promise.reject(failure(false)) : Promise.resolve(answer()),
    seconds: 40,
  },
  'says nothing': {
    configuration: modelRover({ deadlineMs: 500 }),
    complete: (attempt) => (attempt > 2 ? new Promise(() => {}) : Promise.resolve(answer())),
    seconds: 2,
  },
  'is left for another': {
    configuration: { ...rover, brains: [served, served] },
    complete: (attempt, _, endpoint) =>
      attempt > 2 && endpoint === 0 ? Promise.reject(failure(false)) : Promise.resolve(answer()),
    seconds: 4,
  },
  'asks to be left alone': {
    configuration: modelRover(),
    complete: (attempt) =>
      attempt === 3
        ? Promise.reject({ ...failure(true), retryAfterMs: 20_000 })
        : Promise.resolve(answer()),
    seconds: 25,
  },
  'bills more than was held': {
    configuration: modelRover(),
    complete: (attempt) => Promise.resolve(answer(attempt === 3 ? 20_000 : 100)),
    seconds: 4,
  },
  'does not take every field': {
    configuration: modelRover(),
    complete: (attempt) =>
      attempt === 3
        ? Promise.reject({ ...failure(true), adapted: true })
        : Promise.resolve(answer()),
    seconds: 4,
  },
  'has a ledger that holds nothing any more': {
    configuration: modelRover({ deadlineMs: 500 }),
    complete: () => Promise.resolve(answer()),
    actors: () => ({
      reserve: tiring({ id: 'r', worst: { tokens: 9, nanoUsd: 0 }, capTokens: 9 }),
    }),
    seconds: 4,
  },
  'has a ledger that settles nothing any more': {
    configuration: modelRover({ deadlineMs: 500 }),
    complete: () => Promise.resolve(answer()),
    actors: () => ({ settle: tiring({ overbilled: false }) }),
    seconds: 8,
  },
  'is dear': {
    configuration: modelRover({}, { tokensPerDay: 12_000 }),
    complete: async () => answer(2_500),
    seconds: 5,
  },
}

function modelRover(brain = {}, budget = {}): RobotConfiguration {
  return { ...rover, brains: [{ ...served, ...brain }], budget }
}

function provideModel(bound: Machine, complete: Complete, actors: Model['actors']): void {
  let attempt = 0
  const answers = fromPromise<Completion, Attempt>(({ input, signal }) =>
    complete(++attempt, signal, input.endpoint),
  )
  const llm = chartIn(bound, 'llm').provide({ actors: { complete: answers, ...actors?.() } })
  Object.assign(bound.implementations.actors, { llm })
}

/** Makes an action of a child throw while the stage says so. */
function breakable(bound: Machine, child: string, action: string, isBroken: () => boolean): void {
  const ask = (slot: string) =>
    isBroken() && slot.endsWith(`/actions/${action}`) ? ('throw' as const) : undefined
  const chart = makeFaulty(chartIn(bound, child).provide({}), ask)
  Object.assign(bound.implementations.actors, { [child]: chart })
}

function chartIn(bound: AnyStateMachine, name: string): AnyStateMachine {
  const chart = bound.implementations.actors[name]
  if (chart instanceof StateMachine) return chart
  throw new TypeError(`${bound.id} has no chart of the name ${name}`)
}

function without(kind: Reading['kind']): (reading: Reading) => Reading | undefined {
  return (reading) => (reading.kind === kind ? undefined : reading)
}

/** A brain that puts the light on, drives for a second, and says nothing any more. It begins anew in each run, by the clock. */
const fadingBrain: Brain = {
  name: 'fading',
  decide({ stampMs }) {
    if (stampMs > 2_000) return new Promise(() => {})
    const intent: Intent =
      stampMs < 600
        ? { type: 'setRelay', relay: 'lamp', on: true }
        : { type: 'drive', linear: 0.1, angular: 0, durationMs: 200 }
    return Promise.resolve({ reason: 'fading', intent })
  },
}

/** A brain that drives, then asks a person two things, and then for the lamp again and again. It goes by what it was told. */
const askingBrain: Brain = {
  name: 'asking',
  async decide({ answers, stampMs }) {
    const intent: Intent =
      stampMs < 1_500
        ? { type: 'drive', linear: 0.1, angular: 0, durationMs: 200 }
        : answers.length < 2
          ? { type: 'askHuman', question: 'left or right', choices: ['left', 'right'] }
          : { type: 'setRelay', relay: 'lamp', on: true }
    return { reason: 'asking', intent }
  },
}

/** A person's answer to whatever is asked now. */
function answerNow({ robot }: Stage, text: string): void {
  const asked = robot.snapshot().question
  if (asked) robot.send({ type: 'robot.answer', id: asked.id, text })
}

/** Arms it anew, lets it go on, and lets a second pass. */
async function again({ robot, pass }: Stage): Promise<void> {
  robot.send({ type: 'robot.arm', epoch: robot.snapshot().epoch })
  robot.send({ type: 'robot.resume' })
  await pass(1_000)
}

/** What happens to a robot, so that every slot of it is used by one of them at least. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'it drives by itself',
    async play({ drive, pass }) {
      await drive()
      await pass(1_000)
    },
  },
  {
    name: 'a person halts it and lets it go on',
    async play(stage) {
      const { drive, pass, robot } = stage
      await drive()
      void robot.halt('look out')
      await pass(100)
      robot.send({ type: 'robot.reset' })
      await again(stage)
      robot.send({ type: 'robot.pause' })
      await pass(200)
      robot.send({ type: 'robot.goal', text: 'home' })
      await pass(500)
      robot.send({ type: 'robot.goal', text: 'away' })
      await pass(500)
    },
  },
  {
    name: 'a person drives it by hand, and falls silent',
    async play({ drive, pass, robot }) {
      await drive()
      robot.send({ type: 'robot.takeOver' })
      for (const linear of [0, 0.2, 0.2, 0.2, 0.2]) {
        robot.drive({ linear, angular: 0 })
        await pass(100)
      }
      robot.send({ type: 'robot.release' })
      await pass(200)
      robot.send({ type: 'robot.takeOver' })
      for (const linear of [0, 0.2, 0.2, 0.2]) {
        robot.drive({ linear, angular: 0 })
        await pass(100)
      }
      await pass(1_000)
      robot.send({ type: 'robot.resume' })
      await pass(500)
    },
  },
  {
    name: 'its board is lost and comes back',
    async play(stage) {
      await stage.drive()
      stage.body.lose('unplugged')
      await stage.pass(2_000)
      stage.robot.send({ type: 'robot.reset' })
      await again(stage)
    },
  },
  {
    name: 'its board is lost and cannot be opened',
    async play(stage) {
      await stage.drive()
      stage.body.faults.open = () => Promise.reject(new Error('no such port'))
      stage.body.lose('unplugged')
      await stage.pass(2_500)
      delete stage.body.faults.open
      await stage.pass(2_500)
      stage.robot.send({ type: 'robot.reset' })
      await again(stage)
    },
  },
  {
    name: 'its lidar falls silent, for too long',
    async play(stage) {
      await stage.drive()
      stage.body.faults.sense = without('lidar')
      await stage.pass(7_000)
      stage.body.faults.sense = (reading) => reading
      await stage.pass(500)
      stage.robot.send({ type: 'robot.resume' })
      await stage.pass(500)
    },
  },
  {
    name: 'its encoders say what cannot be',
    async play(stage) {
      await stage.drive()
      stage.body.faults.sense = (reading) =>
        reading.kind === 'encoders' ? { ...reading, left: NaN } : reading
      await stage.pass(500)
      stage.body.faults.sense = (reading) => reading
      await stage.pass(1_000)
    },
  },
  {
    name: 'its guardian halts it, is lost, and starts anew',
    async play(stage) {
      const { body, drive, pass, robot } = stage
      await drive()
      body.tell({ kind: 'starting' })
      await pass(100)
      body.tell({ kind: 'guarding' })
      robot.send({ type: 'robot.reset' })
      await again(stage)
      body.tell({ kind: 'tripped', cause: 'no beat' })
      await pass(100)
      robot.send({ type: 'robot.reset' })
      await again(stage)
      body.tell({ kind: 'lost', cause: 'killed' })
      await pass(100)
      body.tell({ kind: 'gone' })
      await pass(100)
      robot.send({ type: 'robot.reset' })
      await again(stage)
    },
  },
  {
    name: 'its battery is emptied and filled',
    async play(stage) {
      const { body, drive, pass, robot, clock } = stage
      const charge = (level: number) =>
        body.say({ kind: 'battery', stampMs: clock.now(), charge: level, volts: 7 })
      await drive()
      for (const level of [0.25, 0.15, 0.08]) {
        charge(level)
        await pass(300)
      }
      charge(0.9)
      await pass(300)
      robot.send({ type: 'robot.resume' })
      await pass(300)
      charge(0.02)
      await pass(6_000)
      robot.send({ type: 'robot.reset' })
      await pass(300)
      charge(0.9)
      await pass(300)
      robot.send({ type: 'robot.reset' })
      await again(stage)
    },
  },
  {
    name: 'its perception fails again and again',
    machine: (bound, isBroken) => breakable(bound, 'perception', 'tellSensor', isBroken),
    async play(stage) {
      await stage.drive()
      for (let time = 0; time < 7; time++) {
        stage.break()
        stage.body.faults.sense = without('lidar')
        await stage.pass(500)
        stage.mend()
        stage.body.faults.sense = (reading) => reading
        await stage.pass(2_000)
        stage.robot.send({ type: 'robot.resume' })
        await stage.pass(200)
      }
    },
  },
  {
    name: 'its agent fails once, and is forgiven',
    machine: (bound, isBroken) => breakable(bound, 'agent', 'noteDone', isBroken),
    async play(stage) {
      await stage.drive()
      stage.break()
      await stage.pass(500)
      stage.mend()
      await stage.pass(61_000)
    },
  },
  {
    name: 'its kernel fails',
    machine: (bound, isBroken) => breakable(bound, 'kernel', 'giveVerdict', isBroken),
    async play(stage) {
      await stage.drive()
      stage.break()
      await stage.pass(200)
      stage.mend()
      stage.robot.send({ type: 'robot.reset' })
      await again(stage)
    },
  },
  {
    name: 'its guardian chart fails',
    machine: (bound, isBroken) => breakable(bound, 'guardian', 'noteCause', isBroken),
    async play(stage) {
      await stage.drive()
      stage.break()
      stage.body.tell({ kind: 'lost', cause: 'killed' })
      await stage.pass(200)
      stage.mend()
      stage.robot.send({ type: 'robot.reset' })
      await again(stage)
    },
  },
  {
    name: 'two ask its model at once',
    configuration: models['says nothing']?.configuration ?? rover,
    brain: 'configured',
    machine: (bound) => provideModel(bound, () => new Promise(() => {}), undefined),
    async play(stage) {
      await stage.drive()
      stage.tellChild('llm', askedBy(1_001))
      stage.tellChild('llm', askedBy(1_002))
      await stage.pass(1_000)
    },
  },
  {
    name: 'one asks its model in the place of another, and of another',
    configuration: modelRover(),
    brain: 'configured',
    machine: (bound) =>
      provideModel(
        bound,
        (attempt) => (attempt > 2 ? new Promise(() => {}) : Promise.resolve(answer())),
        undefined,
      ),
    async play(stage) {
      await stage.drive()
      await stage.pass(1_500)
      stage.tellChild('llm', abortedBy(3))
      stage.tellChild('llm', askedBy(1_001))
      stage.tellChild('llm', abortedBy(1_001))
      stage.tellChild('llm', askedBy(1_002))
      await stage.pass(1_000)
    },
  },
  {
    name: 'its brain asks a person, who answers sometimes',
    configuration: { ...rover, approve: ['relay:lamp'] },
    brain: askingBrain,
    async play(stage) {
      await stage.drive()
      await stage.pass(2_000)
      answerNow(stage, 'left')
      // Then nobody answers.
      await stage.pass(62_000)
      answerNow(stage, 'yes')
      await stage.pass(12_000)
    },
  },
  {
    name: 'a person lets go of the enabling device of a model, and holds it again',
    configuration: modelRover(),
    brain: 'configured',
    machine: (bound) => provideModel(bound, async () => answer(), undefined),
    async play({ drive, letGo, pass, takeHold }) {
      await drive()
      letGo()
      await pass(300)
      takeHold()
      await pass(1_000)
    },
  },
  {
    name: 'nobody watches its budget',
    configuration: modelRover(),
    brain: 'configured',
    machine: (bound) =>
      provideModel(
        bound,
        () => Promise.resolve(answer()),
        () => ({
          watchBudget: fromCallback(() => {
            throw new Error('not this one')
          }),
        }),
      ),
    async play(stage) {
      await stage.begin()
      await again(stage)
      stage.moved()
      await stage.pass(2_000)
    },
  },
  {
    name: 'it is let go of',
    async play({ drive, pass, robot }) {
      await drive()
      // Who asks for the account hears of it when there is none; the robot is looked at here.
      robot.stop().catch(() => undefined)
      await pass(3_000)
    },
  },
  {
    name: 'its camera shows something and is lost',
    async play({ camera, clock, drive, pass }) {
      await drive()
      camera.show({
        kind: 'image',
        name: 'eye',
        stampMs: clock.now(),
        pixelFormat: 'rgb8',
        width: 1,
        height: 1,
        data: new Uint8Array(3),
      })
      await pass(100)
      camera.lose('unplugged')
      await pass(100)
    },
  },
  {
    name: 'its root cannot be begun',
    machine(bound) {
      Object.assign(bound.implementations.guards, {
        isLinked() {
          throw new Error('not this one')
        },
      })
    },
    async play({ begin, moved }) {
      await begin()
      moved()
    },
  },
  {
    name: 'its last run ended badly',
    options: { unclean: 'the last run ended badly' },
    async play(stage) {
      await stage.begin()
      stage.moved()
      stage.robot.send({ type: 'robot.reset' })
      await again(stage)
    },
  },
  {
    name: 'its brain wants what it may not',
    brain: {
      name: 'reckless',
      decide: async () => ({
        reason: 'fast',
        intent: { type: 'drive', linear: 99, angular: 0, durationMs: 500 },
      }),
    },
    async play(stage) {
      await stage.drive()
      await stage.pass(3_000)
    },
  },
  {
    name: 'its brain switches a lamp on, drives, and falls silent for longer than that is leased',
    configuration: { ...rover, brains: [{ url: 'explorer', deadlineMs: 500 }] },
    brain: fadingBrain,
    async play(stage) {
      await stage.drive()
      await stage.pass(9_000)
    },
  },
  ...Object.entries(models).map(
    ([how, { configuration, complete, seconds, actors }]): Scenario => ({
      name: `its model ${how}`,
      configuration,
      options: { keys: { OPENAI_API_KEY: 'k' } },
      brain: 'configured',
      machine: (bound) => provideModel(bound, complete, actors),
      async play(stage) {
        await stage.drive()
        await stage.pass(seconds * 1_000)
        stage.robot.send({ type: 'robot.goal', text: 'home' })
        await stage.pass(1_000)
      },
    }),
  ),
]
