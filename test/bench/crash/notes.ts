import { hash } from 'node:crypto'
import { z } from 'zod'

/** What a robot that will be killed is about to keep; what is long is told by its digest. */
const changeSchema = z.discriminatedUnion('of', [
  z.strictObject({
    of: z.literal('ledger'),
    books: z.string(),
    hold: z.tuple([z.string(), z.string()]).optional(),
    ended: z.array(z.string()),
  }),
  z.strictObject({
    of: z.literal('memories'),
    keep: z.array(z.tuple([z.int(), z.string()])),
    forget: z.array(z.int()),
  }),
  z.strictObject({
    of: z.literal('record'),
    entries: z.int(),
    digest: z.string(),
    decisions: z.int(),
  }),
])

/** One line of what it says on its standard output. */
export const noteSchema = z.discriminatedUnion('note', [
  /** From here on it may be killed. */
  z.strictObject({ note: z.literal('opening') }),
  z.strictObject({ note: z.literal('opened'), what: z.string() }),
  z.strictObject({ note: z.literal('will'), change: changeSchema }),
  /** The store's promise has resolved: of each store, in the order in which they were said to come. */
  z.strictObject({ note: z.literal('acknowledged'), of: z.enum(['ledger', 'memories', 'record']) }),
  z.strictObject({ note: z.literal('failed'), cause: z.string() }),
])

export type Note = z.infer<typeof noteSchema>
export type Change = z.infer<typeof changeSchema>

/** The stores that it keeps, each of which acknowledges what it has kept. */
export const storeNames = ['ledger', 'memories', 'record'] as const
export type StoreName = (typeof storeNames)[number]

/** The same text for the same value, in whatever order its fields are. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(
          Object.entries(part).toSorted(([one], [other]) => (one < other ? -1 : 1)),
        )
      : part,
  )
}

export function digestOf(text: string): string {
  return hash('sha256', text, 'base64url')
}
