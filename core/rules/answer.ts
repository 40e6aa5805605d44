import { show } from '../vocabulary/explain.ts'
import { inquiryMax, type Inquiry } from '../vocabulary/inquiry.ts'

/** What a person's words come to: an answer, or why they are none, in one line. */
export type Reading =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string }

/**
 * Reads what a person says to the inquiry that is open now. Words for another one are refused, and so is whatever is not
 * among its choices; of these, the number of one will do. An approval is given by `yes` and by nothing else.
 */
export function readAnswer(
  open: Inquiry | undefined,
  said: { readonly id: number; readonly text: string },
): Reading {
  if (!open) return refused('nothing is asked')
  if (said.id !== open.id) {
    return refused(`question ${said.id} is not open; the open one is ${open.id}`)
  }
  const text = said.text.trim()
  if (open.choices.length === 0) {
    const isFit = text.length > 0 && text.length <= inquiryMax.answerCharacters
    const allowed = `1 to ${inquiryMax.answerCharacters} characters`
    return isFit ? { ok: true, text } : refused(`${show(text)} is not allowed; ${allowed}`)
  }
  const chosen = choiceIn(open, text)
  if (chosen !== undefined) return { ok: true, text: chosen }
  return refused(`${show(text)} is not allowed; one of ${open.choices.map(show).join(', ')}`)
}

function choiceIn({ choices, kind }: Inquiry, text: string): string | undefined {
  const folded = text.toLowerCase()
  const named = choices.find((choice) => choice.trim().toLowerCase() === folded)
  if (named !== undefined || kind === 'approval') return named
  return /^\d$/.test(text) ? choices[Number(text) - 1] : undefined
}

function refused(why: string): Reading {
  return { ok: false, message: `answer: ${why}` }
}
