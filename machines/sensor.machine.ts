import { setup } from 'xstate'

type Fact = { type: 'sensor.fresh' } | { type: 'sensor.stale' } | { type: 'sensor.failed' }

/** Whether one sensor can be believed. The stream that feeds it says only when that changes. */
export const sensorMachine = setup({
  types: {
    context: {} as { name: string },
    input: {} as { name: string },
    events: {} as Fact,
    tags: {} as 'trusted',
  },
}).createMachine({
  id: 'sensor',
  context: ({ input }) => ({ name: input.name }),
  initial: 'warming',
  on: { 'sensor.failed': { target: '.failed' } },
  states: {
    warming: { on: { 'sensor.fresh': { target: 'live' } } },
    live: { tags: ['trusted'], on: { 'sensor.stale': { target: 'stale' } } },
    stale: { on: { 'sensor.fresh': { target: 'live' } } },
    failed: { on: { 'sensor.fresh': { target: 'live' }, 'sensor.stale': { target: 'stale' } } },
  },
})
