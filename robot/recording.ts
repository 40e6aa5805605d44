import { type AnyActorRef, createActor, type EventFromLogic, fromPromise } from 'xstate'
import { recordingTape } from '../actors/recording-tape.ts'
import type { Tape } from '../actors/tape.ts'
import { total } from '../actors/total.ts'
import { callsOf } from '../actors/taped-body.ts'
import { type Begin, type Entry, recordVersion } from '../core/record/entry.ts'
import type { Configuration } from '../core/vocabulary/configuration.ts'
import { messageOf } from '../core/vocabulary/errors.ts'
import type { RecorderStatus } from '../core/vocabulary/status.ts'
import { unixMs, wallClock } from '../drivers/clock.ts'
import { recorderMachine } from '../machines/recorder.machine.ts'
import type { FlightRecord } from '../store/flight-record.ts'
import type { RecordPast } from '../store/record-past.ts'
import type { RobotOptions } from './contract.ts'
import { type WaitingEntries, waitingEntries } from './waiting-entries.ts'

/** The flight record of a robot that runs. Nothing that goes wrong with it reaches the robot. */
export interface Recording {
  readonly tape: Tape
  readonly status: RecorderStatus
  readonly chart: AnyActorRef
  /** Undefined where the record cannot be looked at while it is written. */
  readonly past: RecordPast | undefined
  /** To be called whenever the root's state changes: from a halt on the last minutes are kept. */
  robotIs(state: string): void
  /** Keeps what is still waiting, and ends the record. Never rejects. */
  close(): Promise<void>
}

type Outside = RobotOptions & Required<Pick<RobotOptions, 'body' | 'clock'>>

/** With so many waiting, what no decision depends on is left out. */
const crowdedAt = 20_000
/** What waits is written after so long, in ms. */
const flushMs = 100

/** Begins the record of a robot that is about to be put together. */
export function startRecording(
  record: FlightRecord,
  configuration: Configuration,
  options: Outside,
): Recording {
  const warn = total(ignore, (cause: string) => options.log?.warn({}, cause))
  const waiting = waitingEntries(configuration.record.images)
  const begin = beginningOf(configuration, options)
  const writer = createWriter(record, waiting, {
    onRelief: () => tell({ type: 'recorder.relieved' }),
    onFailure: (cause) => tell({ type: 'recorder.failed', cause }),
  })
  const recorder = createActor(
    recorderMachine.provide({
      actors: {
        openRecord: fromPromise(() =>
          writer.open({
            run: begin.run ?? `${begin.name}-seed-${begin.seed ?? 1}`,
            name: begin.name,
            wallMs: begin.wallMs,
          }),
        ),
        closeRecord: fromPromise(() => writer.close()),
      },
      actions: {
        shedTelemetry: () => waiting.shedPictures(true),
        keepTelemetry: () => waiting.shedPictures(false),
        keepBlackBox() {
          record.freeze()
          writer.wantSync()
        },
        releaseBlackBox: () => record.thaw(),
        dropWaiting: () => waiting.close(),
      },
    }),
  )
  /** Who has ended is told nothing any more. */
  const tell = (event: EventFromLogic<typeof recorderMachine>) => {
    if (recorder.getSnapshot().status === 'active') recorder.send(event)
  }
  let isHalted = false
  const heed = () => tell({ type: isHalted ? 'recorder.freeze' : 'recorder.thaw' })
  const keep = (entry: Entry) => {
    waiting.add(entry)
    if (waiting.length === crowdedAt) tell({ type: 'recorder.crowded' })
    if (waiting.length > 0) writer.wake()
  }
  // A robot may have been halted while its record was opened.
  recorder.subscribe({
    next: (snapshot) => {
      if (snapshot.matches('recording') && isHalted) heed()
    },
    complete() {
      const { cause } = recorder.getSnapshot().context
      if (cause !== undefined) warn(`recorder: ${cause}`)
    },
    error: (error) => warn(`recorder: ${messageOf(error)}`),
  })
  recorder.start()
  keep(begin)
  return {
    tape: recordingTape({ clock: options.clock, wallMs: unixMs, keep }),
    past: record.past,
    chart: recorder,
    get status() {
      const { value, context } = recorder.getSnapshot()
      return {
        state: value,
        folder: record.folder,
        cause: context.cause ?? null,
        waiting: waiting.length,
      }
    },
    robotIs(state) {
      isHalted = state === 'halted' || state === 'failed'
      heed()
    },
    close: () =>
      new Promise((resolve) => {
        recorder.subscribe({ complete: resolve, error: () => resolve() })
        tell({ type: 'recorder.close' })
      }),
  }
}

/** Takes what waits to the disk. */
interface Writer {
  open(run: Parameters<FlightRecord['open']>[0]): Promise<void>
  /** There is something to be written. */
  wake(): void
  /** What is written next is to survive a loss of power. */
  wantSync(): void
  close(): Promise<void>
}

function createWriter(
  record: FlightRecord,
  waiting: WaitingEntries,
  tell: { onRelief(): void; onFailure(cause: string): void },
): Writer {
  const wall = wallClock()
  let opened: Promise<void> | undefined
  let last: Promise<void> = Promise.resolve()
  let isSyncWanted = false
  let isAwake = false
  const writeAll = async () => {
    while (waiting.length > 0) {
      const texts = waiting.slice(() => wall.now())
      const sync = isSyncWanted && waiting.length === 0
      if (sync) isSyncWanted = false
      // oxlint-disable-next-line no-await-in-loop -- one slice after the other, and whatever else there is in between
      await record.append(texts, { sync })
      if (waiting.length < crowdedAt / 2) tell.onRelief()
    }
  }
  const write = async () => {
    try {
      await opened
      await writeAll()
    } catch (error) {
      tell.onFailure(messageOf(error))
    }
  }
  const wake = (afterMs = flushMs) => {
    if (isAwake || !opened) return
    isAwake = true
    wall.setTimeout(() => {
      isAwake = false
      last = last.then(write)
    }, afterMs)
  }
  return {
    async open(run) {
      opened = record.open(run)
      await opened
      wake(0)
    },
    wake: () => wake(),
    wantSync() {
      isSyncWanted = true
    },
    async close() {
      await last
      await opened
      waiting.add({ kind: 'end', shed: waiting.shed })
      isSyncWanted = true
      await writeAll()
      await record.close()
    },
  }
}

function beginningOf(configuration: Configuration, options: Outside): Begin {
  const { body, brain, cameras = [], clock, seed, selfArm, unattended, unclean } = options
  return {
    kind: 'begin',
    version: recordVersion,
    ...(options.run !== undefined && { run: options.run }),
    name: configuration.name,
    atMs: clock.now(),
    wallMs: Math.round(unixMs()),
    ...(seed !== undefined && { seed }),
    ...(unclean !== undefined && { unclean }),
    ...(selfArm !== undefined && { selfArm }),
    ...(unattended && { unattended: true as const }),
    configuration,
    body: {
      kind: body.kind,
      ...(body.senses && { senses: [...body.senses] }),
      has: [...callsOf(body)],
    },
    cameras: cameras.map(({ name }) => name),
    ...(brain && { brain: brain.name }),
    ...(options.memory && { memory: true as const }),
  }
}

function ignore(): void {}
