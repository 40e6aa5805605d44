import {
  describeIntent,
  describeProposed,
  intentSchema,
  type Proposal,
} from '../vocabulary/intent.ts'
import { type Episode, memoryMax } from '../vocabulary/memory.ts'
import type { Observation } from '../vocabulary/observation.ts'

/** A turn of the loop that is over. */
export interface Turn {
  readonly observation: Observation
  readonly proposal: Proposal
  /** `permitted`, or why not. */
  readonly judged: string
  /** What became of it: `done`, or why not. */
  readonly ended: string
}

/** A turn as it is remembered, each text cut to its limit. */
export function episodeOf(turn: Turn): Omit<Episode, 'id' | 'run' | 'wallMs'> {
  const { observation: seen, proposal } = turn
  return {
    kind: 'episode',
    at: { frame: 'odom', ...finite(seen.pose) },
    goal: (seen.goal ?? '').slice(0, memoryMax.goal),
    seen: {
      boxes: seen.obstacles
        .slice(0, memoryMax.boxes)
        .filter((box) => allFinite(Object.values(box))),
      battery: Number.isFinite(seen.battery) ? (seen.battery ?? null) : null,
      blind: seen.scene.stale.slice(0, memoryMax.blind).map(cut),
    },
    intended: cut(intendedBy(proposal)),
    reason: proposal.reason.slice(0, memoryMax.reason),
    judged: cut(turn.judged),
    ended: cut(turn.ended),
  }
}

function intendedBy({ intent }: Proposal): string {
  const { success, data } = intentSchema.safeParse(intent)
  return success ? describeIntent(data) : describeProposed(intent)
}

function cut(text: string): string {
  return text.slice(0, memoryMax.line)
}

/** A pose that is none is the origin: what happened there is worth keeping all the same. */
function finite({ x, y, heading }: Observation['pose']): Observation['pose'] {
  return allFinite([x, y, heading]) ? { x, y, heading } : { x: 0, y: 0, heading: 0 }
}

function allFinite(values: readonly number[]): boolean {
  return values.every(Number.isFinite)
}
