import { beforeEach, expect, test } from 'vitest'
import * as known from '../../../inspector/cockpit/page/known.ts'
import type { ActorView, LoopView, WorldView } from '../../../inspector/cockpit/protocol.ts'

const { take } = known

beforeEach(() => take({ type: 'hello', role: 'drive', name: 'rover', run: 'one' }))

test('an actor that changes takes the place of what was known of it, and one that has stopped is forgotten', () => {
  take({ type: 'actors', actors: [actor('robot', 'active'), actor('agent', 'active')] })
  take({ type: 'actors', actors: [actor('robot', 'error'), actor('agent', 'stopped')] })
  expect([...known.actors.value.values()]).toEqual([actor('robot', 'error')])
})

test('a turn is told again as it goes on, and the youngest comes first', () => {
  take({ type: 'loop', turn: turn(1, null) })
  take({ type: 'loop', turn: turn(2, null) })
  take({ type: 'loop', turn: turn(1, 'done') })
  expect(known.turns.value).toEqual([turn(2, null), turn(1, 'done')])
})

test('what is kept has an end: turns, lines and samples', () => {
  for (let count = 1; count <= 2_000; count++) {
    take({ type: 'loop', turn: turn(count, null) })
    take({ type: 'notice', text: `line ${count}` })
    take({ type: 'world', world: world(count * 100) })
  }
  expect(known.turns.value.length).toBe(60)
  expect(known.told.value.length).toBe(12)
  expect(known.samples.value.length).toBe(600)
  expect(known.samples.value.at(-1)?.seconds).toBe(200)
})

test('of a robot whose time goes back nothing is plotted that was before', () => {
  take({ type: 'world', world: world(5_000) })
  take({ type: 'world', world: world(40) })
  expect(known.samples.value.map(({ seconds }) => seconds)).toEqual([0.04])
})

test('another run begins with nothing of the last one', () => {
  take({ type: 'actors', actors: [actor('robot', 'active')] })
  take({ type: 'loop', turn: turn(1, 'done') })
  take({ type: 'hello', role: 'watch', name: 'rover', run: 'two' })
  expect([known.actors.value.size, known.turns.value, known.samples.value]).toEqual([0, [], []])
  expect(known.mayDrive.value).toBe(false)
})

test('a line that is said again and again is shown once', () => {
  for (let time = 0; time < 3; time++) {
    take({ type: 'refused', word: 'drive', message: 'drive: take over first' })
  }
  expect(known.told.value.filter(({ text }) => text === 'drive: take over first')).toEqual([
    { id: expect.any(Number), kind: 'refused', text: 'drive: take over first' },
  ])
})

function actor(id: string, status: string): ActorView {
  return {
    id,
    parent: null,
    machine: id,
    status,
    active: [id],
    last: null,
    refused: [],
    context: {},
  }
}

function turn(id: number, action: string | null): LoopView {
  return {
    id,
    atMs: id,
    prompt: null,
    sent: null,
    reply: null,
    memories: null,
    proposal: null,
    verdict: null,
    action,
  }
}

function world(atMs: number): WorldView {
  return {
    atMs,
    pose: null,
    covariance: null,
    planned: null,
    refused: null,
    geofence: null,
    velocity: null,
    commanded: { linear: 0, angular: 0 },
    obstacles: [],
    scan: [],
    battery: null,
    outputs: [],
  }
}
