import { z } from 'zod'

/** What may be said to a running robot over its control socket: one JSON object a line. */
export const requestSchema = z.discriminatedUnion('verb', [
  z.strictObject({ verb: z.literal('status') }),
  /** The status again, as text for people. */
  z.strictObject({ verb: z.literal('describe') }),
  z.strictObject({ verb: z.literal('halt'), cause: z.string().max(200).optional() }),
  z.strictObject({ verb: z.literal('reset') }),
  z.strictObject({ verb: z.literal('arm'), epoch: z.int() }),
  z.strictObject({ verb: z.literal('resume') }),
  z.strictObject({ verb: z.literal('pause') }),
  z.strictObject({ verb: z.literal('goal'), text: z.string().min(1).max(2000) }),
])

export type Request = z.infer<typeof requestSchema>

export const responseSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.record(z.string(), z.unknown()) }),
  z.object({ ok: z.literal(false), message: z.string() }),
])

export type Response = z.infer<typeof responseSchema>

/** The most bytes of one line, either way. */
export const lineBytesMax = 64 * 1024
