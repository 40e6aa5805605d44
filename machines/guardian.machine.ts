import { assign, setup } from 'xstate'
import { requiredCallback } from './required.ts'

type Command = { type: 'guardian.clear' }
type Fact =
  | { type: 'guardian.starting' }
  | { type: 'guardian.guarding' }
  | { type: 'guardian.tripped'; cause: string }
  | { type: 'guardian.lost'; cause: string }
  | { type: 'guardian.gone' }

/**
 * The process that holds the ports of the body, as far as this one hears of it. `absent` where the body needs none.
 * While it is tagged `fault` it has halted the body by itself, or is lost; while it is tagged `present` it can be relied
 * on, or is not needed.
 */
export const guardianMachine = setup({
  types: {
    context: {} as { cause: string | undefined },
    events: {} as Command | Fact,
    tags: {} as 'present' | 'fault',
  },
  actors: { watchGuardian: requiredCallback('watchGuardian') },
  actions: {
    noteCause: assign({ cause: (_, params: { cause: string }) => params.cause }),
    forgetCause: assign({ cause: undefined }),
  },
  delays: { startLimit: 15_000 },
}).createMachine({
  id: 'guardian',
  context: { cause: undefined },
  invoke: { id: 'watchGuardian', src: 'watchGuardian' },
  initial: 'absent',
  on: {
    'guardian.starting': { target: '.starting' },
    'guardian.lost': {
      target: '.lost',
      actions: { type: 'noteCause', params: ({ event }) => event },
    },
    'guardian.gone': { target: '.absent' },
  },
  states: {
    absent: { tags: ['present'], entry: 'forgetCause' },
    starting: {
      on: { 'guardian.guarding': { target: 'guarding' } },
      after: {
        startLimit: {
          target: 'lost',
          actions: {
            type: 'noteCause',
            params: { cause: 'the guardian process did not start in time' },
          },
        },
      },
    },
    guarding: {
      tags: ['present'],
      entry: 'forgetCause',
      on: {
        'guardian.tripped': {
          target: 'tripped',
          actions: { type: 'noteCause', params: ({ event }) => event },
        },
      },
    },
    tripped: {
      tags: ['fault', 'present'],
      on: {
        'guardian.tripped': {
          target: 'tripped',
          reenter: true,
          actions: { type: 'noteCause', params: ({ event }) => event },
        },
        'guardian.clear': { target: 'guarding' },
      },
    },
    lost: { tags: ['fault'] },
  },
})
