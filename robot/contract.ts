import type { AnyActorRef, InspectionEvent } from 'xstate'
import type { Twist } from '../core/vocabulary/geometry.ts'
import type { Settings } from '../core/settings/settings.ts'
import type { Remembered } from '../core/vocabulary/memory.ts'
import type { Message } from '../core/vocabulary/question.ts'
import type { Secret } from '../core/vocabulary/secret.ts'
import type { HaltReport, Report, Status } from '../core/vocabulary/status.ts'
import type { Verdict } from '../core/vocabulary/verdict.ts'
import type { Why } from '../core/vocabulary/why.ts'
import type { Brain } from '../actors/deliberation.ts'
import type { Body } from '../drivers/body.ts'
import type { Camera } from '../drivers/camera.ts'
import type { Clock } from '../drivers/clock.ts'
import type { WorldView } from '../inspector/cockpit/protocol.ts'
import type { Sighted } from '../inspector/cockpit/steered.ts'
import type { Recorded } from '../inspector/cockpit/steered.ts'
import type { RobotCommand } from '../machines/robot.machine.ts'
import type { FlightRecord } from '../store/flight-record.ts'
import type { MemoryStore } from '../store/memories.ts'
import type { SettingsFile } from '../store/settings.ts'
import type { EndpointNotes } from '../store/endpoints.ts'
import type { LedgerStore } from '../store/ledger.ts'

/** What a robot may be given; everything has a default but the configuration. */
export interface RobotOptions {
  /** The hardware. Default: a simulation of whatever the configuration declares. */
  readonly body?: Body
  /** Cameras beside the body. */
  readonly cameras?: readonly Camera[]
  /** Default: the machine's monotonic clock. Give a `virtualClock()` to decide yourself when time passes. */
  readonly clock?: Clock
  /** What this run is called in status and report. Default: the robot's name and its seed. */
  readonly run?: string
  /** The one source of chance, for the simulated body and the explorer. Default: 1. */
  readonly seed?: number
  /** Default: what `configuration.brains` names. */
  readonly brain?: Brain
  /** The keys of the models, by the variables that `keyEnv` names; never logged, never stored. */
  readonly keys?: Readonly<Record<string, string | Secret | undefined>>
  /** Where the budget of the models outlives this process. Default: nowhere, so that it is one of this run. */
  readonly ledger?: LedgerStore
  /** Where everything is kept that comes in and is decided, so that the run can be replayed. Default: nowhere. */
  readonly record?: FlightRecord
  /** Where what the robot remembers outlives this process. Default: nowhere, and nothing is remembered. */
  readonly memory?: MemoryStore
  /** Where people write down places and words for its brain; only with a memory. Default: nowhere. */
  readonly settings?: SettingsFile
  /** Where what is learnt of the models' endpoints outlives this process. Default: nowhere. */
  readonly endpoints?: EndpointNotes
  /** Told what a model is about to be told. */
  readonly onPrompt?: (messages: readonly Message[]) => void
  /** Why this robot must begin halted, when its last run did not end well. */
  readonly unclean?: string
  /** Called before the first motion after each arm; a throw halts the robot instead. */
  readonly beforeMotion?: () => void
  /**
   * A model may drive hardware though nobody holds an enabling device. It needs a `geofence`, and firmware with a deadman:
   * without the first `createRobot` throws ERR_CONFIGURATION, without the second nothing that it proposes moves anything.
   */
  readonly unattended?: boolean
  /** A simulated body arms itself and begins; false leaves even that to a person. Hardware always waits. */
  readonly selfArm?: boolean
  readonly log?: Log
}

/** Where a robot tells what happens, one line at a time: a pino logger will do. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** What became of a command: done, or not and why. */
export type Answer =
  | { readonly ok: true; readonly state: string; readonly epoch: number }
  | { readonly ok: false; readonly message: string }

/** A person's answer to the question of that number, which `status.question` shows: a choice, its number, or free words. */
export interface AnswerCommand {
  readonly type: 'robot.answer'
  readonly id: number
  readonly text: string
}

/** What a robot remembers, for people. What is on the disk counts, and nothing else. */
export interface RobotMemory {
  /** The memories that fit these words best, best first; at most ten. */
  query(text: string): Promise<readonly Remembered[]>
  /** All memories, the youngest first. */
  list(): readonly Remembered[]
  /** What people wrote down for the brain. */
  readonly settings: Settings
  /** Has something remembered, as the model would. Resolves once it is on the disk; rejects with ERR_MEMORY_UNKEPT. */
  remember(text: string): Promise<void>
  /** Resolves to how many there were, once they are gone. */
  forget(ids: readonly number[] | 'all'): Promise<number>
}

/** A robot that runs. Everything that fails in it ends in `halted`, with every actuator at its declared safe output. */
export interface Robot {
  /** Opens the body. Resolves once it stands by (a simulated one: moves); rejects with a MechosError when it cannot be opened. */
  start(): Promise<void>
  /** Carries out a person's command, or says in one line why not. */
  send(command: RobotCommand | AnswerCommand): Answer
  /**
   * Drives by hand, in m/s and rad/s, for 200 ms; only after `robot.takeOver`, and only once a zero was sent since the arm,
   * so that a stick that was held down then moves nothing. Hard limits refuse. Where words are numbered by `sequence`,
   * one that is not younger than the last is refused.
   */
  drive(twist: Twist, sequence?: number): Verdict
  /**
   * Says that a person holds an enabling device, or has let it go; to be repeated more often than every 0.2 s while it is
   * held. Where a model of the configuration drives hardware, nothing that it proposes moves anything but while that is
   * so. It counts once the device was seen let go: after the start, a halt, a silence, or ten minutes of being held.
   */
  enable(device: string, isHeld: boolean): void
  /** Trips the motion gate within this call, whatever state the statecharts are in. Resolves to the evidence. */
  halt(cause?: string): Promise<HaltReport>
  snapshot(): Status
  /** What it senses and does now, for people to look at. */
  world(): WorldView
  /** Of each camera the last frame, as it came; undefined before the first. */
  frames(): readonly Sighted[]
  /** Why it does not move, why it stopped, and the shortest way to motion. */
  why(): Why
  /** Calls back when the root's state changes. Returns how to stop. */
  onState(listener: (state: string) => void): () => void
  /** Calls back with each line that a person should hear once, free of codes that move a cursor. Returns how to stop. */
  onNotice(listener: (line: string) => void): () => void
  /**
   * Calls back with what happens in every statechart, as XState tells it, from now on. It makes each event about twice as
   * dear, and whatever the observer throws halts the robot. Returns how to stop.
   */
  inspect(observer: (event: InspectionEvent) => void): () => void
  /** The charts that stand beside the root, of the record, the memory and the enabling device: to be looked at, and told nothing. */
  readonly beside: readonly AnyActorRef[]
  /** Undefined where nothing is remembered. */
  readonly memory: RobotMemory | undefined
  /** What its flight record shows of the moments before this one; undefined where none is kept that can be read meanwhile. */
  readonly past: Recorded | undefined
  /** Halts, lets go of the body, and resolves to the account of the run. Idempotent. */
  stop(): Promise<Report>
}
