import {
  type ActorLogic,
  type ActorRefFrom,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  getNextTransitions,
  type Snapshot,
} from 'xstate'
import { getShortestPaths } from 'xstate/graph'
import type { Ladder } from '../core/rules/failsafe.ts'
import { detailOf, type Effect, happen, type Happening } from './proof/step.ts'
import { type RobotCommand, type RobotContext, robotMachine } from './robot.machine.ts'
import { type ChildName, childNames } from './supervision.ts'

/** A robot as its charts are at one moment. */
export interface Situation {
  readonly root: AnyMachineSnapshot
  /** The children whose changes the root follows, as far as they run. */
  readonly followed: Readonly<Partial<Record<ChildName, AnyMachineSnapshot>>>
  /** What the root has put off and will yet tell itself. */
  readonly pending: readonly Happening[]
}

/** One step towards motion: what a person says, or what has to happen. */
export type WayStep =
  | { readonly type: 'command'; readonly command: WayCommand }
  /** A child that failed is started again, by itself. */
  | { readonly type: 'restart'; readonly child: ChildName }
  /** A child comes, by these events of its own, to where it has these tags. */
  | {
      readonly type: 'change'
      readonly child: ChildName
      readonly tags: readonly string[]
      readonly through: readonly string[]
    }

/** What a person says on the way. */
export type WayCommand = Extract<RobotCommand, { readonly type: Word }>

/** The children whose changes the root follows. */
export const followedChildren: readonly ChildName[] = childNames.filter((child) =>
  robotMachine.events.some((event) => event === `xstate.snapshot.${child}`),
)

/** The situation of a living root. */
export function situationOf(root: ActorRefFrom<typeof robotMachine>): Situation {
  const snapshot = root.getSnapshot()
  const { absent } = snapshot.context
  const running = followedChildren.flatMap((child) => {
    const found: unknown = snapshot.children[child]?.getSnapshot()
    return isSnapshot(found) && !absent.includes(child) ? [[child, found] as const] : []
  })
  const { _scheduledEvents: scheduled } = root.system.getSnapshot()
  return {
    root: snapshot,
    followed: Object.fromEntries(running),
    pending: Object.values(scheduled)
      .filter(({ target }) => target === root)
      .map(({ event }) => event),
  }
}

/**
 * The shortest way from here to the tag `motion`: empty when it is there, null when nothing that anybody may say, and
 * nothing that may be hoped for, leads there. Searched for in the machine itself, of which nothing is executed. It waits
 * for as little as it can, and halts a robot or has a person drive it only where nothing else leads on.
 */
export function wayToMotion({ root, followed, pending }: Situation): readonly WayStep[] | null {
  if (root.status !== 'active') return null
  const start: Standpoint = {
    status: 'active',
    output: undefined,
    error: undefined,
    root: pure(robotMachine, root),
    followed: new Map(
      followedChildren.flatMap((child) => {
        const snapshot = followed[child]
        return snapshot ? [[child, pure(chartOf(child), snapshot)] as const] : []
      }),
    ),
    awaited: childNames.filter((child) =>
      pending.some((event) => event.type === 'child.restart' && event['child'] === child),
    ),
    waits: 0,
  }
  for (const words of [plainWords, [...plainWords, ...lastWords]]) {
    const way = wayWith(start, words)
    if (way) return way
  }
  return null
}

/** Where a search has got to. */
type Standpoint = Extract<Snapshot<undefined>, { status: 'active' }> & {
  readonly root: AnyMachineSnapshot
  readonly followed: ReadonlyMap<ChildName, AnyMachineSnapshot>
  /** The children that will be started again by themselves. */
  readonly awaited: readonly ChildName[]
  readonly waits: number
}

/** A step without what depends on when it is taken. */
type Move =
  | { readonly type: 'command'; readonly word: Word }
  | { readonly type: 'restart' | 'change'; readonly child: ChildName }

const plainWords = ['robot.reset', 'robot.arm', 'robot.resume'] as const
const lastWords = ['robot.halt', 'robot.takeOver'] as const
type Word = (typeof plainWords)[number] | (typeof lastWords)[number]

/** The shortest of the ways with as few waits as can be. */
function wayWith(start: Standpoint, words: readonly Word[]): readonly WayStep[] | undefined {
  for (let waitsMax = 0, isCut = true; isCut; waitsMax++) {
    isCut = false
    const paths = getShortestPaths(walk, {
      fromState: start,
      events: (at) => {
        const waits = waitsAt(at)
        const isPatient = at.waits < waitsMax
        isCut ||= !isPatient && waits.length > 0
        return [
          ...words.map((word): Move => ({ type: 'command', word })),
          ...(isPatient ? waits : []),
        ]
      },
      serializeState: keyOf,
      toState: ({ root }) => root.hasTag('motion'),
    })
    const [shortest] = paths.toSorted((one, other) => one.weight - other.weight)
    // A path begins with an event of its own, which leads to where it begins.
    if (shortest)
      return stepsOf(
        start,
        shortest.steps.slice(1).map(({ event }) => event),
      )
  }
  return undefined
}

function stepsOf(start: Standpoint, moves: readonly Move[]): readonly WayStep[] {
  let at = start
  return moves.map((move) => {
    const step = stepAt(at, move)
    at = take(at, move)
    return step
  })
}

const walk: ActorLogic<Standpoint, Move> = {
  transition: (at, move) => take(at, move),
  getInitialSnapshot() {
    throw new TypeError('a way begins where the robot is')
  },
  getPersistedSnapshot: (at) => at,
}

function take(at: Standpoint, move: Move): Standpoint {
  if (move.type === 'command') return tell(at, commandAt(at, move.word))
  const waited = { ...at, waits: at.waits + 1 }
  if (move.type === 'change') {
    const change = changeOf(at.followed.get(move.child))
    return change ? hear(waited, move.child, change.snapshot) : at
  }
  const awaited = at.awaited.filter((child) => child !== move.child)
  return tell({ ...waited, awaited }, { type: 'child.restart', child: move.child })
}

function stepAt(at: Standpoint, move: Move): WayStep {
  if (move.type === 'command') return { type: 'command', command: commandAt(at, move.word) }
  if (move.type === 'restart') return { type: 'restart', child: move.child }
  const change = changeOf(at.followed.get(move.child))
  return {
    type: 'change',
    child: move.child,
    tags: change ? tagsOf(change.snapshot) : [],
    through: change?.through ?? [],
  }
}

function commandAt({ root }: Standpoint, word: Word): WayCommand {
  switch (word) {
    case 'robot.arm':
      return { type: word, epoch: contextOf(root).epoch }
    case 'robot.halt':
      return { type: word, cause: 'to begin anew' }
    case 'robot.reset':
    case 'robot.resume':
    case 'robot.takeOver':
      return { type: word }
  }
}

/** What may be waited for: a child that is to be started again, and one that can come to a better state by itself. */
function waitsAt({ root, followed, awaited }: Standpoint): readonly Move[] {
  const { absent } = contextOf(root)
  const unwell = [...followed].filter(([, snapshot]) => changeOf(snapshot))
  return [
    ...awaited
      .filter((child) => absent.includes(child))
      .map((child): Move => ({ type: 'restart', child })),
    ...unwell.map(([child]): Move => ({ type: 'change', child })),
  ]
}

function keyOf({ root, followed, awaited, waits }: Standpoint): string {
  const { absent, linked, guarded, caution } = contextOf(root)
  const children = [...followed].map(([child, snapshot]) => [child, chartKeyOf(snapshot)])
  const { value, status } = root
  return JSON.stringify([value, status, absent, linked, guarded, caution, children, awaited, waits])
}

/** Tells the root something, and its children what it says to them then, and the root what they say to that. */
function tell(at: Standpoint, event: Happening): Standpoint {
  const { snapshot, effects } = happen(robotMachine, at.root, event)
  return effects.reduce(follow, { ...at, root: snapshot })
}

function hear(at: Standpoint, child: ChildName, snapshot: AnyMachineSnapshot): Standpoint {
  const followed = new Map(at.followed).set(child, snapshot)
  return tell({ ...at, followed }, { type: `xstate.snapshot.${child}`, snapshot })
}

/** A child that is followed is heard of when it is started, and whenever it was told something. */
function follow(at: Standpoint, { type, params }: Effect): Standpoint {
  if (type === 'xstate.spawnChild') {
    const child = followedChildren.find((name) => name === detailOf(params, 'id'))
    const ref = detailOf(params, 'actorRef')
    const begun = isActor(ref) ? ref.getSnapshot() : undefined
    return child && isSnapshot(begun) ? hear(at, child, begun) : at
  }
  if (type !== 'xstate.sendTo') return at
  const child = followedChildren.find((name) => name === detailOf(params, 'to', 'id'))
  const before = child && at.followed.get(child)
  if (!before) return at
  const word = { type: String(detailOf(params, 'event', 'type')) }
  return hear(at, child, happen(chartOf(child), before, word).snapshot)
}

interface Change {
  readonly snapshot: AnyMachineSnapshot
  readonly through: readonly string[]
}

const changes = new WeakMap<AnyMachineSnapshot, Change | undefined>()

/** The shortest way on which a child comes by itself to the best state that it can reach; undefined when it is there. */
function changeOf(snapshot: AnyMachineSnapshot | undefined): Change | undefined {
  if (!snapshot || troubleOf(snapshot) === 0) return undefined
  if (!changes.has(snapshot)) changes.set(snapshot, bestChange(snapshot))
  return changes.get(snapshot)
}

function bestChange(start: AnyMachineSnapshot): Change | undefined {
  const chart = chartOf(start.machine.id)
  const [best] = getShortestPaths(
    {
      transition: (snapshot: AnyMachineSnapshot, event: Happening) =>
        happen(chart, snapshot, event).snapshot,
      getInitialSnapshot: () => start,
      getPersistedSnapshot: (snapshot) => snapshot,
    },
    {
      fromState: start,
      events: (snapshot) => (snapshot.status === 'active' ? ownEvents(snapshot) : []),
      serializeState: chartKeyOf,
      toState: (snapshot) => snapshot.status === 'active' && troubleOf(snapshot) < troubleOf(start),
      stopWhen: () => false,
    },
  ).toSorted(
    (one, other) => troubleOf(one.state) - troubleOf(other.state) || one.weight - other.weight,
  )
  return (
    best && { snapshot: best.state, through: best.steps.slice(1).map(({ event }) => nameOf(event)) }
  )
}

/** How bad the state of a child is for motion, by its tags. */
function troubleOf(snapshot: AnyMachineSnapshot): number {
  const tags = tagsOf(snapshot)
  const isWell = tags.some((tag) => well.includes(tag))
  return tags.filter((tag) => ill.includes(tag)).length + (isWell ? 0 : 1)
}

const well: readonly string[] = ['ready', 'present', 'clear']
const ill: readonly string[] = ['lost', 'fault', 'held', 'insisting', 'blocked']

/** What may happen to a child without a word of the root, and without a failure. */
function ownEvents(snapshot: AnyMachineSnapshot): readonly Happening[] {
  const types = new Set(getNextTransitions(snapshot).map(({ eventType }) => eventType))
  return [...types]
    .filter((type) => !wordsOfRoot.has(type) && !type.startsWith('xstate.error.'))
    .flatMap((type) => (type === 'failsafe.sensed' ? relieves(snapshot) : { type }))
}

/** One hazard after the other may come to its end. */
function relieves(snapshot: AnyMachineSnapshot): readonly Happening[] {
  const { causes, isArmed, seenMs = 0 }: Ladder = snapshot.context.ladder
  const standing = causes.filter(({ stands }) => stands)
  return standing.map(({ name }) => ({
    type: 'failsafe.sensed',
    hazards: standing.filter((hazard) => hazard.name !== name),
    stampMs: seenMs,
    isArmed,
    over: name,
  }))
}

function nameOf({ type, over }: Happening): string {
  return typeof over === 'string' ? `${over} is over` : type
}

/** Where a child's chart is; of its context, only hazards matter for what may follow. */
function chartKeyOf({ value, status, context }: AnyMachineSnapshot): string {
  return JSON.stringify([value, status, detailOf(context, 'ladder')])
}

const wordsOfRoot = new Set(
  Object.values(robotMachine.implementations.actions).map((action: unknown) =>
    detailOf(action, 'event', 'type'),
  ),
)

/** The same snapshot without what its machine does to the world. */
function pure(machine: AnyStateMachine, snapshot: AnyMachineSnapshot): AnyMachineSnapshot {
  const { value, context, status, historyValue, children } = snapshot
  const resolved = machine.resolveState({ value, context, status, historyValue })
  return Object.assign(resolved, { children })
}

function chartOf(child: string): AnyStateMachine {
  const logic: unknown = robotMachine.implementations.actors[child]
  if (!isChart(logic)) throw new TypeError(`${child} is no chart, and cannot be followed`)
  return logic
}

function isChart(logic: unknown): logic is AnyStateMachine {
  return detailOf(logic, 'root') !== undefined
}

function isActor(ref: unknown): ref is { getSnapshot(): unknown } {
  return typeof detailOf(ref, 'getSnapshot') === 'function'
}

function isSnapshot(value: unknown): value is AnyMachineSnapshot {
  return detailOf(value, 'machine') !== undefined && detailOf(value, 'status') === 'active'
}

function contextOf(root: AnyMachineSnapshot): RobotContext {
  return root.context
}

function tagsOf(snapshot: AnyMachineSnapshot): readonly string[] {
  return [...snapshot.tags].map(String).toSorted()
}
