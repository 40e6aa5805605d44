import type { Twist } from '../../core/vocabulary/geometry.ts'
import type { HaltReport, Status } from '../../core/vocabulary/status.ts'
import type { Verdict } from '../../core/vocabulary/verdict.ts'
import type { RobotCommand } from '../../machines/robot.machine.ts'
import type { WorldView } from './protocol.ts'

/** What a page may have the robot told. A halt has a way of its own. */
export type Order =
  | Exclude<RobotCommand, { type: 'robot.halt' | 'robot.shutdown' }>
  | { readonly type: 'robot.answer'; readonly id: number; readonly text: string }

/** The robot, as far as the cockpit reaches it. A `Robot` is one. */
export interface Steered {
  snapshot(): Status
  world(): WorldView
  send(order: Order): { readonly ok: true } | { readonly ok: false; readonly message: string }
  drive(twist: Twist, sequence?: number): Verdict
  halt(cause: string): Promise<HaltReport>
  onState(listener: (state: string) => void): () => void
  onNotice(listener: (line: string) => void): () => void
}
