import type { AnyStateMachine, AnyStateNode } from 'xstate'

/** A state as a chart shows it, with the states inside it. */
export interface Outline {
  /** Names the state in its machine: `robot.active.holding`. */
  readonly id: string
  readonly key: string
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history'
  /** The state that is entered first, for a compound one. */
  readonly initial: string | undefined
  readonly tags: readonly string[]
  readonly invokes: readonly string[]
  readonly entry: readonly string[]
  readonly exit: readonly string[]
  readonly reactions: readonly Reaction[]
  readonly states: readonly Outline[]
}

/** What a state does about an event. Without targets it stays as it is. */
export interface Reaction {
  /** Names it in its machine: `robot.active#2` is the third reaction of `robot.active`. */
  readonly id: string
  /** As people say it: `robot.halt`, `after commandLease`, `openBody failed`, `always`. */
  readonly event: string
  readonly guard: string | undefined
  readonly actions: readonly string[]
  readonly targets: readonly string[]
}

/** A transition of a running machine. */
export type Transition = NonNullable<AnyStateNode['always']>[number]

/**
 * A machine as plain data, in the order in which it was written. What XState generates for itself is left out.
 * Throws a TypeError that names the state when a machine holds an action, guard, delay or actor without a name.
 */
export function outlineOf(machine: AnyStateMachine): Outline {
  return outlineOfNode(machine.root)
}

function outlineOfNode(node: AnyStateNode): Outline {
  return {
    id: idOf(node),
    key: node.key,
    kind: node.type,
    initial: node.type === 'compound' ? node.initial.target.map(idOf)[0] : undefined,
    tags: [...node.tags],
    invokes: node.invoke.map((invoked) => actorName(invoked.src, node)),
    entry: node.entry.filter(isAuthored).map((action) => nameOf(action, node)),
    exit: node.exit.filter(isAuthored).map((action) => nameOf(action, node)),
    reactions: transitionsOf(node).map((transition) => reactionOf(transition, node)),
    states: Object.values(node.states).map(outlineOfNode),
  }
}

function reactionOf(transition: Transition, node: AnyStateNode): Reaction {
  const { guard, actions, target } = transition
  return {
    id: reactionId(transition, node),
    event: eventName(transition.eventType, node),
    guard: guard === undefined ? undefined : guardName(guard, node),
    actions: actions.map((action) => nameOf(action, node)),
    targets: (target ?? []).map(idOf),
  }
}

/** In the order in which they are tried. */
function transitionsOf(node: AnyStateNode): readonly Transition[] {
  return [...(node.always ?? []), ...node.transitions.values()].flat()
}

/** The reaction that a transition of a running machine is, by the name that the outline gives it; undefined for a state's being entered first. */
export function reactionTaken(
  transition: Transition,
): Pick<Reaction, 'id' | 'event' | 'targets'> | undefined {
  const node = transition.source
  if (!transitionsOf(node).includes(transition)) return undefined
  return {
    id: reactionId(transition, node),
    event: eventName(transition.eventType, node),
    targets: (transition.target ?? []).map(idOf),
  }
}

/** The whole of such a reaction. Throws a TypeError when there is anything in it without a name. */
export function reactionBehind(transition: Transition): Reaction | undefined {
  const node = transition.source
  return transitionsOf(node).includes(transition) ? reactionOf(transition, node) : undefined
}

function reactionId(transition: Transition, node: AnyStateNode): string {
  return `${idOf(node)}#${transitionsOf(node).indexOf(transition)}`
}

function eventName(eventType: string, node: AnyStateNode): string {
  if (eventType === '') return 'always'
  const delayed = node.after.find((after) => after.eventType === eventType)
  if (delayed) return `after ${delayName(delayed.delay, node)}`
  const [, fact, actor] = /^xstate\.(done|error|snapshot)\.(?:actor\.)?(.+)$/.exec(eventType) ?? []
  if (!fact || !actor) return eventType
  if (eventType.startsWith('xstate.done.state.')) return 'done'
  return (
    { done: `${actor} done`, error: `${actor} failed`, snapshot: `${actor} changed` }[fact] ??
    eventType
  )
}

function guardName(guard: unknown, node: AnyStateNode): string {
  if (typeof guard !== 'function') return nameOf(guard, node)
  if ('guards' in guard && Array.isArray(guard.guards)) {
    const names = guard.guards.map((inner) => guardName(inner, node))
    return guard.name === 'not' ? `not ${names.join()}` : names.join(` ${guard.name} `)
  }
  if ('stateValue' in guard) return `in ${JSON.stringify(guard.stateValue)}`
  throw unnamed('guard', node)
}

function nameOf(source: unknown, node: AnyStateNode): string {
  if (typeof source === 'string') return source
  if (typeof source === 'object' && source !== null && 'type' in source) return String(source.type)
  throw unnamed('action or guard', node)
}

function actorName(source: unknown, node: AnyStateNode): string {
  // XState gives an inline actor a name of its own making.
  if (typeof source === 'string' && !source.startsWith('xstate.')) return source
  throw unnamed('actor', node)
}

function delayName(delay: unknown, node: AnyStateNode): string {
  if (typeof delay === 'string' && Number.isNaN(Number(delay))) return delay
  throw unnamed('delay', node)
}

/** False for the timers that XState adds to the entry and exit of a state with `after`. */
function isAuthored(action: unknown): boolean {
  if (typeof action !== 'function') return true
  const event: unknown = 'event' in action ? action.event : undefined
  const timer =
    typeof event === 'object' && event !== null && 'type' in event
      ? event.type
      : 'sendId' in action && action.sendId
  return !String(timer).startsWith('xstate.after.')
}

/** Names a state in its machine: `robot.active.holding`. */
export function idOf(node: AnyStateNode): string {
  return [node.machine.id, ...node.path].join('.')
}

function unnamed(what: string, node: AnyStateNode): TypeError {
  return new TypeError(`${idOf(node)} holds an ${what} without a name: move it into setup()`)
}
