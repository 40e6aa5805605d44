import {
  type AnyActorRef,
  type AnyActorScope,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createEmptyActor,
} from 'xstate'
import { messageOf } from '../../core/vocabulary/errors.ts'
import { isRequired } from '../required.ts'
import { markType } from './marks.ts'

/** Something that happens to a chart. */
export interface Happening {
  readonly type: string
  readonly [detail: string]: unknown
}

/** An effect that a step has: the name of the action, and what it was given. */
export interface Effect {
  readonly type: string
  readonly params: unknown
}

/** What became of one event. */
export interface Outcome {
  readonly snapshot: AnyMachineSnapshot
  readonly effects: readonly Effect[]
  /** The states entered and the transitions taken on the way, by name. */
  readonly visits: readonly string[]
  /** What was thrown, by whatever the step computed or executed. */
  readonly thrown: string | undefined
}

/** How a machine begins. */
export function begin(machine: AnyStateMachine, input: unknown): Outcome {
  return attempt(machine, undefined, (scope) => machine.getInitialSnapshot(scope, input))
}

/**
 * What a machine does about an event, in one macrostep. Its own actions are executed, so that one that throws is
 * seen; those that the composition root provides, and what goes to other actors, are effects and no more. A throw
 * leaves the chart in `error`, as a living one would be.
 */
export function happen(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: Happening,
): Outcome {
  return attempt(machine, snapshot, (scope) => machine.transition(snapshot, event, scope))
}

function attempt(
  machine: AnyStateMachine,
  before: AnyMachineSnapshot | undefined,
  act: (scope: AnyActorScope) => AnyMachineSnapshot,
): Outcome {
  const effects: Effect[] = []
  const visits: string[] = []
  const scope = scopeFor(machine, before, ({ type, params, exec, info }) => {
    if (type === markType) {
      visits.push(String(detailOf(params, 'name')))
      return
    }
    effects.push({ type, params })
    if (type.startsWith('xstate.') || isRequired(exec)) return
    if (!exec) throw new TypeError(`nobody knows how to ${type}`)
    exec(info, params)
  })
  try {
    const snapshot = act(scope)
    const thrown = snapshot.status === 'error' ? messageOf(snapshot.error) : undefined
    return { snapshot, effects, visits, thrown }
  } catch (error) {
    if (!before) throw error
    const snapshot: AnyMachineSnapshot = Object.assign({}, before, { status: 'error', error })
    return { snapshot, effects, visits, thrown: messageOf(error) }
  }
}

/** Whoever stands for a machine's own actor while it is stepped: one can stand for many steps. */
const stages = new WeakMap<AnyStateMachine, AnyActorRef>()

/** A place to act in: nothing starts there, nothing is sent. Whoever is sought is found by name among those who are there. */
function scopeFor(
  machine: AnyStateMachine,
  before: AnyMachineSnapshot | undefined,
  actionExecutor: AnyActorScope['actionExecutor'],
): AnyActorScope {
  const spawned = new Map<string, AnyActorRef>()
  const self = stages.get(machine) ?? createEmptyActor()
  stages.set(machine, self)
  const get = (name: PropertyKey) => spawned.get(String(name)) ?? before?.children[String(name)]
  return {
    self,
    system: { ...self.system, get },
    id: '',
    sessionId: '',
    logger: () => {},
    defer: () => {},
    emit: () => {},
    stopChild: () => {},
    actionExecutor(action) {
      const child: unknown = detailOf(action.params, 'actorRef')
      if (action.type === 'xstate.spawnChild' && isActor(child)) {
        spawned.set(child.id, child)
        // The names that are taken there now would be taken for the next step, too.
        stages.delete(machine)
      }
      actionExecutor(action)
    },
  }
}

/** What stands at the end of a path of names, or undefined when there is nothing. */
export function detailOf(value: unknown, ...path: readonly string[]): unknown {
  let at = value
  for (const key of path) {
    if ((typeof at !== 'object' && typeof at !== 'function') || at === null) return undefined
    at = Reflect.get(at, key)
  }
  return at
}

function isActor(value: unknown): value is AnyActorRef {
  return typeof value === 'object' && value !== null && 'sessionId' in value
}
