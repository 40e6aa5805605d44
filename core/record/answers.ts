import { z } from 'zod'
import type { Proposal } from '../vocabulary/intent.ts'

/** What promises of the outside resolve to. */
export const bodyFactsSchema = z.object({ firmware: z.string(), deadman: z.boolean() })

export const evidenceSchema = z.enum(['measured', 'echoed', 'written', 'none'])

/** A brain that was handed in may say anything: what it says is looked at where it is judged. */
export const proposalSchema = z.custom<Proposal>(() => true)

const amount = z.object({ tokens: z.number(), nanoUsd: z.number() })

export const reservationSchema = z.object({
  id: z.string(),
  worst: amount,
  capTokens: z.number(),
})

export const settlementSchema = z.object({ overbilled: z.boolean() })

export const completionSchema = z
  .object({
    content: z.string(),
    finish: z.enum([
      'stop',
      'length',
      'content_filter',
      'refusal',
      'tool_calls',
      'oversized',
      'missing',
    ]),
    usage: z.object({ promptTokens: z.number(), completionTokens: z.number() }).optional(),
  })
  .transform(({ content, finish, usage }) => ({ content, finish, usage }))

export const budgetNoteSchema = z
  .object({ level: z.enum(['ample', 'low', 'exhausted']), cause: z.string().optional() })
  .transform(({ level, cause }) => ({ level, cause }))
