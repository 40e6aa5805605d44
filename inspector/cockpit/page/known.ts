import { computed, signal } from '@preact/signals'
import type { Status } from '../../../core/vocabulary/status.ts'
import type {
  ActorView,
  CameraView,
  LoopView,
  Past,
  Reach,
  Role,
  RobotWord,
  WorldView,
} from '../protocol.ts'
import { nowMs } from './time.ts'

/** Whether the robot is heard. `silent` is a line that is open and says nothing. */
export type Touch = 'connecting' | 'live' | 'silent' | 'lost' | 'locked'

/** A line that is told once: by the robot, or why something was not done. */
export interface Told {
  readonly id: number
  readonly kind: 'notice' | 'refused'
  readonly text: string
}

/** What was measured at a time, for the plots. */
export interface Sample {
  readonly seconds: number
  readonly world: WorldView
}

/** What the page knows of the robot. It is all from the robot; nothing is made up for want of it. */
export const touch = signal<Touch>('connecting')
export const role = signal<Role>('watch')
export const status = signal<Status | null>(null)
export const cameras = signal<readonly CameraView[] | null>(null)
export const drawings = signal<ReadonlyMap<string, string>>(new Map())
export const told = signal<readonly Told[]>([])
export const driver = signal<'you' | 'another' | 'nobody'>('nobody')
/** When the present question was first seen here, in ms of the browser. */
export const askedAtMs = signal<number | null>(null)

/** What is going on now, whatever moment is shown. */
export const present = {
  world: signal<WorldView | null>(null),
  actors: signal<ReadonlyMap<string, ActorView>>(new Map()),
  turns: signal<readonly LoopView[]>([]),
  samples: signal<readonly Sample[]>([]),
}

/** How far back the robot's flight record can be looked at, as it was last heard. */
export const reach = signal<Reach | null>(null)
/** The moment that somebody wants to see, in ms on the robot's clock; null for the present. */
export const wishedMs = signal<number | null>(null)
/** That moment as the record has it, or the one before it while it is looked up; null in the present. */
export const past = signal<Past | null>(null)

/** What is shown: the present, or a moment of the past. */
export const world = computed(() => past.value?.world ?? present.world.value)
export const actors = computed<ReadonlyMap<string, ActorView>>(() => {
  const then = past.value?.actors
  return then ? new Map(then.map((actor) => [actor.id, actor])) : present.actors.value
})
export const turns = computed(() => past.value?.turns.toReversed() ?? present.turns.value)
export const samples = computed(() => {
  const all = present.samples.value
  const then = past.value
  return then ? all.filter(({ seconds }) => seconds * 1_000 <= then.atMs) : all
})

export const isInTouch = computed(() => touch.value === 'live')
/** It is heard, and what is shown is now: only then can it be told anything but to halt. */
export const isLive = computed(() => isInTouch.value && wishedMs.value === null)
export const mayDrive = computed(() => role.value === 'drive')
export const isHalted = computed(() => ['halted', 'failed'].includes(status.value?.state ?? ''))

const turnsMax = 60
const toldMax = 12
/** A minute of the world at ten times a second. */
const samplesMax = 600

let toldCount = 0

/** Takes a word of the robot. */
export function take(word: RobotWord): void {
  switch (word.type) {
    case 'hello':
      // It may be another robot, or another run.
      role.value = word.role
      present.actors.value = new Map()
      present.turns.value = []
      present.samples.value = []
      cameras.value = null
      reach.value = null
      showPresent()
      askedAtMs.value = null
      return
    case 'drawing':
      drawings.value = new Map(drawings.value).set(word.drawing.machine, word.drawing.svg)
      return
    case 'actors':
      present.actors.value = merged(present.actors.value, word.actors)
      return
    case 'status':
      noteQuestion(word.status)
      status.value = word.status
      return
    case 'world':
      present.world.value = word.world
      present.samples.value = withSample(present.samples.value, word.world)
      return
    case 'loop':
      present.turns.value = withTurn(present.turns.value, word.turn)
      return
    case 'cameras':
      cameras.value = word.cameras
      return
    case 'notice':
      return tell('notice', word.text)
    case 'driver':
      driver.value = word.driver
      return
    case 'past':
      reach.value = word.reach
      // Whoever has gone back to the present meanwhile is not taken out of it again.
      if (wishedMs.value !== null && word.past) past.value = word.past
      return
    case 'refused':
      if (word.word === 'past') showPresent()
      return tell('refused', word.message)
  }
}

export function showPresent(): void {
  wishedMs.value = null
  past.value = null
}

/** Shows a line, unless it is the one that is shown already. */
export function tell(kind: Told['kind'], text: string): void {
  if (told.value[0]?.text === text) return
  told.value = [{ id: ++toldCount, kind, text }, ...told.value].slice(0, toldMax)
}

function noteQuestion({ question }: Status): void {
  const isNew = question?.id !== status.value?.question?.id
  if (!question) askedAtMs.value = null
  else if (isNew || askedAtMs.value === null) askedAtMs.value = nowMs()
}

/** Who has gone is forgotten. */
function merged(
  known: ReadonlyMap<string, ActorView>,
  changed: readonly ActorView[],
): ReadonlyMap<string, ActorView> {
  const all = new Map(known)
  for (const actor of changed) {
    if (actor.status === 'stopped') all.delete(actor.id)
    else all.set(actor.id, actor)
  }
  return all
}

function withTurn(known: readonly LoopView[], turn: LoopView): readonly LoopView[] {
  return [...known.filter(({ id }) => id !== turn.id), turn]
    .toSorted((a, b) => b.id - a.id)
    .slice(0, turnsMax)
}

/** Time that goes back is another run. */
function withSample(known: readonly Sample[], seen: WorldView): readonly Sample[] {
  const seconds = seen.atMs / 1_000
  const last = known.at(-1)
  if (last && !(seconds >= last.seconds)) return [{ seconds, world: seen }]
  return [...known.slice(-samplesMax + 1), { seconds, world: seen }]
}
