import { z } from 'zod'
import { explainIssues } from '../vocabulary/explain.ts'
import { MechosError } from '../vocabulary/errors.ts'
import { type Proposal, reasonCharactersMax } from '../vocabulary/intent.ts'

const reply = z.strictObject({
  reason: z.string(),
  intent: z.looseObject({ type: z.string() }),
})

/** The most characters of one reply that are looked at. */
export const replyCharactersMax = 16_384

/**
 * Reads a model's reply: one JSON object `{"reason", "intent"}` and nothing around it. What the intent asks for is the
 * kernel's to judge. Throws ERR_BRAIN_RUBBISH, saying what was wrong in words that the model can be told.
 */
export function readReply(text: string): Proposal {
  if (text.length > replyCharactersMax) {
    throw rubbish(`it has ${text.length} characters; ${replyCharactersMax} are allowed`)
  }
  const parsed = reply.safeParse(parseJson(text))
  if (!parsed.success) throw rubbish(explainIssues(parsed.error.issues, parseJson(text)))
  return { reason: parsed.data.reason.slice(0, reasonCharactersMax), intent: parsed.data.intent }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw rubbish('it is not one JSON object', cause)
  }
}

function rubbish(why: string, cause?: unknown): MechosError {
  return new MechosError('ERR_BRAIN_RUBBISH', `the model's reply was not an intent: ${why}`, {
    cause,
  })
}
