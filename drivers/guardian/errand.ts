import type { LineEvent } from './line.ts'
import type { PinTable } from './pin-table.ts'

/** What a guardian is told when it is started: one word on its command line. */
export interface Errand {
  /** The serial port. */
  readonly path: string
  readonly table: PinTable
  /** The robot's name, at most 15 characters: the board keeps it. */
  readonly name: string
  /** Whether a board that keeps another robot's name becomes this one's; otherwise it is refused. */
  readonly adopts?: boolean | undefined
  /** Where it notes how the last halt went when the robot process has died. */
  readonly note: string | undefined
}

/** What a guardian says on the urgent pipe, one line of JSON each. */
export type GuardianWord =
  | LineEvent
  | { readonly kind: 'opened' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'beat' }
