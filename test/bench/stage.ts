import { monotonicMs } from '../support/uno/monotonic.ts'
import type { FirmwareSupply } from '../support/uno/firmware.ts'
import { startRemoteUno } from '../support/uno/remote.ts'
import type { DutyChange } from '../support/uno/uno.ts'
import { until } from '../support/uno/until.ts'

/** When wheels came to rest. */
export interface Rest {
  /** Of the last of both, as `monotonicMs` counts; Infinity while one is driven. */
  readonly atMs: number
  /** How far the chip's clock was behind real time: what it has given up since the mark, or its lateness at that moment. */
  readonly slipMs: number
}

/** What the wheels' pins of an emulated board put out. */
export interface Pins {
  /** Resolves as soon as both wheels are driven. Rejects after five seconds. */
  driven(): Promise<void>
  /** Resolves as soon as no wheel is driven, or after two seconds. */
  rested(): Promise<void>
  /** Begins to watch the chip's clock. */
  mark(): Promise<void>
  /** By all that has happened until now; its slip since the mark. */
  rest(): Promise<Rest>
}

/** The board that is measured. */
export interface Stage {
  readonly port: string
  /** Undefined for a board that is not ours. */
  readonly pins: Pins | undefined
  close(): Promise<void>
}

const wheelPins = [3, 11] as const
const driveMsMax = 5_000
const restMsMax = 2_000

/** A board that somebody else runs. */
export function foreignStage(port: string): Stage {
  return { port, pins: undefined, close: () => Promise.resolve() }
}

/** An emulated Uno with that firmware, nothing near its range sensor. A real chip does not wait for whoever else is busy here. */
export async function emulatedStage(
  firmware: NonNullable<FirmwareSupply['firmware']>,
): Promise<Stage> {
  const uno = await startRemoteUno({ firmware, isUrgent: true })
  await uno.setAnalog(0, 0)
  const last = new Map<number, DutyChange>()
  uno.onDuty((change) => last.set(change.pin, change))
  const dutyOf = (pin: number) => last.get(pin)?.duty ?? 0
  const all = (isIt: (duty: number) => boolean, limitMs: number) =>
    until({
      what: () => `the wheels have the duties ${wheelPins.map(dutyOf).join(' and ')}`,
      condition: () => wheelPins.every((pin) => isIt(dutyOf(pin))),
      on: (listener) => uno.onDuty(listener),
      limitMs,
    })
  const lateMs = lateness()
  let marked = { slipMs: 0, atMs: 0 }
  return {
    port: uno.path,
    pins: {
      driven: () => all((duty) => duty > 0, driveMsMax),
      // Whoever asks for the time of it afterwards hears that it never came.
      rested: () => all((duty) => duty === 0, restMsMax).catch(() => undefined),
      async mark() {
        marked = { slipMs: await uno.slipMs(), atMs: monotonicMs() }
      },
      async rest() {
        // An answer comes after all changes that were before it.
        const slipMs = (await uno.slipMs()) - marked.slipMs
        if (wheelPins.some((pin) => dutyOf(pin) !== 0)) return { atMs: Infinity, slipMs }
        const changes = wheelPins.flatMap((pin) => last.get(pin) ?? [])
        const atMs = Math.max(...changes.map(({ hostMs }) => hostMs))
        if (slipMs > 0 || atMs < marked.atMs) return { atMs, slipMs }
        const late = changes.map((change) => lateMs(change, marked.slipMs))
        return { atMs, slipMs: Math.max(...late) }
      },
    },
    close: () => uno.close(),
  }
}

/**
 * Tells how late the chip was at a change, beyond the `slipMs` that it had given up by then. It is measured against the
 * change at which it was least so, which makes it a lower limit.
 */
function lateness(): (change: DutyChange, slipMs: number) => number {
  let least = Infinity
  return ({ hostMs, chipMs }, slipMs) => {
    const distance = hostMs - chipMs - slipMs
    least = Math.min(least, distance)
    return distance - least
  }
}
