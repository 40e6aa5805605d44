import { z } from 'zod'
import { completionOf, type Heard, hear } from '../../actors/completion.ts'
import { refusalFailure } from '../../actors/failure.ts'
import { retryDelayMs } from '../../core/budget/retry.ts'
import { judge } from '../../core/rules/gatekeeper.ts'
import { readReply, type ReplyOutcome } from '../../core/rules/reply.ts'
import type { AttemptFailure } from '../../core/vocabulary/question.ts'
import type { Scene } from '../../core/vocabulary/scene.ts'
import { type Binding, near, same, strictly } from './binding.ts'
import { chargeFor } from './charge.ts'
import { checkBudget } from './openai-budget.ts'
import { checkFormat } from './openai-format.ts'

const tokens = z.union([
  z.int(),
  z.literal(
    'the reserved amount (prompt estimate + max_completion_tokens) is kept as spent, never 0',
  ),
])
const toolCall = z.strictObject({
  id: z.string(),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string(), arguments: z.string() }),
})
const answer = z.strictObject({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.int(),
  model: z.string(),
  choices: z.tuple([
    z.strictObject({
      index: z.literal(0),
      message: z.strictObject({
        role: z.literal('assistant'),
        content: z.string().nullable(),
        tool_calls: z.array(toolCall).optional(),
      }),
      finish_reason: z.string(),
    }),
  ]),
  usage: z
    .strictObject({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() })
    .optional(),
})
const response = z.strictObject({
  name: z.string(),
  response: answer,
  note: z.string().optional(),
  expect: z.discriminatedUnion('outcome', [
    z.strictObject({ outcome: z.literal('parsed'), tokens }),
    z.strictObject({
      outcome: z.literal('error'),
      kind: z.enum(['content_filter', 'bad_json', 'schema']),
      tokens: tokens.optional(),
    }),
    z.strictObject({
      outcome: z.literal('tool_call'),
      name: z.string(),
      arguments: z.record(z.string(), z.unknown()),
      tokens,
    }),
  ]),
})
const refusal = z.strictObject({
  status: z.int(),
  headers: z.record(z.string(), z.string()).optional(),
  /** The first attempt has the number 1. */
  attempt: z.int().positive().optional(),
  retry: z.boolean().optional(),
  error: z.string().optional(),
  wait_ms: z.number().optional(),
  wait_ms_range: z.tuple([z.number(), z.number()]).optional(),
})

/** openai_chat.json, through what an attempt is made of, and the budget on a virtual clock. */
export const openaiChat: Binding = {
  file: 'openai_chat.json',
  title: 'OpenAI-compatible chat completions: shapes, errors, retries, token budget',
  neighbours: [
    'facts.default timeout ms',
    'facts.default retries',
    'facts.streaming usage',
    'schema_used_in_cases',
    'response_format.required',
    'response_format.seed_bug',
  ],
  sections: {
    'facts.finish_reason': strictly(z.string(), (word) => {
      const wanted = finishes.get(word)
      if (wanted === undefined) return [`nobody has bound "${word}"`]
      const { finish } = completionOf({ ...unheard, content: still, finish: word })
      return same('reply', readReply({ content: still, finish, usage: undefined }).outcome, wanted)
    }),
    'response_format.rules': checkFormat,
    responses: strictly(response, (item) =>
      [[item.response], streamed(item.response)].flatMap((pieces) => checkHeard(item, pieces)),
    ),
    http: strictly(refusal, (item) => {
      const { status, headers = {}, attempt = 1, retry, error, ...wait } = item
      if (Object.keys(item).every((key) => ['status', 'headers', 'attempt'].includes(key))) {
        return ['the case expects nothing']
      }
      const failure = refusalFailure({ status, headers }, 0)
      return [
        ...(retry === undefined ? [] : same('retry', failure.retryable, retry)),
        ...(error === undefined ? [] : checkError(error, status, failure)),
        ...checkWait(wait, attempt - 1, failure),
      ]
    }),
    budget: checkBudget,
  },
}

const still = '{"reason":"","intent":{"type":"stop"}}'
const unheard: Heard = {
  content: '',
  refusal: '',
  isCalling: false,
  finish: undefined,
  usage: undefined,
  hasFailed: false,
}

/** What becomes of a reply that would be an intent, by the word that it ended with. */
const finishes: ReadonlyMap<string, ReplyOutcome> = new Map([
  ['stop', 'intent'],
  ['length', 'truncated'],
  ['tool_calls', 'toolCall'],
  ['content_filter', 'filtered'],
  ['function_call', 'toolCall'],
])

type Answer = z.output<typeof answer>

/** The same answer as a stream gives it: a piece for the message, one for its end, and a last one without choices. */
function streamed({ choices: [{ message, finish_reason }], usage }: Answer): readonly object[] {
  return [
    { choices: [{ index: 0, delta: message, finish_reason: null }] },
    { choices: [{ index: 0, delta: {}, finish_reason }] },
    { choices: [], usage },
  ]
}

function checkHeard(
  { response: given, expect }: z.output<typeof response>,
  pieces: readonly object[],
): string[] {
  let heard: Heard | undefined = unheard
  for (const piece of pieces) heard = heard && hear(piece, heard)
  if (!heard) return ['the answer is not understood']
  const wanted = expect.outcome === 'error' ? expect.kind : expect.outcome
  return [
    ...same('outcome', outcomeOf(heard), wanted),
    ...checkCharge(heard, expect.tokens),
    ...(expect.outcome === 'tool_call' ? checkCall(given, expect) : []),
  ]
}

/** In the words of the file. What a reply asks for beyond its shape is for the kernel to judge. */
function outcomeOf(heard: Heard): string {
  const completion = completionOf(heard)
  const reply = readReply({ ...completion, content: ours(completion.content) })
  if (reply.outcome !== 'intent') return outcomes.get(reply.outcome) ?? reply.outcome
  const verdict = judge(reply.proposal.intent, rules, new Set(['drive']), empty)
  if (verdict.permitted) return 'parsed'
  return verdict.rule === 'shape' ? 'schema' : verdict.rule
}

const outcomes: ReadonlyMap<ReplyOutcome, string> = new Map([
  ['toolCall', 'tool_call'],
  ['filtered', 'content_filter'],
  ['notJson', 'bad_json'],
  ['fenced', 'bad_json'],
  ['schema', 'schema'],
  ['doubled', 'schema'],
])
const rules = { limits: { linear: 1, angular: 1, linearBraking: 1, angularBraking: 1 } }
const empty: Scene = {
  footprintMetres: 0.1,
  obstacles: [],
  sectors: [{ facing: 0, halfAngle: Math.PI, whole: true }],
  stale: [],
  blindCreep: true,
}

/** The file's names as ours, in the text: read and written again it would lose what is wrong with it. */
function ours(content: string): string {
  if (!isLoneObject(content)) return content
  const intent = [
    ['intent', 'type'],
    ['v', 'linear'],
    ['w', 'angular'],
  ].reduce((text, [theirs, our]) => text.replaceAll(`"${theirs}":`, `"${our}":`), content)
  return `{"reason":"","intent":${intent.slice(0, -1)},"durationMs":500}}`
}

function isLoneObject(content: string): boolean {
  try {
    return z.record(z.string(), z.unknown()).safeParse(JSON.parse(content)).success
  } catch {
    return false
  }
}

function checkCharge(heard: Heard, expected: z.output<typeof tokens> | undefined): string[] {
  if (expected === undefined) return []
  const { charged, worst } = chargeFor(heard)
  return near('tokens', charged, typeof expected === 'number' ? expected : worst, 0)
}

/** Nothing that is called is done here, so that nothing of ours reads it: it has to be what the answer holds. */
function checkCall(
  { choices: [{ message }] }: Answer,
  expected: { readonly name: string; readonly arguments: object },
): string[] {
  const [call, ...others] = message.tool_calls ?? []
  return [
    ...near('other calls', others.length, 0, 0),
    ...same('name', call?.function.name ?? 'none', expected.name),
    ...same(
      'arguments',
      JSON.stringify(JSON.parse(call?.function.arguments ?? 'null')),
      JSON.stringify(expected.arguments),
    ),
  ]
}

/** The file's names of errors by what ours says of them: the status, a hint, and whether it may have been billed. */
function checkError(name: string, status: number, failure: AttemptFailure): string[] {
  const [first, last, bill, hint] = errors.get(name) ?? []
  if (first === undefined || last === undefined) return [`nobody has bound "${name}"`]
  return [
    ...same(`${name} is ${status}`, status >= first && status <= last, true),
    ...same('bill', failure.outcome.kind, bill ?? ''),
    ...same('message', failure.message, `the model's server answered ${status}${hint}`),
  ]
}

const errors: ReadonlyMap<string, readonly [number, number, 'unsent' | 'unknown', string]> =
  new Map([
    ['BadRequest', [400, 400, 'unsent', '']],
    ['PermissionDenied', [403, 403, 'unsent', ': is the key right, and in its variable?']],
    ['Timeout', [408, 408, 'unknown', '']],
    ['UnprocessableEntity', [422, 422, 'unsent', '']],
    ['InternalServer', [500, 599, 'unknown', '']],
  ])

/** A range is what chance makes of a wait: both of its ends are reached. */
function checkWait(
  { wait_ms, wait_ms_range }: Pick<z.output<typeof refusal>, 'wait_ms' | 'wait_ms_range'>,
  attempt: number,
  { retryAfterMs }: AttemptFailure,
): string[] {
  const [min, max] = wait_ms_range ?? [wait_ms, wait_ms]
  if (min === undefined || max === undefined) return []
  const longest = retryDelayMs({ attempt, retryAfterMs, random: 0 })
  const shortest = retryDelayMs({ attempt, retryAfterMs, random: 1 - Number.EPSILON })
  return [
    ...near('longest wait', longest, max, 1e-6),
    ...near('shortest wait', shortest, min, 1e-6),
    ...same('within the range', longest <= max && shortest >= min, true),
  ]
}
