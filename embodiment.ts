import { asksModels, type Configuration } from './core/vocabulary/configuration.ts'
import { MechosError } from './core/vocabulary/errors.ts'
import type { Body } from './drivers/body.ts'
import type { Camera } from './drivers/camera.ts'
import { type Clock, virtualClock, type VirtualClock, wallClock } from './drivers/clock.ts'
import { firmataBody } from './drivers/johnny-five/body.ts'
import { mjpegCamera } from './drivers/mjpeg.ts'
import { pace } from './drivers/pace.ts'
import { simulatedBody } from './drivers/simulated/body.ts'
import { simulatedCamera } from './drivers/simulated/camera.ts'

/** Everything that differs between a body in this computer and one outside of it. */
export interface Embodiment {
  readonly clock: Clock
  readonly body: Body
  readonly cameras: readonly Camera[]
  /** Lets time pass until the run is over; where it is made up, it stands while `isBehind`. */
  advance(signal: AbortSignal, isBehind: () => boolean): Promise<void>
}

/** What it is to be embodied in, as `mechos run` was asked for it. */
export interface BodyWish {
  readonly configuration: Configuration
  readonly port: string | undefined
  readonly headless: boolean
  readonly forSeconds: number | undefined
  readonly speed: number | 'max' | undefined
}

/** Opens nothing yet. `note` is the file in which a guardian says how it halted the board. Throws ERR_USAGE. */
export function embody(
  isSimulated: boolean,
  seed: number,
  note: string,
  wish: BodyWish,
): Embodiment {
  return isSimulated ? simulate(seed, wish) : connectTo(note, wish)
}

function simulate(seed: number, wish: BodyWish): Embodiment {
  const { configuration } = wish
  const clock: VirtualClock = virtualClock()
  const body = simulatedBody(configuration, { clock, seed })
  const forMs = (wish.forSeconds ?? Number.POSITIVE_INFINITY) * 1000
  const mayRush =
    wish.headless &&
    wish.forSeconds !== undefined &&
    // Whoever has to approve something cannot be faster than the clock.
    configuration.approve.length === 0 &&
    !asksModels(configuration)
  const speed = wish.speed ?? (mayRush ? 'max' : 1)
  if (asksModels(configuration) && (speed === 'max' || speed > 1)) {
    // Its deadlines would be over before the model has thought, and each reply would be paid for and thrown away.
    throw new MechosError(
      'ERR_USAGE',
      `speed: ${speed} is not allowed with a model, which thinks in real time; at most 1`,
    )
  }
  return {
    clock,
    body,
    cameras: configuration.body.cameras.map(({ name, url }) =>
      url ? mjpegCamera({ name, url, clock }) : simulatedCamera({ name, body, clock }),
    ),
    advance: (signal, isBehind) => pace(clock, { speed, forMs, signal, isBehind }),
  }
}

function connectTo(note: string, wish: BodyWish): Embodiment {
  const { configuration } = wish
  const { body } = configuration
  if (body.kind !== 'firmata') {
    throw new MechosError(
      'ERR_USAGE',
      `port: ${wish.port} is not allowed; this robot's body is simulated`,
    )
  }
  const port = wish.port ?? body.port
  if (port === undefined) {
    throw new MechosError('ERR_USAGE', 'port: missing; --port PATH of the board, or --sim')
  }
  const clock = wallClock()
  const endMs = clock.now() + (wish.forSeconds ?? Number.POSITIVE_INFINITY) * 1000
  return {
    clock,
    body: firmataBody(configuration, { port, clock, note }),
    cameras: body.cameras.flatMap(({ name, url }) =>
      url ? [mjpegCamera({ name, url, clock })] : [],
    ),
    advance: (signal) => untilOver(clock, endMs, signal),
  }
}

function untilOver(clock: Clock, endMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (Number.isFinite(endMs)) schedule(clock, resolve, Math.max(0, endMs - clock.now()), signal)
  })
}

/** A timer that goes with the run: one that is left over would keep the process, and with it the port. */
export function schedule(
  clock: Clock,
  fire: () => void,
  milliseconds: number,
  signal: AbortSignal,
): void {
  const timer = clock.setTimeout(fire, milliseconds)
  signal.addEventListener('abort', () => clock.clearTimeout(timer), { once: true })
}
