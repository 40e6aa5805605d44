import { assign, setup } from 'xstate'
import { STILL, type Twist } from '../core/vocabulary/geometry.ts'

type Command =
  | { type: 'motion.drive'; twist: Twist; leaseMs: number }
  | { type: 'motion.stop' }
  | { type: 'motion.inhibit' }
  | { type: 'motion.permit' }
type Fact = { type: 'motion.settled' }

/**
 * What the wheels are to do. Silence is a command to stop: `moving` becomes `stopping` when no new `motion.drive`
 * arrives within its lease. Wheels that do not settle in time leave it `stuck`, for good: the root halts. While `inhibited` every command is dropped, and leaving it begins `still`.
 */
export const motionMachine = setup({
  types: {
    context: {} as { target: Twist; leaseMs: number; stopLimitMs: number },
    input: {} as { stopLimitMs: number },
    events: {} as Command | Fact,
    tags: {} as 'ramping',
  },
  actions: {
    followTarget: assign((_, params: { twist: Twist; leaseMs: number }) => ({
      target: params.twist,
      leaseMs: params.leaseMs,
    })),
    clearTarget: assign({ target: STILL }),
  },
  delays: {
    commandLease: ({ context }) => context.leaseMs,
    stopLimit: ({ context }) => context.stopLimitMs,
  },
}).createMachine({
  id: 'motion',
  context: ({ input }) => ({ target: STILL, leaseMs: 0, stopLimitMs: input.stopLimitMs }),
  initial: 'inhibited',
  on: { 'motion.inhibit': { target: '.inhibited' } },
  states: {
    inhibited: {
      entry: 'clearTarget',
      on: { 'motion.permit': { target: 'still' } },
    },
    still: {
      entry: 'clearTarget',
      on: {
        'motion.drive': {
          target: 'moving',
          actions: { type: 'followTarget', params: ({ event }) => event },
        },
      },
    },
    moving: {
      tags: ['ramping'],
      on: {
        'motion.drive': {
          target: 'moving',
          reenter: true,
          actions: { type: 'followTarget', params: ({ event }) => event },
        },
        'motion.stop': { target: 'stopping' },
      },
      after: { commandLease: { target: 'stopping' } },
    },
    stopping: {
      tags: ['ramping'],
      entry: 'clearTarget',
      on: {
        'motion.drive': {
          target: 'moving',
          actions: { type: 'followTarget', params: ({ event }) => event },
        },
        'motion.settled': { target: 'still' },
      },
      after: { stopLimit: { target: 'stuck' } },
    },
    stuck: { type: 'final' },
  },
})
