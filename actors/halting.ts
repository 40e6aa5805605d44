import type { HaltReport } from '../core/vocabulary/status.ts'
import type { Body, Evidence } from '../drivers/body.ts'
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

/** `wall` bounds how long evidence is waited for, also where the robot's own clock stands still. */
export function createHalting(gate: MotionGate, body: Body, clock: Clock, wall: Clock): Halting {
  let report: HaltReport | undefined
  let confirming: Promise<unknown> = Promise.resolve()
  const gather = async (sinceMs: number): Promise<HaltReport> => {
    const evidence = await evidenceOf(body, wall)
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

/** How long a body may take to confirm a halt, in ms: more than twice what its contract grants. */
const confirmMsMax = 500

/** A body that rejects or dawdles against its contract has no evidence, and keeps nobody waiting for it. */
async function evidenceOf(body: Body, wall: Clock): Promise<Evidence> {
  let timer: number | undefined
  const late = new Promise<Evidence>((resolve) => {
    timer = wall.setTimeout(() => resolve('none'), confirmMsMax)
  })
  const confirmed = async (): Promise<Evidence> => body.confirm()
  const evidence = await Promise.race([confirmed().catch((): Evidence => 'none'), late])
  if (timer !== undefined) wall.clearTimeout(timer)
  return evidence
}
