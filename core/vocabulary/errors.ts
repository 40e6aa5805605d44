/**
 * What can go wrong in the world, by a code that never changes; `docs/errors.md` has a heading for each.
 * A mistake that only a programmer can make is a `TypeError` instead.
 */
export type ErrorCode =
  | 'ERR_USAGE'
  | 'ERR_CONFIGURATION'
  | 'ERR_CONFIGURATION_MISSING'
  | 'ERR_CONFIGURATION_BROKEN'
  | 'ERR_ROBOT_RUNNING'
  | 'ERR_ROBOT_ABSENT'
  | 'ERR_ROBOT_SILENT'
  | 'ERR_STATE_DIRECTORY'
  | 'ERR_PORT_UNAVAILABLE'
  | 'ERR_BOARD_SILENT'
  | 'ERR_BOARD_LOST'
  | 'ERR_BOARD_REFUSED'
  | 'ERR_GATE_SHUT'
  | 'ERR_COMMAND_REFUSED'
  | 'ERR_BRAIN_UNREACHABLE'
  | 'ERR_BRAIN_SILENT'
  | 'ERR_BRAIN_REFUSED'
  | 'ERR_BRAIN_RUBBISH'
  | 'ERR_BRAIN_REPEATS'
  | 'ERR_BUDGET_EXHAUSTED'
  | 'ERR_BUDGET_UNKEPT'
  | 'ERR_MEMORY_UNKEPT'
  | 'ERR_CAMERA_UNAVAILABLE'
  | 'ERR_RECORD_BROKEN'
  | 'ERR_RECORD_UNKEPT'
  | 'ERR_NOT_PROVIDED'

/** An operating error: `code` is stable and meant for programs, `message` is one line meant for people. */
export class MechosError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'MechosError'
    this.code = code
  }
}

/** The one line that a person needs of any thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
