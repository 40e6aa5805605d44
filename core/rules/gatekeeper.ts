import { type DriveIntent, type Intent, intentSchema } from '../vocabulary/intent.ts'
import { explainIssues } from '../vocabulary/explain.ts'
import type { Point } from '../vocabulary/geometry.ts'
import type { Refusal, Verdict } from '../vocabulary/verdict.ts'
import type { Scene } from '../vocabulary/scene.ts'
import { judgeFence } from './fence.ts'
import { judgePath } from './path.ts'

/** The hard limits of one robot. Both ends of a limit are allowed. */
export interface Rules {
  readonly limits: {
    readonly linear: number
    readonly angular: number
    /** How fast this robot slows down, in m/s² and rad/s². */
    readonly linearBraking: number
    readonly angularBraking: number
  }
  /** A person has taken over: nothing that the agent proposes may move or switch anything. */
  readonly override?: boolean
  /** Why autonomous motion is out of the question on this body, in words; absent when it is not. */
  readonly immovable?: string
  /** Why nothing that the agent proposes may move or switch anything until a person holds a device; absent while one does. */
  readonly unheld?: string
  /** The corners of the ground that nothing drives it out of, in `odom`. */
  readonly geofence?: readonly Point[]
  /** The capabilities that the agent may use only when a person has approved the very intent. `judge` does not ask. */
  readonly approve?: readonly string[]
}

/**
 * Decides one proposal: shape, then override, then capability, then hard limits, then the way ahead. Fails closed:
 * what is not understood is refused, and so is motion without a scene. The verdict carries a fresh, checked copy of
 * the intent, so that nothing can change it afterwards.
 *
 * Hard limits refuse; they never saturate (DESIGN §6). `grants` are capabilities such as `drive` and `relay:lamp`.
 */
export function judge(
  proposal: unknown,
  rules: Rules,
  grants: ReadonlySet<string>,
  scene?: Scene,
): Verdict {
  const parsed = intentSchema.safeParse(proposal)
  if (!parsed.success) {
    const limit = 'drive, stop, wait, setRelay, askHuman or remember with finite fields'
    return refuse('shape', proposal, limit, explainIssues(parsed.error.issues, proposal))
  }
  const intent = parsed.data
  const refusal =
    judgeOverride(intent, rules) ??
    judgeHold(intent, rules) ??
    judgeGrant(intent, grants) ??
    judgeMotion(intent, rules, scene)
  return refusal ?? { permitted: true, intent: Object.freeze(intent) }
}

/** What an agent must have been granted for an intent: `drive`, `relay:lamp`; undefined when nothing. */
export function capabilityOf(intent: Intent): string | undefined {
  switch (intent.type) {
    case 'drive':
      return 'drive'
    case 'setRelay':
      return `relay:${intent.relay}`
    case 'stop':
    case 'wait':
    case 'askHuman':
    case 'remember':
      return undefined
  }
}

function judgeOverride(intent: Intent, rules: Rules): Refusal | undefined {
  if (rules.override !== true || !isActive(intent)) return undefined
  return refuse('override', intent.type, 'nothing', 'a person is driving: the agent may not act')
}

function judgeHold(intent: Intent, { unheld }: Rules): Refusal | undefined {
  if (unheld === undefined || !isActive(intent)) return undefined
  return refuse('enabling', 'released', 'held', unheld)
}

/** It moves or switches something. */
function isActive({ type }: Intent): boolean {
  return type === 'drive' || type === 'setRelay'
}

function judgeGrant(intent: Intent, grants: ReadonlySet<string>): Refusal | undefined {
  const needed = capabilityOf(intent)
  if (needed === undefined || grants.has(needed)) return undefined
  return refuse('capability', needed, [...grants], `${needed} has not been granted to the agent`)
}

function judgeMotion(intent: Intent, rules: Rules, scene: Scene | undefined): Refusal | undefined {
  if (intent.type !== 'drive') return undefined
  return (
    judgeImmovable(rules) ??
    judgeLimit('linear', 'm/s', intent, rules) ??
    judgeLimit('angular', 'rad/s', intent, rules) ??
    (scene ? judgeWay(intent, scene, rules) : judgeBlind(intent))
  )
}

function judgeWay(
  intent: DriveIntent,
  scene: Scene,
  { geofence, limits }: Rules,
): Refusal | undefined {
  const refusal = judgePath(intent, scene, limits)
  return refusal ?? (geofence && judgeFence(intent, scene, limits, geofence))
}

function judgeBlind(intent: DriveIntent): Refusal | undefined {
  if (intent.linear === 0 && intent.angular === 0) return undefined
  return refuse('unseen', 'nothing', 'a scene', 'nothing is known of the surroundings: no motion')
}

function judgeImmovable(rules: Rules): Refusal | undefined {
  if (rules.immovable === undefined) return undefined
  return refuse('deadman', 'absent', 'a deadman', rules.immovable)
}

function judgeLimit(
  axis: 'linear' | 'angular',
  unit: string,
  intent: DriveIntent,
  rules: Rules,
): Refusal | undefined {
  const value = intent[axis]
  const limit = rules.limits[axis]
  if (Math.abs(value) <= limit) return undefined
  const message = `${axis} ${value} ${unit} is beyond the limit of ${limit} ${unit}`
  return refuse(`limits.${axis}`, value, limit, message)
}

/** A refusal, with everything that a model or a person needs to do better. */
export function refuse(rule: string, value: unknown, limit: unknown, message: string): Refusal {
  return { permitted: false, rule, value, limit, message }
}
