import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventObject,
  initialTransition,
  transition,
} from 'xstate'

/** An effect that a step would have had: the name of the action, and what it was given. */
export interface Effect {
  readonly type: string
  readonly params: unknown
}

/** A state that can be reached, with what the chart itself does not remember of the way there. */
export interface Place<Ghost> {
  readonly snapshot: AnyMachineSnapshot
  readonly ghost: Ghost
  readonly reached: { readonly from: Place<Ghost>; readonly event: EventObject } | undefined
}

export interface Step<Ghost> {
  readonly from: Place<Ghost>
  readonly event: EventObject
  readonly to: Place<Ghost>
  readonly effects: readonly Effect[]
}

/** What is explored. `eventsAt` lists everything that may happen there; `key` decides which states count as one. */
export interface Exploration<Ghost> {
  readonly machine: AnyStateMachine
  readonly input: unknown
  readonly ghost: Ghost
  eventsAt(place: Place<Ghost>): readonly EventObject[]
  haunt(ghost: Ghost, event: EventObject, effects: readonly Effect[]): Ghost
  key(place: Place<Ghost>): string
}

const placesMax = 50_000

/** Every place that can be reached and every step between them, shortest ways first. Executes no action. */
export function explore<Ghost>(exploration: Exploration<Ghost>): {
  readonly places: readonly Place<Ghost>[]
  readonly steps: readonly Step<Ghost>[]
} {
  const { machine } = exploration
  const [snapshot] = initialTransition(machine, exploration.input)
  const start: Place<Ghost> = { snapshot, ghost: exploration.ghost, reached: undefined }
  const places = new Map([[exploration.key(start), start]])
  const steps: Step<Ghost>[] = []
  for (const from of places.values()) {
    if (from.snapshot.status !== 'active') continue
    for (const event of exploration.eventsAt(from)) {
      const [next, actions] = transition(machine, from.snapshot, event)
      const effects = actions.map(({ type, params }): Effect => ({ type, params }))
      const ghost = exploration.haunt(from.ghost, event, effects)
      const found: Place<Ghost> = { snapshot: next, ghost, reached: { from, event } }
      const key = exploration.key(found)
      const known = places.get(key)
      if (!known) places.set(key, found)
      if (places.size > placesMax) throw new RangeError(`more than ${placesMax} places`)
      steps.push({ from, event, to: found, effects })
    }
  }
  return { places: [...places.values()], steps }
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

function tell({ type, ...rest }: EventObject): string {
  const details = Object.values(rest).filter((value) => typeof value !== 'object')
  return [type, ...details].join(' ')
}
