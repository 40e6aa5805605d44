import { expect, test } from 'vitest'
import { createActor, waitFor } from 'xstate'
import { decide, type Brain } from '../../actors/deliberation.ts'
import type { Observation } from '../../core/vocabulary/observation.ts'

const brainNamed = (name: string): Brain => ({
  name,
  decide: async () => ({ reason: name, intent: { type: 'stop' } }),
})
const [brain, other] = [brainNamed('model'), brainNamed('explorer')]

const observation: Observation = {
  stampMs: 0,
  goal: undefined,
  pose: { x: 0, y: 0, heading: 0 },
  velocity: { linear: 0, angular: 0 },
  scene: { footprintMetres: 0.1, obstacles: [], sectors: [], stale: [], blindCreep: false },
  obstacles: [],
  battery: undefined,
  limits: { linear: 0.3, angular: 1.5 },
  canDrive: true,
  relays: [],
  approve: [],
  history: [],
  answers: [],
  loop: {
    what: 'drive 0.20 m/s 0.00 rad/s',
    times: 6,
    headway: false,
    caught: true,
    outcome: 'refused: the way is occupied',
  },
}

async function decided(isFallback: boolean, fallback?: Brain) {
  const actor = createActor(decide(brain, fallback), { input: { observation, isFallback } })
  actor.subscribe({ error: () => undefined })
  const ended = waitFor(actor, ({ status }) => status !== 'active')
  actor.start()
  const { error, output } = await ended.catch(() => actor.getSnapshot())
  return { said: output?.reason, error }
}

test('the brain decides, and the fallback while the brain is passed over', async () => {
  expect(await decided(false)).toEqual({ said: 'model', error: undefined })
  expect(await decided(false, other)).toEqual({ said: 'model', error: undefined })
  expect(await decided(true, other)).toEqual({ said: 'explorer', error: undefined })
})

test('without a fallback nobody decides, and why is said', async () => {
  expect(await decided(true)).toMatchObject({
    said: undefined,
    error: {
      code: 'ERR_BRAIN_REPEATS',
      message:
        'the model repeats itself: 6 times drive 0.20 m/s 0.00 rad/s (refused: the way is occupied)',
    },
  })
})
