import { assign, enqueueActions, sendTo, setup } from 'xstate'
import { requiredCallback } from './required.ts'
import { sensorMachine } from './sensor.machine.ts'

/** A sensor that the robot watches. Motion needs those that guard it. */
export interface WatchedSensor {
  readonly name: string
  readonly guardsMotion: boolean
}

type Fact =
  | { type: 'perception.fresh'; sensor: string }
  | { type: 'perception.stale'; sensor: string }
  | { type: 'perception.unsound'; sensor: string }

/**
 * Whether pose and surroundings may be trusted: `localised` while every sensor that guards motion is fresh. One
 * `sensor` chart lives here for each sensor that the robot declares.
 */
export const perceptionMachine = setup({
  types: {
    context: {} as { sensors: readonly WatchedSensor[]; stale: readonly string[] },
    input: {} as { sensors: readonly WatchedSensor[] },
    events: {} as Fact,
    tags: {} as 'trusted',
  },
  actors: {
    sensor: sensorMachine,
    freshness: requiredCallback('freshness'),
  },
  actions: {
    watchSensors: enqueueActions(({ context, enqueue }) => {
      for (const { name } of context.sensors) {
        enqueue.spawnChild('sensor', { id: name, systemId: `sensor.${name}`, input: { name } })
      }
    }),
    tellSensor: sendTo(
      (
        { system },
        params: { sensor: string; fact: 'sensor.fresh' | 'sensor.stale' | 'sensor.failed' },
      ) => system.get(`sensor.${params.sensor}`),
      (_, params) => ({ type: params.fact }),
    ),
    noteFresh: assign({
      stale: ({ context }, params: { sensor: string }) =>
        context.stale.filter((name) => name !== params.sensor),
    }),
    noteStale: assign({
      stale: ({ context }, params: { sensor: string }) => [
        ...context.stale.filter((name) => name !== params.sensor),
        params.sensor,
      ],
    }),
  },
  guards: {
    isEverythingFresh: ({ context }) => context.stale.length === 0,
    isSomethingStale: ({ context }) => context.stale.length > 0,
    isKnown: ({ context }, params: { sensor: string }) =>
      context.sensors.some(({ name }) => name === params.sensor),
    isGuard: ({ context }, params: { sensor: string }) =>
      context.sensors.some(({ name, guardsMotion }) => name === params.sensor && guardsMotion),
  },
}).createMachine({
  id: 'perception',
  context: ({ input }) => ({
    sensors: input.sensors,
    stale: input.sensors.filter((sensor) => sensor.guardsMotion).map((sensor) => sensor.name),
  }),
  entry: 'watchSensors',
  invoke: { id: 'freshness', src: 'freshness' },
  initial: 'unlocalised',
  on: {
    'perception.fresh': {
      guard: { type: 'isKnown', params: ({ event }) => event },
      actions: [
        {
          type: 'tellSensor',
          params: ({ event }) => ({ sensor: event.sensor, fact: 'sensor.fresh' }),
        },
        { type: 'noteFresh', params: ({ event }) => event },
      ],
    },
    'perception.stale': [
      {
        guard: { type: 'isGuard', params: ({ event }) => event },
        actions: [
          {
            type: 'tellSensor',
            params: ({ event }) => ({ sensor: event.sensor, fact: 'sensor.stale' }),
          },
          { type: 'noteStale', params: ({ event }) => event },
        ],
      },
      {
        guard: { type: 'isKnown', params: ({ event }) => event },
        actions: {
          type: 'tellSensor',
          params: ({ event }) => ({ sensor: event.sensor, fact: 'sensor.stale' }),
        },
      },
    ],
    'perception.unsound': [
      {
        guard: { type: 'isGuard', params: ({ event }) => event },
        actions: [
          {
            type: 'tellSensor',
            params: ({ event }) => ({ sensor: event.sensor, fact: 'sensor.failed' }),
          },
          { type: 'noteStale', params: ({ event }) => event },
        ],
      },
      {
        guard: { type: 'isKnown', params: ({ event }) => event },
        actions: {
          type: 'tellSensor',
          params: ({ event }) => ({ sensor: event.sensor, fact: 'sensor.failed' }),
        },
      },
    ],
  },
  states: {
    unlocalised: { always: { guard: 'isEverythingFresh', target: 'localised' } },
    localised: { tags: ['trusted'], always: { guard: 'isSomethingStale', target: 'lost' } },
    lost: { always: { guard: 'isEverythingFresh', target: 'localised' } },
  },
})
