import { and, assign, emit, enqueueActions, setup, stateIn } from 'xstate'
import { retryDelayMs } from '../core/budget/retry.ts'
import { readReply, type Reply } from '../core/rules/reply.ts'
import { type ErrorCode, MechosError, messageOf } from '../core/vocabulary/errors.ts'
import type {
  Attempt,
  AttemptFailure,
  BudgetNote,
  Completion,
  Outcome,
  Question,
  Reservation,
  Settlement,
} from '../core/vocabulary/question.ts'
import { requiredCallback, requiredPromise } from './required.ts'

/** One endpoint of the list, as far as the chart has to know it. */
export interface EndpointLimits {
  /** Bounds a reply, in tokens. */
  readonly capTokens: number
  /** Bounds everything that one question may take here, a retry and a stream included. */
  readonly deadlineMs: number
}

export interface LlmContext {
  /** In the order in which they are asked. */
  readonly endpoints: readonly EndpointLimits[]
  /** How often each has failed in a row. */
  readonly failures: readonly number[]
  /** Whose turn it is. */
  readonly endpoint: number
  readonly question: Question | undefined
  /** Asked while a withdrawn question was still being settled. */
  readonly next: Question | undefined
  readonly reservation: Reservation | undefined
  readonly retries: number
  readonly adaptations: number
  readonly completion: Completion | undefined
  readonly failure: AttemptFailure | undefined
  readonly budget: BudgetNote
  readonly lastError: string | undefined
  /** What the replies were so far, by kind. */
  readonly replies: Readonly<Partial<Record<Reply['outcome'], number>>>
}

type Command = { type: 'llm.ask'; question: Question } | { type: 'llm.abort'; id: number }
type Fact =
  | { type: 'budget.noted'; note: BudgetNote }
  /** An endpoint that failed often has been left alone for long enough. */
  | { type: 'endpoint.rested'; endpoint: number }

/** What an attempt is afforded for, and how it is settled. */
export interface Wish {
  readonly question: Question
  readonly endpoint: number
  readonly capTokens: number
}
export interface Bill {
  readonly reservation: Reservation
  readonly attempt: Attempt
  readonly outcome: Outcome
}

/** After so many failed calls in a row the circuit of an endpoint opens. */
const failuresMax = 5
/** So often one call is tried again. */
const retriesMax = 1
/** So many fields of a request may be dropped for one endpoint before that counts as a failure. */
const adaptationsMax = 4
/** How long an endpoint is left alone that asks for nothing else, and at most, whatever it asks for, in ms. */
const restMs = { usual: 10_000, max: 300_000 }

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

const circuitOpen: AttemptFailure = {
  code: 'ERR_BRAIN_UNREACHABLE',
  message: 'the model failed too often, or asked to be left alone; it is asked again after that',
  outcome: { kind: 'unsent' },
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

const overbilled: AttemptFailure = {
  code: 'ERR_BRAIN_REFUSED',
  message:
    "the model's server billed more than its reply was capped at: the debt is in the ledger, and it is left alone for a while",
  outcome: { kind: 'unsent' },
  retryable: false,
}

const unsettled: AttemptFailure = {
  code: 'ERR_BUDGET_UNKEPT',
  message: 'the ledger did not keep a settlement within 5 s: does its disk still answer?',
  outcome: { kind: 'unknown' },
  retryable: false,
  blameless: true,
}

/**
 * The models behind a list of endpoints, with their token budget as states. No call without a reservation: `calling` is
 * entered from `reserving` only, and only once the ledger has held the worst and kept that on its disk; every way out of
 * `calling` leads through `settling`. While the budget is `exhausted` nothing is reserved, so that nothing can be sent.
 * An endpoint that fails hands the question to the next one of the list, and is left alone while its circuit is open.
 * Each `llm.ask` that is not withdrawn gets exactly one emitted `llm.answered` or `llm.failed`.
 */
export const llmMachine = setup({
  types: {
    context: {} as LlmContext,
    input: {} as { endpoints: readonly EndpointLimits[] },
    events: {} as Command | Fact,
    emitted: {} as
      | { type: 'llm.answered'; id: number; reply: Reply }
      | { type: 'llm.failed'; id: number; code: ErrorCode; message: string },
    tags: {} as 'busy',
  },
  actors: {
    watchBudget: requiredCallback('watchBudget'),
    reserve: requiredPromise<Reservation, Wish>('reserve'),
    complete: requiredPromise<Completion, Attempt>('complete'),
    settle: requiredPromise<Settlement, Bill>('settle'),
  },
  actions: {
    noteBudget: assign({ budget: (_, params: { note: BudgetNote }) => params.note }),
    noteUnwatched: assign({
      budget: (_, params: { message: string }) => ({
        level: 'exhausted' as const,
        cause: `nobody watches the budget: ${params.message}`,
      }),
    }),
    noteQuestion: assign((_, params: { question: Question }) => freshFor(params.question)),
    forgetCall: assign({ question: undefined, completion: undefined, failure: undefined }),
    noteNext: assign({ next: (_, params: { question: Question }) => params.question }),
    takeNext: assign(({ context }) => freshFor(context.next)),
    dropNext: assign({ next: undefined }),
    startAtFirst: assign(({ context }) => ({ endpoint: usableFrom(context, 0) ?? 0 })),
    startAtNext: assign(({ context }) => ({
      endpoint: usableFrom(context, context.endpoint + 1) ?? context.endpoint,
      retries: 0,
      adaptations: 0,
      failure: undefined,
    })),
    noteReservation: assign((_, params: { reservation: Reservation }) => ({
      reservation: params.reservation,
      completion: undefined,
      failure: undefined,
    })),
    noteCompletion: assign({
      completion: (_, params: { completion: Completion }) => params.completion,
    }),
    noteFailure: assign({ failure: (_, params: { failure: AttemptFailure }) => params.failure }),
    noteSettled: assign({ reservation: undefined }),
    countReply: assign(({ context }) => {
      const reply = replyIn(context)
      const before = context.replies[reply.outcome] ?? 0
      return {
        replies: { ...context.replies, [reply.outcome]: before + 1 },
        lastError: reply.outcome === 'intent' ? undefined : reply.message,
      }
    }),
    countSuccess: assign(({ context }) => ({
      failures: context.failures.with(context.endpoint, 0),
    })),
    countFailure: assign(({ context }) => ({
      failures: context.failures.with(
        context.endpoint,
        (context.failures[context.endpoint] ?? 0) + 1,
      ),
    })),
    standBack: assign(({ context }) => ({
      failures: context.failures.with(context.endpoint, failuresMax),
    })),
    letRest: enqueueActions(({ context, enqueue }) => {
      const { endpoint, failures } = context
      if ((failures[endpoint] ?? 0) < failuresMax) return
      enqueue.cancel(`rest ${endpoint}`)
      enqueue.raise(
        { type: 'endpoint.rested', endpoint },
        { id: `rest ${endpoint}`, delay: restOf(context) },
      )
    }),
    allowOneFailure: assign(({ context }, params: { endpoint: number }) => ({
      failures: context.failures.map((count, at) =>
        at === params.endpoint ? Math.min(count, failuresMax - 1) : count,
      ),
    })),
    useUpTries: assign({ retries: retriesMax, adaptations: adaptationsMax }),
    noteOverbilled: assign({
      failure: ({ context }) => (context.failure === aborted ? aborted : overbilled),
    }),
    noteError: assign({
      lastError: ({ context }) => context.failure?.message ?? 'the call failed',
    }),
    refuseBusy: emit((_, params: { question: Question }) => ({
      type: 'llm.failed' as const,
      id: params.question.id,
      code: 'ERR_BRAIN_SILENT' as const,
      message: 'the model is still busy with another question',
    })),
    countRetry: assign({ retries: ({ context }) => context.retries + 1 }),
    countAdaptation: assign({ adaptations: ({ context }) => context.adaptations + 1 }),
    answer: emit(({ context }) => ({
      type: 'llm.answered' as const,
      id: context.question?.id ?? 0,
      reply: replyIn(context),
    })),
    fail: emit(({ context }) => ({
      type: 'llm.failed' as const,
      id: context.question?.id ?? 0,
      code: context.failure?.code ?? ('ERR_BRAIN_UNREACHABLE' as const),
      message: context.failure?.message ?? 'the call failed',
    })),
  },
  guards: {
    isLevel: (_, params: { note: BudgetNote; level: BudgetNote['level'] }) =>
      params.note.level === params.level,
    isBudgetExhausted: stateIn({ budget: 'exhausted' }),
    isReserving: stateIn({ call: { asking: 'reserving' } }),
    isCalling: stateIn({ call: { asking: 'calling' } }),
    isSettling: stateIn({ call: { asking: 'settling' } }),
    isNobodyLeft: ({ context }) => usableFrom(context, 0) === undefined,
    isAsked: ({ context }, params: { id: number }) => context.question?.id === params.id,
    isNext: ({ context }, params: { id: number }) => context.next?.id === params.id,
    isWithdrawn: ({ context }) => context.failure === aborted && context.next === undefined,
    hasNext: ({ context }) => context.next !== undefined,
    isEndless: ({ context }) =>
      context.completion?.finish === 'oversized' && context.failure === undefined,
    isAnswered: ({ context }) => context.completion !== undefined && context.failure === undefined,
    isBlameless: ({ context }) => context.failure?.blameless === true,
    isOverbilled: (_, params: { settlement: Settlement }) => params.settlement.overbilled,
    canAdapt: ({ context }) =>
      context.failure?.adapted === true && context.adaptations < adaptationsMax,
    canRetry: ({ context }) =>
      context.failure?.retryable === true &&
      context.failure.adapted !== true &&
      context.retries < retriesMax &&
      (context.failure.retryAfterMs ?? 0) < limitsOf(context).deadlineMs,
    asksForPause: ({ context }) => context.failure?.retryAfterMs !== undefined,
    canFailOver: ({ context }) =>
      (context.failure?.blameless !== true || context.failure.elsewhere === true) &&
      usableFrom(context, context.endpoint + 1) !== undefined,
    hasFailedOften: ({ context }) => (context.failures[0] ?? 0) >= failuresMax,
    hasRecovered: ({ context }) => context.failures[0] === 0,
    hasRested: ({ context }) => (context.failures[0] ?? 0) < failuresMax,
  },
  delays: {
    callDeadline: ({ context }) => limitsOf(context).deadlineMs,
    /** Many robots that come back at once are no better: whoever runs this adds chance to it. */
    retryDelay: ({ context }) => retryMsOf(context, 0),
    settleLimit: 5_000,
  },
}).createMachine({
  id: 'llm',
  context: ({ input }) => ({
    endpoints: input.endpoints,
    failures: input.endpoints.map(() => 0),
    endpoint: 0,
    question: undefined,
    next: undefined,
    reservation: undefined,
    retries: 0,
    adaptations: 0,
    completion: undefined,
    failure: undefined,
    budget: { level: 'ample', cause: undefined },
    lastError: undefined,
    replies: {},
  }),
  type: 'parallel',
  states: {
    budget: {
      invoke: {
        id: 'watchBudget',
        src: 'watchBudget',
        onError: {
          target: '.exhausted',
          actions: {
            type: 'noteUnwatched',
            params: ({ event }) => ({ message: messageOf(event.error) }),
          },
        },
      },
      initial: 'ample',
      on: {
        'budget.noted': [
          {
            guard: { type: 'isLevel', params: ({ event }) => ({ ...event, level: 'ample' }) },
            target: '.ample',
            actions: { type: 'noteBudget', params: ({ event }) => event },
          },
          {
            guard: { type: 'isLevel', params: ({ event }) => ({ ...event, level: 'low' }) },
            target: '.low',
            actions: { type: 'noteBudget', params: ({ event }) => event },
          },
          {
            target: '.exhausted',
            actions: { type: 'noteBudget', params: ({ event }) => event },
          },
        ],
      },
      states: { ample: {}, low: {}, exhausted: {} },
    },
    circuit: {
      initial: 'closed',
      on: {
        'endpoint.rested': {
          actions: { type: 'allowOneFailure', params: ({ event }) => event },
        },
      },
      states: {
        closed: { always: { guard: 'hasFailedOften', target: 'open' } },
        open: { always: { guard: 'hasRested', target: 'probing' } },
        probing: {
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
          entry: 'forgetCall',
          always: { guard: 'hasNext', target: 'asking', actions: ['takeNext', 'startAtFirst'] },
          on: {
            'llm.ask': {
              target: 'asking',
              actions: [{ type: 'noteQuestion', params: ({ event }) => event }, 'startAtFirst'],
            },
          },
        },
        asking: {
          tags: ['busy'],
          initial: 'admitting',
          on: {
            'llm.ask': [
              {
                guard: 'isWithdrawn',
                actions: { type: 'noteNext', params: ({ event }) => event },
              },
              { actions: { type: 'refuseBusy', params: ({ event }) => event } },
            ],
            'llm.abort': {
              guard: { type: 'isNext', params: ({ event }) => event },
              actions: 'dropNext',
            },
          },
          after: {
            callDeadline: [
              {
                guard: 'isCalling',
                target: '.settling',
                actions: {
                  type: 'noteFailure',
                  params: ({ context }) => ({ failure: silent(limitsOf(context)) }),
                },
              },
              // Its own limit ends that.
              { guard: 'isSettling', actions: 'useUpTries' },
              {
                guard: 'isReserving',
                target: '.concluding',
                actions: {
                  type: 'noteFailure',
                  params: ({ context }) => ({ failure: crowded(limitsOf(context)) }),
                },
              },
              // There will be no second attempt: what the first one failed of is what there is to say.
              { target: '.concluding', actions: 'countRetry' },
            ],
          },
          states: {
            admitting: {
              always: [
                {
                  guard: 'isBudgetExhausted',
                  target: 'concluding',
                  actions: {
                    type: 'noteFailure',
                    params: ({ context }) => ({ failure: unaffordable(context.budget) }),
                  },
                },
                {
                  guard: 'isNobodyLeft',
                  target: 'concluding',
                  actions: { type: 'noteFailure', params: { failure: circuitOpen } },
                },
                { target: 'reserving' },
              ],
            },
            reserving: {
              on: {
                'llm.abort': {
                  guard: { type: 'isAsked', params: ({ event }) => event },
                  target: 'concluding',
                  actions: { type: 'noteFailure', params: { failure: aborted } },
                },
              },
              invoke: {
                id: 'reserve',
                src: 'reserve',
                input: ({ context }) => wishOf(context),
                onDone: {
                  target: 'calling',
                  actions: {
                    type: 'noteReservation',
                    params: ({ event }) => ({ reservation: event.output }),
                  },
                },
                onError: {
                  target: 'concluding',
                  actions: {
                    type: 'noteFailure',
                    params: ({ event }) => ({ failure: unafforded(event.error) }),
                  },
                },
              },
            },
            calling: {
              on: {
                'llm.abort': {
                  guard: { type: 'isAsked', params: ({ event }) => event },
                  target: 'settling',
                  actions: { type: 'noteFailure', params: { failure: aborted } },
                },
              },
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
              // What is being settled is settled to its end; its answer is not wanted any more.
              on: {
                'llm.abort': {
                  guard: { type: 'isAsked', params: ({ event }) => event },
                  actions: { type: 'noteFailure', params: { failure: aborted } },
                },
              },
              invoke: {
                id: 'settle',
                src: 'settle',
                input: ({ context }) => billOf(context),
                onDone: [
                  {
                    guard: {
                      type: 'isOverbilled',
                      params: ({ event }) => ({ settlement: event.output }),
                    },
                    target: 'concluding',
                    actions: ['noteSettled', 'noteOverbilled', 'standBack', 'letRest'],
                  },
                  { target: 'concluding', actions: 'noteSettled' },
                ],
                // The ledger has it in memory and on its disk the worst: no later call is afforded until it can write.
                onError: {
                  target: 'concluding',
                  actions: [
                    'noteSettled',
                    {
                      type: 'noteFailure',
                      params: ({ event }) => ({ failure: unreserved(event.error) }),
                    },
                  ],
                },
              },
              after: {
                settleLimit: {
                  target: 'concluding',
                  actions: ['noteSettled', { type: 'noteFailure', params: { failure: unsettled } }],
                },
              },
            },
            concluding: {
              always: [
                // Its replies are no use to anybody, and each is charged at its worst.
                {
                  guard: 'isEndless',
                  target: '#llm.call.idle',
                  actions: ['countFailure', 'letRest', 'countReply', 'answer'],
                },
                {
                  guard: 'isAnswered',
                  target: '#llm.call.idle',
                  actions: ['countSuccess', 'countReply', 'answer'],
                },
                { guard: 'canAdapt', target: 'admitting', actions: 'countAdaptation' },
                { guard: 'canRetry', target: 'retrying', actions: 'countRetry' },
                {
                  guard: and(['canFailOver', 'isBlameless']),
                  target: '#llm.call.asking',
                  reenter: true,
                  actions: ['noteError', 'startAtNext'],
                },
                {
                  guard: 'isBlameless',
                  target: '#llm.call.idle',
                  actions: ['noteError', 'fail'],
                },
                {
                  guard: and(['canFailOver', 'asksForPause']),
                  target: '#llm.call.asking',
                  reenter: true,
                  actions: ['noteError', 'standBack', 'letRest', 'startAtNext'],
                },
                {
                  guard: 'canFailOver',
                  target: '#llm.call.asking',
                  reenter: true,
                  actions: ['noteError', 'countFailure', 'letRest', 'startAtNext'],
                },
                {
                  guard: 'asksForPause',
                  target: '#llm.call.idle',
                  actions: ['noteError', 'standBack', 'letRest', 'fail'],
                },
                {
                  target: '#llm.call.idle',
                  actions: ['noteError', 'countFailure', 'letRest', 'fail'],
                },
              ],
            },
            retrying: {
              on: {
                'llm.abort': {
                  guard: { type: 'isAsked', params: ({ event }) => event },
                  target: 'concluding',
                  actions: { type: 'noteFailure', params: { failure: aborted } },
                },
              },
              after: { retryDelay: { target: 'admitting' } },
            },
          },
        },
      },
    },
  },
})

/** How long to wait before the next attempt, in ms; `random` is at least 0 and below 1. */
export function retryMsOf({ retries, failure }: LlmContext, random: number): number {
  return retryDelayMs({ attempt: retries - 1, retryAfterMs: failure?.retryAfterMs, random })
}

function silent({ deadlineMs }: EndpointLimits): AttemptFailure {
  return {
    code: 'ERR_BRAIN_SILENT',
    message: `the model gave no answer within ${deadlineMs / 1000} s`,
    outcome: { kind: 'unknown' },
    retryable: false,
  }
}

function crowded({ deadlineMs }: EndpointLimits): AttemptFailure {
  return {
    code: 'ERR_BUDGET_EXHAUSTED',
    message: `the budget let no call through within ${deadlineMs / 1000} s: other calls hold it, or there were too many this minute`,
    outcome: { kind: 'unsent' },
    retryable: false,
    blameless: true,
  }
}

function unaffordable({ cause }: BudgetNote): AttemptFailure {
  return {
    code: 'ERR_BUDGET_EXHAUSTED',
    message: cause ?? 'the budget is exhausted',
    outcome: { kind: 'unsent' },
    retryable: false,
    blameless: true,
  }
}

/** What one endpoint is too dear for, another one may do. */
function unafforded(error: unknown): AttemptFailure {
  const failure = unreserved(error)
  return failure.code === 'ERR_BUDGET_EXHAUSTED' ? { ...failure, elsewhere: true } : failure
}

/** How long the endpoint whose turn it is is to be left alone, in ms. */
function restOf({ failure }: LlmContext): number {
  return Math.min(restMs.max, Math.max(restMs.usual, failure?.retryAfterMs ?? 0))
}

/** What the ledger refuses is no fault of any endpoint. */
function unreserved(error: unknown): AttemptFailure {
  return {
    code: error instanceof MechosError ? error.code : 'ERR_BUDGET_UNKEPT',
    message: messageOf(error),
    outcome: { kind: 'unsent' },
    retryable: false,
    blameless: true,
  }
}

function freshFor(question: Question | undefined) {
  return {
    question,
    next: undefined,
    reservation: undefined,
    retries: 0,
    adaptations: 0,
    completion: undefined,
    failure: undefined,
  }
}

/** The first endpoint from `index` on whose circuit is not open. */
function usableFrom({ failures }: LlmContext, index: number): number | undefined {
  const found = failures.findIndex((count, at) => at >= index && count < failuresMax)
  return found < 0 ? undefined : found
}

function limitsOf({ endpoints, endpoint }: LlmContext): EndpointLimits {
  const limits = endpoints[endpoint]
  if (!limits) throw new TypeError(`there is no endpoint ${endpoint}`)
  return limits
}

function wishOf(context: LlmContext): Wish {
  const { question, endpoint } = context
  if (!question) throw new TypeError('a call without a question')
  return { question, endpoint, capTokens: limitsOf(context).capTokens }
}

function attemptOf({ question, endpoint, reservation }: LlmContext): Attempt {
  if (!question || !reservation) throw new TypeError('a call without a reservation')
  return { question, endpoint, capTokens: reservation.capTokens }
}

function billOf(context: LlmContext): Bill {
  const { reservation, failure, completion } = context
  if (!reservation) throw new TypeError('a settlement without a reservation')
  const attempt = attemptOf(context)
  if (failure) return { reservation, attempt, outcome: failure.outcome }
  const outcome: Outcome = completion ? { kind: 'used', completion } : { kind: 'unknown' }
  return { reservation, attempt, outcome }
}

function replyIn({ completion }: LlmContext): Reply {
  return readReply(completion ?? { content: '', finish: 'missing', usage: undefined })
}

function isAttemptFailure(error: unknown): error is AttemptFailure {
  return typeof error === 'object' && error !== null && 'outcome' in error && 'retryable' in error
}
