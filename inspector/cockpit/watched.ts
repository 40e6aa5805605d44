import {
  type AnyActorRef,
  type AnyMachineSnapshot,
  type InspectionEvent,
  isMachineSnapshot,
  type StateValue,
} from 'xstate'
import { reactionBehind, reactionTaken, type Transition } from '../outline.ts'
import { actorsIn, type FoundActor, isActor } from '../actors-in.ts'
import { contained } from './contained.ts'
import type { ActorView, Refused } from './protocol.ts'
import { refusedIn } from './refusals.ts'
import { summaryOf } from './summary.ts'

/** The actors of a system, as they were last told. */
export interface Watched {
  /** Takes an event of XState's inspection; cheap, since it comes in the middle of a step. */
  note(event: InspectionEvent): void
  /** The views that have changed since the last look; of an actor that has gone, one that says `stopped`. */
  look(): readonly ActorView[]
}

/** How many refusals of an actor are told, and how many of its steps are kept until the next look. */
export const refusedMax = 4
const stepsMax = 16

/**
 * Knows nobody before it has noted an event of the root, whose beat comes fifty times a second. `failed` is told when it
 * cannot be known what guards refused: nothing is told of that any more, and of all else as before. The charts `beside`
 * have systems of their own, and are shown below the root.
 */
export function createWatched(
  failed: (cause: string) => void,
  beside: readonly AnyActorRef[] = [],
): Watched {
  const others = new Set(beside.map(({ sessionId }) => sessionId))
  let root: AnyActorRef | undefined
  let atMs = 0
  let isKnowing = true
  /** By session, of which a restarted actor has a new one. */
  let noted = new Map<string, Noted>()
  let told = new Map<string, Told>()
  const lookBack = contained(
    (cause) => {
      isKnowing = false
      failed(`what guards refused cannot be told: ${cause}`)
    },
    (each: Noted) => {
      each.refused = youngest(each.steps.splice(0).toReversed().flatMap(refusalsIn), each.refused)
    },
  )
  return {
    note(event) {
      const { actorRef, rootId } = event
      const isRoot = actorRef.sessionId === rootId && !others.has(rootId)
      if (isRoot && isActor(actorRef)) root = actorRef
      if (event.type === '@xstate.event') atMs = stampOf(event.event) ?? atMs
      if (event.type !== '@xstate.microstep') return
      const before = noted.get(actorRef.sessionId)
      noted.set(actorRef.sessionId, stepOf(event, before, atMs))
    },
    look() {
      if (!root) return []
      for (const each of noted.values()) if (isKnowing) lookBack(each)
      const own = shownFrom(root, null)
      const found = [...own, ...beside.flatMap((ref) => shownFrom(ref, own[0]?.id ?? null))]
      const now = new Map(
        found.map((actor) => {
          const did = noted.get(actor.ref.sessionId) ?? nothing
          return [actor.id, toldOf(actor, did, told.get(actor.id))]
        }),
      )
      const gone = [...told.values()].filter(({ view }) => !now.has(view.id))
      const changed = [...now.values()].filter(({ view }) => told.get(view.id)?.view !== view)
      const sessions = new Set(found.map(({ ref }) => ref.sessionId))
      noted = new Map([...noted].filter(([session]) => sessions.has(session)))
      told = now
      return [...changed.map(({ view }) => view), ...gone.map(({ view }) => stopped(view))]
    },
  }
}

/** What an actor last did, and did not. */
interface Did {
  readonly last: ActorView['last']
  readonly refused: readonly Refused[]
}

const nothing: Did = { last: null, refused: [] }

/** Where an actor is, and what it does. */
interface Noted extends Did {
  readonly leaves: readonly string[]
  readonly snapshot: unknown
  /** Those in which a guard may have refused, and which nobody has looked at yet. */
  readonly steps: Step[]
  refused: readonly Refused[]
}

/** A step of a machine, from where it was. */
interface Step {
  readonly before: AnyMachineSnapshot
  readonly event: string
  readonly taken: readonly Transition[]
  readonly atMs: number
}

interface Told extends Did {
  readonly snapshot: unknown
  readonly view: ActorView
}

/** An actor below the one that it is shown below. */
interface Shown extends FoundActor {
  readonly above: string | null
}

function shownFrom(root: AnyActorRef, above: string | null): readonly Shown[] {
  return actorsIn(root).map((found) => ({ ...found, above: found.parent?.id ?? above }))
}

type Microstep = Extract<InspectionEvent, { type: '@xstate.microstep' }>

/** What stays where it is, such as each beat, is not what it last did. */
function stepOf(event: Microstep, known: Noted | undefined, atMs: number): Noted {
  // Underscored, but in XState's types: there is no other way to know which one was taken.
  const { _transitions: all, actorRef, snapshot } = event
  const taken = all.flatMap((transition) => reactionTaken(transition) ?? [])
  const moving = taken.filter(({ targets }) => targets.length > 0)
  const [cause] = moving
  const leaves = leavesIn(snapshot)
  const steps = known?.steps ?? []
  if (!isBeat(event.event.type)) {
    const before = known?.snapshot ?? snapshotOf(actorRef)
    if (isMachineSnapshot(before)) {
      steps.push({ before, event: event.event.type, taken: all, atMs })
      if (steps.length > stepsMax) steps.shift()
    }
  }
  const { last, refused } = known ?? nothing
  if (!cause) return { leaves, snapshot, steps, last, refused }
  const from = known?.leaves ?? moving.map(({ id }) => id.slice(0, id.indexOf('#')))
  const transitions = moving.map(({ id }) => id)
  const did = { event: cause.event, from, to: leaves, transitions, atMs }
  return { leaves, snapshot, steps, last: did, refused }
}

/**
 * What comes again and again, as long as all is well: beats, and that a child has changed. A guard on that watches for
 * something, and refuses nothing that anybody wanted.
 */
function isBeat(eventType: string): boolean {
  return (
    eventType === 'robot.beat' ||
    eventType === 'pulse' ||
    eventType === 'kernel.judge' ||
    eventType === 'motion.drive' ||
    eventType.startsWith('xstate.snapshot.')
  )
}

function refusalsIn({ before, event, taken, atMs }: Step): readonly Refused[] {
  return refusedIn(before, event, taken).flatMap((transition) => {
    const reaction = reactionBehind(transition)
    if (reaction?.guard === undefined) return []
    return [{ transition: reaction.id, event: reaction.event, guard: reaction.guard, atMs }]
  })
}

/** The youngest of all, each transition once; the very ones that were known where there is nothing new. */
function youngest(fresh: readonly Refused[], known: readonly Refused[]): readonly Refused[] {
  if (fresh.length === 0) return known
  const all = new Map([...fresh, ...known].toReversed().map((each) => [each.transition, each]))
  const isFirst = (each: Refused) => all.get(each.transition) === each
  return [...fresh, ...known].filter(isFirst).slice(0, refusedMax)
}

function toldOf(actor: Shown, { last, refused }: Did, known: Told | undefined): Told {
  const snapshot: unknown = actor.ref.getSnapshot()
  if (known && known.snapshot === snapshot && known.last === last && known.refused === refused) {
    return known
  }
  return { snapshot, last, refused, view: viewOf(actor, snapshot, { last, refused }) }
}

function viewOf({ id, above, ref }: Shown, snapshot: unknown, did: Did): ActorView {
  const status = statusIn(snapshot)
  if (!isMachineSnapshot(snapshot)) {
    const machine = typeof ref.src === 'string' ? ref.src : ''
    return { id, parent: above, machine, status, active: [], ...did, context: {} }
  }
  return {
    id,
    parent: above,
    machine: snapshot.machine.id,
    status,
    active: activeIn(snapshot.machine.id, snapshot.value),
    ...did,
    context: summaryOf(snapshot.context),
  }
}

function stopped(view: ActorView): ActorView {
  return { ...view, status: 'stopped', active: [] }
}

/** Every state that is active, the machine first. */
function activeIn(id: string, value: StateValue): readonly string[] {
  if (typeof value === 'string') return [id, `${id}.${value}`]
  return [
    id,
    ...Object.entries(value).flatMap(([key, inner]) =>
      inner === undefined ? [] : activeIn(`${id}.${key}`, inner),
    ),
  ]
}

/** Those of them that hold no other. */
function leavesIn(snapshot: unknown): readonly string[] {
  if (!isMachineSnapshot(snapshot)) return []
  const active = activeIn(snapshot.machine.id, snapshot.value)
  return active.filter((id) => !active.some((other) => other.startsWith(`${id}.`)))
}

/** Undefined for one that is only being made. */
function snapshotOf(ref: Pick<AnyActorRef, 'getSnapshot'>): unknown {
  try {
    return ref.getSnapshot()
  } catch {
    return undefined
  }
}

function statusIn(snapshot: unknown): string {
  return typeof snapshot === 'object' && snapshot !== null && 'status' in snapshot
    ? String(snapshot.status)
    : 'unknown'
}

/** The robot's time in ms, which each beat carries. */
function stampOf(event: { readonly type: string; readonly stampMs?: unknown }): number | undefined {
  return event.type === 'robot.beat' && typeof event.stampMs === 'number'
    ? event.stampMs
    : undefined
}
