import type { Twist } from '../../core/vocabulary/geometry.ts'
import type { ImageReading } from '../../core/vocabulary/reading.ts'
import type { HaltReport, Status } from '../../core/vocabulary/status.ts'
import type { Verdict } from '../../core/vocabulary/verdict.ts'
import type { RobotCommand } from '../../machines/robot.machine.ts'
import type { Past, Reach, WorldView } from './protocol.ts'

/** What a page may have the robot told. A halt has a way of its own. */
export type Order =
  | Exclude<RobotCommand, { type: 'robot.halt' | 'robot.shutdown' }>
  | { readonly type: 'robot.answer'; readonly id: number; readonly text: string }

/** The robot, as far as the cockpit reaches it. A `Robot` is one. */
export interface Steered {
  snapshot(): Status
  world(): WorldView
  /** Of each camera the last frame, where there was one. */
  frames(): readonly Sighted[]
  send(order: Order): { readonly ok: true } | { readonly ok: false; readonly message: string }
  drive(twist: Twist, sequence?: number): Verdict
  enable(device: string, isHeld: boolean): void
  halt(cause: string): Promise<HaltReport>
  onState(listener: (state: string) => void): () => void
  onNotice(listener: (line: string) => void): () => void
  readonly past: Recorded | undefined
}

/** What a camera has seen last. */
export interface Sighted {
  readonly name: string
  readonly frame: ImageReading | undefined
}

/** The flight record of a run that goes on, for people to look back on. */
export interface Recorded {
  readonly reach: Reach | null
  /** What it shows of the moment that is nearest to this one. Rejects when it is called off, or the record is closed. */
  at(atMs: number, signal?: AbortSignal): Promise<Past>
}
