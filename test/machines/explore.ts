import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  initialTransition,
  transition,
} from 'xstate'

/** Something that happens to a chart. */
export interface Happening {
  readonly type: string
  readonly [detail: string]: unknown
}

/** An effect that a step would have had: the name of the action, and what it was given. */
export interface Effect {
  readonly type: string
  readonly params: unknown
}

/** A state that can be reached, with what the chart itself does not remember of the way there. */
export interface Place<Ghost> {
  readonly snapshot: AnyMachineSnapshot
  readonly ghost: Ghost
  readonly reached: { readonly from: Place<Ghost>; readonly event: Happening } | undefined
}

export interface Step<Ghost> {
  readonly from: Place<Ghost>
  readonly event: Happening
  readonly to: Place<Ghost>
  readonly effects: readonly Effect[]
  /** True when no earlier step led there. */
  readonly discovers: boolean
}

/** What is explored. `eventsAt` lists everything that may happen there; `key` decides which states count as one. */
export interface Exploration<Ghost> {
  readonly machine: AnyStateMachine
  readonly input: unknown
  readonly ghost: Ghost
  eventsAt(place: Place<Ghost>): readonly Happening[]
  haunt(ghost: Ghost, event: Happening, effects: readonly Effect[]): Ghost
  key(place: Place<Ghost>): string
}

const placesMax = 50_000

/** Every step that can be taken from every place that can be reached, shortest ways first. Executes no action. */
export function* explore<Ghost>(exploration: Exploration<Ghost>): Generator<Step<Ghost>> {
  const { machine } = exploration
  const [snapshot] = initialTransition(machine, exploration.input)
  const start: Place<Ghost> = { snapshot, ghost: exploration.ghost, reached: undefined }
  const places = new Map([[exploration.key(start), start]])
  for (const from of places.values()) {
    if (from.snapshot.status !== 'active') continue
    for (const event of exploration.eventsAt(from)) {
      const [next, actions] = transition(machine, from.snapshot, event)
      const effects = actions.map(({ type, params }): Effect => ({ type, params }))
      const ghost = exploration.haunt(from.ghost, event, effects)
      const found: Place<Ghost> = { snapshot: next, ghost, reached: { from, event } }
      const key = exploration.key(found)
      const discovers = !places.has(key)
      if (discovers) places.set(key, found)
      if (places.size > placesMax) throw new RangeError(`more than ${placesMax} places`)
      yield { from, event, to: found, effects, discovers }
    }
  }
}

/** What happens on the shortest way to a place, in order. */
export function eventsTo<Ghost>({ reached }: Place<Ghost>): readonly Happening[] {
  return reached ? [...eventsTo(reached.from), reached.event] : []
}

/** The shortest way to a place, as a person would tell it. */
export function wayTo<Ghost>({ snapshot, reached }: Place<Ghost>): string {
  const here = JSON.stringify(snapshot.value).replaceAll('"', '')
  return reached ? `${wayTo(reached.from)} -- ${tell(reached.event)} --> ${here}` : here
}

/** The first few steps that break a rule, each with the way there. Empty when the rule holds. */
export function counterexamples<Ghost>(
  steps: readonly Step<Ghost>[],
  holds: (step: Step<Ghost>) => boolean,
): readonly string[] {
  return steps
    .filter((step) => !holds(step))
    .slice(0, 3)
    .map(({ to }) => wayTo(to))
}

function tell({ type, ...rest }: Happening): string {
  const details = Object.values(rest).filter((value) => typeof value !== 'object')
  return [type, ...details].join(' ')
}
