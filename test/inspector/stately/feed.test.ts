import { createInspector, type StatelyInspectionEvent } from '@statelyai/inspect'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  type AnyStateMachine,
  createActor,
  createMachine,
  type InspectionEvent,
  setup,
  transition,
} from 'xstate'
import { virtualClock } from '../../../drivers/clock.ts'
import { demoRover } from '../../../drivers/simulated/rover.ts'
import { machines } from '../../../inspector/charts.ts'
import { failuresMax, type Inspect, viewMs } from '../../../inspector/cockpit/hub.ts'
import { type Outline, outlineOf } from '../../../inspector/outline.ts'
import { definitionOf } from '../../../inspector/stately/definition.ts'
import { actorsMax, eventsMax, repeatMs } from '../../../inspector/stately/feed.ts'
import { watchForStately } from '../../../inspector/stately/hub.ts'
import type { StatelyMessage } from '../../../inspector/stately/messages.ts'
import { createRobot } from '../../../robot.ts'

const ending: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ending.splice(0)) await end()
})

const lamp = createMachine({
  id: 'lamp',
  initial: 'dark',
  states: { dark: { on: { 'lamp.light': { target: 'lit' } } }, lit: { tags: ['bright'] } },
})
const room = setup({
  actors: { lamp },
  guards: { isOpen: () => true },
}).createMachine({
  id: 'room',
  context: { visits: 0 },
  initial: 'open',
  states: {
    open: {
      invoke: { id: 'lamp', src: 'lamp' },
      on: {
        'room.enter': { guard: 'isOpen', target: 'taken' },
        'room.lock': { target: 'locked' },
      },
    },
    taken: { on: { 'room.lock': { target: 'locked' } } },
    locked: {},
  },
})

describe('messages', () => {
  test('have the fields, of the same types, that @statelyai/inspect itself sends', async () => {
    const theirs: StatelyInspectionEvent[] = []
    const inspector = createInspector({ send: (event) => theirs.push(event) })
    const actor = createActor(room, { inspect: inspector.inspect })
    const { say, advance } = watched(actor)
    actor.start()
    await advance(viewMs)
    actor.send({ type: 'room.enter' })
    await vi.waitFor(() => expect(theirs.at(-1)?.type).toBe('@xstate.snapshot'))
    await advance(viewMs)
    const shapes = new Map(theirs.map((message) => [keyOf(message), shapeOf(message)]))
    for (const message of say.flat()) {
      const shape = shapes.get(keyOf(message))
      expect(shape, keyOf(message)).toBeDefined()
      expect(shapeOf(message), keyOf(message)).toEqual(shape)
    }
    expect(new Set(say.flat().map(({ type }) => type))).toEqual(
      new Set(['@xstate.actor', '@xstate.event', '@xstate.snapshot']),
    )
    expect(say.flat().findLast(({ sessionId }) => sessionId === actor.sessionId)).toEqual({
      _version: '0.7.2',
      createdAt: '1700000000000',
      id: null,
      rootId: actor.sessionId,
      sessionId: actor.sessionId,
      type: '@xstate.snapshot',
      event: { type: 'room.enter' },
      snapshot: {
        status: 'active',
        value: 'taken',
        context: { visits: '0' },
        children: {},
        historyValue: {},
        tags: [],
      },
    })
  })

  test('tell of an actor whose parent has left it, once and as stopped', async () => {
    const actor = createActor(room)
    const { say, advance } = watched(actor)
    actor.start()
    await advance(viewMs)
    const lampId = say
      .flat()
      .find(({ type, ...message }) => 'name' in message && message.name === 'lamp')
    say.splice(0)
    actor.send({ type: 'room.lock' })
    await advance(500)
    expect(say.flat().filter(({ sessionId }) => sessionId === lampId?.sessionId)).toMatchObject([
      { type: '@xstate.snapshot', snapshot: { status: 'stopped', value: 'dark' } },
    ])
  })

  test('tell no handle, no secret and nothing circular, whatever is in contexts and events', async () => {
    const handle: Record<string, unknown> = { board: 'a serial port', token: 'hunter2' }
    handle['self'] = handle
    const machine = createMachine({
      id: 'holder',
      context: { handle, apiKey: 'hunter2', write: () => {} },
      initial: 'idle',
      states: { idle: { on: { 'holder.told': { target: 'busy' } } }, busy: {} },
    })
    const actor = createActor(machine)
    const { say, advance } = watched(actor)
    actor.start()
    await advance(viewMs)
    const told = { type: 'holder.told', password: 'hunter2', handle, long: 'x'.repeat(100_000) }
    actor.send(told)
    await advance(viewMs)
    const text = JSON.stringify(say)
    expect(say.flat().map(({ type }) => type)).toEqual([
      '@xstate.actor',
      '@xstate.event',
      '@xstate.event',
      '@xstate.snapshot',
    ])
    expect(text).not.toContain('hunter2')
    expect(text.length).toBeLessThan(5_000)
    expect(say.flat().at(-1)).toMatchObject({
      snapshot: { value: 'busy', context: { apiKey: '[secret]', write: 'a function' } },
    })
  })
})

describe('a definition', () => {
  test.each(machines.map((machine) => [machine.id, machine] as const))(
    'of %s makes the same chart again, of names alone',
    (_, machine) => {
      const again = createMachine(JSON.parse(definitionOf(machine)))
      expect(chartOf(again)).toEqual(chartOf(machine))
    },
  )

  test('of the root goes where the root goes', () => {
    const [root] = machines
    if (!root) throw new Error('there is no root')
    const again = createMachine(JSON.parse(definitionOf(root)))
    const running = again.resolveState({ value: { active: 'holding' } })
    expect(transition(again, running, { type: 'robot.halt' })[0].value).toBe('halted')
  })
})

describe('the hub', () => {
  test('tells of every actor of a robot that runs, each below its parent', async () => {
    const { say, advance } = await watchedRover()
    await advance(1_000)
    const actors = say.flat().filter((message) => message.type === '@xstate.actor')
    const bySession = new Map(actors.map((actor) => [actor.sessionId, actor]))
    const parents = new Map(
      actors.map(({ name, parentId }) => [name, bySession.get(parentId ?? '')?.name]),
    )
    expect(Object.fromEntries(parents)).toMatchObject({
      robot: undefined,
      kernel: expect.any(String),
      'sensor.front': 'perception',
    })
    for (const { definition } of actors) expect(JSON.parse(definition)).toHaveProperty('id')
  })

  test('tells of an actor no more often than thirty times a second, and the newest', async () => {
    const { say, advance, robot } = await watchedRover()
    await advance(1_000)
    say.splice(0)
    await advance(1_000)
    const count = new Map<string, number>()
    for (const message of say.flat()) {
      if (message.type !== '@xstate.snapshot') continue
      count.set(message.sessionId, (count.get(message.sessionId) ?? 0) + 1)
    }
    expect(count.size).toBeGreaterThan(2)
    expect(Math.max(...count.values())).toBeLessThanOrEqual(Math.ceil(1_000 / viewMs))
    await robot.halt('a person said so')
    await advance(viewMs * 2)
    const roots = say.flat().filter(({ rootId, sessionId }) => rootId === sessionId)
    expect(roots.findLast(({ type }) => type === '@xstate.snapshot')).toMatchObject({
      snapshot: { value: 'halted' },
    })
  })

  test('tells an event that changes nothing once a second, and one that does each time', async () => {
    const actor = createActor(room)
    const { say, advance } = watched(actor)
    actor.start()
    await advance(viewMs)
    say.splice(0)
    for (let time = 0; time < 20; time++) {
      actor.send({ type: 'room.knock' })
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await advance(100)
    }
    expect(say.flat().map(({ type }) => type)).toEqual(
      Array.from({ length: 2_000 / repeatMs }, () => '@xstate.event'),
    )
  })

  test('keeps only the newest of a flood of events, and of a viewer that is not ready nothing at all', async () => {
    const actor = createActor(room)
    let isReady = true
    const { say, advance } = watched(actor, () => isReady)
    actor.start()
    await advance(viewMs)
    say.splice(0)
    isReady = false
    for (let count = 0; count < 10_000; count++) {
      // Nobody has heard of any of these.
      actor.send({ type: `room.${count}` })
    }
    actor.send({ type: 'room.enter' })
    await advance(5_000)
    expect(say).toEqual([])
    isReady = true
    await advance(viewMs)
    const events = say.flat().filter((message) => message.type === '@xstate.event')
    expect(events.length).toBe(eventsMax)
    expect(events.at(-1)?.event.type).toBe('room.enter')
    expect(say.flat().filter(({ type }) => type === '@xstate.snapshot')).toMatchObject([
      { sessionId: actor.sessionId, snapshot: { value: 'taken' } },
      { snapshot: { status: 'stopped' } },
    ])
  })

  test(`tells of ${actorsMax} actors at most`, async () => {
    const crowd = setup({ actors: { lamp } }).createMachine({
      id: 'crowd',
      invoke: Array.from({ length: 2 * actorsMax }, (_, index) => ({
        id: `lamp${index}`,
        src: 'lamp' as const,
      })),
    })
    const actor = createActor(crowd)
    const { say, advance } = watched(actor)
    actor.start()
    await advance(viewMs)
    expect(say.flat().filter(({ type }) => type === '@xstate.actor').length).toBe(actorsMax)
  })

  test('costs nothing once it has ended, and has let go', async () => {
    const actor = createActor(room)
    const attached: string[] = []
    const { say, advance, end } = watched(actor, () => true, attached)
    actor.start()
    await advance(viewMs)
    say.splice(0)
    end()
    actor.send({ type: 'room.enter' })
    await advance(500)
    expect([say, attached]).toEqual([[], ['attached', 'let go']])
  })

  test('halts nobody when something fails in it, and gives up in the end', async () => {
    const { causes, advance, robot } = await watchedRover(() => {
      throw new Error('the viewer is on fire')
    })
    await advance(2_000)
    expect(causes.length).toBe(failuresMax)
    expect(causes[0]).toBe('watching for Stately failed: the viewer is on fire')
    expect(robot.snapshot().state).toBe('active.autonomous')
  })
})

/** What a viewer was told by a hub that watches `actor`. */
function watched(
  actor: {
    readonly system: {
      inspect: (observer: (event: InspectionEvent) => void) => { unsubscribe(): void }
    }
  },
  isReady: () => boolean = () => true,
  attached: string[] = [],
) {
  const clock = virtualClock()
  const say: (readonly StatelyMessage[])[] = []
  const inspect: Inspect = (observer) => {
    attached.push('attached')
    const subscription = actor.system.inspect(observer)
    return () => {
      attached.push('let go')
      subscription.unsubscribe()
    }
  }
  const viewer = { isReady, say: (messages: readonly StatelyMessage[]) => void say.push(messages) }
  const failed = (cause: string) => {
    throw new Error(cause)
  }
  const end = watchForStately(inspect, viewer, { clock, unixMs: () => 1_700_000_000_000, failed })
  return { say, end, advance: (ms: number) => clock.advance(ms) }
}

async function watchedRover(fail: () => void = () => {}) {
  const clock = virtualClock()
  const robot = createRobot(demoRover, { clock, seed: 7 })
  const say: (readonly StatelyMessage[])[] = []
  const causes: string[] = []
  const viewer = {
    isReady: () => true,
    say(messages: readonly StatelyMessage[]) {
      fail()
      say.push(messages)
    },
  }
  const end = watchForStately((observer) => robot.inspect(observer), viewer, {
    clock,
    unixMs: () => 1_700_000_000_000,
    failed: (cause) => causes.push(cause),
  })
  const starting = robot.start()
  await clock.advance(500)
  await starting
  ending.push(() => {
    end()
    return robot.stop()
  })
  return { clock, robot, say, causes, advance: (ms: number) => clock.advance(ms) }
}

/** What kind of actor a message is about, too: machines have more fields than others. */
function keyOf({
  type,
  sessionId,
  rootId,
}: {
  type: string
  sessionId: string
  rootId: string | undefined
}) {
  return `${type} ${sessionId === rootId ? 'root' : 'child'}`
}

/** The fields of a message and the types of their values, without what a context or a child is of. */
function shapeOf(message: object): unknown {
  const plain: Record<string, unknown> = JSON.parse(JSON.stringify(message))
  return Object.fromEntries(
    Object.entries(plain).map(([key, value]) => [
      key,
      key === 'snapshot' && typeof value === 'object' && value !== null
        ? Object.keys(value).toSorted()
        : value === null
          ? 'null'
          : typeof value,
    ]),
  )
}

interface Chart {
  readonly id: string
  readonly states: readonly Chart[]
}

/** A chart without what its guards and actions do. */
function chartOf(machine: AnyStateMachine): Chart {
  const plain = ({ states, ...same }: Outline): Chart => ({ ...same, states: states.map(plain) })
  return plain(outlineOf(machine))
}
