import { afterEach, describe, expect, test } from 'vitest'
import {
  type AnyStateMachine,
  assign,
  createActor,
  createMachine,
  type InspectionEvent,
  setup,
} from 'xstate'
import { outlineOf, type Outline } from '../../../inspector/outline.ts'
import {
  failuresMax,
  type Inspect,
  viewMs,
  watchActors,
  watchLoop,
} from '../../../inspector/cockpit/hub.ts'
import { createLoopLog, messageMax } from '../../../inspector/cockpit/loop.ts'
import type { ActorView, LoopView } from '../../../inspector/cockpit/protocol.ts'
import { machines } from '../../../inspector/charts.ts'
import { scriptedBrain } from '../../../actors/scripted.ts'
import { virtualClock } from '../../../drivers/clock.ts'
import { demoRover } from '../../../drivers/simulated/rover.ts'
import { createRobot } from '../../../robot.ts'
import { volatileMemoryStore } from '../../../store/memories.ts'

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0)) await end()
})

describe('the actors of a robot that runs', () => {
  test('are told within a beat, each below its parent, and with the states that are active as they are drawn', async () => {
    const { advance, seen } = await watchedRover()
    await advance(1_000)
    const views = Object.fromEntries([...seen.values()].map((view) => [view.id, view]))
    expect(views['robot']).toMatchObject({
      parent: null,
      machine: 'robot',
      status: 'active',
      active: ['robot', 'robot.active', 'robot.active.autonomous'],
    })
    expect(views['sensor.front']).toMatchObject({
      parent: 'perception',
      machine: 'sensor',
      active: ['sensor', 'sensor.live'],
      context: { name: 'front' },
    })
    const drawn = new Set(machines.flatMap((machine) => idsIn(outlineOf(machine))))
    const told = [...seen.values()].flatMap(({ active, last }) => [
      ...active,
      ...(last ? [...last.from, ...last.to, ...last.transitions] : []),
    ])
    expect(told.length).toBeGreaterThan(20)
    expect(told.filter((id) => !drawn.has(id))).toEqual([])
  })

  test('tell what they last did, and why: halting lights up `halted` and the transition that led there', async () => {
    const { advance, clock, robot, seen } = await watchedRover()
    await advance(1_000)
    await robot.halt('a person said so')
    await advance(100)
    const root = seen.get('robot')
    expect(root?.active).toEqual(['robot', 'robot.halted'])
    expect(root?.last).toEqual({
      event: 'robot.halt',
      from: ['robot.active.autonomous'],
      to: ['robot.halted'],
      transitions: [idOf('robot', 'robot.halt')],
      atMs: expect.closeTo(clock.now() - 100, -2),
    })
    expect(root?.context['causes']).toBe('["a person said so"]')
  })

  test('are joined by the charts that stand beside the root', async () => {
    const clock = virtualClock()
    const robot = createRobot(demoRover, { clock, memory: volatileMemoryStore() })
    const seen = new Map<string, ActorView>()
    watchActors(robot.inspect, (actors) => actors.forEach((actor) => seen.set(actor.id, actor)), {
      clock,
      failed: fail,
      beside: robot.beside,
    })
    ending.push(() => robot.stop())
    const starting = robot.start()
    await clock.advance(500)
    await starting
    await clock.advance(500)
    expect(robot.beside.length).toBe(1)
    expect(seen.get('memory')).toMatchObject({
      parent: 'robot',
      machine: 'memory',
    })
    const { active = [], last } = seen.get('memory') ?? {}
    expect(active.slice(0, 2)).toEqual(['memory', 'memory.ready'])
    expect(last?.to).toEqual(active.slice(-1))
    expect(seen.get('robot')).toMatchObject({ parent: null })
  })

  test('are told together, no more often than thirty times a second, and only those that have changed', async () => {
    const { advance, words } = await watchedRover()
    await advance(1_000)
    words.splice(0)
    await advance(1_000)
    expect(words.length).toBeLessThanOrEqual(Math.ceil(1_000 / viewMs))
    expect(words.flat().some(({ id }) => id === 'sensor.front')).toBe(false)
    expect(words.flat().some(({ id }) => id === 'agent')).toBe(true)
  })

  test('are told of as stopped once they have gone', () => {
    const lamp = createMachine({ id: 'lamp', initial: 'lit', states: { lit: {} } })
    const room = setup({ actors: { lamp } }).createMachine({
      id: 'room',
      initial: 'open',
      states: {
        open: { invoke: { id: 'lamp', src: 'lamp' }, on: { 'room.lock': { target: 'locked' } } },
        locked: {},
      },
    })
    const { actor, look } = viewsOf(room)
    expect(look().map(({ id, status }) => [id, status])).toEqual([
      ['room', 'active'],
      ['room.lamp', 'active'],
    ])
    actor.send({ type: 'room.lock' })
    expect(look().map(({ id, status, active }) => [id, status, active])).toEqual([
      ['room', 'active', ['room', 'room.locked']],
      ['room.lamp', 'stopped', []],
    ])
  })

  test('cost nothing once the watch has ended', async () => {
    const { advance, watch, words } = await watchedRover()
    await advance(500)
    watch.end()
    words.splice(0)
    await advance(500)
    expect(words).toEqual([])
  })
})

describe('guards that refused', () => {
  const door = setup({
    guards: { isRightKey: ({ event }) => event['key'] === 'right', isNight: () => false },
  }).createMachine({
    id: 'door',
    initial: 'shut',
    on: { 'robot.beat': { guard: 'isNight', target: '.shut' } },
    states: {
      shut: {
        on: {
          'door.open': [
            { guard: 'isNight', target: 'ajar' },
            { guard: 'isRightKey', target: 'open' },
          ],
        },
      },
      ajar: {},
      open: { on: { 'door.lock': 'shut' } },
    },
  })

  test('are told with the event and the transition that they kept from being taken, and each but once', () => {
    const { actor, look } = viewsOf(door)
    const refused = (at: number, guard: string) => ({
      transition: `door.shut#${at}`,
      event: 'door.open',
      guard,
      atMs: 0,
    })
    expect(look()[0]?.refused).toEqual([])
    actor.send({ type: 'door.open', key: 'wrong' })
    actor.send({ type: 'door.open', key: 'wrong' })
    expect(look()[0]?.refused).toEqual([refused(0, 'isNight'), refused(1, 'isRightKey')])
    actor.send({ type: 'door.open', key: 'right' })
    expect(look()[0]?.refused).toEqual([refused(0, 'isNight'), refused(1, 'isRightKey')])
  })

  test('of what comes again and again are not told', () => {
    const { actor, look } = viewsOf(door)
    look()
    actor.send({ type: 'robot.beat' })
    expect(look()).toEqual([])
  })

  test('are told of the explorer, whose verdict is for no person', async () => {
    const { advance, seen } = await watchedRover()
    await advance(2_000)
    expect(seen.get('agent')?.refused).toEqual([
      {
        transition: expect.stringMatching(/^agent\.gatekeeping#\d$/),
        event: 'gatekeep done',
        guard: 'isForPeople',
        atMs: expect.any(Number),
      },
    ])
    expect(seen.get('robot')?.refused).toEqual([])
  })

  test('harm nobody where they cannot be told: the charts are told as before, and why not is told once', () => {
    const causes: string[] = []
    const unnamed = createMachine({
      id: 'unnamed',
      initial: 'off',
      states: { off: { on: { 'lamp.light': { guard: () => false, target: 'on' } } }, on: {} },
    })
    const { actor, look } = viewsOf(unnamed, (cause) => causes.push(cause))
    look()
    for (let time = 0; time < 2 * failuresMax; time++) {
      actor.send({ type: 'lamp.light' })
      look()
    }
    expect(actor.getSnapshot().status).toBe('active')
    expect(causes).toEqual([
      expect.stringMatching(/^what guards refused cannot be told: unnamed\.off holds an guard/),
    ])
  })
})

describe('a watch in which something fails', () => {
  test('halts nobody: it is told of, counted, and given up in the end', async () => {
    const causes: string[] = []
    const broken = () => {
      throw new Error('the page is on fire')
    }
    const { advance, robot, watch } = await watchedRover(broken, causes)
    await advance(3_000)
    expect(robot.snapshot().state).toBe('active.autonomous')
    expect(watch.failures).toBe(failuresMax)
    expect(causes).toEqual(
      Array.from({ length: failuresMax }, () => 'watching the charts failed: the page is on fire'),
    )
  })

  test('looks at a context that is cyclic, throws and has secrets, and tells neither those nor an error', () => {
    const cyclic: Record<string, unknown> = { name: 'ring' }
    cyclic['self'] = cyclic
    const machine = setup({
      actions: {
        hoard: assign({
          cyclic,
          apiKey: 'sk-1234',
          failure: new Error('it broke'),
          never: Number.NaN,
          trap: Object.defineProperty({}, 'bad', {
            enumerable: true,
            get: () => {
              throw new Error('do not look')
            },
          }),
        }),
      },
    }).createMachine({ id: 'hoarder', initial: 'on', entry: 'hoard', states: { on: {} } })
    expect(viewsOf(machine).look()[0]?.context).toEqual({
      cyclic: '{name "ring", self itself}',
      apiKey: '[secret]',
      failure: 'Error: it broke',
      never: 'NaN',
      trap: '{bad "unreadable"}',
    })
  })
})

describe("the agent's loop", () => {
  test('is told turn by turn, from what the brain was told to what became of it', async () => {
    const turns = new Map<number, LoopView>()
    const clock = virtualClock()
    const robot = createRobot(demoRover, {
      clock,
      brain: scriptedBrain([
        { type: 'drive', linear: 0.1, angular: 0, durationMs: 500 },
        { type: 'drive', linear: 9, angular: 0, durationMs: 500 },
      ]),
    })
    ending.push(() => robot.stop())
    watchLoop(robot.inspect, (turn) => turns.set(turn.id, turn), fail)
    const starting = robot.start()
    await clock.advance(2_000)
    await starting
    const [first, second] = [...turns.values()]
    expect(first).toEqual({
      id: 1,
      atMs: expect.any(Number),
      prompt: expect.stringMatching(/^explore · at x 0\.00 y 0\.00/),
      sent: null,
      reply: null,
      memories: null,
      proposal: 'drive 0.10 m/s 0.00 rad/s: step 1 of the script',
      verdict: 'permitted',
      action: 'drive 0.10 m/s 0.00 rad/s, done',
    })
    expect(second).toMatchObject({
      id: 2,
      proposal: 'drive 9.00 m/s 0.00 rad/s: step 2 of the script',
      verdict: expect.stringMatching(/^refused: .*9/),
      action: 'holds still',
    })
  })
})

describe('what was said to a model and by it', () => {
  test('is told with the turn that asked, cut where it is long, and free of what no page should be sent', () => {
    const log = createLoopLog()
    const messages = [
      { role: 'system', content: 'rules' },
      { role: 'user', content: `one\ntwo\u001b[2J${'x'.repeat(messageMax)}` },
    ]
    log.note(agentAt('deciding'))
    const asked = log.note(llmAt(7, messages))
    expect(asked?.sent?.[0]).toEqual({ role: 'system', content: 'rules' })
    const { content } = asked?.sent?.[1] ?? { content: '' }
    expect(content.slice(0, 12)).toBe('one\ntwo·[2Jx')
    expect(content.slice(messageMax)).toBe('… and 11 characters more')
    expect(log.note(llmAt(7, messages))).toBeUndefined()
    const answered = log.note(llmAt(7, messages, '{"intent"'))
    expect(answered).toEqual({ ...asked, reply: '{"intent"' })
    expect(log.note(llmAt(7, messages, '{"intent"'))).toBeUndefined()
  })

  test('is not told of a turn that is over', () => {
    const log = createLoopLog()
    log.note(agentAt('deciding'))
    log.note(llmAt(7, []))
    log.note(agentAt('acting'))
    log.note(agentAt('deciding'))
    expect(log.note(llmAt(7, [], 'too late'))).toBeUndefined()
    expect(log.note(llmAt(8, []))?.id).toBe(2)
  })
})

/** A step of the agent, as far as the log looks at it. */
function agentAt(value: string): InspectionEvent {
  return snapshotEvent({ machine: { id: 'agent' }, value, context: { answers: [] } })
}

/** A model that is being asked, or has answered. */
function llmAt(id: number, messages: readonly object[], answer?: string): InspectionEvent {
  const completion = answer === undefined ? undefined : { content: answer }
  const context = { question: { id, messages }, completion }
  return snapshotEvent({ machine: { id: 'llm' }, value: {}, context, matches: () => !completion })
}

function snapshotEvent(snapshot: object): InspectionEvent {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a snapshot, as far as it is looked at
  return { type: '@xstate.snapshot', snapshot } as unknown as InspectionEvent
}

async function watchedRover(say?: (actors: readonly ActorView[]) => void, causes: string[] = []) {
  const clock = virtualClock()
  const robot = createRobot(demoRover, { clock })
  const seen = new Map<string, ActorView>()
  const words: (readonly ActorView[])[] = []
  const hear = (actors: readonly ActorView[]) => {
    words.push(actors)
    for (const actor of actors) seen.set(actor.id, actor)
  }
  const failed = (cause: string) => causes.push(cause)
  const watch = watchActors(robot.inspect, say ?? hear, { clock, failed })
  ending.push(() => robot.stop())
  const starting = robot.start()
  await clock.advance(100)
  await starting
  return { advance: clock.advance, clock, robot, seen, watch, words }
}

/** An actor of the machine, and what is told of it when it is time to. */
function viewsOf(machine: AnyStateMachine, failed: (cause: string) => void = fail) {
  const views: ActorView[] = []
  const timers: (() => void)[] = []
  const observers: ((event: InspectionEvent) => void)[] = []
  const inspect: Inspect = (observer) => {
    observers.push(observer)
    return () => undefined
  }
  const clock = {
    setTimeout: (fire: () => void) => timers.push(fire),
    clearTimeout: () => undefined,
  }
  watchActors(inspect, (actors) => views.push(...actors), { clock, failed })
  const actor = createActor(machine, {
    inspect: (event) => observers.forEach((observer) => observer(event)),
  })
  actor.start()
  const look = () => {
    for (const fire of timers.splice(0)) fire()
    return views.splice(0)
  }
  return { actor, look }
}

function fail(cause: string): never {
  throw new Error(cause)
}

function idsIn(state: Outline): readonly string[] {
  return [state.id, ...state.reactions.map(({ id }) => id), ...state.states.flatMap(idsIn)]
}

/** The id of the first reaction of a state to an event. */
function idOf(state: string, event: string): string {
  const [root] = machines
  const found = root && outlineOf(root).reactions.find((reaction) => reaction.event === event)
  return found?.id ?? `${state} has no ${event}`
}
