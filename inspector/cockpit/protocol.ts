import { z } from 'zod'
import type { Box } from '../../core/space/boxes.ts'
import type { Point, Pose, Twist } from '../../core/vocabulary/geometry.ts'
import type { Status } from '../../core/vocabulary/status.ts'

/** What a page may do: watch (and halt), or also drive, answer, reset and arm. */
export const roles = ['watch', 'drive'] as const
export type Role = (typeof roles)[number]

/** What a page may say over `/live`: one JSON object a message. */
export const pageWordSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('halt') }),
  z.strictObject({ type: z.literal('reset') }),
  z.strictObject({ type: z.literal('arm'), epoch: z.int() }),
  z.strictObject({ type: z.literal('resume') }),
  z.strictObject({ type: z.literal('pause') }),
  z.strictObject({ type: z.literal('takeOver') }),
  z.strictObject({ type: z.literal('release') }),
  /**
   * m/s and rad/s, about twenty times a second while a stick is held, at zero first; `sequence` grows by each word of a
   * page. Silent for 0.2 s in a motion, it counts as let go; a driver that says nothing for 2 s (0.5 s in a motion) does
   * not drive any more, so that one who rests sends zeros.
   */
  z.strictObject({
    type: z.literal('drive'),
    linear: z.number(),
    angular: z.number(),
    sequence: z.int().nonnegative(),
  }),
  z.strictObject({ type: z.literal('goal'), text: z.string().min(1).max(2000) }),
  z.strictObject({
    type: z.literal('answer'),
    id: z.int(),
    text: z.string().min(1).max(500),
  }),
])
export type PageWord = z.infer<typeof pageWordSchema>

/** A statechart as it is drawn, laid out once: an SVG whose states and transitions carry `data-id`. */
export interface Drawing {
  readonly machine: string
  readonly svg: string
}

/** A running actor of the robot. */
export interface ActorView {
  /** As the system knows it: `robot`, `agent`, `sensor.front`. */
  readonly id: string
  readonly parent: string | null
  readonly machine: string
  readonly status: string
  /** The ids of the states that are active, as the drawing has them: `robot.active.autonomous`. */
  readonly active: readonly string[]
  /** What it last did, what caused that, and where it came from and went, as the drawing has them. */
  readonly last: {
    readonly event: string
    readonly from: readonly string[]
    readonly to: readonly string[]
    /** The transitions that were taken, as the drawing has them: `robot.active#2`. */
    readonly transitions: readonly string[]
    readonly atMs: number
  } | null
  /** Its context in a few words a field, cut to a line each. */
  readonly context: Readonly<Record<string, string>>
}

/** One turn of the agent's loop, as far as it has come. */
export interface LoopView {
  readonly id: number
  readonly atMs: number
  readonly prompt: string | null
  readonly proposal: string | null
  readonly verdict: string | null
  readonly action: string | null
}

/** What the robot senses and does, in its own frames: obstacles in `base_link`, pose and scan in `odom`. */
export interface WorldView {
  readonly atMs: number
  readonly pose: Pose | null
  readonly velocity: Twist | null
  readonly commanded: Twist
  readonly obstacles: readonly Box[]
  readonly scan: readonly Point[]
  readonly battery: number | null
  readonly outputs: readonly {
    readonly name: string
    readonly output: number | null
    readonly safe: boolean
  }[]
}

/** What the robot says over `/live`. */
export type RobotWord =
  | { readonly type: 'hello'; readonly role: Role; readonly name: string; readonly run: string }
  | { readonly type: 'drawing'; readonly drawing: Drawing }
  | { readonly type: 'actors'; readonly actors: readonly ActorView[] }
  | { readonly type: 'status'; readonly status: Status }
  | { readonly type: 'world'; readonly world: WorldView }
  | { readonly type: 'loop'; readonly turn: LoopView }
  | { readonly type: 'notice'; readonly text: string }
  /** Who drives now: this page, another one, or nobody. */
  | { readonly type: 'driver'; readonly driver: 'you' | 'another' | 'nobody' }
  /** Why a word was not carried out. */
  | {
      readonly type: 'refused'
      readonly word: PageWord['type'] | 'unknown'
      readonly message: string
    }
