import { z } from 'zod'
import { explainIssues } from '../vocabulary/explain.ts'
import { type Proposal, reasonCharactersMax } from '../vocabulary/intent.ts'
import type { Completion, Finish } from '../vocabulary/question.ts'
import { repeatedKey } from './repeated-key.ts'

/** Every way in which a reply may turn out. Each reply counts as exactly one. */
export const replyOutcomes = [
  'intent',
  'truncated',
  'filtered',
  'refused',
  'toolCall',
  'missing',
  'oversized',
  'fenced',
  'doubled',
  'notJson',
  'schema',
] as const

export type ReplyOutcome = (typeof replyOutcomes)[number]

/** A reply: a proposal, or why it is none, in one line that the model can be told. */
export type Reply =
  | { readonly outcome: 'intent'; readonly proposal: Proposal }
  | { readonly outcome: Exclude<ReplyOutcome, 'intent'>; readonly message: string }

/** The most characters of one reply that are looked at. */
export const replyCharactersMax = 16_384

/**
 * Reads a model's reply. Only one whole JSON object `{"reason", "intent"}` with nothing around it is a proposal; a reply
 * that was cut off, filtered or withheld is none, however well its beginning reads. What the intent asks for is the
 * kernel's to judge. Never throws.
 */
export function readReply({ content, finish }: Completion): Reply {
  if (finish !== 'stop') {
    return { outcome: unfinished[finish], message: `the model's reply is not whole: ${finish}` }
  }
  if (content.length > replyCharactersMax) {
    const message = `it has ${content.length} characters; ${replyCharactersMax} are allowed`
    return rejected('oversized', message)
  }
  if (content.trim() === '') return rejected('missing', 'it is empty')
  const parsed = parseJson(content)
  if (!parsed.ok) return wrapped(content)
  if (Array.isArray(parsed.value)) return rejected('doubled', notOne('but a list'))
  const twice = repeatedKey(content)
  if (twice !== undefined) {
    return rejected('doubled', `it says ${JSON.stringify(twice.slice(0, pathCharactersMax))} twice`)
  }
  const strange = strangerIn(parsed.value)
  return strange === undefined ? checked(parsed.value) : rejected('schema', strange)
}

const unfinished = {
  length: 'truncated',
  content_filter: 'filtered',
  refusal: 'refused',
  tool_calls: 'toolCall',
  oversized: 'oversized',
  missing: 'missing',
} as const satisfies Record<Exclude<Finish, 'stop'>, ReplyOutcome>

const reply = z.strictObject({
  reason: z.string(),
  intent: z.looseObject({ type: z.string() }),
})

function checked(value: unknown): Reply {
  if (typeof value !== 'object' || value === null) {
    return rejected('schema', 'it is not one JSON object')
  }
  const { success, data, error } = reply.safeParse(value)
  if (!success) return rejected('schema', explainIssues(error.issues, value))
  const reason = data.reason.slice(0, reasonCharactersMax)
  return { outcome: 'intent', proposal: { reason, intent: data.intent } }
}

/** Says what is wrong with a text that is no JSON as a whole. */
function wrapped(content: string): Reply {
  const text = content.trim()
  if (text.startsWith('```') || text.endsWith('```')) {
    return rejected('fenced', notOne('but fenced: send it without ```'))
  }
  if (isSeveralObjects(text)) return rejected('doubled', notOne('but several'))
  return rejected('notJson', 'it is not one JSON object')
}

function notOne(but: string): string {
  return `it is not one JSON object, ${but}`
}

/** The reply's own names may be in it: one line of them will do. */
function rejected(outcome: Exclude<ReplyOutcome, 'intent'>, why: string): Reply {
  const line = why.slice(0, whyCharactersMax).replaceAll(/\p{Cc}/gu, ' ')
  return { outcome, message: `the model's reply was not an intent: ${line}` }
}

const whyCharactersMax = 300

type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false }

function parseJson(text: string): Parsed {
  try {
    const value: unknown = JSON.parse(text)
    return { ok: true, value }
  } catch {
    return { ok: false }
  }
}

/** What JSON can write and nothing of ours may hold, anywhere in it: a number without end, and a hidden prototype. */
function strangerIn(root: unknown): string | undefined {
  const rest: [path: string, value: unknown][] = [['', root]]
  for (let next = rest.pop(); next; next = rest.pop()) {
    const [path, value] = next
    if (typeof value === 'number' && !Number.isFinite(value)) {
      return `${path.slice(1)}: ${value} is not allowed; expected a finite number`
    }
    if (typeof value !== 'object' || value === null) continue
    for (const [key, inner] of Object.entries(value)) {
      const at = `${path.slice(-pathCharactersMax)}.${key}`
      if (key === '__proto__') return `${at.slice(1)}: no such field`
      rest.push([at, inner])
    }
  }
  return undefined
}

const pathCharactersMax = 100

/** Whole JSON objects one after the other, with nothing but blanks and commas between them. */
function isSeveralObjects(text: string): boolean {
  const objects = text.split(/(?<=\})[\s,]*(?=\{)/)
  return objects.length > 1 && joinedObjects(objects)
}

/** A seam may be within a text, or within an object: pieces that are nothing by themselves are joined again. */
function joinedObjects(pieces: readonly string[]): boolean {
  let count = 0
  let open = ''
  for (const piece of pieces.slice(0, piecesMax)) {
    open += piece
    if (!parseJson(open).ok) continue
    count += 1
    open = ''
  }
  return open === '' && count > 1
}

const piecesMax = 64
