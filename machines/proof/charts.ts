import { type AnyMachineSnapshot, type AnyStateMachine, getNextTransitions } from 'xstate'
import { type Examples } from './examples.ts'
import { explore, type Place, type Step } from './explore.ts'
import { entriesOf, listOf, type Literal, literalOf, type Marked, marked } from './marks.ts'
import { detailOf, type Happening } from './step.ts'

/** What was found of one chart. */
export interface ChartProof {
  readonly id: string
  readonly states: number
  readonly transitions: number
  readonly statesVisited: number
  readonly transitionsVisited: number
  /** The states and transitions that nothing led to, by name. */
  readonly unvisited: readonly string[]
}

/** A chart that was explored for itself. */
export interface ExploredChart {
  readonly marked: Marked
  readonly steps: readonly Step<undefined>[]
}

/** Explores a chart for itself: everything that it listens to, every timer, and its actors ending in every way. */
export function exploreChart(
  machine: AnyStateMachine,
  input: unknown,
  examples: Examples = {},
): ExploredChart {
  const watched = marked(machine)
  const told = eventsOf(watched).flatMap((type) => examplesOf(watched, type, examples.events))
  const factsOf = examples.facts ?? outlineOfContext
  const steps = explore<undefined>({
    marked: watched,
    input: examples.input ?? input,
    ghost: undefined,
    eventsAt: ({ snapshot }) => [...told, ...ownEvents(watched, snapshot, examples)],
    before: (place) => place,
    aftermath: () => [],
    haunt: () => undefined,
    key: ({ snapshot: { value, status, context } }) =>
      JSON.stringify([value, status, factsOf(context)]),
  })
  return { marked: watched, steps: [...steps] }
}

/** Counts what was visited. */
export function chartProof(
  { machine, states, transitions }: Marked,
  visited: ReadonlySet<string>,
): ChartProof {
  const names = transitions.map(({ name }) => name)
  return {
    id: machine.id,
    states: states.length,
    transitions: names.length,
    statesVisited: states.filter((name) => visited.has(name)).length,
    transitionsVisited: names.filter((name) => visited.has(name)).length,
    unvisited: [...states, ...names].filter((name) => !visited.has(name)),
  }
}

/** The types of event that a chart listens to, beside what XState itself tells it. */
export function eventsOf({ transitions }: Marked): readonly string[] {
  const types = transitions.filter(isHeard).map(({ event }) => event)
  return [...new Set(types)].filter((type) => !type.startsWith('xstate.') && !isWildcard(type))
}

/** True for what is no event, but catches several. */
export function isWildcard(type: string): boolean {
  // Written as a number, since a wildcard must not be written at all.
  return type.endsWith(String.fromCodePoint(0x2a))
}

/** True for what stands in an `on`. */
function isHeard({ event }: { event: string }): boolean {
  return event !== 'always' && event !== 'done' && !event.includes(' ')
}

/**
 * Examples of one type of event. Throws a TypeError when the chart reads what comes with it and nobody has said what
 * that may be: an event that is not tried is an event that is not proven.
 */
export function examplesOf(
  { machine, transitions }: Marked,
  type: string,
  events: Examples['events'] = {},
): readonly Happening[] {
  const known = events[type]
  if (known) return known.map((rest) => ({ ...rest, type }))
  if (transitions.some((site) => site.event === type && readsEvent(site.literal))) {
    throw new TypeError(
      `no example of event ${type}: ${machine.id} reads what comes with it; say in machines/proof what that may be`,
    )
  }
  return [{ type }]
}

function readsEvent({ guard, actions }: Literal): boolean {
  return [guard, ...listOf(actions)].some(readsParams)
}

function readsParams(source: unknown): boolean {
  const guards = detailOf(source, 'guards')
  if (Array.isArray(guards)) return guards.some(readsParams)
  return typeof source === 'function'
    ? guards === undefined && detailOf(source, 'resolve') === undefined
    : typeof detailOf(source, 'params') === 'function'
}

/** The timers that run, and how the actors that run may end, as far as the chart listens. */
function ownEvents(
  { machine, transitions }: Marked,
  snapshot: AnyMachineSnapshot,
  { outputs = {}, errors = {} }: Examples,
): readonly Happening[] {
  const types = new Set(getNextTransitions(snapshot).map(({ eventType }) => eventType))
  return [...types].flatMap((type): readonly Happening[] => {
    const [, end, actor = ''] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(type) ?? []
    if (type.startsWith('xstate.after.')) return [{ type }]
    if (end === 'error') {
      return (errors[actor] ?? [new Error('it failed')]).map((error) => ({ type, error }))
    }
    if (end !== 'done') return []
    const known = outputs[actor]
    const reads = transitions.some(
      ({ event, literal }) => event === `${actor} done` && readsEvent(literal),
    )
    if (!known && reads) {
      throw new TypeError(
        `no example of what ${actor} gives: ${machine.id} reads it; say in machines/proof what that may be`,
      )
    }
    return (known ?? [undefined]).map((output) => ({ type, output }))
  })
}

/** Which parts of a context are there: enough to tell states apart, and few. */
function outlineOfContext(context: object): unknown {
  return entriesOf(context).map(([name, value]) => [name, presenceOf(value)])
}

function presenceOf(value: unknown): unknown {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return Math.sign(value)
  return Array.isArray(value) ? value.length > 0 : value !== undefined
}

/** A place of a chart in a word, for whoever watches it by its tags alone. */
export function tagsOf(snapshot: AnyMachineSnapshot): string {
  return [...snapshot.tags].toSorted().join(' ')
}

/** True when a chart can come to an end of its own. */
export function canEnd(machine: AnyStateMachine): boolean {
  return entriesOf(machine.config.states).some(([, state]) => literalOf(state)['type'] === 'final')
}

/** The name of the state that a chart is in. */
export function stateOf<Ghost>({ name }: Place<Ghost>): string {
  return name
}
