import { assign, setup } from 'xstate'
import { messageOf } from '../core/vocabulary/errors.ts'
import { requiredAction, requiredPromise } from './required.ts'

type Command = { type: 'recorder.freeze' } | { type: 'recorder.thaw' } | { type: 'recorder.close' }
type Fact =
  | { type: 'recorder.crowded' }
  | { type: 'recorder.relieved' }
  | { type: 'recorder.failed'; cause: string }

/**
 * The flight record. It stands beside the robot, not in it: whatever becomes of it, the robot goes on. While it is tagged
 * `keeping` what the robot goes through is kept, from the first moment on; `shedding` leaves out what no decision depends
 * on; in `frozen`, while the robot is halted, the last minutes are not given up for anything younger.
 */
export const recorderMachine = setup({
  types: {
    context: {} as { cause: string | undefined },
    events: {} as Command | Fact,
    tags: {} as 'keeping',
  },
  actors: {
    openRecord: requiredPromise<void>('openRecord'),
    closeRecord: requiredPromise<void>('closeRecord'),
  },
  actions: {
    shedTelemetry: requiredAction('shedTelemetry'),
    keepTelemetry: requiredAction('keepTelemetry'),
    keepBlackBox: requiredAction('keepBlackBox'),
    releaseBlackBox: requiredAction('releaseBlackBox'),
    dropWaiting: requiredAction('dropWaiting'),
    noteCause: assign({ cause: (_, params: { cause: string }) => params.cause }),
  },
  delays: { openLimit: 10_000, closeLimit: 5_000 },
}).createMachine({
  id: 'recorder',
  context: { cause: undefined },
  initial: 'opening',
  on: {
    'recorder.failed': {
      target: '.closed',
      actions: { type: 'noteCause', params: ({ event }) => event },
    },
  },
  states: {
    opening: {
      tags: ['keeping'],
      invoke: {
        id: 'openRecord',
        src: 'openRecord',
        onDone: { target: 'recording' },
        onError: {
          target: 'closed',
          actions: {
            type: 'noteCause',
            params: ({ event }) => ({ cause: messageOf(event.error) }),
          },
        },
      },
      on: { 'recorder.close': { target: 'closing' } },
      after: {
        openLimit: {
          target: 'closed',
          actions: { type: 'noteCause', params: { cause: 'the record did not open in time' } },
        },
      },
    },
    recording: {
      tags: ['keeping'],
      on: {
        'recorder.crowded': { target: 'shedding' },
        'recorder.freeze': { target: 'frozen' },
        'recorder.close': { target: 'closing' },
      },
    },
    shedding: {
      tags: ['keeping'],
      entry: 'shedTelemetry',
      exit: 'keepTelemetry',
      on: {
        'recorder.relieved': { target: 'recording' },
        'recorder.freeze': { target: 'frozen' },
        'recorder.close': { target: 'closing' },
      },
    },
    frozen: {
      tags: ['keeping'],
      entry: 'keepBlackBox',
      exit: ['releaseBlackBox', 'keepTelemetry'],
      on: {
        'recorder.crowded': { actions: 'shedTelemetry' },
        'recorder.relieved': { actions: 'keepTelemetry' },
        'recorder.thaw': { target: 'recording' },
        'recorder.close': { target: 'closing' },
      },
    },
    closing: {
      invoke: {
        id: 'closeRecord',
        src: 'closeRecord',
        onDone: { target: 'closed' },
        onError: {
          target: 'closed',
          actions: {
            type: 'noteCause',
            params: ({ event }) => ({ cause: messageOf(event.error) }),
          },
        },
      },
      after: {
        closeLimit: {
          target: 'closed',
          actions: { type: 'noteCause', params: { cause: 'the record did not close in time' } },
        },
      },
    },
    closed: { type: 'final', entry: 'dropWaiting' },
  },
})
