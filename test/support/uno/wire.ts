import { z } from 'zod'

const id = z.number()
const pin = z.number()

/** A call of one method of the board, a line of JSON on the stdin of its process. */
export const requestSchema = z.discriminatedUnion('call', [
  z.object({ id, call: z.enum(['dutyOf', 'levelOf', 'isOutput', 'servoPulseUs']), pin }),
  z.object({ id, call: z.literal('setAnalog'), channel: z.number(), volts: z.number() }),
  z.object({ id, call: z.literal('setInput'), pin, level: z.literal([0, 1]) }),
  z.object({ id, call: z.literal('garble'), bytes: z.array(z.number()) }),
  z.object({ id, call: z.enum(['reset', 'chipMs', 'slipMs', 'hang', 'resume', 'unplug']) }),
])

/** What the process of the board says, a line of JSON each: first `path`, then replies and changes as they come. */
export const messageSchema = z.union([
  z.object({ path: z.string() }),
  z.strictObject({ id, value: z.union([z.number(), z.boolean()]).optional() }),
  z.object({ id, error: z.string() }),
  z.object({
    duty: z.object({ pin, duty: z.number(), chipMs: z.number(), hostMs: z.number() }),
  }),
])

export type Request = z.infer<typeof requestSchema>
export type Message = z.infer<typeof messageSchema>
