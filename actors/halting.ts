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
  /** Resolves when the first evidence of the last halt is in. */
  settled(): Promise<unknown>
  /** Resolves when the board has confirmed the last halt, or has had a second more to do so. */
  final(): Promise<unknown>
}

/** `wall` bounds how long evidence is waited for, also where the robot's own clock stands still. */
export function createHalting(gate: MotionGate, body: Body, clock: Clock, wall: Clock): Halting {
  let report: HaltReport | undefined
  let confirming: Promise<unknown> = Promise.resolve()
  let haltedAtMs = 0
  const found = (evidence: Evidence): HaltReport => ({
    evidence,
    ms: Math.round((now() - haltedAtMs) * 1000) / 1000,
  })
  /** A clock that fails keeps no halt from being carried out. */
  const now = () => {
    try {
      return clock.now()
    } catch {
      return haltedAtMs
    }
  }
  let halts = 0
  const gather = async (): Promise<HaltReport> => {
    const mine = ++halts
    const gathered = found(await evidenceOf(body, wall))
    // A halt that another one has overtaken is never answered, and says nothing of the later one.
    if (mine === halts) report = gathered
    return gathered
  }
  /** A busy machine or board may answer late: what is asked once more does no harm. */
  const insist = async (): Promise<void> => {
    for (let again = 0; again < insistencesMax && report && !isConfirmed(report); again++) {
      const asked = report
      // oxlint-disable-next-line no-await-in-loop -- asked again only because the last answer was too weak
      const evidence = await evidenceOf(body, wall)
      if (report === asked && isConfirmed({ evidence })) report = found(evidence)
    }
  }
  return {
    trip(cause, epoch) {
      gate.trip(cause, epoch)
      haltedAtMs = now()
      const gathering = gather()
      confirming = gathering
      return gathering
    },
    get report() {
      return report
    },
    settled: () => confirming,
    async final() {
      await confirming
      await insist()
    },
  }
}

/** How often a body is asked again before a halt is called unconfirmed. */
const insistencesMax = 5

function isConfirmed({ evidence }: Pick<HaltReport, 'evidence'>): boolean {
  return evidence === 'echoed' || evidence === 'measured'
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
