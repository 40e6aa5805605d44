import { type Inquiry, inquiryMs } from '../core/vocabulary/inquiry.ts'
import { printable } from '../inspector/terminal.ts'
import type { Parts } from './parts.ts'

/** Says something that a person should hear once to everybody who listens. Whatever is in it reaches no terminal as a code. */
export function tellPerson({ listen, log, noticeListeners }: Parts, line: string): void {
  const clean = printable(line)
  log.info({}, clean)
  for (const listener of noticeListeners) listen('notice', listener)(clean)
}

/** What a person is asked, and how to answer. What the kernel says comes first; the model's words are quoted, and said to be its own. */
export function questionLine(
  name: string,
  { id, kind, text, choices, modelSays }: Inquiry,
): string {
  const within = `within ${inquiryMs[kind] / 1_000} s: mechos answer`
  const says = `the model says: ${JSON.stringify(modelSays)}`
  if (kind === 'approval') {
    return `${name} asks (${id}): ${text}? ${within} yes --id ${id}, or no; ${says}`
  }
  const offered = choices
    .map((choice, index) => `${index + 1} ${JSON.stringify(choice)}`)
    .join(', ')
  return `${name} asks (${id}), in the words of its model: ${JSON.stringify(text)} ${offered === '' ? '' : `(${offered}) `}${within} TEXT --id ${id}; ${says}`
}
