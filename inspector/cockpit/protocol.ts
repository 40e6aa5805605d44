import { z } from 'zod'
import type { Covariance } from '../../core/motion/covariance.ts'
import type { PastEvent } from '../../core/record/past.ts'
import type { PastReach } from '../../core/record/past-index.ts'
import type { Box } from '../../core/space/boxes.ts'
import type { Point, Pose, Twist } from '../../core/vocabulary/geometry.ts'
import type { Status } from '../../core/vocabulary/status.ts'
import type { Source } from '../../core/vocabulary/verdict.ts'

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
  /**
   * Whether this page's enabling device is held, about twenty times a second while it is. It counts for 0.2 s, and only
   * once it was let go since the robot was armed. `seenMs` is the `atMs` of the youngest world that the page has heard: one
   * that says `held` and has heard nothing young says nothing of now.
   */
  z.strictObject({ type: z.literal('enable'), held: z.boolean(), seenMs: z.number() }),
  z.strictObject({ type: z.literal('goal'), text: z.string().min(1).max(2000) }),
  z.strictObject({
    type: z.literal('answer'),
    id: z.int(),
    text: z.string().min(1).max(500),
  }),
  /** A moment that this page wants to look at, in ms on the robot's clock; null for none, and only the reach is told. */
  z.strictObject({ type: z.literal('past'), atMs: z.number().min(0).nullable() }),
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
  /** Transitions that it did not take of late because their guards said no, the youngest first; each is told once. */
  readonly refused: readonly Refused[]
  /** Its context in a few words a field, cut to a line each. */
  readonly context: Readonly<Record<string, string>>
}

/** A transition that was not taken because its guard said no. */
export interface Refused {
  /** As the drawing has it: `agent.deciding#0`. */
  readonly transition: string
  readonly event: string
  readonly guard: string
  readonly atMs: number
}

/** One turn of the agent's loop, as far as it has come. */
export interface LoopView {
  /** Names the turn among those that are watched. */
  readonly id: number
  readonly atMs: number
  /** What the brain was told, in a line. */
  readonly prompt: string | null
  /** The messages as they were sent to the model, cut; null where none was asked, and for turns of long ago. */
  readonly sent: readonly { readonly role: string; readonly content: string }[] | null
  /** What the model answered, as it came; null where none did. */
  readonly reply: string | null
  /** What was recalled for the turn, what fits best first; null where nobody reads memories. */
  readonly memories: readonly MemoryView[] | null
  readonly proposal: string | null
  readonly verdict: string | null
  readonly action: string | null
}

/** A memory as the brain was told it. Those of old records have neither number nor score. */
export interface MemoryView {
  readonly id: number | null
  readonly text: string
  readonly age: string
  readonly score: number | null
}

/** What a camera has taken last, or null. The picture is at `/camera/NAME`, unless `cause` says why not. */
export interface CameraView {
  readonly name: string
  readonly frame: {
    readonly stampMs: number
    readonly width: number
    readonly height: number
    /** Of the picture, as it is sent or would be. */
    readonly bytes: number
    readonly cause: string | null
  } | null
}

/** What the robot senses and does, in its own frames: obstacles in `base_link`, pose and scan in `odom`. */
export interface WorldView {
  readonly atMs: number
  readonly pose: Pose | null
  /** How unsure the pose is, by the robot's own odometry. */
  readonly covariance: Covariance | null
  /** Where the drive that is carried out now leads, in `odom`, until it ends by itself; null while there is none. */
  readonly planned: {
    readonly source: Source
    readonly way: readonly Point[]
    readonly twist: Twist
    readonly leftMs: number
  } | null
  /**
   * The last drive that was refused, until one is permitted, and for 5 s at most: where it would have led, in `odom`, in
   * the time that it asked for, a second at least.
   */
  readonly refused: {
    readonly source: Source
    readonly way: readonly Point[]
    readonly twist: Twist
    readonly rule: string
    readonly message: string
    readonly atMs: number
  } | null
  /** The corners of the ground that it may not leave, in `odom`. */
  readonly geofence: readonly Point[] | null
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

/** How far the flight record of this run can be looked at, in ms on the robot's clock, and where its last halts and refusals are. */
export type Reach = PastReach

/**
 * What the flight record shows of a moment. What it does not hold is null or empty: the contexts of the charts, for one,
 * and which transitions were taken.
 */
export interface Past {
  /** Of the last thing that came in until then, in ms on the robot's clock. */
  readonly atMs: number
  /** Why it was halted, if it was. */
  readonly causes: readonly string[]
  readonly actors: readonly ActorView[]
  readonly world: WorldView
  /** The last turns and lines until then, the oldest first. */
  readonly turns: readonly LoopView[]
  readonly events: readonly PastEvent[]
}

/** What the robot says over `/live`. */
export type RobotWord =
  | { readonly type: 'hello'; readonly role: Role; readonly name: string; readonly run: string }
  | { readonly type: 'drawing'; readonly drawing: Drawing }
  | { readonly type: 'actors'; readonly actors: readonly ActorView[] }
  | { readonly type: 'status'; readonly status: Status }
  | { readonly type: 'world'; readonly world: WorldView }
  | { readonly type: 'loop'; readonly turn: LoopView }
  /** What the cameras see, at most twice a second. */
  | { readonly type: 'cameras'; readonly cameras: readonly CameraView[] }
  | { readonly type: 'notice'; readonly text: string }
  /** Said when a page comes, and to whoever has asked. The reach is null while nothing can be looked at. */
  | { readonly type: 'past'; readonly reach: Reach | null; readonly past: Past | null }
  /** Who drives now: this page, another one, or nobody. */
  | { readonly type: 'driver'; readonly driver: 'you' | 'another' | 'nobody' }
  /** Why a word was not carried out. */
  | {
      readonly type: 'refused'
      readonly word: PageWord['type'] | 'unknown'
      readonly message: string
    }
