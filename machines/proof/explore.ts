import type { AnyMachineSnapshot } from 'xstate'
import type { Marked } from './marks.ts'
import { begin, type Effect, happen, type Happening, type Outcome } from './step.ts'

/** A state that can be reached, with what the chart itself does not remember of the way there. */
export interface Place<Ghost> {
  readonly snapshot: AnyMachineSnapshot
  /** The name of the state: `active.holding`. */
  readonly name: string
  readonly ghost: Ghost
  readonly reached: { readonly from: Place<Ghost>; readonly event: Happening } | undefined
}

export interface Step<Ghost> {
  readonly from: Place<Ghost>
  readonly event: Happening
  readonly to: Place<Ghost>
  readonly effects: readonly Effect[]
  /** The states entered and the transitions taken, by name. */
  readonly visits: readonly string[]
  readonly thrown: string | undefined
  /** True when no earlier step led there. */
  readonly discovers: boolean
}

/** What is explored. `eventsAt` lists everything that may happen there; `key` decides which states count as one. */
export interface Exploration<Ghost> {
  readonly marked: Marked
  readonly input: unknown
  readonly ghost: Ghost
  eventsAt(place: Place<Ghost>): readonly Happening[]
  /** The same place as it may be just before the event: older, with more failures behind it. */
  before(place: Place<Ghost>, event: Happening): Place<Ghost>
  /** What these effects bring about by themselves, before anything else can happen. */
  aftermath(ghost: Ghost, effects: readonly Effect[]): readonly Happening[]
  /** What is to be remembered of an event, of its aftermath, and of what they led to. */
  haunt(ghost: Ghost, events: readonly Happening[], effects: readonly Effect[]): Ghost
  key(place: Place<Ghost>): string
}

/** The event of the first step, which leads from the start to the start. */
export const beginning = 'xstate.init'

/** The detail of an event that happens to a place which is not known to be reachable: nothing is explored from there. */
export const supposing = 'supposing'

const placesMax = 50_000

/** Every step that can be taken from every place that can be reached, shortest ways first. */
export function* explore<Ghost>(exploration: Exploration<Ghost>): Generator<Step<Ghost>> {
  const { machine } = exploration.marked
  const first = { type: beginning }
  const begun = settle(exploration, exploration.ghost, first, begin(machine, exploration.input))
  const start = placeOf<Ghost>(begun, undefined)
  yield { ...seenIn(begun), from: start, event: first, to: start, discovers: true }
  const places = new Map([[exploration.key(start), start]])
  for (const place of places.values()) {
    if (place.snapshot.status !== 'active') continue
    for (const event of exploration.eventsAt(place)) {
      const from = exploration.before(place, event)
      const happened = happen(machine, from.snapshot, event)
      const settled = settle(exploration, from.ghost, event, happened)
      const found = placeOf<Ghost>(settled, { from: place, event })
      const key = exploration.key(found)
      const discovers = event[supposing] === undefined && !places.has(key)
      if (discovers) places.set(key, found)
      if (places.size > placesMax) throw new RangeError(`more than ${placesMax} places`)
      yield { ...seenIn(settled), from, event, to: found, discovers }
    }
  }
}

function placeOf<Ghost>(
  { snapshot, ghost }: Settled<Ghost>,
  reached: Place<Ghost>['reached'],
): Place<Ghost> {
  return { snapshot, name: valueName(snapshot.value), ghost, reached }
}

function seenIn({ effects, visits, thrown }: Outcome) {
  return { effects, visits, thrown }
}

type Settled<Ghost> = Outcome & { readonly ghost: Ghost }

/** Lets everything follow that follows by itself. */
function settle<Ghost>(
  { aftermath, haunt, marked }: Exploration<Ghost>,
  before: Ghost,
  event: Happening,
  outcome: Outcome,
): Settled<Ghost> {
  const after = outcome.snapshot.status === 'active' ? aftermath(before, outcome.effects) : []
  const settled = after.reduce(
    (sofar, next) => joined(sofar, happen(marked.machine, sofar.snapshot, next)),
    outcome,
  )
  return { ...settled, ghost: haunt(before, [event, ...after], settled.effects) }
}

function joined(first: Outcome, second: Outcome): Outcome {
  return {
    snapshot: second.snapshot,
    effects: [...first.effects, ...second.effects],
    visits: [...first.visits, ...second.visits],
    thrown: first.thrown ?? second.thrown,
  }
}

/** The places on the shortest way to a place, the start first and the place itself last. */
export function placesTo<Ghost>(place: Place<Ghost>): readonly Place<Ghost>[] {
  return place.reached ? [...placesTo(place.reached.from), place] : [place]
}

/** The name of a state: `active.holding`. The regions of a parallel one stand side by side. */
export function valueName(value: unknown): string {
  if (typeof value === 'string') return value
  const parts = Object.entries(typeof value === 'object' && value !== null ? value : {})
  return parts
    .map(([key, inner]) => [key, valueName(inner)].filter((part) => part !== '').join('.'))
    .join(' | ')
}

/** The shortest way to a place, as a person would tell it. */
export function wayTo<Ghost>({ snapshot, reached }: Place<Ghost>): string {
  const here = valueName(snapshot.value)
  return reached ? `${wayTo(reached.from)} -- ${tell(reached.event)} --> ${here}` : here
}

function tell({ type, ...rest }: Happening): string {
  const details = Object.values(rest).filter((value) => typeof value !== 'object')
  return [type, ...details].join(' ')
}
