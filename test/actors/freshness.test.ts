import { Subject } from 'rxjs'
import { expect, test } from 'vitest'
import { createActor, setup } from 'xstate'
import { freshness } from '../../actors/freshness.ts'
import { emptyWorld, type World } from '../../core/space/world.ts'

/** The facts that come of ticks, where a sensor was heard at the times that `heard` says. */
function listen(sensors: readonly { name: string; staleMs: number }[]) {
  const ticks = new Subject<number>()
  const heardMs = new Map<string, number>()
  const world: World = { ...emptyWorld(), heardMs }
  const facts: string[] = []
  const listener = setup({
    actors: { freshness: freshness(ticks, { value: world }, sensors) },
    actions: {
      note: ({ event }) => {
        const { type, sensor } = event as { type: string; sensor?: string }
        facts.push(`${sensor} ${type.replace('perception.', '')}`)
      },
    },
  }).createMachine({
    invoke: { src: 'freshness' },
    on: { 'perception.fresh': { actions: 'note' }, 'perception.stale': { actions: 'note' } },
  })
  const actor = createActor(listener).start()
  return { ticks, heardMs, facts, stop: () => actor.stop() }
}

const lidar = { name: 'lidar', staleMs: 300 }

test('a sensor is stale until it is heard, fresh to its last millisecond, and each is said once', () => {
  const { ticks, heardMs, facts } = listen([lidar])
  ticks.next(0)
  ticks.next(20)
  expect(facts).toEqual(['lidar stale'])
  heardMs.set('lidar', 30)
  for (const now of [40, 60, 329, 330]) ticks.next(now)
  expect(facts).toEqual(['lidar stale', 'lidar fresh'])
  ticks.next(330.1)
  ticks.next(500)
  expect(facts).toEqual(['lidar stale', 'lidar fresh', 'lidar stale'])
  heardMs.set('lidar', 500)
  ticks.next(501)
  expect(facts.at(-1)).toBe('lidar fresh')
})

test('each sensor has a time of its own', () => {
  const { ticks, heardMs, facts } = listen([lidar, { name: 'battery', staleMs: 5_000 }])
  heardMs.set('lidar', 0).set('battery', 0).set('stranger', 0)
  ticks.next(0)
  ticks.next(1_000)
  ticks.next(6_000)
  expect(facts).toEqual(['lidar fresh', 'battery fresh', 'lidar stale', 'battery stale'])
})

test('a stamp that is no time keeps nothing fresh', () => {
  const { ticks, heardMs, facts } = listen([lidar])
  heardMs.set('lidar', NaN)
  ticks.next(0)
  expect(facts).toEqual(['lidar stale'])
})

test('nobody listens any more once it is stopped', () => {
  const { ticks, facts, stop } = listen([lidar])
  ticks.next(0)
  stop()
  expect(ticks.observed).toBe(false)
  expect(facts).toEqual(['lidar stale'])
})
