import type { Observable } from 'rxjs'
import {
  type ActorRefFrom,
  type AnyActorRef,
  createActor,
  fromPromise,
  type SnapshotFrom,
} from 'xstate'
import type { Embedder } from '../actors/embedding.ts'
import { createEmbeddings, type Embeddings } from '../actors/embeddings.ts'
import { episodesOf } from '../actors/episodes.ts'
import { createMemoryBook, type MemoryBook } from '../actors/memory-book.ts'
import { recallFor } from '../actors/recollection.ts'
import { watchSettings } from '../actors/settings-watch.ts'
import type { Tape } from '../actors/tape.ts'
import { cueTextOf } from '../core/memory/cue.ts'
import { episodeOf } from '../core/memory/episode.ts'
import { listed, sought } from '../core/memory/listing.ts'
import { causeSchema, nothingSchema } from '../core/record/arrivals.ts'
import { noSettings } from '../core/settings/settings.ts'
import { MechosError, messageOf } from '../core/vocabulary/errors.ts'
import {
  type Draft,
  memoryMax,
  type Recollection,
  recollectionSchema,
  type Spot,
} from '../core/vocabulary/memory.ts'
import type { Observation } from '../core/vocabulary/observation.ts'
import { placesFor } from '../core/vocabulary/place.ts'
import type { MemoryStatus } from '../core/vocabulary/status.ts'
import { unixMs, wallClock } from '../drivers/clock.ts'
import type { agentMachine } from '../machines/agent.machine.ts'
import { memoryMachine } from '../machines/memory.machine.ts'
import type { MemoryStore } from '../store/memories.ts'
import type { SettingsFile } from '../store/settings.ts'
import type { RobotMemory } from './contract.ts'

/**
 * The memory of a robot that runs. It stands beside the robot, and has the wall's time, not the robot's: whatever becomes
 * of it, nothing that moves hears of it, and none of its calls throws.
 */
export interface Remembering {
  readonly chart: AnyActorRef
  readonly status: MemoryStatus
  /** For people. */
  readonly memory: RobotMemory
  /** Opens the store. Resolves once it is open, or has failed, or took too long; it goes on in the background then. Rejects only with ERR_CONFIGURATION. */
  start(): Promise<void>
  /** Keeps each turn of the agent that is over. To be called with each of its snapshots. */
  follow(agent: SnapshotFrom<typeof agentMachine>): void
  /** Keeps a note. That nobody reads it in this run is none of its author's business: it is told when it fails. */
  remember(text: string, at: Spot): void
  /** What a brain is told beside what it sees. Never rejects, and takes no more than 100 ms of the robot's time. */
  recollect(seen: Observation): Promise<Recollection>
  /** Keeps what is still waiting. Never rejects. */
  close(): Promise<void>
}

export interface RememberingInput {
  readonly store: MemoryStore
  /** What people write down; undefined where nobody can. */
  readonly settings: SettingsFile | undefined
  /** What gives memories vectors beside the built-in ones. Where it rejects, so does `start`. */
  readonly embedder: () => Promise<Embedder | undefined>
  /** Whether there is money for what is not urgent. */
  readonly isAmple: () => boolean
  readonly run: string
  readonly ticks: () => Observable<number>
  /** Where the robot is. */
  readonly at: () => Spot
  /** Says something that a person should hear. */
  readonly tell: (line: string) => void
}

export function createRemembering(input: RememberingInput): Remembering {
  const { run, settings, store, tell, ticks } = input
  const written = settings && watchSettings(settings, wallClock(), tell)
  const book = createMemoryBook(store, wallClock(), unixMs)
  const actor = chartOf(book, tell, () => embeddings?.noteEntries())
  let embeddings: Embeddings | undefined
  let isStarted = false
  const keep = (draft: Draft) => {
    const kept = book.add(draft)
    note(actor, draft.kind === 'note')
    return kept
  }
  const remember = (text: string, where: Spot) =>
    keep({ kind: 'note', run, wallMs: unixMs(), at: where, text: text.slice(0, memoryMax.note) })
  const recollect = async (seen: Observation): Promise<Recollection> => ({
    memories: await recallFor(
      {
        entries: book.entries,
        run,
        wallMs: unixMs,
        ticks: ticks(),
        embed: (text) => embeddings?.vectorOf(text),
      },
      seen,
    ),
    canRemember: actor.getSnapshot().hasTag('keeping'),
    places: placesFor(written?.settings.places ?? [], cueTextOf(seen), placesMax),
    notes: written?.settings.notes ?? [],
  })
  return {
    chart: actor,
    get status() {
      return statusOf(actor.getSnapshot())
    },
    memory: {
      query: async (text) => sought(book.entries, text, unixMs()),
      list: () => listed(book.entries),
      get settings() {
        return written?.settings ?? noSettings
      },
      async remember(text) {
        requireKeeping(actor)
        await remember(text, input.at())
      },
      async forget(ids) {
        requireKeeping(actor)
        const forgotten = book.forget(ids === 'all' ? idsIn(book) : ids)
        note(actor, true)
        return forgotten
      },
    },
    async start() {
      const embedder = await input.embedder()
      isStarted = true
      embeddings =
        embedder &&
        createEmbeddings({
          ...input,
          embedder,
          clock: wallClock(),
          entries: () => book.entries,
          take: (vectors) => {
            book.embed(vectors)
            note(actor, false)
          },
        })
      await Promise.all([openedBy(actor), written?.start()])
      embeddings?.noteEntries()
    },
    follow: sealed(
      tell,
      episodesOf((turn) => void keep({ ...episodeOf(turn), run, wallMs: unixMs() })),
    ),
    remember: sealed(tell, (text: string, where: Spot) => {
      remember(text, where).catch((error: unknown) => tell(messageOf(error)))
    }),
    recollect: async (seen) => {
      try {
        return await recollect(seen)
      } catch (error) {
        tell(failed(error))
        return { memories: [], canRemember: false, places: [], notes: [] }
      }
    },
    async close() {
      written?.close()
      embeddings?.close()
      if (isStarted) await closedBy(actor)
    },
  }
}

type Chart = ActorRefFrom<typeof memoryMachine>

/** On the wall's clock: a disk takes its time whatever the robot's clock does. */
function chartOf(book: MemoryBook, tell: (line: string) => void, onWritten: () => void): Chart {
  const write = async () => {
    const written = await book.write()
    onWritten()
    return written
  }
  const actor = createActor(
    memoryMachine.provide({
      actors: {
        openMemories: fromPromise(async () => {
          const { loss, tally } = await book.open()
          if (loss !== undefined) tell(loss)
          return tally
        }),
        writeMemories: fromPromise(write),
        mendMemories: fromPromise(write),
        closeMemories: fromPromise(() => book.close()),
      },
    }),
    { clock: wallClock() },
  )
  actor.subscribe({ next: faultTeller(tell), error: (error) => tell(failed(error)) })
  return actor
}

function note(actor: Chart, isUrgent: boolean): void {
  if (actor.getSnapshot().status === 'active') actor.send({ type: 'memory.noted', isUrgent })
}

function statusOf({ context, status, value }: SnapshotFrom<typeof memoryMachine>): MemoryStatus {
  const state = typeof value === 'string' ? value : (Object.keys(value)[0] ?? '')
  return {
    state: status === 'error' ? 'failed' : state,
    ...context.tally,
    cause: context.fault ?? null,
  }
}

/** Whoever waits for the disk is told at once that it does not keep anything. */
function requireKeeping(actor: Chart): void {
  const snapshot = actor.getSnapshot()
  if (snapshot.status === 'active' && snapshot.hasTag('keeping')) return
  const { fault = `memory: it is ${statusOf(snapshot).state}` } = snapshot.context
  throw new MechosError('ERR_MEMORY_UNKEPT', fault)
}

/** The chart closes whatever becomes of the disk, after some time at the latest. */
function closedBy(actor: Chart): Promise<void> {
  return new Promise((resolve) => {
    actor.subscribe({ complete: resolve, error: () => resolve() })
    if (actor.getSnapshot().status === 'active') actor.send({ type: 'memory.close' })
    else resolve()
  })
}

/** Starts the chart, and waits until it has opened the store, or failed to. */
function openedBy(actor: Chart): Promise<void> {
  return new Promise((resolve) => {
    const clock = wallClock()
    const timer = clock.setTimeout(resolve, openMsMax)
    const done = () => {
      clock.clearTimeout(timer)
      resolve()
    }
    actor.subscribe({
      next: (snapshot) => !snapshot.matches('opening') && done(),
      error: done,
      complete: done,
    })
    actor.start()
  })
}

/** The most places that a brain is told of. */
const placesMax = 8

/** How long a robot waits for its memory before it begins, in ms. */
const openMsMax = 3_000

/** The memory in that store, behind the doors of a tape where there is one; undefined without a store. */
export function rememberingOf(
  tape: Tape | undefined,
  store: MemoryStore | undefined,
  input: Omit<RememberingInput, 'store'>,
): Remembering | undefined {
  if (!store) return undefined
  if (!tape) return createRemembering({ ...input, store })
  const tell = tape.arrival('memory', causeSchema, input.tell)
  const inner = createRemembering({ ...input, store, tell })
  return {
    ...inner,
    get status() {
      return inner.status
    },
    start: () => tape.ask({ name: 'openMemory', schema: nothingSchema, act: () => inner.start() }),
    follow: (agent) => tape.pass('episode', () => inner.follow(agent)),
    remember: (text, where) => tape.pass('remember', () => inner.remember(text, where)),
    recollect: (seen) =>
      tape.ask({
        name: 'recollect',
        schema: recollectionSchema,
        act: () => inner.recollect(seen),
      }),
    close: () => tape.ask({ name: 'closeMemory', schema: nothingSchema, act: () => inner.close() }),
  }
}

/** Says once that nothing is kept any more, and why; and once that it is again. */
function faultTeller(tell: (line: string) => void) {
  let told: string | undefined
  return ({ context: { fault } }: SnapshotFrom<typeof memoryMachine>) => {
    if (fault !== undefined && told === undefined) tell(`${fault}. The robot goes on without`)
    if (fault === undefined && told !== undefined) tell('memory: it keeps what is written again')
    told = fault
  }
}

/** What goes wrong in here goes no further. */
function sealed<Args extends readonly unknown[]>(
  tell: (line: string) => void,
  act: (...args: Args) => void,
): (...args: Args) => void {
  return (...args) => {
    try {
      act(...args)
    } catch (error) {
      tell(failed(error))
    }
  }
}

function failed(error: unknown): string {
  return `memory: it failed: ${messageOf(error)}. The robot goes on without`
}

function idsIn({ entries }: MemoryBook): readonly number[] {
  return entries.map(({ memory: { id } }) => id)
}
