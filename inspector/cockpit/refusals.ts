import type { AnyMachineSnapshot, AnyStateNode, StateValue } from 'xstate'
import type { Transition } from '../outline.ts'

/**
 * The transitions that a machine did not take in a step because their guards said no, in the order in which they were
 * tried. XState tells of none of them: this follows how it looks for transitions, from the innermost states outwards and
 * in the order of the chart, as far as the ones that it took. No guard is asked again.
 *
 * `before` is the machine before the step, `taken` what it took then. Of transitions without an event, of which XState
 * tells only when it has taken one, those are told that were tried before that one.
 */
export function refusedIn(
  before: AnyMachineSnapshot,
  eventType: string,
  taken: readonly Transition[],
): readonly Transition[] {
  const isEventless = taken.length > 0 && taken.every((transition) => transition.eventType === '')
  if (!isEventless) return tried(before.machine.root, before.value, eventType, taken).refused
  return [...new Set(pathsTo(before.machine.root, before.value).flatMap(refusedOn(taken)))]
}

/** What came of looking into a state. */
interface Tried {
  readonly refused: readonly Transition[]
  readonly isTaken: boolean
}

/** A state is asked only where none of those within it took the event. */
function tried(
  node: AnyStateNode,
  value: StateValue | undefined,
  eventType: string,
  taken: readonly Transition[],
): Tried {
  const within = statesWithin(node, value).map(([inner, its]) =>
    tried(inner, its, eventType, taken),
  )
  const refused = within.flatMap((each) => each.refused)
  if (within.some(({ isTaken }) => isTaken)) return { refused, isTaken: true }
  const own = triedIn(node.transitions.get(eventType) ?? [], taken)
  return { refused: [...refused, ...own.refused], isTaken: own.isTaken }
}

function triedIn(all: readonly Transition[], taken: readonly Transition[]): Tried {
  // One without a guard is taken by whoever comes as far as that.
  const end = all.findIndex((each) => taken.includes(each) || each.guard === undefined)
  return { refused: all.slice(0, end < 0 ? all.length : end), isTaken: end >= 0 }
}

/** What was tried from an innermost state outwards before the one that was taken; nothing where none of it was. */
function refusedOn(taken: readonly Transition[]) {
  return (path: readonly AnyStateNode[]): readonly Transition[] => {
    const all = path.flatMap(({ always }) => always ?? [])
    const end = all.findIndex((each) => taken.includes(each))
    return all.slice(0, Math.max(0, end)).filter(({ guard }) => guard !== undefined)
  }
}

/** The way from each innermost active state out to `node`. */
function pathsTo(
  node: AnyStateNode,
  value: StateValue | undefined,
): readonly (readonly AnyStateNode[])[] {
  const within = statesWithin(node, value)
  if (within.length === 0) return [[node]]
  return within.flatMap(([inner, its]) => pathsTo(inner, its).map((path) => [...path, node]))
}

function statesWithin(
  node: AnyStateNode,
  value: StateValue | undefined,
): readonly (readonly [AnyStateNode, StateValue | undefined])[] {
  if (value === undefined) return []
  const inner = typeof value === 'string' ? [[value, undefined] as const] : Object.entries(value)
  return inner.flatMap(([key, its]) => {
    const state = node.states[key]
    return state ? [[state, its] as const] : []
  })
}
