import { assign, setup } from 'xstate'
import { messageOf } from '../core/vocabulary/errors.ts'
import { requiredAction, requiredPromise } from './required.ts'

/** Who is there: how many pages, and whether one of them drives the robot. */
export interface CockpitSeats {
  readonly pages: number
  readonly isDriven: boolean
}

export interface CockpitContext extends CockpitSeats {
  /** Where it is reached; undefined while it is not. */
  readonly address: string | undefined
  /** Why it is not, or what last failed in it. */
  readonly fault: string | undefined
}

type Command = { type: 'cockpit.close' }
type Fact =
  | { type: 'cockpit.seated'; seats: CockpitSeats }
  /** Something in it failed that should not have; the rest of it goes on. */
  | { type: 'cockpit.faulted'; cause: string }
  /** Nothing is listened to any more. */
  | { type: 'cockpit.lost'; cause: string }

/**
 * The cockpit, beside the root and not below it: whatever becomes of it, nothing that moves hears of it. One that cannot
 * be reached is `degraded`, and tries to be again and again.
 */
export const cockpitMachine = setup({
  types: {
    context: {} as CockpitContext,
    events: {} as Command | Fact,
    tags: {} as 'open',
  },
  actors: { bindCockpit: requiredPromise<string>('bindCockpit') },
  actions: {
    unbindCockpit: requiredAction('unbindCockpit'),
    noteAddress: assign({
      address: (_, params: { address: string }) => params.address,
      fault: undefined,
    }),
    noteSeats: assign((_, params: { seats: CockpitSeats }) => params.seats),
    noteFault: assign({ fault: (_, params: { cause: string }) => params.cause }),
    forgetAddress: assign({ address: undefined, pages: 0, isDriven: false }),
  },
  delays: {
    bindLimit: 2_000,
    retryTime: 5_000,
  },
}).createMachine({
  id: 'cockpit',
  context: { address: undefined, fault: undefined, pages: 0, isDriven: false },
  initial: 'binding',
  on: {
    'cockpit.close': { target: '.closed' },
    'cockpit.faulted': { actions: { type: 'noteFault', params: ({ event }) => event } },
  },
  states: {
    binding: {
      invoke: {
        id: 'bindCockpit',
        src: 'bindCockpit',
        onDone: {
          target: 'serving',
          actions: { type: 'noteAddress', params: ({ event }) => ({ address: event.output }) },
        },
        onError: {
          target: 'degraded',
          actions: {
            type: 'noteFault',
            params: ({ event }) => ({ cause: messageOf(event.error) }),
          },
        },
      },
      after: {
        bindLimit: {
          target: 'degraded',
          actions: { type: 'noteFault', params: { cause: 'its port was not had in time' } },
        },
      },
    },
    serving: {
      tags: ['open'],
      exit: ['unbindCockpit', 'forgetAddress'],
      on: {
        'cockpit.seated': { actions: { type: 'noteSeats', params: ({ event }) => event } },
        'cockpit.lost': {
          target: 'degraded',
          actions: { type: 'noteFault', params: ({ event }) => event },
        },
      },
    },
    degraded: { after: { retryTime: { target: 'binding' } } },
    closed: { type: 'final' },
  },
})
