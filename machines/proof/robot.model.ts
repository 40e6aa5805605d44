import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  fromCallback,
  getNextTransitions,
} from 'xstate'
import { type RobotContext, type RobotInput, robotMachine } from '../robot.machine.ts'
import { type ChildName, childNames, policies } from '../supervision.ts'
import {
  canEnd,
  type ExploredChart,
  eventsOf,
  examplesOf,
  exploreChart,
  stateOf,
  tagsOf,
} from './charts.ts'
import { type Examples, examplesFor } from './examples.ts'
import { beginning, explore, type Place, type Step, supposing, valueName } from './explore.ts'
import { type Marked, marked } from './marks.ts'
import { guides, movers } from './movers.ts'
import { detailOf, type Effect, happen, type Happening } from './step.ts'

/** What the root's own context does not tell: how its children really are. */
export interface Children {
  /** Failed, or at their end, and not started since. */
  readonly dead: readonly ChildName[]
  /** Dead, with a restart still to come. */
  readonly awaited: readonly ChildName[]
  /** The tags of those whose state the root follows. */
  readonly followed: Readonly<Partial<Record<ChildName, string>>>
  /** The states that the root's own words have led the others to. */
  readonly told: Readonly<Partial<Record<ChildName, string>>>
}

export type RootStep = Step<Children>
export type RootPlace = Place<Children>

/** A child as the root sees it: only by its tags, and how those may change by themselves. */
export interface FollowedChild {
  readonly start: string
  /** When nothing is wrong with it. */
  readonly best: string
  /** A state that can be reached, for each set of tags. */
  readonly examples: ReadonlyMap<string, AnyMachineSnapshot>
  readonly moves: ReadonlyMap<string, ReadonlySet<string>>
}

/** The root, and all that is known beforehand of the children that it starts. */
export interface RootModel {
  readonly input: RobotInput
  readonly machine: AnyStateMachine
  readonly children: ReadonlyMap<ChildName, AnyStateMachine>
  readonly explored: ReadonlyMap<ChildName, ExploredChart>
  readonly followed: ReadonlyMap<ChildName, FollowedChild>
  /** Where words have led whom, as far as that was asked. */
  readonly heard: Map<string, string>
}

/** What is explored instead of the root as it is. */
export interface RootVariant {
  readonly machine?: AnyStateMachine
  readonly input?: RobotInput
  /**
   * How many children may be missing or unwell at once and still be told apart by name. Where there are more, the kind
   * of their policies and what the root itself remembers tell places apart.
   */
  readonly wrongMax?: number
}

/** An error that its policy does not forgive any more, since it has forgiven as many as it does. */
export const lastStraw = 'once too often'

/** Tags of a child that the robot can rely on, and of one that it cannot. */
const well = /\b(ready|present)\b/
const unwell = /\b(lost|fault)\b/
const holding = /\b(held|insisting)\b/
const insisting = /\b(insisting|fault)\b/
const blocking = /\bblocked\b/

/** An age that no rule may depend on. */
const epochOld = 1_000_000
const causesOld = 16

/** Explores the children of `machine`, each for itself, and says what the root may see of them. */
export function modelOf(input: RobotInput, machine: AnyStateMachine = robotMachine): RootModel {
  const examples = examplesFor(input)
  const children = new Map(
    childNames.flatMap((child): [ChildName, AnyStateMachine][] => {
      const chart = chartOf(machine, child)
      return chart ? [[child, chart]] : []
    }),
  )
  const explored = new Map(
    [...children].map(([child, chart]) => [child, exploreChart(chart, input, examples[chart.id])]),
  )
  return {
    input,
    machine,
    children,
    explored,
    followed: followedOf(machine, explored),
    heard: new Map(),
  }
}

/**
 * Explores the root with every child finished, failed or late: any child may end or fail at any moment, for the first
 * time or once too often, any timer may fire, whatever the root follows may change, and a person may say anything.
 * Epochs, causes and counts do not tell states apart; each rule is tried on a robot that has grown old besides.
 */
export function exploreRobot(
  model: RootModel,
  { machine = model.machine, input = model.input, wrongMax = 2 }: RootVariant = {},
): { readonly marked: Marked; readonly steps: Generator<RootStep> } {
  const watched = marked(machine)
  // What the children are like is told by the model: the root only needs somebody to start.
  const alone = watched.machine.provide({
    actors: Object.fromEntries(childNames.map((child) => [child, anybody])),
  })
  const said = eventsOf(watched).filter((type) => !ofChildren.includes(type))
  const steps = explore<Children>({
    marked: { ...watched, machine: alone },
    input,
    ghost: { dead: [], awaited: [], followed: startsOf(model), told: {} },
    eventsAt: (place) => [
      ...said.flatMap((type) => examplesOf(watched, type, rootExamples(contextOf(place)))),
      ...timersOf(place.snapshot),
      ...childEvents(model, place.ghost),
      ...unheard,
      ...suppositions(place),
    ],
    before: withHistory,
    aftermath: (ghost, effects) => newsOf(model, ghost, effects),
    haunt: (ghost, events, effects) => haunt(model, ghost, events, effects),
    key: (place) => keyOf(model, place, wrongMax),
  })
  return { marked: watched, steps }
}

export function contextOf({ snapshot }: RootPlace): RobotContext {
  return snapshot.context
}

/** True when the root is in a state of that name, or within it. */
export function isIn(place: RootPlace, name: string): boolean {
  const state = stateOf(place)
  return state === name || state.startsWith(`${name}.`)
}

/** True when a child says with this event that it cannot be relied on. */
export function isAlarm({ next }: Happening): boolean {
  return typeof next === 'string' && unwell.test(next)
}

/** True while a child says that the robot must hold still; `robot.takeOver` may be an answer to that. */
export function isHeld(place: RootPlace): boolean {
  return someone(place, holding)
}

/** True while a child says that the robot must not drive itself. */
export function isInsistedOn(place: RootPlace): boolean {
  return someone(place, insisting)
}

/** True while a child says that the robot must stay halted. */
export function isBlocked(place: RootPlace): boolean {
  return someone(place, blocking)
}

/** True while a child says that it cannot be relied on. */
export function isUnwell(place: RootPlace): boolean {
  return someone(place, unwell)
}

function someone({ ghost }: RootPlace, says: RegExp): boolean {
  return Object.values(ghost.followed).some((tags) => says.test(tags))
}

/** True while a child is there and says that it can be relied on. */
export function isWell({ ghost }: RootPlace, child: ChildName): boolean {
  return well.test(ghost.followed[child] ?? '') && !ghost.dead.includes(child)
}

/** The children whose word the robot waits for before it moves. */
export function reliedOn({ followed }: RootModel): readonly ChildName[] {
  return [...followed].flatMap(([child, { examples }]) =>
    [...examples.keys()].some((tags) => well.test(tags)) ? child : [],
  )
}

/** Who ended with this event, by failing or by reaching its end. */
export function endedBy({ type }: Happening): ChildName | undefined {
  const [, child] = /^xstate\.(?:error|done)\.actor\.(.+)$/.exec(type) ?? []
  return childNames.find((name) => name === child)
}

/** The children that these effects start. */
export function started(effects: readonly Effect[]): readonly ChildName[] {
  const ids = effects
    .filter(({ type }) => type === 'xstate.spawnChild')
    .map(({ params }) => detailOf(params, 'id'))
  return childNames.filter((name) => ids.includes(name))
}

/** A word of the root to one of its children. */
export interface Word {
  readonly to: unknown
  readonly event: Happening
  readonly delay: unknown
}

export function wordsIn(effects: readonly Effect[]): readonly Word[] {
  return wordsOfType(effects, 'xstate.sendTo')
}

function wordsOfType(effects: readonly Effect[], sought: string): readonly Word[] {
  // Most steps say nothing.
  return effects.some(({ type }) => type === sought)
    ? effects.filter(({ type }) => type === sought).map(wordOf)
    : none
}

const none: readonly Word[] = []

function wordOf({ params }: Effect): Word {
  const event: object = Object(detailOf(params, 'event'))
  return {
    to: detailOf(params, 'to', 'id'),
    event: { ...event, type: String(detailOf(event, 'type')) },
    delay: detailOf(params, 'delay'),
  }
}

/** What the root has put off, and for how long. */
export function putOff(effects: readonly Effect[]): readonly Word[] {
  return wordsOfType(effects, 'xstate.raise')
}

/** What the children themselves bring about; everything else that the root listens to, somebody may say at any time. */
const ofChildren = ['child.restart', 'child.forgiven', 'child.exhausted']

/** What nobody has ever said to a robot: a wildcard would hear it. */
const unheard: readonly Happening[] = [{ type: 'robot.unheard' }, { type: 'child.unheard' }]

const anybody = fromCallback(() => {})

/** Who must be there before a person's word is followed. */
const needs: Readonly<Record<string, readonly ChildName[]>> = {
  'robot.arm': movers,
  'robot.resume': [...guides, 'agent'],
  'robot.goal': [...guides, 'agent'],
  'robot.takeOver': guides,
}

/** The same words to a robot that misses somebody, or believes that it has no link, though no way may lead there. */
function suppositions(place: RootPlace): readonly Happening[] {
  const words = isIn(place, 'standby')
    ? ['robot.arm']
    : isIn(place, 'active.holding')
      ? ['robot.resume', 'robot.goal', 'robot.takeOver']
      : isIn(place, 'active.autonomous')
        ? ['robot.takeOver']
        : []
  const context = contextOf(place)
  const { epoch } = context
  return words.flatMap((type) => [
    ...(needs[type] ?? []).map((child) => ({
      type,
      epoch,
      text: 'find it',
      [supposing]: { absent: [child] },
    })),
    ...Object.entries(context)
      .filter(([, known]) => known === true)
      .map(([name]) => ({ type, epoch, text: 'find it', [supposing]: { [name]: false } })),
  ])
}

/** What a person may say. */
function rootExamples({ epoch }: RobotContext): Examples['events'] {
  return {
    'robot.halt': [{ cause: 'asked to halt' }, { cause: '' }, { cause: 'asked late', old: true }],
    'robot.reset': [{}, { old: true }],
    'robot.arm': [
      { epoch },
      { epoch: epoch - 1 },
      { epoch: epoch + 1 },
      { epoch: Number.NaN },
      { epoch: epochOld, old: true },
      { epoch: epochOld - 1, old: true },
    ],
    'robot.goal': [{ text: 'find the door' }],
    'robot.beat': [{ stampMs: 20 }],
  }
}

function timersOf(snapshot: AnyMachineSnapshot): readonly Happening[] {
  const types = new Set(getNextTransitions(snapshot).map(({ eventType }) => eventType))
  return [...types].filter((type) => type.startsWith('xstate.after.')).map((type) => ({ type }))
}

function childEvents(model: RootModel, ghost: Children): readonly Happening[] {
  const alive = childNames.filter((child) => !ghost.dead.includes(child))
  return [
    ...alive.flatMap((child) => endsOf(model, child)),
    ...alive.flatMap((child) => changesOf(model, child, ghost)),
    ...ghost.awaited.map((child) => ({ type: 'child.restart', child })),
    ...childNames
      .filter((child) => policies[child].lastResort !== 'halt')
      .map((child) => ({ type: 'child.forgiven', child })),
  ]
}

function endsOf({ children }: RootModel, child: ChildName): readonly Happening[] {
  const type = `xstate.error.actor.${child}`
  const chart = children.get(child)
  return [
    { type, error: 'a first failure' },
    ...(policies[child].lastResort === 'halt' ? [] : [{ type, error: lastStraw }]),
    // Whoever is not a chart may come to an end at any time.
    ...(chart && !canEnd(chart) ? [] : [{ type: `xstate.done.actor.${child}`, output: undefined }]),
  ]
}

function changesOf(model: RootModel, child: ChildName, ghost: Children): readonly Happening[] {
  const moves = model.followed.get(child)?.moves.get(ghost.followed[child] ?? '') ?? []
  return [...moves].flatMap((next) => newsFrom(model, child, next))
}

/** The same place with just that much behind it that this failure is a first one, or one too many; or in its old age. */
function withHistory(place: RootPlace, event: Happening): RootPlace {
  const context = contextOf(place)
  const supposed = event[supposing]
  if (supposed !== undefined) return withContext(place, Object(supposed))
  const child = event.type.startsWith('xstate.error.') ? endedBy(event) : undefined
  if (child) {
    const count = event['error'] === lastStraw ? policies[child].restartsMax : 0
    return withContext(place, { failures: { ...context.failures, [child]: count } })
  }
  if (event['old'] !== true) return place
  const { length } = context.causes
  const older = Array.from({ length: length > 0 ? causesOld - length : 0 }, (_, n) => `older ${n}`)
  return withContext(place, { epoch: epochOld, causes: [...context.causes, ...older] })
}

function withContext(place: RootPlace, changed: Partial<RobotContext>): RootPlace {
  const context = { ...contextOf(place), ...changed }
  return { ...place, snapshot: Object.assign({}, place.snapshot, { context }) }
}

function haunt(
  model: RootModel,
  before: Children,
  events: readonly Happening[],
  effects: readonly Effect[],
): Children {
  const [first] = events
  const ended = first && endedBy(first)
  const restarted = first?.type === 'child.restart' ? first['child'] : undefined
  const begun = started(effects)
  const scheduled = putOff(effects).map(({ event: raised }) =>
    raised.type === 'child.restart' ? raised['child'] : undefined,
  )
  const dead = childNames.filter(
    (child) => !begun.includes(child) && (before.dead.includes(child) || ended === child),
  )
  const starts = startsOf(model)
  return {
    dead,
    awaited: childNames.filter(
      (child) =>
        scheduled.includes(child) || (before.awaited.includes(child) && child !== restarted),
    ),
    followed: Object.fromEntries(
      [...model.followed.keys()].map((child) => [
        child,
        dead.includes(child)
          ? starts[child]
          : (lastWordOf(child, events) ?? before.followed[child]),
      ]),
    ),
    told: first?.type === beginning ? {} : toldBy(model, before, dead, effects),
  }
}

/** The tags that a child showed last in the course of these events. */
function lastWordOf(child: ChildName, events: readonly Happening[]): string | undefined {
  const next = events.findLast(({ type }) => type === `xstate.snapshot.${child}`)?.['next']
  return typeof next === 'string' ? next : undefined
}

/** Whoever the root follows is heard of as soon as it is started, and whenever it was told something. */
function newsOf(
  model: RootModel,
  { dead, followed: before }: Children,
  effects: readonly Effect[],
): readonly Happening[] {
  const now = { ...before }
  return effects.flatMap((effect) => [
    ...started([effect]).flatMap((child) => {
      now[child] = model.followed.get(child)?.start ?? ''
      return newsFrom(model, child, now[child])
    }),
    ...wordsIn([effect]).flatMap(({ to, event }) => {
      const child = childNames.find((name) => name === to)
      const chart = child && model.children.get(child)
      const snapshot = child && model.followed.get(child)?.examples.get(now[child] ?? '')
      if (!child || !chart || !snapshot || dead.includes(child)) return []
      now[child] = tagsOf(happen(chart, snapshot, event).snapshot)
      return newsFrom(model, child, now[child])
    }),
  ])
}

function newsFrom({ followed }: RootModel, child: ChildName, next: string): readonly Happening[] {
  const snapshot = followed.get(child)?.examples.get(next)
  return snapshot ? [{ type: `xstate.snapshot.${child}`, snapshot, next }] : []
}

function toldBy(
  model: RootModel,
  { told: before }: Children,
  dead: readonly ChildName[],
  effects: readonly Effect[],
): Children['told'] {
  const told = { ...before }
  for (const effect of effects) {
    for (const child of started([effect])) delete told[child]
    for (const { to, event } of wordsIn([effect])) {
      const child = childNames.find((name) => name === to)
      if (child && !model.followed.has(child)) told[child] = afterHearing(model, child, told, event)
      if (child && told[child] === startOf(model, child)) delete told[child]
    }
  }
  for (const child of dead) delete told[child]
  return told
}

/** Where a child is led to by one word, from where earlier words have led it. What comes with the word does not matter. */
function afterHearing(
  model: RootModel,
  child: ChildName,
  told: Children['told'],
  event: Happening,
): string {
  const at = told[child] ?? startOf(model, child)
  const question = `${child} in ${at} hears ${event.type}`
  const known = model.heard.get(question)
  if (known !== undefined) return known
  const chart = model.children.get(child)
  const steps = model.explored.get(child)?.steps ?? []
  const place = steps.find(({ discovers, to }) => discovers && stateOf(to) === at)?.to
  const led = chart && place ? valueName(happen(chart, place.snapshot, event).snapshot.value) : at
  model.heard.set(question, led)
  return led
}

/** The state of a child that listens to the root alone. */
export function toldState(model: RootModel, { ghost }: RootPlace, child: ChildName): string {
  return ghost.told[child] ?? startOf(model, child)
}

function startOf({ explored }: RootModel, child: ChildName): string {
  return valueName(explored.get(child)?.steps[0]?.to.snapshot.value)
}

/** What tells two places apart. */
function keyOf(model: RootModel, place: RootPlace, wrongMax: number): string {
  const { snapshot, ghost } = place
  const { value, status, historyValue, children } = snapshot
  if (status !== 'active') return JSON.stringify([value, status])
  const { input, epoch, failures, goal, notice, causes, absent, due, ...others } = contextOf(place)
  const troubled = [...model.followed].filter(
    ([child, { start, best }]) => (ghost.followed[child] ?? start) !== best,
  )
  const isNamed = new Set([...ghost.dead, ...troubled.map(([child]) => child)]).size <= wrongMax
  return JSON.stringify([
    value,
    missing(ghost.dead, ghost.awaited, isNamed),
    missing(absent, ghost.awaited, isNamed),
    due,
    causes.length > 0,
    JSON.stringify(others, (_, known: unknown) =>
      typeof known === 'number' ? Math.sign(known) : known,
    ),
    historyValue,
    Object.keys(children).toSorted(),
    isNamed ? ghost.followed : [],
    ghost.told,
  ])
}

/** Which children are missing, by name or only by the kind of their policy. */
function missing(
  dead: readonly ChildName[],
  awaited: readonly ChildName[],
  isNamed: boolean,
): readonly string[] {
  const kinds = dead.map((child) => {
    const { lastResort, restartsMax } = policies[child]
    const kind = isNamed ? child : `${lastResort} ${restartsMax}`
    return awaited.includes(child) ? `${kind}, awaited` : kind
  })
  return [...new Set(kinds)].toSorted()
}

/** A child's own chart; undefined when it is something else than a chart. */
export function chartOf(machine: AnyStateMachine, child: string): AnyStateMachine | undefined {
  const logic: unknown = machine.implementations.actors[child]
  return isChart(logic) ? logic : undefined
}

function isChart(logic: unknown): logic is AnyStateMachine {
  return detailOf(logic, 'root') !== undefined
}

function startsOf({ followed }: Pick<RootModel, 'followed'>): Children['followed'] {
  return Object.fromEntries([...followed].map(([child, { start }]) => [child, start]))
}

/** The children whose changes the root reacts to, and how they change when nobody tells them to. */
function followedOf(
  machine: AnyStateMachine,
  explored: RootModel['explored'],
): RootModel['followed'] {
  const heard = new Set(marked(machine).transitions.map(({ event }) => event))
  const orders = wordsOf(machine)
  return new Map(
    [...explored]
      .filter(([child]) => heard.has(`xstate.snapshot.${child}`))
      .map(([child, { steps }]) => [child, followedChild(steps, orders)]),
  )
}

function followedChild(
  steps: readonly Step<undefined>[],
  orders: ReadonlySet<string>,
): FollowedChild {
  const examples = new Map<string, AnyMachineSnapshot>()
  const moves = new Map<string, Set<string>>()
  for (const { from, event, to } of steps) {
    const next = tagsOf(to.snapshot)
    if (to.snapshot.status !== 'active' || orders.has(event.type)) continue
    if (!examples.has(next)) examples.set(next, to.snapshot)
    const before = tagsOf(from.snapshot)
    if (before !== next) moves.set(before, (moves.get(before) ?? new Set()).add(next))
  }
  const tags = [...examples.keys()]
  const start = tags[0] ?? ''
  return { start, best: tags.find((word) => well.test(word)) ?? start, examples, moves }
}

/** The types of what a machine says, in so many words, to others: these do not happen to them by themselves. */
function wordsOf({ implementations }: AnyStateMachine): ReadonlySet<string> {
  const actions: readonly unknown[] = Object.values(implementations.actions)
  return new Set(actions.map((action) => String(detailOf(action, 'event', 'type'))))
}
