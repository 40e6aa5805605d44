import { type AnyActorRef, type InspectionEvent, isMachineSnapshot, type StateValue } from 'xstate'
import { reactionTaken } from '../outline.ts'
import type { ActorView } from './protocol.ts'
import { summaryOf } from './summary.ts'

/** The actors of a system, as they were last told. */
export interface Watched {
  /** Takes an event of XState's inspection; cheap, since it comes in the middle of a step. */
  note(event: InspectionEvent): void
  /** The views that have changed since the last look; of an actor that has gone, one that says `stopped`. */
  look(): readonly ActorView[]
}

/** Knows nobody before it has noted an event of the root, whose beat comes fifty times a second. */
export function createWatched(): Watched {
  let root: AnyActorRef | undefined
  let atMs = 0
  /** By session, of which a restarted actor has a new one. */
  let noted = new Map<string, Noted>()
  let told = new Map<string, Told>()
  return {
    note(event) {
      const { actorRef, rootId } = event
      if (actorRef.sessionId === rootId && isActor(actorRef)) root = actorRef
      if (event.type === '@xstate.event') atMs = stampOf(event.event) ?? atMs
      if (event.type !== '@xstate.microstep') return
      const before = noted.get(actorRef.sessionId)
      noted.set(actorRef.sessionId, stepOf(event, before, atMs))
    },
    look() {
      if (!root) return []
      const found = actorsIn(root)
      const now = new Map(
        found.map((actor) => {
          const last = noted.get(actor.ref.sessionId)?.last ?? null
          return [actor.id, toldOf(actor, last, told.get(actor.id))]
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

/** Where an actor is, and what it last did. */
interface Noted {
  readonly leaves: readonly string[]
  readonly last: ActorView['last']
}

interface Told {
  readonly snapshot: unknown
  readonly last: ActorView['last']
  readonly view: ActorView
}

interface Found {
  readonly id: string
  readonly parent: string | null
  readonly ref: AnyActorRef
}

type Microstep = Extract<InspectionEvent, { type: '@xstate.microstep' }>

/** What stays where it is, such as each beat, is not what it last did. */
function stepOf(event: Microstep, before: Noted | undefined, atMs: number): Noted {
  // Underscored, but in XState's types: there is no other way to know which one was taken.
  const { _transitions: all, snapshot } = event
  const taken = all.flatMap((transition) => reactionTaken(transition) ?? [])
  const moving = taken.filter(({ targets }) => targets.length > 0)
  const [cause] = moving
  const leaves = leavesIn(snapshot)
  if (!cause) return { leaves, last: before?.last ?? null }
  const from = before?.leaves ?? moving.map(({ id }) => id.slice(0, id.indexOf('#')))
  const transitions = moving.map(({ id }) => id)
  return { leaves, last: { event: cause.event, from, to: leaves, transitions, atMs } }
}

function toldOf(actor: Found, last: ActorView['last'], known: Told | undefined): Told {
  const snapshot: unknown = actor.ref.getSnapshot()
  if (known && known.snapshot === snapshot && known.last === last) return known
  return { snapshot, last, view: viewOf(actor, snapshot, last) }
}

function viewOf({ id, parent, ref }: Found, snapshot: unknown, last: ActorView['last']): ActorView {
  const status = statusIn(snapshot)
  if (!isMachineSnapshot(snapshot)) {
    const machine = typeof ref.src === 'string' ? ref.src : ''
    return { id, parent, machine, status, active: [], last, context: {} }
  }
  return {
    id,
    parent,
    machine: snapshot.machine.id,
    status,
    active: activeIn(snapshot.machine.id, snapshot.value),
    last,
    context: summaryOf(snapshot.context),
  }
}

function stopped(view: ActorView): ActorView {
  return { ...view, status: 'stopped', active: [] }
}

/** The root and everybody below it, each before its children. What the system knows by a name is called so. */
function actorsIn(root: AnyActorRef): readonly Found[] {
  const names = new Map(Object.entries(root.system.getAll()).map(([name, ref]) => [ref, name]))
  const below = (ref: AnyActorRef, id: string, parent: string | null): readonly Found[] => {
    const snapshot: unknown = ref.getSnapshot()
    const children = isMachineSnapshot(snapshot) ? Object.entries(snapshot.children) : []
    return [
      { id, parent, ref },
      ...children.flatMap(([key, child]) =>
        isActor(child) ? below(child, names.get(child) ?? `${id}.${key}`, id) : [],
      ),
    ]
  }
  const snapshot: unknown = root.getSnapshot()
  return below(root, isMachineSnapshot(snapshot) ? snapshot.machine.id : root.id, null)
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

function isActor(ref: unknown): ref is AnyActorRef {
  return typeof ref === 'object' && ref !== null && 'getSnapshot' in ref && 'system' in ref
}
