import { messageOf } from './core/vocabulary/errors.ts'
import { type Clock, unixMs } from './drivers/clock.ts'
import { serveStately, type StatelyServer } from './inspector/stately/server.ts'
import type { Log, Robot } from './robot/contract.ts'

/** What shows a run to the Stately Inspector, beside the robot, which does not know of it. */
export interface RunStately {
  /** Begins to serve at any port that is free. Where none can be had the robot runs on without it, and the log says so. */
  open(): Promise<void>
  /** A link that lets one viewer in, once; undefined while nothing is served. */
  link(): string | undefined
  close(): Promise<void>
}

/** Nothing is bound or watched before `open`. */
export function createStately(
  robot: Pick<Robot, 'inspect'>,
  clock: Clock,
  log: Pick<Log, 'warn'>,
): RunStately {
  let server: StatelyServer | undefined
  const failed = (cause: string) => log.warn({}, `the inspection for Stately: ${cause}`)
  const inspect: Robot['inspect'] = (observer) => robot.inspect(observer)
  return {
    async open() {
      try {
        server = await serveStately(0, { inspect, clock, unixMs, failed })
      } catch (error) {
        failed(messageOf(error))
      }
    },
    link: () => server?.link(),
    async close() {
      await server?.close()
      server = undefined
    },
  }
}
