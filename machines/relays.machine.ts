import { setup } from 'xstate'
import { requiredAction } from './required.ts'

type Command =
  | { type: 'relays.set'; relay: string; on: boolean }
  | { type: 'relays.inhibit' }
  | { type: 'relays.permit' }

/** Switches relays, and only while permitted. The motion gate has put them at their safe level by the time of `inhibited`. */
export const relaysMachine = setup({
  types: { events: {} as Command },
  actions: {
    switchRelay: requiredAction<{ relay: string; on: boolean }>('switchRelay'),
  },
}).createMachine({
  id: 'relays',
  initial: 'inhibited',
  on: { 'relays.inhibit': { target: '.inhibited' } },
  states: {
    inhibited: { on: { 'relays.permit': { target: 'switchable' } } },
    switchable: {
      on: {
        'relays.set': { actions: { type: 'switchRelay', params: ({ event }) => event } },
      },
    },
  },
})
