import type { Repetition } from '../rules/loop.ts'
import type { Box } from '../space/boxes.ts'
import type { Limits } from './configuration.ts'
import type { Pose, Twist } from './geometry.ts'
import type { Answered } from './inquiry.ts'
import type { Recalled } from './memory.ts'
import type { NamedPlace } from './place.ts'
import type { Scene } from './scene.ts'

/** One earlier intent and what became of it. */
export interface PastIntent {
  readonly intent: string
  readonly outcome: string
}

/** Everything that a brain is told before it proposes. Obstacles and scene in `base_link`, pose in `odom`. */
export interface Observation {
  readonly stampMs: number
  readonly goal: string | undefined
  readonly pose: Pose
  readonly velocity: Twist
  readonly scene: Scene
  /** The nearest obstacles, nearest first. */
  readonly obstacles: readonly Box[]
  readonly battery: number | undefined
  readonly limits: Pick<Limits, 'linear' | 'angular'>
  readonly canDrive: boolean
  readonly relays: readonly string[]
  /** The capabilities for which a person has to approve each intent. */
  readonly approve: readonly string[]
  readonly history: readonly PastIntent[]
  /** What people have said, oldest first. */
  readonly answers: readonly Answered[]
  /** What the brain has been proposing again and again. */
  readonly loop: Repetition | undefined
  /** What is remembered of moments like this one, what fits best first. */
  readonly memories?: readonly Recalled[]
  /** Whether something can be remembered now. */
  readonly canRemember?: boolean
  /** What people wrote down for the brain: places by their names, and words. */
  readonly places?: readonly NamedPlace[]
  readonly notes?: readonly string[]
}
