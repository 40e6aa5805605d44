import type { Question } from '../vocabulary/question.ts'

/** Counts tokens as a model does. */
export interface TokenCounter {
  count(text: string): number
}

/** Template tokens that a server may add around each message, and around the whole prompt. */
const perMessageTokens = 16
const perPromptTokens = 64

/** Servers write the schema of a reply into the prompt in their own way. */
const schemaMargin = 1.25

/**
 * The most that a server may count for a prompt: its contents, the schema of the reply, and a template around them.
 * Without a counter every UTF-8 byte counts: a byte-level tokenizer never makes more tokens than that.
 */
export function promptBound(question: Question, counter: TokenCounter | undefined): number {
  const schema = JSON.stringify(question.schema)
  const schemaTokens = counter
    ? Math.ceil(countAtMost(schema, counter) * schemaMargin)
    : bytesOf(schema)
  const template = perPromptTokens + question.messages.length * perMessageTokens
  return contentsBound(question, counter) + schemaTokens + template
}

/** The most that the contents of the messages alone come to. What a server counts beyond it is its overhead. */
export function contentsBound({ messages }: Question, counter: TokenCounter | undefined): number {
  return messages.reduce((total, { content }) => total + countAtMost(content, counter), 0)
}

/** The least that an honest server counts for a prompt. */
export function promptFloor({ messages }: Question, counter: TokenCounter | undefined): number {
  return messages.reduce((total, { content }) => total + countAtLeast(content, counter), 0)
}

/** The least that an honest server counts for a reply. */
export function replyFloor(content: string, counter: TokenCounter | undefined): number {
  return countAtLeast(content, counter)
}

function countAtMost(text: string, counter: TokenCounter | undefined): number {
  if (!counter) return bytesOf(text)
  const pieces = text.split(longRun)
  // Every second piece is a run: the expression has one group.
  const counts = pieces.map((piece, at) => (at % 2 === 1 ? bytesOf(piece) : counter.count(piece)))
  return Math.min(
    bytesOf(text),
    counts.reduce((total, count) => total + count, 0),
  )
}

/**
 * Exact where that is possible: templates trim contents, a server may take `<|…|>` for one token, and runs that are too
 * long to be counted are counted by their words, as everything is without a counter.
 */
function countAtLeast(text: string, counter: TokenCounter | undefined): number {
  const trimmed = text.trim()
  const isExact = counter && !trimmed.includes('<|') && text.search(longRun) < 0
  if (!isExact) return trimmed.match(word)?.length ?? 0
  return Math.min(counter.count(text), counter.count(trimmed))
}

/**
 * More than 512 characters in a row that a tokenizer may take for one piece, within which its time grows with the
 * square of the length. Marks go with letters and with signs, and slashes with line breaks.
 */
const longRun = /([\p{L}\p{M}]{513,}|\p{N}{513,}|[\s/]{513,}|[^\p{L}\p{N}\s]{513,})/u

/** No tokenizer in use makes one token of two words; of what is within one, such as an apostrophe, some do. */
const word = /[\p{L}\p{M}\p{N}'’]+/gu

function bytesOf(text: string): number {
  return encoder.encode(text).length
}

const encoder = new TextEncoder()
