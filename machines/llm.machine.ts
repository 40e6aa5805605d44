import { assign, emit, setup, stateIn } from 'xstate'
import { type Message, promptBound } from '../core/budget/bound.ts'
import {
  type Ledger,
  lowShare,
  openLedger,
  type Outcome,
  remainingTokens,
  reserve,
  settle,
} from '../core/budget/ledger.ts'
import { type ErrorCode, MechosError, messageOf } from '../core/vocabulary/errors.ts'
import { requiredPromise } from './required.ts'

/** One question to a model. */
export interface Question {
  readonly id: number
  readonly messages: readonly Message[]
  readonly schema: object
}

/** One attempt to have it answered. `capTokens` bounds the reply. */
export interface Attempt extends Question {
  readonly capTokens: number
}

/** What came back: the text, and what the server says it used, if it says so. */
export interface Completion {
  readonly content: string
  readonly usedTokens: number | undefined
  readonly finish: string
}

/** How a failed attempt is to be charged and whether another one makes sense. */
export interface AttemptFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly outcome: Outcome
  readonly retryable: boolean
  /** Nobody's fault: it is not held against the endpoint. */
  readonly blameless?: true
}

export interface LlmContext {
  readonly ledger: Ledger
  readonly capTokens: number
  readonly deadlineMs: number
  readonly question: Question | undefined
  /** Numbers every attempt: the id of its hold in the ledger. */
  readonly attempt: number
  readonly retriesLeft: number
  readonly completion: Completion | undefined
  readonly failure: AttemptFailure | undefined
  readonly failuresInRow: number
  readonly lastError: string | undefined
}

type Command = { type: 'llm.ask'; question: Question } | { type: 'llm.abort' }

/** After so many failed calls in a row the circuit opens. */
const failuresMax = 5

/** A rejection that is not an `AttemptFailure` says nothing of what was billed: the worst is assumed. */
export function failureOf(error: unknown): AttemptFailure {
  if (isAttemptFailure(error)) return error
  return {
    code: error instanceof MechosError ? error.code : 'ERR_BRAIN_UNREACHABLE',
    message: messageOf(error),
    outcome: { kind: 'unknown' },
    retryable: false,
  }
}

const unsent: Outcome = { kind: 'unsent' }

const circuitOpen: AttemptFailure = {
  code: 'ERR_BRAIN_UNREACHABLE',
  message: 'the model failed too often; it is asked again in a few seconds',
  outcome: unsent,
  retryable: false,
  blameless: true,
}

const unaffordable: AttemptFailure = {
  code: 'ERR_BUDGET_EXHAUSTED',
  message: 'the token budget is exhausted; a larger budgetTokens would lift that',
  outcome: unsent,
  retryable: false,
  blameless: true,
}

const aborted: AttemptFailure = {
  code: 'ERR_BRAIN_SILENT',
  message: 'the call was aborted',
  outcome: { kind: 'unknown' },
  retryable: false,
  blameless: true,
}

/**
 * A model behind an endpoint, with its token budget as states. No call without a reservation: `calling` is entered
 * from `reserving` only, and there only with the worst case held. `exhausted` has no way back within this run.
 * Each `llm.ask` gets exactly one emitted `llm.answered` or `llm.failed`.
 */
export const llmMachine = setup({
  types: {
    context: {} as LlmContext,
    input: {} as { limitTokens: number; capTokens: number; deadlineMs: number },
    events: {} as Command,
    emitted: {} as
      | { type: 'llm.answered'; id: number; completion: Completion }
      | { type: 'llm.failed'; id: number; code: ErrorCode; message: string },
    tags: {} as 'busy',
  },
  actors: {
    complete: requiredPromise<Completion, Attempt>('complete'),
  },
  actions: {
    noteQuestion: assign((_, params: { question: Question }) => ({
      question: params.question,
      retriesLeft: 1,
      completion: undefined,
      failure: undefined,
    })),
    holdWorst: assign(({ context }) => {
      const attempt = context.attempt + 1
      const ledger = reserve(context.ledger, attempt, worstOf(context))
      return ledger ? { attempt, ledger } : {}
    }),
    noteCompletion: assign((_, params: { completion: Completion }) => ({
      completion: params.completion,
      failure: undefined,
    })),
    noteFailure: assign({ failure: (_, params: { failure: AttemptFailure }) => params.failure }),
    settleHold: assign({
      ledger: ({ context }) => settle(context.ledger, context.attempt, outcomeOf(context)),
    }),
    countSuccess: assign({ failuresInRow: 0, lastError: undefined }),
    countFailure: assign({ failuresInRow: ({ context }) => context.failuresInRow + 1 }),
    noteError: assign({
      lastError: ({ context }) => context.failure?.message ?? 'the call failed',
    }),
    refuseBusy: emit((_, params: { question: Question }) => ({
      type: 'llm.failed' as const,
      id: params.question.id,
      code: 'ERR_BRAIN_SILENT' as const,
      message: 'the model is still busy with another question',
    })),
    allowOneFailure: assign({ failuresInRow: failuresMax - 1 }),
    useRetry: assign({ retriesLeft: ({ context }) => context.retriesLeft - 1 }),
    answer: emit(({ context }) => ({
      type: 'llm.answered' as const,
      id: context.question?.id ?? 0,
      completion: context.completion ?? { content: '', usedTokens: undefined, finish: 'missing' },
    })),
    fail: emit(({ context }) => ({
      type: 'llm.failed' as const,
      id: context.question?.id ?? 0,
      code: context.failure?.code ?? ('ERR_BRAIN_UNREACHABLE' as const),
      message: context.failure?.message ?? 'the call failed',
    })),
  },
  guards: {
    isLow: ({ context }) =>
      context.ledger.holds.size === 0 &&
      remainingTokens(context.ledger) < context.ledger.limit * lowShare,
    isExhausted: ({ context }) => context.ledger.holds.size === 0 && !canAfford(context),
    canReserve: ({ context }) => canAfford(context),
    isBudgetExhausted: stateIn({ budget: 'exhausted' }),
    isRetrying: stateIn({ call: { asking: 'retrying' } }),
    isCircuitOpen: stateIn({ circuit: 'open' }),
    isAnswered: ({ context }) => context.completion !== undefined && context.failure === undefined,
    isBlameless: ({ context }) => context.failure?.blameless === true,
    canRetry: ({ context }) => context.failure?.retryable === true && context.retriesLeft > 0,
    hasFailedOften: ({ context }) => context.failuresInRow >= failuresMax,
    hasRecovered: ({ context }) => context.failuresInRow === 0,
  },
  delays: {
    callDeadline: ({ context }) => context.deadlineMs,
    retryDelay: 500,
    coolDown: 10_000,
  },
}).createMachine({
  id: 'llm',
  context: ({ input }) => ({
    ledger: openLedger(input.limitTokens),
    capTokens: input.capTokens,
    deadlineMs: input.deadlineMs,
    question: undefined,
    attempt: 0,
    retriesLeft: 0,
    completion: undefined,
    failure: undefined,
    failuresInRow: 0,
    lastError: undefined,
  }),
  type: 'parallel',
  states: {
    budget: {
      initial: 'ample',
      states: {
        ample: {
          always: [
            { guard: 'isExhausted', target: 'exhausted' },
            { guard: 'isLow', target: 'low' },
          ],
        },
        low: { always: { guard: 'isExhausted', target: 'exhausted' } },
        exhausted: {},
      },
    },
    circuit: {
      initial: 'closed',
      states: {
        closed: { always: { guard: 'hasFailedOften', target: 'open' } },
        open: { after: { coolDown: { target: 'probing' } } },
        probing: {
          entry: 'allowOneFailure',
          always: [
            { guard: 'hasRecovered', target: 'closed' },
            { guard: 'hasFailedOften', target: 'open' },
          ],
        },
      },
    },
    call: {
      initial: 'idle',
      states: {
        idle: {
          on: {
            'llm.ask': {
              target: 'asking',
              actions: { type: 'noteQuestion', params: ({ event }) => event },
            },
          },
        },
        asking: {
          tags: ['busy'],
          initial: 'reserving',
          on: {
            'llm.ask': { actions: { type: 'refuseBusy', params: ({ event }) => event } },
            'llm.abort': {
              target: '.settling',
              actions: { type: 'noteFailure', params: { failure: aborted } },
            },
          },
          after: {
            callDeadline: [
              // There will be no second attempt: what the first one failed of is what there is to say.
              { guard: 'isRetrying', target: '.settling' },
              {
                target: '.settling',
                actions: {
                  type: 'noteFailure',
                  params: ({ context }) => ({ failure: silent(context.deadlineMs) }),
                },
              },
            ],
          },
          states: {
            reserving: {
              always: [
                {
                  guard: 'isCircuitOpen',
                  target: 'settling',
                  actions: { type: 'noteFailure', params: { failure: circuitOpen } },
                },
                {
                  guard: 'isBudgetExhausted',
                  target: 'settling',
                  actions: { type: 'noteFailure', params: { failure: unaffordable } },
                },
                { guard: 'canReserve', target: 'calling', actions: 'holdWorst' },
                {
                  target: 'settling',
                  actions: { type: 'noteFailure', params: { failure: unaffordable } },
                },
              ],
            },
            calling: {
              invoke: {
                id: 'complete',
                src: 'complete',
                input: ({ context }) => attemptOf(context),
                onDone: {
                  target: 'settling',
                  actions: {
                    type: 'noteCompletion',
                    params: ({ event }) => ({ completion: event.output }),
                  },
                },
                onError: {
                  target: 'settling',
                  actions: {
                    type: 'noteFailure',
                    params: ({ event }) => ({ failure: failureOf(event.error) }),
                  },
                },
              },
            },
            settling: {
              entry: 'settleHold',
              always: [
                {
                  guard: 'isAnswered',
                  target: '#llm.call.idle',
                  actions: ['countSuccess', 'answer'],
                },
                { guard: 'canRetry', target: 'retrying', actions: 'useRetry' },
                { guard: 'isBlameless', target: '#llm.call.idle', actions: ['noteError', 'fail'] },
                {
                  target: '#llm.call.idle',
                  actions: ['noteError', 'countFailure', 'fail'],
                },
              ],
            },
            retrying: { after: { retryDelay: { target: 'reserving' } } },
          },
        },
      },
    },
  },
})

function silent(deadlineMs: number): AttemptFailure {
  return {
    code: 'ERR_BRAIN_SILENT',
    message: `the model gave no answer within ${deadlineMs / 1000} s`,
    outcome: { kind: 'unknown' },
    retryable: false,
  }
}

function worstOf(context: LlmContext): number {
  const { question, capTokens } = context
  return question ? promptBound(question.messages, question.schema) + capTokens : capTokens
}

function canAfford(context: LlmContext): boolean {
  return worstOf(context) <= remainingTokens(context.ledger)
}

function attemptOf(context: LlmContext): Attempt {
  if (!context.question) throw new TypeError('a call without a question')
  return { ...context.question, capTokens: context.capTokens }
}

function outcomeOf(context: LlmContext): Outcome {
  if (context.failure) return context.failure.outcome
  const used = context.completion?.usedTokens
  return used === undefined ? { kind: 'unknown' } : { kind: 'used', tokens: used }
}

function isAttemptFailure(error: unknown): error is AttemptFailure {
  return typeof error === 'object' && error !== null && 'outcome' in error && 'retryable' in error
}
