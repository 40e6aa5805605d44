import { assign, setup } from 'xstate'
import type { Tally } from '../core/vocabulary/memory.ts'
import { messageOf } from '../core/vocabulary/errors.ts'
import { requiredPromise } from './required.ts'

export interface MemoryContext {
  /** What is on the disk. */
  readonly tally: Tally
  /** How much waits to be written, as far as it came after the last write had begun. */
  readonly waiting: number
  /** Some of it is not to wait. */
  readonly isUrgent: boolean
  /** Why nothing is kept at present; undefined while all is well. */
  readonly fault: string | undefined
}

/** What a write has come to. */
export interface Written {
  readonly tally: Tally
  /** How much it left for the next one. */
  readonly left: number
}

type Command = { type: 'memory.close' }
type Fact = { type: 'memory.noted'; isUrgent: boolean }

/**
 * What a robot remembers, on its way to the disk: gathered for a second and written at once, or at once where somebody
 * waits for it. A disk that refuses makes it `degraded`, in which it tries again and again, and nothing that moves hears
 * of it. Whatever was noted is written, or given up, before it is `closed`.
 */
export const memoryMachine = setup({
  types: {
    context: {} as MemoryContext,
    events: {} as Command | Fact,
    tags: {} as 'keeping',
  },
  actors: {
    openMemories: requiredPromise<Tally>('openMemories'),
    writeMemories: requiredPromise<Written>('writeMemories'),
    /** The same again, and what is needed before it. */
    mendMemories: requiredPromise<Written>('mendMemories'),
    closeMemories: requiredPromise<void>('closeMemories'),
  },
  actions: {
    noteTally: assign({ tally: (_, params: { tally: Tally }) => params.tally }),
    noteWaiting: assign(({ context }, params: { isUrgent: boolean }) => ({
      waiting: context.waiting + 1,
      isUrgent: context.isUrgent || params.isUrgent,
    })),
    noteLeft: assign(({ context }, { left }: { left: number }) => ({
      waiting: context.waiting + left,
      isUrgent: context.isUrgent || left > 0,
    })),
    forgetWaiting: assign({ waiting: 0, isUrgent: false }),
    noteFault: assign({ fault: (_, params: { message: string }) => params.message }),
    forgetFault: assign({ fault: undefined }),
  },
  guards: {
    hasWaiting: ({ context }) => context.waiting > 0,
    isUrgent: ({ context }) => context.isUrgent,
  },
  delays: {
    /** At most one write a second, but for what is urgent. */
    gatherTime: 1_000,
    retryTime: 5_000,
    openLimit: 30_000,
    writeLimit: 10_000,
    closeLimit: 2_000,
  },
}).createMachine({
  id: 'memory',
  context: {
    tally: { episodes: 0, notes: 0 },
    waiting: 0,
    isUrgent: false,
    fault: undefined,
  },
  initial: 'opening',
  on: {
    'memory.noted': { actions: { type: 'noteWaiting', params: ({ event }) => event } },
    'memory.close': { target: '.closing' },
  },
  states: {
    opening: {
      invoke: {
        id: 'openMemories',
        src: 'openMemories',
        onDone: {
          target: 'ready',
          actions: { type: 'noteTally', params: ({ event }) => ({ tally: event.output }) },
        },
        onError: {
          target: 'degraded',
          actions: {
            type: 'noteFault',
            params: ({ event }) => ({ message: messageOf(event.error) }),
          },
        },
      },
      after: {
        openLimit: {
          target: 'degraded',
          actions: { type: 'noteFault', params: { message: 'memory: the disk does not answer' } },
        },
      },
    },
    ready: {
      tags: ['keeping'],
      entry: 'forgetFault',
      initial: 'idle',
      states: {
        idle: {
          always: [
            { guard: 'isUrgent', target: 'writing' },
            { guard: 'hasWaiting', target: 'gathering' },
          ],
        },
        gathering: {
          always: { guard: 'isUrgent', target: 'writing' },
          after: { gatherTime: { target: 'writing' } },
        },
        writing: {
          entry: 'forgetWaiting',
          invoke: {
            id: 'writeMemories',
            src: 'writeMemories',
            onDone: {
              target: 'idle',
              actions: [
                { type: 'noteTally', params: ({ event }) => event.output },
                { type: 'noteLeft', params: ({ event }) => event.output },
              ],
            },
            onError: {
              target: '#memory.degraded',
              actions: {
                type: 'noteFault',
                params: ({ event }) => ({ message: messageOf(event.error) }),
              },
            },
          },
          after: {
            writeLimit: {
              target: '#memory.degraded',
              actions: {
                type: 'noteFault',
                params: { message: 'memory: the disk does not answer' },
              },
            },
          },
        },
      },
    },
    degraded: {
      initial: 'resting',
      states: {
        resting: { after: { retryTime: { target: 'mending' } } },
        mending: {
          entry: 'forgetWaiting',
          invoke: {
            id: 'mendMemories',
            src: 'mendMemories',
            onDone: {
              target: '#memory.ready',
              actions: [
                { type: 'noteTally', params: ({ event }) => event.output },
                { type: 'noteLeft', params: ({ event }) => event.output },
              ],
            },
            onError: {
              target: 'resting',
              actions: {
                type: 'noteFault',
                params: ({ event }) => ({ message: messageOf(event.error) }),
              },
            },
          },
          after: { writeLimit: { target: 'resting' } },
        },
      },
    },
    closing: {
      invoke: {
        id: 'closeMemories',
        src: 'closeMemories',
        onDone: { target: 'closed' },
        onError: { target: 'closed' },
      },
      after: { closeLimit: { target: 'closed' } },
    },
    closed: { type: 'final' },
  },
})
