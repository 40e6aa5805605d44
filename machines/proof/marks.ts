import { type AnyStateMachine, createMachine } from 'xstate'

/** A machine that reports which of its states it enters and which of its transitions it takes, and the names of all of them. */
export interface Marked {
  readonly original: AnyStateMachine
  readonly machine: AnyStateMachine
  readonly states: readonly string[]
  readonly transitions: readonly Site[]
}

/** One transition of a literal. A guarded alternative is one of its own. */
export interface Site {
  /** Unique in its machine: `robot.standby: robot.arm [canArm]`. */
  readonly name: string
  /** The state that owns it. */
  readonly state: string
  readonly event: string
  readonly literal: Literal
}

/** A part of a machine's literal. */
export type Literal = Readonly<Record<string, unknown>>

/** The action that a mark is; its `params` are the name of what was visited. */
export const markType = 'proof.visit'

/** The most steps that one event may take within a machine before it counts as a loop. */
export const microstepsMax = 200

/**
 * The same machine with a mark at the head of each entry and of each transition. Behaves as the original does, except
 * that an endless loop throws.
 */
export function marked(machine: AnyStateMachine): Marked {
  const states: string[] = []
  const transitions: Site[] = []
  const config = markState(machine.config, machine.id, states, transitions)
  return {
    original: machine,
    machine: createMachine(
      { ...config, options: { maxIterations: microstepsMax } },
      {
        ...machine.implementations,
        actions: { ...machine.implementations.actions, [markType]() {} },
      },
    ),
    states: states.slice(1),
    transitions,
  }
}

function markState(state: Literal, id: string, states: string[], sites: Site[]): Literal {
  states.push(id)
  const all = (event: string, literals: unknown) => markAll(id, event, literals, sites)
  const each = (map: unknown, eventOf: (key: string) => string) =>
    Object.fromEntries(entriesOf(map).map(([key, value]) => [key, all(eventOf(key), value)]))
  return {
    ...state,
    entry: [mark(id), ...listOf(state['entry'])],
    ...('on' in state && { on: each(state['on'], (event) => event) }),
    ...('after' in state && { after: each(state['after'], (delay) => `after ${delay}`) }),
    ...('always' in state && { always: all('always', state['always']) }),
    ...('onDone' in state && { onDone: all('done', state['onDone']) }),
    ...('invoke' in state && {
      invoke: listOf(state['invoke']).map((invoked) => ({
        ...literalOf(invoked),
        ...each(outcomesOf(invoked), (key) => `${nameOf(invoked)} ${outcomes[key]}`),
      })),
    }),
    ...('states' in state && {
      states: Object.fromEntries(
        entriesOf(state['states']).map(([key, inner]) => [
          key,
          markState(literalOf(inner), `${id}.${key}`, states, sites),
        ]),
      ),
    }),
  }
}

const outcomes: Readonly<Record<string, string>> = {
  onDone: 'done',
  onError: 'failed',
  onSnapshot: 'changed',
}

function outcomesOf(invoked: unknown): Literal {
  return Object.fromEntries(entriesOf(invoked).filter(([key]) => key in outcomes))
}

function markAll(state: string, event: string, literals: unknown, sites: Site[]): Literal[] {
  // An event whose value is undefined is a transition, too: one that does nothing, and lets nobody else.
  const alternatives = Array.isArray(literals) ? literals : [literals]
  return alternatives.map((alternative: unknown, index) => {
    const literal =
      typeof alternative === 'string' ? { target: alternative } : literalOf(alternative)
    const guard = 'guard' in literal ? ` [${guardName(literal['guard'])}]` : ''
    const place = alternatives.length > 1 ? ` (${index + 1} of ${alternatives.length})` : ''
    const name = `${state}: ${event}${guard}${place}`
    sites.push({ name, state, event, literal })
    return { ...literal, actions: [mark(name), ...listOf(literal['actions'])] }
  })
}

function mark(name: string): Literal {
  return { type: markType, params: { name } }
}

/** How a chart would write a guard. */
export function guardName(guard: unknown): string {
  if (typeof guard === 'string') return guard
  if (typeof guard === 'function') {
    const inner = 'guards' in guard && Array.isArray(guard.guards) ? guard.guards : []
    return guard.name === 'not'
      ? `not ${inner.map(guardName).join()}`
      : inner.map(guardName).join(` ${guard.name} `)
  }
  return nameOf(guard)
}

function nameOf(source: unknown): string {
  const { type, id, src } = literalOf(source)
  return String(type ?? id ?? src)
}

/** A list as XState reads it: nothing, one, or many. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

/** Whatever stands in a literal, as entries; none when it is not an object. */
export function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

export function literalOf(value: unknown): Literal {
  return Object.fromEntries(entriesOf(value))
}
