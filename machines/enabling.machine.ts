import { assign, setup } from 'xstate'

export interface EnablingContext {
  /** Whoever holds it, or held it last: a page of the cockpit, a contact on the body. */
  readonly device: string | undefined
  /** The devices that were seen let go: only with one of these does pressing mean that somebody presses it now. */
  readonly proven: readonly string[]
}

/**
 * `press` comes again and again while a device is held, more often than every 0.2 s; `release` once it is let go.
 * `forget`: whatever is held must be let go first, for instance since the robot was halted.
 */
type Command =
  | { readonly type: 'enabling.press'; readonly device: string }
  | { readonly type: 'enabling.release'; readonly device: string }
  | { readonly type: 'enabling.forget' }

/** How long a device may be silent, in ms, and how long it may be held without being let go once (DESIGN §6). */
export const enablingMs = { silence: 200, taped: 600_000 }

/** So many devices are known at a time; the ones that were let go longest ago are forgotten first. */
const devicesMax = 16

/**
 * The enabling device: while a person holds it a model may move the robot, and while nobody does it may not. A device that
 * falls silent counts as let go, and one that is held for ten minutes as taped down; either has to be seen let go before
 * it counts again, as has one that somebody presses while another holds. `enabled` while it is held. Only a robot whose
 * hardware a model drives has this chart.
 */
export const enablingMachine = setup({
  types: {
    context: {} as EnablingContext,
    events: {} as Command,
    tags: {} as 'enabled',
  },
  actions: {
    noteHolder: assign({ device: (_, { device }: { device: string }) => device }),
    noteProof: assign({
      proven: ({ context }, { device }: { device: string }) =>
        [device, ...context.proven.filter((known) => known !== device)].slice(0, devicesMax),
    }),
    dropProofOf: assign({
      proven: ({ context }, { device }: { device: string }) =>
        context.proven.filter((known) => known !== device),
    }),
    dropProof: assign({
      proven: ({ context }) => context.proven.filter((known) => known !== context.device),
    }),
    dropProofs: assign({ proven: [] }),
  },
  guards: {
    isProven: ({ context }, { device }: { device: string }) => context.proven.includes(device),
    isHolder: ({ context }, { device }: { device: string }) => device === context.device,
  },
  delays: { silenceLimit: enablingMs.silence, tapedLimit: enablingMs.taped },
}).createMachine({
  id: 'enabling',
  context: { device: undefined, proven: [] },
  initial: 'released',
  on: {
    'enabling.release': { actions: { type: 'noteProof', params: ({ event }) => event } },
    'enabling.forget': { actions: 'dropProofs' },
  },
  states: {
    released: {
      on: {
        'enabling.press': {
          guard: { type: 'isProven', params: ({ event }) => event },
          target: 'held',
          actions: { type: 'noteHolder', params: ({ event }) => event },
        },
      },
    },
    held: {
      tags: ['enabled'],
      on: {
        'enabling.press': [
          { guard: { type: 'isHolder', params: ({ event }) => event }, target: '.heard' },
          { actions: { type: 'dropProofOf', params: ({ event }) => event } },
        ],
        'enabling.release': {
          guard: { type: 'isHolder', params: ({ event }) => event },
          target: 'released',
          actions: { type: 'noteProof', params: ({ event }) => event },
        },
        'enabling.forget': { target: 'released', actions: 'dropProofs' },
      },
      after: { tapedLimit: { target: 'taped', actions: 'dropProof' } },
      initial: 'heard',
      states: {
        heard: {
          after: { silenceLimit: { target: '#enabling.released', actions: 'dropProof' } },
        },
      },
    },
    taped: {
      on: {
        'enabling.release': {
          guard: { type: 'isHolder', params: ({ event }) => event },
          target: 'released',
          actions: { type: 'noteProof', params: ({ event }) => event },
        },
        'enabling.press': {
          guard: { type: 'isProven', params: ({ event }) => event },
          target: 'held',
          actions: { type: 'noteHolder', params: ({ event }) => event },
        },
        'enabling.forget': { target: 'released', actions: 'dropProofs' },
      },
    },
  },
})
