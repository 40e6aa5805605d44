import { total } from '../actors/total.ts'
import type { Log } from './contract.ts'

/** The log of a robot that was given none. */
export const silence: Log = { info() {}, warn() {}, error() {} }

/** A log that throws halts the robot: whatever else it is to tell is told by the state. */
export function attendedLog(log: Log, failed: (cause: string) => void): Log {
  return {
    info: total(failed, (fields: object, message: string) => log.info(fields, message)),
    warn: total(failed, (fields: object, message: string) => log.warn(fields, message)),
    error: total(failed, (fields: object, message: string) => log.error(fields, message)),
  }
}
