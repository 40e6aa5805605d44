import type { Rung } from '../rules/failsafe.ts'
import type { Inquiry } from './inquiry.ts'
import type { Pose } from './geometry.ts'

/** How a halt went: the best evidence there is, and the milliseconds until it was had. */
export interface HaltReport {
  readonly evidence: 'measured' | 'echoed' | 'written' | 'none'
  readonly ms: number
}

/** How the flight record is doing, and where it is kept. `cause`: why it is kept no more. */
export interface RecorderStatus {
  readonly state: 'opening' | 'recording' | 'shedding' | 'frozen' | 'closing' | 'closed'
  /** Null where it is kept in no folder. */
  readonly folder: string | null
  readonly cause: string | null
  /** How many entries wait to be written. */
  readonly waiting: number
}

/** A robot as it is now, for people and programs (DESIGN §5). */
export interface Status {
  readonly name: string
  readonly pid: number
  readonly run: string
  /** The root's state: `standby`, `active.autonomous`, `halted`… */
  readonly state: string
  /** Why it is halted, or why it stands still. */
  readonly causes: readonly string[]
  readonly epoch: number
  readonly body: string
  readonly deadman: boolean
  readonly pose: Pose | null
  readonly goal: string | null
  readonly agent: {
    readonly state: string
    readonly brain: string
    readonly lastIntent: string | null
    readonly lastVerdict: string | null
  }
  /** What a person is asked now. */
  readonly question: Omit<Inquiry, 'askedAtEpoch'> | null
  readonly sensors: Readonly<Record<string, string>>
  readonly battery: number | null
  /** How hard the robot acts on what should not be, and on what. */
  readonly failsafe: { readonly rung: Rung; readonly reasons: readonly string[] }
  /** Tokens of the present UTC day, whichever run they are of: `spent` by what servers said, `assumed` where nobody knows. */
  readonly budget: {
    readonly state: string
    readonly spent: number
    readonly assumed: number
    readonly limit: number
    readonly usd: { readonly spent: number; readonly limit: number }
  }
  readonly llm: {
    readonly circuit: string
    readonly lastError: string | null
    /** How many replies there were of each kind. */
    readonly replies: Readonly<Record<string, number>>
  }
  readonly halt: HaltReport | null
  /** The device that a person has to hold for a model to move anything; null where none is needed. */
  readonly enabling: EnablingStatus | null
  /** Null where no record is kept. */
  readonly recorder: RecorderStatus | null
  /** Null where nothing is remembered. */
  readonly memory: MemoryStatus | null
}

/** Whether somebody holds the enabling device, and which one that is or was. */
export interface EnablingStatus {
  readonly state: string
  readonly device: string | null
}

/** How a robot's memory is, what is on the disk, and why nothing is kept at present. */
export interface MemoryStatus {
  readonly state: string
  readonly episodes: number
  readonly notes: number
  readonly cause: string | null
}

/** Milliseconds by which the event loop was late. */
export interface Delay {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** What a run came to, as `--report` writes it (DESIGN §5). */
export interface Report {
  readonly run: string
  readonly seconds: number
  readonly wallSeconds: number
  readonly seed: number | null
  readonly goal: string | null
  readonly state: string
  readonly exit: number
  readonly causes: readonly string[]
  readonly body: string
  readonly deadman: boolean
  readonly halt: HaltReport
  readonly actuators: Readonly<
    Record<string, { readonly output: number | null; readonly safe: boolean }>
  >
  readonly distanceM: number | null
  readonly collisions: number | null
  readonly intents: {
    readonly proposed: number
    readonly permitted: number
    readonly refused: number
  }
  readonly tokens: {
    readonly limit: number
    readonly spent: number
    readonly assumed: number
    readonly held: number
  }
  readonly eventLoopDelayMs: Delay
  readonly recordDir: string | null
}
