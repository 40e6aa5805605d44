import { assign, setup } from 'xstate'
import { requiredAction } from './required.ts'

type Command =
  | { type: 'relays.set'; relay: string; on: boolean; leaseMs: number }
  | { type: 'relays.renew' }
  | { type: 'relays.inhibit' }
  | { type: 'relays.permit' }

/**
 * Switches relays, and only while permitted. Silence is a command, too: once `switched`, and neither set nor renewed within
 * the lease of the last setting, they go back to what was declared for a halt. The motion gate has put them there by the
 * time of `inhibited`.
 */
export const relaysMachine = setup({
  types: { context: {} as { leaseMs: number }, events: {} as Command },
  actions: {
    switchRelay: requiredAction<{ relay: string; on: boolean }>('switchRelay'),
    releaseRelays: requiredAction('releaseRelays'),
    noteLease: assign({ leaseMs: (_, params: { leaseMs: number }) => params.leaseMs }),
  },
  delays: { settingLease: ({ context }) => context.leaseMs },
}).createMachine({
  id: 'relays',
  context: { leaseMs: 0 },
  initial: 'inhibited',
  on: { 'relays.inhibit': { target: '.inhibited' } },
  states: {
    inhibited: { on: { 'relays.permit': { target: 'switchable' } } },
    switchable: {
      on: {
        'relays.set': {
          target: 'switched',
          actions: [
            { type: 'noteLease', params: ({ event }) => event },
            { type: 'switchRelay', params: ({ event }) => event },
          ],
        },
      },
    },
    switched: {
      on: {
        'relays.set': {
          target: 'switched',
          reenter: true,
          actions: [
            { type: 'noteLease', params: ({ event }) => event },
            { type: 'switchRelay', params: ({ event }) => event },
          ],
        },
        'relays.renew': { target: 'switched', reenter: true },
      },
      after: { settingLease: { target: 'switchable', actions: 'releaseRelays' } },
    },
  },
})
