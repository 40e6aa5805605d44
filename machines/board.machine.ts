import { assign, setup } from 'xstate'
import { messageOf } from '../core/vocabulary/errors.ts'
import { requiredCallback, requiredPromise } from './required.ts'

/** What an opened body says of itself. */
export interface BoardFacts {
  readonly firmware: string
  readonly deadman: boolean
}

type Command = { type: 'board.open' } | { type: 'board.close' }
type Fact = { type: 'board.lost'; cause: string }

/**
 * The link to the body. `ready` means that it was opened and that a halt was seen to reach it. A link that is lost
 * is opened again from scratch, for as long as it takes; that moves nothing, since a loss has halted the robot.
 */
export const boardMachine = setup({
  types: {
    context: {} as { facts: BoardFacts | undefined; cause: string | undefined; error: unknown },
    events: {} as Command | Fact,
    tags: {} as 'ready' | 'lost',
  },
  actors: {
    openBody: requiredPromise<BoardFacts>('openBody'),
    verifyBody: requiredPromise<void>('verifyBody'),
    bodyLoss: requiredCallback('bodyLoss'),
    closeBody: requiredPromise<void>('closeBody'),
  },
  actions: {
    noteFacts: assign({
      facts: (_, params: { facts: BoardFacts }) => params.facts,
      cause: undefined,
    }),
    noteCause: assign((_, params: { cause: string }) => ({
      cause: params.cause,
      error: undefined,
    })),
    noteError: assign((_, params: { error: unknown }) => ({
      cause: messageOf(params.error),
      error: params.error,
    })),
  },
  delays: {
    openLimit: 15_000,
    verifyLimit: 2_000,
    closeLimit: 2_000,
    reconnect: 1_000,
  },
}).createMachine({
  id: 'board',
  context: { facts: undefined, cause: undefined, error: undefined },
  initial: 'opening',
  on: { 'board.close': { target: '.closing' } },
  states: {
    opening: {
      invoke: {
        id: 'openBody',
        src: 'openBody',
        onDone: {
          target: 'verifying',
          actions: { type: 'noteFacts', params: ({ event }) => ({ facts: event.output }) },
        },
        onError: {
          target: 'lost',
          actions: { type: 'noteError', params: ({ event }) => ({ error: event.error }) },
        },
      },
      after: {
        openLimit: {
          target: 'lost',
          actions: { type: 'noteCause', params: { cause: 'the board did not open in time' } },
        },
      },
    },
    verifying: {
      invoke: {
        id: 'verifyBody',
        src: 'verifyBody',
        onDone: { target: 'ready' },
        onError: {
          target: 'lost',
          actions: { type: 'noteError', params: ({ event }) => ({ error: event.error }) },
        },
      },
      after: {
        verifyLimit: {
          target: 'lost',
          actions: {
            type: 'noteCause',
            params: { cause: 'the board did not answer a halt in time' },
          },
        },
      },
    },
    ready: {
      tags: ['ready'],
      invoke: {
        id: 'bodyLoss',
        src: 'bodyLoss',
        onError: {
          target: 'lost',
          actions: { type: 'noteError', params: ({ event }) => ({ error: event.error }) },
        },
      },
      on: {
        'board.lost': {
          target: 'lost',
          actions: { type: 'noteCause', params: ({ event }) => ({ cause: event.cause }) },
        },
      },
    },
    lost: {
      tags: ['lost'],
      after: { reconnect: { target: 'opening' } },
    },
    closing: {
      invoke: {
        id: 'closeBody',
        src: 'closeBody',
        onDone: { target: 'closed' },
        onError: {
          target: 'closed',
          actions: { type: 'noteError', params: ({ event }) => ({ error: event.error }) },
        },
      },
      after: { closeLimit: { target: 'closed' } },
    },
    closed: {
      on: { 'board.open': { target: 'opening' } },
    },
  },
})
