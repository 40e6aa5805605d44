import { type AnyActorRef, createActor, fromPromise } from 'xstate'
import { MechosError } from './core/vocabulary/errors.ts'
import type { Clock } from './drivers/clock.ts'
import { loopback } from './inspector/cockpit/doorkeeper.ts'
import { readDrawings } from './inspector/cockpit/drawings.ts'
import { pageFilesIn } from './inspector/cockpit/files.ts'
import { watchActors, watchLoop } from './inspector/cockpit/hub.ts'
import { ownPlace, type Place } from './inspector/cockpit/place.ts'
import type { Role, RobotWord } from './inspector/cockpit/protocol.ts'
import { type Cockpit, type CockpitParts, serveCockpit } from './inspector/cockpit/server.ts'
import { type CockpitContext, cockpitMachine } from './machines/cockpit.machine.ts'
import type { Log, Robot } from './robot/contract.ts'

/** What a run has a cockpit of. */
export interface CockpitOptions {
  readonly robot: Robot
  /** The machine's own time, in which people live. */
  readonly clock: Clock
  /** The port that was asked for, 0 for any that is free; undefined for 7077, or the next that is free. */
  readonly port: number | undefined
  /** Where that port is: on this computer and for nobody else, unless a person named another address. */
  readonly place?: Place
  /** Where the page was built. */
  readonly folder: string
  readonly log: Log
}

/** The cockpit of a run: beside the robot, which does not know of it. */
export interface RunCockpit {
  /**
   * Begins to serve. Resolves when it is known whether it can be reached; rejects with ERR_USAGE when the port that was
   * asked for, or the address, cannot be had. Without any it goes on trying, and the robot runs without a cockpit meanwhile.
   */
  open(): Promise<void>
  /** Where it is, who is there, and why it cannot be reached. */
  readonly present: CockpitContext
  /** A link that lets one browser in, once; undefined while nobody can be let in. */
  link(role: Role): string | undefined
  close(): Promise<void>
}

/** Where it is looked for first, and how many ports above that are tried. */
export const defaultPort = 7077
const portsMax = 100

/** How long the end of a run waits for the end of its cockpit, in ms. */
const closeMsMax = 1_000

/** Makes the cockpit of a robot. Nothing is bound, read or watched before `open`. */
export function createCockpit({
  robot,
  clock,
  port,
  place,
  folder,
  log,
}: CockpitOptions): RunCockpit {
  const { address } = place ?? ownPlace
  let cockpit: Cockpit | undefined
  let closing: Promise<void> = Promise.resolve()
  const bind = async (signal: AbortSignal): Promise<string> => {
    const opened = await serveFrom(port, partsNow())
    // Who comes too late is not served.
    if (signal.aborted) await opened.close()
    else cockpit = opened
    return opened.address
  }
  const partsNow = (): CockpitParts => ({
    robot,
    clock,
    files: pageFilesIn(folder),
    drawings: readDrawings(),
    ...(place && { place }),
    watch: (say) => watchCharts(robot, [...robot.beside, actor], clock, say, faulted),
    seated: (seats) => actor.send({ type: 'cockpit.seated', seats }),
    failed: (cause) => faulted(cause),
    lost: (cause) => actor.send({ type: 'cockpit.lost', cause }),
  })
  const faulted = (cause: string) => {
    log.warn({}, `the cockpit: ${cause}`)
    actor.send({ type: 'cockpit.faulted', cause })
  }
  const unbind = () => {
    closing = cockpit?.close() ?? closing
    cockpit = undefined
  }
  const machine = cockpitMachine.provide({
    actors: { bindCockpit: fromPromise(({ signal }) => bind(signal)) },
    actions: { unbindCockpit: unbind },
  })
  const actor = createActor(machine, { clock })
  actor.subscribe({
    error(error) {
      log.error({ error }, 'the cockpit has ended; the robot runs on without one')
      unbind()
    },
  })
  return {
    async open() {
      const isKnown = new Promise<void>((resolve) => {
        actor.subscribe({
          next: (snapshot) => !snapshot.matches('binding') && resolve(),
          error: () => resolve(),
          complete: () => resolve(),
        })
      })
      actor.start()
      await isKnown
      const { fault } = actor.getSnapshot().context
      const isAsked = port !== undefined || address !== loopback
      if (cockpit || !isAsked) return
      const message = /EADDRNOTAVAIL/.test(fault ?? '')
        ? `cockpit-host: ${address} is not allowed; ${fault}`
        : `cockpit-port: ${port ?? defaultPort} is not allowed; ${fault}; 0 is any that is free`
      throw new MechosError('ERR_USAGE', message)
    },
    get present() {
      return actor.getSnapshot().context
    },
    link: (role) => cockpit?.link(role),
    async close() {
      actor.send({ type: 'cockpit.close' })
      unbind()
      await soon(closing, clock)
    },
  }
}

/** Serves at the port that was asked for, or at the first that is free. */
async function serveFrom(asked: number | undefined, parts: CockpitParts): Promise<Cockpit> {
  if (asked !== undefined) return serveCockpit(asked, parts)
  for (let port = defaultPort; port < defaultPort + portsMax; port++) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- the next is tried only where this one is taken
      return await serveCockpit(port, parts)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    }
  }
  throw new Error(`every port from ${defaultPort} to ${defaultPort + portsMax - 1} is taken`)
}

function watchCharts(
  robot: Robot,
  beside: readonly AnyActorRef[],
  clock: Clock,
  say: (word: RobotWord) => void,
  failed: (cause: string) => void,
): () => void {
  const inspect: Robot['inspect'] = (observer) => robot.inspect(observer)
  const actors = watchActors(inspect, (changed) => say({ type: 'actors', actors: changed }), {
    clock,
    failed,
    beside,
  })
  const loop = watchLoop(inspect, (turn) => say({ type: 'loop', turn }), failed)
  return () => {
    actors.end()
    loop.end()
  }
}

/** Waits for a promise, and not for long. */
async function soon(promise: Promise<void>, clock: Clock): Promise<void> {
  let timer = 0
  const limit = new Promise<void>((resolve) => {
    timer = clock.setTimeout(resolve, closeMsMax)
  })
  await Promise.race([promise, limit])
  clock.clearTimeout(timer)
}
