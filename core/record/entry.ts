import { z } from 'zod'
import { failureSchema } from './failure.ts'

/** The form of records that this program writes, and the only one that it reads. */
export const recordVersion = 1

/** NaN and the infinities are numbers, too, and come from sensors. */
export const anyNumber = z.custom<number>((value) => typeof value === 'number', 'a number')

/** How something that came in from outside was timed. */
const moment = {
  /** The robot's clock, in ms. Until the next moment all of the robot's time is this one. */
  atMs: anyNumber,
  /** The wall's clock, in ms since 1970. */
  wallMs: anyNumber,
  /** It came in the very call that had brought what stands before it: no promise went on in between. */
  glued: z.literal(true).optional(),
}

/** What a run began with: enough to put the same robot together again. */
const begin = z.strictObject({
  kind: z.literal('begin'),
  version: z.literal(recordVersion),
  /** What the run was called, where it was given a name. */
  run: z.string().optional(),
  name: z.string(),
  atMs: anyNumber,
  wallMs: anyNumber,
  seed: z.int().optional(),
  unclean: z.string().optional(),
  selfArm: z.boolean().optional(),
  unattended: z.literal(true).optional(),
  configuration: z.unknown(),
  body: z.strictObject({
    kind: z.enum(['simulated', 'firmata', 'custom']),
    senses: z.array(z.enum(['encoders', 'imu', 'battery'])).optional(),
    /** The calls that not every body has. */
    has: z.array(z.string()),
  }),
  cameras: z.array(z.string()),
  /** The name of a brain that was handed in; its decisions came from outside. */
  brain: z.string().optional(),
  /** It had a memory; what that told it came from outside. */
  memory: z.literal(true).optional(),
})

/** Something that came in by a door, at a moment of its own or while a call to the outside, `during`, was being made. */
const arrival = z.strictObject({
  kind: z.literal('in'),
  door: z.string(),
  ...moment,
  value: z.unknown().optional(),
})
const nested = z.strictObject({
  kind: z.literal('nested'),
  door: z.string(),
  during: z.string(),
  value: z.unknown().optional(),
})
/** The timer that was set as number `timer`, for `delayMs`, has fired. */
const timer = z.strictObject({
  kind: z.literal('timer'),
  timer: z.int(),
  delayMs: anyNumber,
  ...moment,
})
/** What became of a promise of the outside: `confirm:3` is the third that `confirm` gave. */
const answer = z.strictObject({
  kind: z.literal('answer'),
  call: z.string(),
  ...moment,
  value: z.unknown().optional(),
  failure: failureSchema.optional(),
})
/** A call to the outside threw. */
const thrown = z.strictObject({
  kind: z.literal('threw'),
  during: z.string(),
  failure: failureSchema,
})
/** What the robot did or decided. */
const output = z.strictObject({
  kind: z.literal('out'),
  what: z.string(),
  value: z.unknown().optional(),
})
/** From here on something is missing that a decision may depend on. */
const gap = z.strictObject({ kind: z.literal('gap'), cause: z.string() })
const end = z.strictObject({ kind: z.literal('end'), shed: z.int() })

export const entrySchema = z.discriminatedUnion('kind', [
  begin,
  arrival,
  nested,
  timer,
  answer,
  thrown,
  output,
  gap,
  end,
])

/** One line of a flight record. */
export type Entry = z.infer<typeof entrySchema>
export type Begin = z.infer<typeof begin>
