import { z } from 'zod'

const call = z.object({
  /** The first word of its reply's reason. */
  id: z.string(),
  tokens: z.int().positive(),
  /** What it said of its usage was true, if it said anything. */
  isHonest: z.boolean(),
  /** Its reply was not cut off by its cap. */
  isWhole: z.boolean(),
})

/** What stands on a server's bill, and what became of the requests. */
export const billSchema = z.object({
  requests: z.int(),
  /** Whose connections are not over yet. */
  underWay: z.int(),
  /** The most requests that were under way at once. */
  atOnceMax: z.int(),
  failed: z.int(),
  dropped: z.int(),
  lies: z.int(),
  /** Whoever asked hung up before the answer was whole. */
  givenUp: z.int(),
  billedTokens: z.int(),
  calls: z.array(call),
})

export type BilledCall = z.infer<typeof call>
export type Bill = z.infer<typeof billSchema>
