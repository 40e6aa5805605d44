import { assign, emit, setup } from 'xstate'
import { messageOf } from '../core/vocabulary/errors.ts'
import { describeIntent, type Intent, type Proposal } from '../core/vocabulary/intent.ts'
import type { Verdict } from '../core/vocabulary/verdict.ts'
import type { Observation, PastIntent } from '../core/vocabulary/observation.ts'
import type { Sighting } from '../core/space/world.ts'
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
}

type Command =
  | { type: 'agent.resume'; epoch: number }
  | { type: 'agent.pause' }
  | { type: 'agent.goal'; text: string }
type Fact = { type: 'intent.refused'; message: string }

/** What there is to make sense of: what was just seen, and what the agent remembers. */
export interface Orientation {
  readonly sighting: Sighting
  readonly goal: string | undefined
  readonly history: readonly PastIntent[]
}

/**
 * The loop of observing, orienting, deciding, gatekeeping and acting. It only ever proposes: `acting` is reached by a
 * permitted verdict, lasts as long as the intent, and is left at the first refusal. A brain that fails or is refused
 * is asked again later and later; the robot holds still meanwhile and `standstill` says why.
 */
export const agentMachine = setup({
  types: {
    context: {} as AgentContext,
    input: {} as { goal: string | undefined },
    events: {} as Command | Fact,
    emitted: {} as
      | { type: 'order.given'; intent: Intent; epoch: number }
      | { type: 'order.withdrawn' },
    tags: {} as 'thinking',
  },
  actors: {
    observe: requiredPromise<Sighting>('observe'),
    orient: requiredPromise<Observation, Orientation>('orient'),
    decide: requiredPromise<Proposal, { observation: Observation }>('decide'),
    gatekeep: requiredPromise<Verdict, { proposal: Proposal; epoch: number }>('gatekeep'),
  },
  actions: {
    noteEpoch: assign({ epoch: (_, params: { epoch: number }) => params.epoch }),
    noteGoal: assign({
      goal: (_, params: { text: string }) => params.text,
      setbacks: 0,
    }),
    noteSighting: assign({ sighting: (_, params: { sighting: Sighting }) => params.sighting }),
    noteObservation: assign({
      observation: (_, params: { observation: Observation }) => params.observation,
    }),
    noteProposal: assign({ proposal: (_, params: { proposal: Proposal }) => params.proposal }),
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
        intent: JSON.stringify(context.proposal?.intent ?? null).slice(0, 200),
        outcome: `refused: ${params.message}`,
      }),
    })),
    noteFailure: assign(({ context }, params: { message: string }) => ({
      intent: undefined,
      setbacks: context.setbacks + refusalsMax,
      standstill: params.message,
      history: remember(context, { intent: 'none', outcome: params.message }),
    })),
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
  },
  delays: {
    intentDuration: ({ context }) => durationOf(context.intent),
    rethink: ({ context }) => patienceMs(context.setbacks),
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
      entry: 'forgetIntent',
      initial: 'paused',
      states: {
        paused: {
          on: {
            'agent.goal': { actions: { type: 'noteGoal', params: ({ event }) => event } },
          },
        },
        reconsidering: { after: { rethink: { target: '#agent.observing' } } },
      },
    },
    observing: {
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
        input: ({ context }) => ({ observation: required(context.observation) }),
        onDone: {
          target: 'gatekeeping',
          actions: { type: 'noteProposal', params: ({ event }) => ({ proposal: event.output }) },
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
        decideLimit: {
          target: 'holding.reconsidering',
          actions: { type: 'noteFailure', params: { message: 'the brain gave no answer' } },
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

function remember(context: AgentContext, past: PastIntent): readonly PastIntent[] {
  return [...context.history, past].slice(-historyMax)
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
