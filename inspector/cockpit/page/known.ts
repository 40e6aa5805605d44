import { computed, signal } from '@preact/signals'
import type { Status } from '../../../core/vocabulary/status.ts'
import type { ActorView, LoopView, Role, RobotWord, WorldView } from '../protocol.ts'
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
export const world = signal<WorldView | null>(null)
export const actors = signal<ReadonlyMap<string, ActorView>>(new Map())
export const drawings = signal<ReadonlyMap<string, string>>(new Map())
export const turns = signal<readonly LoopView[]>([])
export const told = signal<readonly Told[]>([])
export const driver = signal<'you' | 'another' | 'nobody'>('nobody')
export const samples = signal<readonly Sample[]>([])
/** When the present question was first seen here, in ms of the browser. */
export const askedAtMs = signal<number | null>(null)

export const isLive = computed(() => touch.value === 'live')
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
      actors.value = new Map()
      turns.value = []
      samples.value = []
      askedAtMs.value = null
      return
    case 'drawing':
      drawings.value = new Map(drawings.value).set(word.drawing.machine, word.drawing.svg)
      return
    case 'actors':
      actors.value = merged(actors.value, word.actors)
      return
    case 'status':
      noteQuestion(word.status)
      status.value = word.status
      return
    case 'world':
      world.value = word.world
      samples.value = withSample(samples.value, word.world)
      return
    case 'loop':
      turns.value = withTurn(turns.value, word.turn)
      return
    case 'notice':
      return tell('notice', word.text)
    case 'driver':
      driver.value = word.driver
      return
    case 'refused':
      return tell('refused', word.message)
  }
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
