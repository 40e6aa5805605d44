import type { HaltReport } from '../core/vocabulary/status.ts'
import type { Body } from '../drivers/body.ts'
import type { Clock } from '../drivers/clock.ts'
import type { MotionGate } from '../drivers/gate.ts'

/** Trips the motion gate, and knows how well the last halt is known to have worked. */
export interface Halting {
  /** The gate is tripped when this returns; the promise is of the evidence, and never rejects. */
  trip(cause: string, epoch?: number): Promise<HaltReport>
  /** The evidence of the last halt, once it is in. */
  readonly report: HaltReport | undefined
  /** Resolves when the evidence of the last halt is in. */
  settled(): Promise<unknown>
}

export function createHalting(gate: MotionGate, body: Body, clock: Clock): Halting {
  let report: HaltReport | undefined
  let confirming: Promise<unknown> = Promise.resolve()
  const gather = async (sinceMs: number): Promise<HaltReport> => {
    const evidence = await body.confirm()
    const ms = Math.round((clock.now() - sinceMs) * 1000) / 1000
    report = { evidence, ms }
    return report
  }
  return {
    trip(cause, epoch) {
      gate.trip(cause, epoch)
      const gathering = gather(clock.now())
      confirming = gathering
      return gathering
    },
    get report() {
      return report
    },
    settled: () => confirming,
  }
}
