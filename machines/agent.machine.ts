import { assign, emit, setup } from 'xstate'
import {
  type Loops,
  noLoops,
  noteDecision,
  type Repetition,
  repetitionIn,
  watchLoops,
} from '../core/rules/loop.ts'
import { poseOf, type Sighting } from '../core/space/world.ts'
import { messageOf } from '../core/vocabulary/errors.ts'
import { type Answered, type Inquiry, inquiryMax, inquiryMs } from '../core/vocabulary/inquiry.ts'
import {
  describeIntent,
  describeProposed,
  type Intent,
  type Proposal,
  reasonCharactersMax,
} from '../core/vocabulary/intent.ts'
import type { Observation, PastIntent } from '../core/vocabulary/observation.ts'
import type { Verdict } from '../core/vocabulary/verdict.ts'
import { requiredPromise } from './required.ts'

/** The most past intents that a brain is told about. */
export const historyMax = 8

/** After so many refusals in a row the agent holds still for a while before it asks again. */
const refusalsMax = 3

export interface AgentContext {
  readonly epoch: number
  readonly goal: string | undefined
  readonly history: readonly PastIntent[]
  readonly sighting: Sighting | undefined
  readonly observation: Observation | undefined
  readonly proposal: Proposal | undefined
  readonly intent: Intent | undefined
  readonly setbacks: number
  /** Why nothing moves, in one line; undefined as long as the last intent was permitted. */
  readonly standstill: string | undefined
  /** What a person is being asked. */
  readonly question: Inquiry | undefined
  /** What people have said, oldest first. */
  readonly answers: readonly Answered[]
  readonly loops: Loops
}

type Command =
  | { type: 'agent.resume'; epoch: number }
  | { type: 'agent.pause' }
  | { type: 'agent.goal'; text: string }
  | { type: 'agent.answer'; id: number; text: string }
type Fact = { type: 'intent.refused'; message: string }

/** What there is to make sense of: what was just seen, and what the agent remembers. */
export interface Orientation {
  readonly sighting: Sighting
  readonly goal: string | undefined
  readonly history: readonly PastIntent[]
  readonly answers: readonly Answered[]
  readonly loop: Repetition | undefined
}

/** What is to be decided on, and whether somebody else than the brain is to decide, because that one repeats itself. */
export interface Decision {
  readonly observation: Observation
  readonly isFallback: boolean
}

/**
 * The loop of observing, orienting, deciding, gatekeeping and acting. It only ever proposes: `acting` is reached by a
 * permitted verdict, lasts as long as the intent, and is left at the first refusal. A brain that fails or is refused
 * is asked again later and later; the robot holds still meanwhile and `standstill` says why. So it does while a person is
 * asked something, whose answer, or silence, is in the very next observation. A brain that goes round in circles is told so,
 * then passed over for some decisions, then asked again.
 */
export const agentMachine = setup({
  types: {
    context: {} as AgentContext,
    input: {} as { goal: string | undefined },
    events: {} as Command | Fact,
    emitted: {} as
      | { type: 'order.given'; intent: Intent; epoch: number }
      | { type: 'order.withdrawn' },
    tags: {} as 'thinking' | 'asking',
  },
  actors: {
    observe: requiredPromise<Sighting>('observe'),
    orient: requiredPromise<Observation, Orientation>('orient'),
    decide: requiredPromise<Proposal, Decision>('decide'),
    gatekeep: requiredPromise<Verdict, { proposal: Proposal; epoch: number }>('gatekeep'),
  },
  actions: {
    noteEpoch: assign({ epoch: (_, params: { epoch: number }) => params.epoch }),
    noteGoal: assign({
      goal: (_, params: { text: string }) => params.text,
      setbacks: 0,
      loops: noLoops,
    }),
    noteSighting: assign(({ context }, { sighting }: { sighting: Sighting }) => ({
      sighting,
      loops: watchLoops(context.loops, poseOf(sighting.world), lastOutcome(context)),
    })),
    noteObservation: assign({
      observation: (_, params: { observation: Observation }) => params.observation,
    }),
    noteProposal: assign(({ context }, { proposal }: { proposal: Proposal }) => ({
      proposal,
      loops: noteDecision(context.loops, {
        intent: proposal.intent,
        pose: required(context.observation).pose,
      }),
    })),
    noteIndecision: assign({ loops: ({ context }) => noteDecision(context.loops) }),
    notePermission: assign(({ context }, params: { intent: Intent }) => ({
      intent: params.intent,
      standstill: undefined,
      history: remember(context, { intent: describeIntent(params.intent), outcome: 'permitted' }),
    })),
    noteDone: assign({ setbacks: 0 }),
    noteRefusal: assign(({ context }, params: { message: string }) => ({
      intent: undefined,
      setbacks: context.setbacks + 1,
      standstill: params.message,
      history: remember(context, {
        intent: describeProposed(context.proposal?.intent),
        outcome: `refused: ${params.message}`,
      }),
    })),
    noteFailure: assign(({ context }, params: { message: string }) => ({
      intent: undefined,
      setbacks: context.setbacks + refusalsMax,
      standstill: params.message,
      history: rememberFailure(context, params.message),
    })),
    noteQuestion: assign(({ context }, params: { verdict: Verdict }) => {
      const question = inquiryOf(params.verdict, context)
      return { intent: undefined, standstill: waitingFor(question), question }
    }),
    noteAnswer: assign(({ context }, params: { text: string }) => answered(context, params.text)),
    noteSilence: assign(({ context }) =>
      answered(context, silenceAfter(timeFor(context.question))),
    ),
    forgetQuestion: assign({ question: undefined }),
    forgetIntent: assign({ intent: undefined, proposal: undefined }),
    giveOrder: emit(({ context }) => ({
      type: 'order.given' as const,
      intent: context.intent ?? ({ type: 'stop' } as const),
      epoch: context.epoch,
    })),
    withdrawOrder: emit({ type: 'order.withdrawn' as const }),
  },
  guards: {
    isPermitted: (_, params: { verdict: Verdict }) => params.verdict.permitted,
    isForPeople: (_, params: { verdict: Verdict }) => params.verdict.asks !== undefined,
    isApproval: ({ context: { question } }, params: { id: number; text: string }) =>
      question?.kind === 'approval' && params.id === question.id && params.text === yes,
    isAnswer: ({ context }, params: { id: number }) => params.id === context.question?.id,
  },
  delays: {
    intentDuration: ({ context }) => durationOf(context.intent),
    rethink: ({ context }) => patienceMs(context.setbacks),
    answerLimit: ({ context }) => timeFor(context.question),
    gatekeepLimit: 1_000,
    observeLimit: 5_000,
    /** Beyond every deadline that a brain keeps by itself. */
    decideLimit: 300_000,
  },
}).createMachine({
  id: 'agent',
  context: ({ input }) => ({
    epoch: 0,
    goal: input.goal,
    history: [],
    sighting: undefined,
    observation: undefined,
    proposal: undefined,
    intent: undefined,
    setbacks: 0,
    standstill: undefined,
    question: undefined,
    answers: [],
    loops: noLoops,
  }),
  initial: 'holding',
  on: {
    'agent.pause': { target: '.holding' },
    'agent.goal': {
      target: '.observing',
      actions: { type: 'noteGoal', params: ({ event }) => event },
    },
    'agent.resume': {
      target: '.observing',
      actions: { type: 'noteEpoch', params: ({ event }) => event },
    },
  },
  states: {
    holding: {
      initial: 'paused',
      states: {
        paused: {
          entry: ['forgetIntent', 'forgetQuestion'],
          on: {
            'agent.goal': { actions: { type: 'noteGoal', params: ({ event }) => event } },
          },
        },
        reconsidering: {
          entry: 'forgetIntent',
          after: { rethink: { target: '#agent.observing' } },
        },
        awaitingHuman: {
          tags: ['asking'],
          on: {
            'agent.answer': [
              {
                guard: { type: 'isApproval', params: ({ event }) => event },
                target: '#agent.gatekeeping',
                actions: { type: 'noteAnswer', params: ({ event }) => event },
              },
              {
                guard: { type: 'isAnswer', params: ({ event }) => event },
                target: '#agent.observing',
                actions: { type: 'noteAnswer', params: ({ event }) => event },
              },
            ],
          },
          after: { answerLimit: { target: '#agent.observing', actions: 'noteSilence' } },
        },
      },
    },
    observing: {
      entry: 'forgetQuestion',
      invoke: {
        id: 'observe',
        src: 'observe',
        onDone: {
          target: 'orienting',
          actions: { type: 'noteSighting', params: ({ event }) => ({ sighting: event.output }) },
        },
        onError: {
          target: 'holding.reconsidering',
          actions: {
            type: 'noteFailure',
            params: ({ event }) => ({ message: messageOf(event.error) }),
          },
        },
      },
      after: {
        observeLimit: {
          target: 'holding.reconsidering',
          actions: { type: 'noteFailure', params: { message: 'nothing was sensed for 5 s' } },
        },
      },
    },
    orienting: {
      invoke: {
        id: 'orient',
        src: 'orient',
        input: ({ context }) => ({
          sighting: required(context.sighting),
          goal: context.goal,
          history: context.history,
          answers: context.answers,
          loop: loopIn(context),
        }),
        onDone: {
          target: 'deciding',
          actions: {
            type: 'noteObservation',
            params: ({ event }) => ({ observation: event.output }),
          },
        },
        onError: {
          target: 'holding.reconsidering',
          actions: {
            type: 'noteFailure',
            params: ({ event }) => ({ message: messageOf(event.error) }),
          },
        },
      },
      after: {
        observeLimit: {
          target: 'holding.reconsidering',
          actions: { type: 'noteFailure', params: { message: 'orienting took more than 5 s' } },
        },
      },
    },
    deciding: {
      tags: ['thinking'],
      invoke: {
        id: 'decide',
        src: 'decide',
        input: ({ context }) => ({
          observation: required(context.observation),
          isFallback: context.loops.fallbacksLeft > 0,
        }),
        onDone: {
          target: 'gatekeeping',
          actions: { type: 'noteProposal', params: ({ event }) => ({ proposal: event.output }) },
        },
        onError: {
          target: 'holding.reconsidering',
          actions: [
            'noteIndecision',
            { type: 'noteFailure', params: ({ event }) => ({ message: messageOf(event.error) }) },
          ],
        },
      },
      after: {
        decideLimit: {
          target: 'holding.reconsidering',
          actions: [
            'noteIndecision',
            { type: 'noteFailure', params: { message: 'the brain gave no answer' } },
          ],
        },
      },
    },
    gatekeeping: {
      invoke: {
        id: 'gatekeep',
        src: 'gatekeep',
        input: ({ context }) => ({ proposal: required(context.proposal), epoch: context.epoch }),
        onDone: [
          {
            guard: { type: 'isForPeople', params: ({ event }) => ({ verdict: event.output }) },
            target: 'holding.awaitingHuman',
            actions: { type: 'noteQuestion', params: ({ event }) => ({ verdict: event.output }) },
          },
          {
            guard: { type: 'isPermitted', params: ({ event }) => ({ verdict: event.output }) },
            target: 'acting',
            actions: {
              type: 'notePermission',
              params: ({ event }) => ({ intent: permittedIntent(event.output) }),
            },
          },
          {
            target: 'holding.reconsidering',
            actions: {
              type: 'noteRefusal',
              params: ({ event }) => ({ message: refusalMessage(event.output) }),
            },
          },
        ],
        onError: {
          target: 'holding.reconsidering',
          actions: {
            type: 'noteFailure',
            params: ({ event }) => ({ message: messageOf(event.error) }),
          },
        },
      },
      after: {
        gatekeepLimit: {
          target: 'holding.reconsidering',
          actions: { type: 'noteFailure', params: { message: 'the kernel gave no verdict' } },
        },
      },
    },
    acting: {
      entry: 'giveOrder',
      exit: 'withdrawOrder',
      on: {
        'intent.refused': {
          target: 'holding.reconsidering',
          actions: { type: 'noteRefusal', params: ({ event }) => event },
        },
      },
      after: { intentDuration: { target: 'observing', actions: 'noteDone' } },
    },
  },
})

const yes = 'yes'

/** What is permitted asks for itself; what is refused would need an approval. */
function inquiryOf({ permitted, asks }: Verdict, { proposal, epoch }: AgentContext): Inquiry {
  return {
    ...required(asks),
    kind: permitted ? 'question' : 'approval',
    modelSays: proposal?.reason.slice(0, reasonCharactersMax) ?? '',
    askedAtEpoch: epoch,
  }
}

function waitingFor({ id, kind, text }: Inquiry): string {
  const quoted = kind === 'question' ? JSON.stringify(text) : text
  return `it waits for a person's answer to question ${id}: ${quoted}`
}

/** Whatever is no yes refuses what was to be approved. */
function answered(context: AgentContext, answer: string): Partial<AgentContext> {
  const { kind, text } = required(context.question)
  const answers = [...context.answers, { question: text, answer }].slice(-inquiryMax.answers)
  const noted = { question: undefined, standstill: undefined, answers }
  if (kind === 'question') return { ...noted, setbacks: 0 }
  if (answer === yes) return noted
  const outcome = `refused: ${answer === 'no' ? 'a person said no' : answer}`
  const intent = describeProposed(context.proposal?.intent)
  return { ...noted, standstill: outcome, history: remember(context, { intent, outcome }) }
}

function timeFor(question: Inquiry | undefined): number {
  return inquiryMs[question?.kind ?? 'question']
}

function silenceAfter(milliseconds: number): string {
  return `nobody answered within ${milliseconds / 1_000} s`
}

function loopIn({ loops, sighting, ...context }: AgentContext): Repetition | undefined {
  return repetitionIn(loops, poseOf(required(sighting).world), lastOutcome(context))
}

function lastOutcome({ history }: Pick<AgentContext, 'history'>): string {
  return history.at(-1)?.outcome ?? ''
}

function remember({ history }: AgentContext, past: PastIntent): readonly PastIntent[] {
  return [...history, past].slice(-historyMax)
}

/** A failure that lasts is told once: it must not push out what was proposed before it. */
function rememberFailure(context: AgentContext, outcome: string): readonly PastIntent[] {
  const isKnown = context.history.at(-1)?.intent === 'none' && lastOutcome(context) === outcome
  return isKnown ? context.history : remember(context, { intent: 'none', outcome })
}

function durationOf(intent: Intent | undefined): number {
  return intent && 'durationMs' in intent ? intent.durationMs : 100
}

/** 100 ms after a first setback, doubling to 5 s. */
function patienceMs(setbacks: number): number {
  let delay = 100
  for (let step = 1; step < setbacks && delay < 5_000; step++) delay *= 2
  return Math.min(delay, 5_000)
}

function permittedIntent(verdict: Verdict): Intent {
  if (!verdict.permitted) throw new TypeError('a refused verdict has no intent to act on')
  return verdict.intent
}

function refusalMessage(verdict: Verdict): string {
  return verdict.permitted ? 'permitted' : verdict.message
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a step of the loop was entered without its input')
  return value
}
