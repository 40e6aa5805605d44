import { type AnyActorRef, type InspectionEvent, isMachineSnapshot } from 'xstate'
import { messageOf } from '../../core/vocabulary/errors.ts'
import { actorsIn, type FoundActor, isActor } from '../actors-in.ts'
import { summaryOf } from '../cockpit/summary.ts'
import { definitionOf } from './definition.ts'
import { schemaVersion, type StatelyMessage, type StatelySnapshot } from './messages.ts'

/** What happens in the actors of a system, on its way to one viewer. */
export interface Feed {
  /** Takes an event of XState's inspection; cheap, since it comes in the middle of a step. */
  note(event: InspectionEvent): void
  /** What the viewer has not been told yet. However long it was not asked for, it is no more than one look's worth. */
  look(now: Moment): readonly StatelyMessage[]
}

/** When it is looked: on a clock that only grows, and by the calendar; both in ms. */
export interface Moment {
  readonly clockMs: number
  readonly unixMs: number
}

/** The most actors, and the most events a look, that are told. Of events the newest are. */
export const actorsMax = 256
export const eventsMax = 64

/** How soon an event is told again that comes again and changes nothing, as a beat does, in ms. */
export const repeatMs = 1_000

/** Knows nobody before it has noted an event of the root. Nothing of it refers to what it was told of. */
export function createFeed(): Feed {
  let root: AnyActorRef | undefined
  /** Of each type the newest that each actor was sent since the last look. */
  const sent = new Map<string, Sent>()
  let causes = new Map<string, Caused>()
  let told = new Map<string, Told>()
  return {
    note(event) {
      const { actorRef, rootId } = event
      if (!isActor(actorRef)) return
      if (actorRef.sessionId === rootId) root = actorRef
      if (event.type === '@xstate.snapshot') causes.set(actorRef.sessionId, event.event)
      if (event.type === '@xstate.event') keep(sent, event)
    },
    look(now) {
      if (!root) return []
      const rootId = root.sessionId
      const base = (sessionId: string): Base => ({
        _version: schemaVersion,
        createdAt: String(now.unixMs),
        id: null,
        rootId,
        sessionId,
      })
      const found = actorsIn(root).slice(0, actorsMax)
      const next = new Map(found.map((actor) => [actor.ref.sessionId, toldOf(actor, told)]))
      const came = found.filter(({ ref }) => !told.has(ref.sessionId))
      const changed = new Set(
        found
          .map(({ ref }) => ref.sessionId)
          .filter((id) => next.get(id)?.text !== told.get(id)?.text),
      )
      const messages: StatelyMessage[] = came.map((actor) => actorMessage(actor, base))
      for (const each of sent.values()) {
        const actor = next.get(each.sessionId)
        if (actor && isNews(each, actor, changed, now.clockMs))
          messages.push(eventMessage(each, base))
      }
      const isNew = new Set(came.map(({ ref }) => ref.sessionId))
      for (const id of changed) {
        const actor = next.get(id)
        if (actor && !isNew.has(id)) messages.push(snapshotMessage(id, actor, causes, base))
      }
      for (const [id, actor] of told) {
        if (!next.has(id)) messages.push(snapshotMessage(id, ended(actor), causes, base))
      }
      sent.clear()
      causes = new Map([...causes].filter(([id]) => next.has(id)))
      told = next
      return messages
    },
  }
}

type Base = Pick<StatelyMessage, '_version' | 'createdAt' | 'id' | 'rootId' | 'sessionId'>
type Caused = { readonly type: string }

interface Sent {
  readonly sessionId: string
  readonly sourceId: string | undefined
  readonly event: Caused
}

interface Told {
  readonly ref: AnyActorRef
  readonly raw: unknown
  readonly snapshot: StatelySnapshot
  /** The snapshot as it was told: an actor that came to the same has not changed. */
  readonly text: string
  /** When an event of each type was told of, on the clock. */
  readonly eventsMs: Map<string, number>
}

function keep(
  sent: Map<string, Sent>,
  { actorRef, sourceRef, event }: Extract<InspectionEvent, { type: '@xstate.event' }>,
): void {
  const { sessionId } = actorRef
  const key = `${sessionId} ${event.type}`
  sent.delete(key)
  sent.set(key, { sessionId, sourceId: sourceRef?.sessionId, event })
  const [oldest] = sent.keys()
  if (oldest !== undefined && sent.size > eventsMax) sent.delete(oldest)
}

/** What changes nothing is told of now and then. */
function isNews(sent: Sent, actor: Told, changed: ReadonlySet<string>, clockMs: number): boolean {
  const lastMs = actor.eventsMs.get(sent.event.type) ?? Number.NEGATIVE_INFINITY
  if (!changed.has(sent.sessionId) && clockMs - lastMs < repeatMs) return false
  actor.eventsMs.set(sent.event.type, clockMs)
  return true
}

function toldOf({ ref }: FoundActor, told: ReadonlyMap<string, Told>): Told {
  const known = told.get(ref.sessionId)
  const raw: unknown = ref.getSnapshot()
  if (known && known.raw === raw) return known
  const snapshot = snapshotOf(raw)
  const eventsMs = known?.eventsMs ?? new Map<string, number>()
  return { ref, raw, snapshot, text: JSON.stringify(snapshot), eventsMs }
}

/** An actor that nobody has any more is not active, whatever it was last. */
function ended(actor: Told): Told {
  const snapshot = snapshotOf(actor.ref.getSnapshot())
  if (snapshot.status !== 'active') return { ...actor, snapshot }
  return { ...actor, snapshot: { ...snapshot, status: 'stopped' } }
}

function actorMessage(
  { name, parent, ref }: FoundActor,
  base: (sessionId: string) => Base,
): StatelyMessage {
  const raw: unknown = ref.getSnapshot()
  return {
    ...base(ref.sessionId),
    type: '@xstate.actor',
    name,
    definition: isMachineSnapshot(raw)
      ? definitionOf(raw.machine)
      : JSON.stringify({ id: typeof ref.src === 'string' ? ref.src : name }),
    ...(parent && { parentId: parent.ref.sessionId }),
    snapshot: snapshotOf(raw),
  }
}

function eventMessage(sent: Sent, base: (sessionId: string) => Base): StatelyMessage {
  const { event, sessionId, sourceId } = sent
  return {
    ...base(sessionId),
    type: '@xstate.event',
    event: wordsOf(event),
    ...(sourceId !== undefined && { sourceId }),
  }
}

function snapshotMessage(
  sessionId: string,
  { snapshot }: Told,
  causes: ReadonlyMap<string, Caused>,
  base: (sessionId: string) => Base,
): StatelyMessage {
  const event = wordsOf(causes.get(sessionId) ?? { type: '' })
  return { ...base(sessionId), type: '@xstate.snapshot', event, snapshot }
}

function wordsOf(event: Caused): Readonly<Record<string, string>> & Caused {
  return { ...summaryOf(event), type: event.type }
}

function snapshotOf(raw: unknown): StatelySnapshot {
  const status = fieldOf(raw, 'status')
  const error = fieldOf(raw, 'error')
  const common = {
    status: typeof status === 'string' ? status : 'unknown',
    ...(error !== undefined && { error: messageOf(error).slice(0, 500) }),
  }
  if (!isMachineSnapshot(raw)) return common
  const children = Object.entries(raw.children).filter(([, child]) => isActor(child))
  return {
    ...common,
    value: raw.value,
    context: summaryOf(raw.context),
    children: Object.fromEntries(children.map(([id]) => [id, { xstate$$type: 1, id }])),
    historyValue: {},
    tags: [...raw.tags],
  }
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}
