import { z } from 'zod'
import type { Completion, Finish, Usage } from '../core/vocabulary/question.ts'
import { replyCharactersMax } from '../core/rules/reply.ts'

const words = z.string().nullish().catch(undefined)
const calls = z.array(z.unknown()).nullish().catch(undefined)
const said = z
  .object({
    content: words,
    refusal: words,
    tool_calls: calls,
    function_call: z.unknown().optional(),
  })
  .nullish()

/** A whole answer, or a piece of one. Servers differ in what they add and leave out: no more is asked than is needed. */
const answerSchema = z.object({
  choices: z
    .array(
      z.object({
        index: z.number().nullish(),
        message: said,
        delta: said,
        finish_reason: words,
      }),
    )
    .nullish(),
  usage: z.unknown().optional(),
  error: z.unknown().optional(),
})

const usageSchema = z.object({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  total_tokens: z.number().optional().catch(undefined),
})

/** What has been heard of an answer so far. */
export interface Heard {
  readonly content: string
  readonly refusal: string
  readonly isCalling: boolean
  /** The server's word; undefined while it has not said that it is through. */
  readonly finish: string | undefined
  readonly usage: Usage | undefined
  /** The server says itself that it failed. */
  readonly hasFailed: boolean
}

/**
 * Adds a chunk of a stream to what was heard before, or takes a whole answer; undefined when it is neither. Choices
 * but the first are passed over.
 */
export function hear(answer: unknown, heard: Heard = nothing): Heard | undefined {
  const parsed = answerSchema.safeParse(answer)
  if (!parsed.success) return undefined
  const { choices, usage, error } = parsed.data
  const choice = choices?.find(({ index }) => (index ?? 0) === 0)
  const more = choice?.delta ?? choice?.message
  return {
    content: heard.content + (more?.content ?? ''),
    refusal: heard.refusal + (more?.refusal ?? ''),
    isCalling:
      heard.isCalling || (more?.tool_calls ?? []).length > 0 || !isNothing(more?.function_call),
    finish: isWithheld(heard.finish) ? heard.finish : choice?.finish_reason || heard.finish,
    usage: usageOf(usage) ?? heard.usage,
    hasFailed: heard.hasFailed || !isNothing(error),
  }
}

/** A server that has said that a text is not whole cannot take that back. */
function isWithheld(finish: string | undefined): boolean {
  return finish !== undefined && finish !== 'stop'
}

/** Whether there is more than anybody would look at. The rest need not be waited for. */
export function isOversized({ content, refusal }: Heard): boolean {
  return !(content.length + refusal.length <= replyCharactersMax)
}

/** What it comes to. Only `stop` is a whole text: a refusal, a call or an excess outweighs what the server says of it. */
export function completionOf(heard: Heard): Completion {
  const { content, refusal, usage } = heard
  const text = refusal === '' ? content : refusal
  return { content: text.slice(0, replyCharactersMax), finish: finishOf(heard), usage }
}

function finishOf(heard: Heard): Finish {
  if (isOversized(heard)) return 'oversized'
  if (heard.refusal !== '') return 'refusal'
  if (heard.isCalling) return 'tool_calls'
  return finishes.get(heard.finish ?? '') ?? 'missing'
}

/** The server's words that are understood. */
const finishes: ReadonlyMap<string, Finish> = new Map([
  ['stop', 'stop'],
  ['length', 'length'],
  ['content_filter', 'content_filter'],
  ['tool_calls', 'tool_calls'],
  ['function_call', 'tool_calls'],
])

/**
 * What a server says that it used; undefined when it does not say, or not in numbers. Whether that can be true is for
 * the budget to judge. Some leave reasoning out of the completion's tokens, but never out of the total.
 */
function usageOf(value: unknown): Usage | undefined {
  const parsed = usageSchema.safeParse(value)
  if (!parsed.success) return undefined
  const { prompt_tokens: promptTokens, completion_tokens, total_tokens } = parsed.data
  const rest = total_tokens === undefined ? completion_tokens : total_tokens - promptTokens
  return { promptTokens, completionTokens: Math.max(completion_tokens, rest) }
}

const nothing: Heard = {
  content: '',
  refusal: '',
  isCalling: false,
  finish: undefined,
  usage: undefined,
  hasFailed: false,
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null
}
