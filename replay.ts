import { createPlayback } from './actors/playback.ts'
import type { Brain } from './actors/deliberation.ts'
import type { Tape } from './actors/tape.ts'
import type { Difference } from './core/record/difference.ts'
import type { Begin, Entry } from './core/record/entry.ts'
import { isMoment } from './core/record/script.ts'
import { type Configuration, parseConfiguration } from './core/vocabulary/configuration.ts'
import { MechosError } from './core/vocabulary/errors.ts'
import type { Status } from './core/vocabulary/status.ts'
import { absentBody } from './drivers/absent-body.ts'
import { absentCamera } from './drivers/absent-camera.ts'
import { virtualClock } from './drivers/clock.ts'
import { createRobotWith, type Seams } from './robot.ts'
import type { Robot } from './robot/contract.ts'
import { volatileMemoryStore } from './store/memories.ts'

/** What came of a replay. */
export interface Replay {
  /** How many entries of the record were replayed. */
  readonly events: number
  /** In how many places the replay did something else; after so many of them it is given up. */
  readonly differences: number
  readonly first: Difference | null
  /** Why the record says too little to be replayed to its end; null for one that is whole, or was cut by a crash. */
  readonly gap: string | null
  /** The robot where the replay ended. */
  readonly status: Status
}

export interface ReplayOptions {
  /** Seconds of the robot's clock since the record's beginning. Default: to its end. */
  readonly untilSeconds?: number | undefined
  /** The robot that is put together again, for whoever wants it changed. */
  readonly machine?: Seams['machine']
  /** Sees what happens to every chart. */
  readonly inspect?: NonNullable<Seams['inspect']>
  /** Is told each output with the place where it is in the record. */
  readonly onNote?: (what: string, value: unknown, place: Place) => void
}

/** Where a replay is: an entry of the record, and the robot's clock in ms. */
export interface Place {
  readonly entry: number
  readonly atMs: number
}

/** After so many differences nothing is as it was, and a replay is given up. */
const differencesMax = 1_000

/**
 * Puts the robot of a record together again and lets everything come in that came in then, in the same order and at the
 * same times: the same machines must come to the same decisions, bit for bit.
 */
export async function replay(
  record: AsyncIterable<Entry>,
  options: ReplayOptions = {},
): Promise<Replay> {
  const { onNote, untilSeconds = Number.POSITIVE_INFINITY, ...seams } = options
  const moments = momentsOf(record)
  const { begin, beginning } = await beginningOf(moments)
  let differences = 0
  let first: Difference | null = null
  const playback = createPlayback(begin.atMs, (difference) => {
    differences += 1
    first ??= difference
  })
  let events = beginning.entries.length
  const tape: Tape = {
    ...playback.tape,
    note(what, value) {
      onNote?.(what, value, { entry: events, atMs: playback.nowMs })
      playback.tape.note(what, value)
    },
  }
  playback.load(beginning.entries, beginning.isCut)
  const robot = robotOf(begin, { ...asItWas, ...seams, tape })
  await playback.play()
  const endMs = begin.atMs + untilSeconds * 1000
  let gap: string | null = null
  for await (const { entries, isCut } of moments) {
    const [moment] = entries
    if (!moment || moment.kind === 'end' || (isMoment(moment) && moment.atMs > endMs)) break
    if (moment.kind === 'gap') {
      gap = moment.cause
      break
    }
    playback.load(entries, isCut)
    await playback.play()
    events += entries.length
    if (differences >= differencesMax) break
  }
  return { events, differences, first, gap, status: robot.snapshot() }
}

const asItWas: Seams = { machine: (bound) => bound, listener: (_, hear) => hear }

async function beginningOf(moments: AsyncGenerator<Moment>) {
  const { value: beginning, done } = await moments.next()
  const begin = done ? undefined : beginning.entries[0]
  if (!done && begin?.kind === 'begin') return { begin, beginning }
  throw new MechosError('ERR_RECORD_BROKEN', 'the record has no beginning')
}

/** The robot, with nothing around it. */
function robotOf(begin: Begin, seams: Seams): Robot {
  const { body, brain, cameras, memory, run, seed, selfArm, unattended, unclean } = begin
  const { kind, has, senses } = body
  return createRobotWith(
    withoutFiles(parseConfiguration(begin.configuration)),
    {
      body: absentBody({ kind, has, ...(senses && { senses }) }),
      cameras: cameras.map(absentCamera),
      clock: virtualClock(),
      ...(run !== undefined && { run }),
      ...(seed !== undefined && { seed }),
      ...(selfArm !== undefined && { selfArm }),
      ...(unattended && { unattended }),
      ...(unclean !== undefined && { unclean }),
      ...(brain !== undefined && { brain: absentBrain(brain) }),
      ...(memory && { memory: volatileMemoryStore() }),
    },
    seams,
  )
}

/** Nobody is asked anything: there is no need of their certificates, which may be gone. */
function withoutFiles({ brains, ...configuration }: Configuration): Configuration {
  return { ...configuration, brains: brains.map(({ caFile: _, ...brain }) => brain) }
}

function absentBrain(name: string): Brain {
  return { name, decide: () => Promise.reject(new TypeError(`${name} is not there`)) }
}

/** What came in at once, and all that came of it. */
interface Moment {
  readonly entries: readonly Entry[]
  /** The record was cut off in it. */
  readonly isCut: boolean
}

/** What is glued on belongs to the moment before it. */
async function* momentsOf(record: AsyncIterable<Entry>): AsyncGenerator<Moment> {
  let entries: Entry[] = []
  for await (const entry of record) {
    const isNew = isMoment(entry)
      ? entry.glued !== true
      : entry.kind === 'gap' || entry.kind === 'end'
    if (isNew && entries.length > 0) {
      // What was lost may have been of this moment.
      yield { entries, isCut: entry.kind === 'gap' }
      entries = []
    }
    entries.push(entry)
  }
  if (entries.length > 0) yield { entries, isCut: entries[0]?.kind !== 'end' }
}
