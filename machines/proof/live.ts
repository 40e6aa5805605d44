import {
  type ActorLogic,
  type ActorOptions,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  createMachine,
  type EventObject,
} from 'xstate'
import { isRequired } from '../required.ts'
import type { RobotContext } from '../robot.machine.ts'
import { type ChildName, childNames, policies } from '../supervision.ts'
import { tagsOf } from './charts.ts'
import { microstepsMax } from './marks.ts'
import { placesTo, wayTo } from './explore.ts'
import {
  endedBy,
  type FollowedChild,
  lastStraw,
  type RootModel,
  type RootPlace,
} from './robot.model.ts'
import { happen, type Happening } from './step.ts'

/** A clock that stands still: what a living root waits for happens when the path says so. */
export type StandingClock = NonNullable<ActorOptions<AnyStateMachine>['clock']>

/** How the living root compares with the explored one. */
export interface LivePaths {
  readonly replayed: number
  /** The ways on which it went elsewhere. */
  readonly mismatches: readonly string[]
}

/**
 * Walks a living root along the shortest path to each place, with children that change, fail and end when they are
 * told to, and compares state, context and status after each step. A path that is part of a longer one is walked once.
 */
export function replay(
  model: RootModel,
  places: readonly RootPlace[],
  clock: () => StandingClock,
): LivePaths {
  const living = enliven(model)
  const passed = new Set(places.map(({ reached }) => reached?.from))
  const met = new Set<RootPlace>()
  const mismatches: string[] = []
  for (const leaf of places.filter((place) => !passed.has(place))) {
    const robot = createActor(living, { clock: clock(), input: model.input })
    // Its errors are part of what is compared: `status`.
    robot.subscribe({ error() {} })
    robot.start()
    for (const place of placesTo(leaf)) {
      if (place.reached) happenTo(robot, place.reached.event)
      if (met.has(place)) continue
      met.add(place)
      if (essence(robot.getSnapshot()) !== essence(place.snapshot)) mismatches.push(wayTo(place))
    }
    robot.stop()
  }
  return { replayed: met.size, mismatches }
}

/** The root as it is, except for what it needs from outside, and for how many failures are too many. */
function enliven({ machine, children, followed }: RootModel): AnyStateMachine {
  const { actions } = machine.implementations
  const required = Object.keys(actions).filter((name) => isRequired(actions[name]))
  // A loop in a living root would never come back.
  const config = { ...machine.config, options: { maxIterations: microstepsMax } }
  const bounded: AnyStateMachine = createMachine(config, { ...machine.implementations })
  return bounded.provide({
    actors: Object.fromEntries(
      childNames.map((child) => {
        return [child, standIn(followed.get(child), children.get(child))]
      }),
    ),
    actions: Object.fromEntries(required.map((name) => [name, () => {}])),
    guards: {
      mayRestart: ({ event }: { event: Happening }, { child }: { child: ChildName }) =>
        policies[child].restartsMax > 0 && event['error'] !== lastStraw,
    },
  })
}

type Told =
  | { readonly type: 'proof.become'; readonly snapshot: AnyMachineSnapshot }
  | { readonly type: 'proof.fail'; readonly error: unknown }
  | { readonly type: 'proof.end' }

/** A child that is what it is told to be, and fails and ends when it is told to. One that is followed does what its chart says beside. */
function standIn(
  followed: FollowedChild | undefined,
  chart: AnyStateMachine | undefined,
): ActorLogic<AnyMachineSnapshot, EventObject> {
  const start = followed?.examples.get(followed.start)
  const hear = (snapshot: AnyMachineSnapshot, event: EventObject) => {
    const heard = chart && followed && happen(chart, snapshot, event).snapshot
    return (heard && followed.examples.get(tagsOf(heard))) ?? snapshot
  }
  return {
    getInitialSnapshot: () => start ?? nobodySpecial,
    getPersistedSnapshot: (snapshot) => snapshot,
    transition(snapshot, event) {
      if (!isTold(event)) return hear(snapshot, event)
      switch (event.type) {
        case 'proof.become':
          return event.snapshot
        case 'proof.fail':
          throw event.error
        case 'proof.end':
          return Object.assign({}, snapshot, { status: 'done' as const })
      }
    },
  }
}

const nobodySpecial: AnyMachineSnapshot = createActor(createMachine({})).getSnapshot()

function isTold(event: EventObject): event is Told {
  return event.type.startsWith('proof.')
}

/** Has it happen to a living root: a child that is to fail fails by itself. */
function happenTo(robot: AnyActorRef, event: Happening): void {
  const ended = endedBy(event)
  const [, changed] = /^xstate\.snapshot\.(.+)$/.exec(event.type) ?? []
  if (changed) {
    robot.system.get(changed)?.send({ type: 'proof.become', snapshot: event['snapshot'] })
  } else if (ended) {
    const { type, error } = event
    const end = type.startsWith('xstate.done.')
      ? { type: 'proof.end' }
      : { type: 'proof.fail', error }
    robot.system.get(ended)?.send(end)
  } else {
    robot.send(event)
  }
}

function essence({ value, status, context }: AnyMachineSnapshot): string {
  const { input: _, failures: __, ...rest }: RobotContext = context
  return JSON.stringify({ value, status, rest })
}
