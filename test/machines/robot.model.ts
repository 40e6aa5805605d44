import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  type SnapshotFrom,
} from 'xstate'
import { boardMachine } from '../../machines/board.machine.ts'
import { type RobotContext, type RobotInput, robotMachine } from '../../machines/robot.machine.ts'
import { type ChildName, childNames, policies } from '../../machines/supervision.ts'
import { type Effect, explore, type Happening, type Place, type Step } from './explore.ts'

/** What the root's own context does not tell: how its children really are. */
export interface Children {
  /** Failed and not started since. */
  readonly dead: readonly ChildName[]
  /** Failed, with a restart still to come. */
  readonly awaited: readonly ChildName[]
  readonly board: 'opening' | 'ready' | 'lost'
}

export const robotInput: RobotInput = {
  unclean: undefined,
  goal: undefined,
  rules: { limits: { linear: 0.3, angular: 1.5, linearBraking: 2, angularBraking: 12 } },
  grants: new Set(['drive']),
  sensors: [{ name: 'front', guardsMotion: true }],
  motion: { stopLimitMs: 3000 },
  model: { limitTokens: 1000, capTokens: 100, deadlineMs: 1000 },
}

/** Its board in each of the states that matter to the root. */
const boards = {
  opening: boardIn('opening'),
  ready: boardIn('ready'),
  lost: boardIn('lost'),
} as const

/** An error that its policy does not forgive any more. In the model any failure may be that one. */
export const lastStraw = 'once too often'

/** Whether a child may be restarted is left open here, so that both answers are explored from everywhere. */
export function withOpenPolicies(machine: AnyStateMachine): AnyStateMachine {
  return machine.provide({
    guards: {
      mayRestart: ({ event }: { event: Happening }, { child }: { child: ChildName }) =>
        policies[child].restartsMax > 0 && event['error'] !== lastStraw,
    },
  })
}

/**
 * Explores the root with every child finished, failed or late: any child may fail at any moment, any timer may fire,
 * the board may become ready or be lost, and a person may say anything. Epochs, causes and counts are abstracted.
 */
export function exploreRobot(
  machine: AnyStateMachine = robotMachine,
  input: RobotInput = robotInput,
): Generator<Step<Children>> {
  return explore<Children>({
    machine: withOpenPolicies(machine),
    input,
    ghost: { dead: [], awaited: [], board: 'opening' },
    eventsAt,
    haunt,
    key: keyOf,
  })
}

export function contextOf({ snapshot }: Place<Children>): RobotContext {
  return snapshot.context
}

export function stateOf({ snapshot }: Place<Children>): string {
  const { value } = snapshot
  return typeof value === 'string' ? value : Object.entries(value).flat().join('.')
}

export function isEffect(type: string, event?: string) {
  return (effect: Effect): boolean =>
    effect.type === type && (event === undefined || paramOf(effect, 'event', 'type') === event)
}

/** The children that these effects start. */
export function started(effects: readonly Effect[]): readonly ChildName[] {
  const ids = effects.filter(isEffect('xstate.spawnChild')).map((effect) => paramOf(effect, 'id'))
  return childNames.filter((name) => ids.includes(name))
}

function eventsAt(place: Place<Children>): readonly Happening[] {
  const { epoch } = contextOf(place)
  return [
    { type: 'robot.halt', cause: 'asked to halt' },
    { type: 'robot.reset' },
    { type: 'robot.arm', epoch },
    { type: 'robot.arm', epoch: epoch - 1 },
    { type: 'robot.arm', epoch: Number.NaN },
    { type: 'robot.goal', text: 'find the door' },
    { type: 'robot.resume' },
    { type: 'robot.pause' },
    { type: 'robot.takeOver' },
    { type: 'robot.release' },
    { type: 'robot.shutdown' },
    { type: 'robot.beat', stampMs: 0 },
    ...timersOf(place.snapshot),
    ...childEvents(place.ghost),
  ]
}

function timersOf(snapshot: AnyMachineSnapshot): readonly Happening[] {
  return snapshot._nodes.flatMap((node) => node.after.map(({ eventType }) => ({ type: eventType })))
}

function childEvents({ dead, awaited, board }: Children): readonly Happening[] {
  const alive = childNames.filter((child) => !dead.includes(child))
  const boardMay = { opening: ['ready', 'lost'], ready: ['lost'], lost: ['opening'] } as const
  return [
    ...alive.flatMap((child) => [
      { type: `xstate.error.actor.${child}`, error: 'a first failure' },
      { type: `xstate.error.actor.${child}`, error: lastStraw },
    ]),
    ...awaited.map((child) => ({ type: 'child.restart', child })),
    ...childNames.map((child) => ({ type: 'child.forgiven', child })),
    ...(alive.includes('board')
      ? boardMay[board].map((next) => ({
          type: 'xstate.snapshot.board',
          snapshot: boards[next],
          next,
        }))
      : []),
  ]
}

function haunt(before: Children, event: Happening, effects: readonly Effect[]): Children {
  const failed = childNames.filter((child) => event.type === `xstate.error.actor.${child}`)
  const restarted = event.type === 'child.restart' ? event['child'] : undefined
  const begun = started(effects)
  const scheduled = effects
    .filter(isEffect('xstate.raise', 'child.restart'))
    .map((effect) => paramOf(effect, 'event', 'child'))
  const next = event['next'] ?? before.board
  return {
    dead: childNames.filter(
      (child) => !begun.includes(child) && (before.dead.includes(child) || failed.includes(child)),
    ),
    awaited: childNames.filter(
      (child) =>
        scheduled.includes(child) || (before.awaited.includes(child) && child !== restarted),
    ),
    board: begun.includes('board')
      ? 'opening'
      : next === 'ready' || next === 'lost'
        ? next
        : 'opening',
  }
}

function keyOf(place: Place<Children>): string {
  const { absent, linked, causes } = contextOf(place)
  const { snapshot, ghost } = place
  if (snapshot.status !== 'active') return JSON.stringify([snapshot.value, snapshot.status])
  return JSON.stringify([
    snapshot.value,
    [...absent].toSorted(),
    linked,
    causes.length > 0,
    Object.keys(snapshot.children).toSorted(),
    ghost,
  ])
}

function paramOf(effect: Effect, ...path: readonly string[]): unknown {
  let at = effect.params
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined
    at = Object.entries(at).find(([name]) => name === key)?.[1]
  }
  return at
}

function boardIn(value: 'opening' | 'ready' | 'lost'): SnapshotFrom<typeof boardMachine> {
  const cause = value === 'lost' ? 'the cable was pulled' : undefined
  const context = { facts: undefined, cause, error: undefined }
  return createActor(boardMachine, {
    snapshot: boardMachine.resolveState({ value, context }),
  }).getSnapshot()
}
