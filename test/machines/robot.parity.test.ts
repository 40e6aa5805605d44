import { expect, test } from 'vitest'
import {
  type AnyActorRef,
  type AnyStateMachine,
  createActor,
  type EventObject,
  fromCallback,
  setup,
} from 'xstate'
import { virtualClock } from '../../drivers/clock.ts'
import { robotMachine } from '../../machines/robot.machine.ts'
import { childNames } from '../../machines/supervision.ts'
import { eventsTo, type Happening, type Place, wayTo } from './explore.ts'
import { type Children, exploreRobot, robotInput, withOpenPolicies } from './robot.model.ts'

/** A child that does nothing until it is told to fail. */
const brittle = fromCallback<EventObject & Happening, undefined>(({ receive }) => {
  receive((event) => {
    if (event.type === 'test.fail') throw event['error']
  })
})

const brittleBoard = setup({
  types: { context: {} as { cause: string }, tags: {} as 'ready' | 'lost' },
  actions: {
    fail: (_, { error }: { error: unknown }) => {
      throw error
    },
  },
}).createMachine({
  context: { cause: 'the cable was pulled' },
  initial: 'opening',
  on: {
    'test.opening': { target: '.opening' },
    'test.ready': { target: '.ready' },
    'test.lost': { target: '.lost' },
    'test.fail': { actions: { type: 'fail', params: ({ event }) => ({ error: event['error'] }) } },
  },
  states: { opening: {}, ready: { tags: 'ready' }, lost: { tags: 'lost' } },
})

const root: AnyStateMachine = robotMachine

const living = withOpenPolicies(root).provide({
  actors: {
    ...Object.fromEntries(childNames.map((name) => [name, brittle])),
    board: brittleBoard,
  },
  actions: { tripGate() {}, armBody() {}, stampBeat() {} },
})

/** Has it happen to a living root: a child that is to fail fails by itself. */
function happen(robot: AnyActorRef, event: Happening): void {
  const failed = childNames.find((name) => event.type === `xstate.error.actor.${name}`)
  if (failed) return child(robot, failed).send({ type: 'test.fail', error: event['error'] })
  if (event.type === 'xstate.snapshot.board') {
    return child(robot, 'board').send({ type: `test.${String(event['next'])}` })
  }
  return robot.send(event)
}

function child(robot: AnyActorRef, name: string): AnyActorRef {
  const found = robot.system.get(name)
  if (!found) throw new TypeError(`${name} does not run`)
  return found
}

function essence({ value, context, status }: Place<Children>['snapshot']) {
  const { epoch, causes, linked, absent, goal, notice } = context
  return { value, status, epoch, causes, linked, absent, goal, notice }
}

test('a living root goes where the explored one goes, on the shortest way to each of its states', () => {
  let lived = 0
  for (const step of exploreRobot()) {
    if (!step.discovers) continue
    const robot = createActor(living, { clock: virtualClock(), input: robotInput }).start()
    for (const event of eventsTo(step.to)) happen(robot, event)
    expect(essence(robot.getSnapshot()), wayTo(step.to)).toEqual(essence(step.to.snapshot))
    robot.stop()
    lived += 1
  }
  expect(lived).toBeGreaterThan(1_000)
})
