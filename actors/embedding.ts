import { z } from 'zod'
import { normalised } from '../core/memory/vector.ts'
import type { Embedded } from '../core/memory/recall.ts'
import { MechosError } from '../core/vocabulary/errors.ts'
import { ExchangeError } from '../core/vocabulary/exchange.ts'
import type { Outcome, Question, Usage } from '../core/vocabulary/question.ts'
import type { Budget } from './budget.ts'
import type { Endpoint } from './chat.ts'
import { exchangeFailure, refusalFailure } from './failure.ts'
import type { Tariff } from './tariff.ts'

/** Gives texts vectors by the model of an endpoint. */
export interface Embedder {
  /** Another model at another address is another embedding. */
  readonly name: string
  /**
   * One request for all of these texts, at most `textsMax`, paid from the budget: reserved before it is sent and settled
   * afterwards, whatever becomes of it. A vector that is none, or of other dimensions than the first, is undefined. Rejects
   * with a MechosError, and when the signal aborts.
   */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly (Embedded | undefined)[]>
}

/** The most texts of one request. */
export const textsMax = 32
const dimensionsMax = 4_096

/** The most bytes of an answer: the numbers of all vectors, at their longest. */
export const vectorsBytesMax = 4 * 1024 * 1024

export interface EmbedderInput {
  readonly endpoint: Endpoint
  readonly tariff: Tariff
  readonly budget: Budget
  /** Milliseconds since 1970. */
  wallMs(): number
}

export function createEmbedder({ budget, endpoint, tariff, wallMs }: EmbedderInput): Embedder {
  const name = `${endpoint.model} at ${endpoint.url}`
  let dimensions: number | undefined
  let lastId = 0
  return {
    name,
    async embed(texts, signal) {
      const question = questionOf(++lastId, texts)
      const wish = { worst: () => tariff.worst(question, 0), capTokens: 0, capTokensMin: 0 }
      const reservation = await budget.reserve(wish, signal)
      const answer = await askFor(endpoint, texts, signal, wallMs)
      const attempt = { question, endpoint: 0, capTokens: 0 }
      await budget.settle(reservation, tariff.chargeOf(attempt, answer.outcome))
      if (!answer.ok) throw answer.error
      const vectors = answer.vectors.map(normalised)
      dimensions ??= vectors.find((vector) => vector !== undefined)?.length
      return vectors.map((vector) => {
        const isSound = vector?.length === dimensions && (dimensions ?? 0) <= dimensionsMax
        return vector && isSound ? { name, vector } : undefined
      })
    },
  }
}

/** What a request for vectors is billed by: its texts, and nothing that comes back. */
function questionOf(id: number, texts: readonly string[]): Question {
  return { id, messages: texts.map((content) => ({ role: 'user', content })), schema: {} }
}

type Answer =
  | { readonly ok: true; readonly vectors: readonly number[][]; readonly outcome: Outcome }
  | { readonly ok: false; readonly error: MechosError; readonly outcome: Outcome }

async function askFor(
  { key, model, transport, url }: Endpoint,
  texts: readonly string[],
  signal: AbortSignal,
  wallMs: () => number,
): Promise<Answer> {
  try {
    const response = await transport(
      {
        url: `${url.replace(/\/$/, '')}/embeddings`,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          'user-agent': 'mechos',
          ...(key && { authorization: `Bearer ${key.reveal()}` }),
        },
        body: JSON.stringify({ model, input: texts, encoding_format: 'float' }),
      },
      signal,
    )
    const text = await response.text()
    if (!response.ok) {
      const { headers, status } = response
      const { code, message, outcome } = refusalFailure(
        { status, headers: Object.fromEntries(headers) },
        wallMs(),
      )
      return { ok: false, error: new MechosError(code, `embeddings: ${message}`), outcome }
    }
    return answerIn(text, texts.length)
  } catch (thrown) {
    const cause = thrown instanceof ExchangeError ? thrown : new ExchangeError('broken', true)
    const { code, message, outcome } = exchangeFailure(cause)
    return { ok: false, error: new MechosError(code, `embeddings: ${message}`), outcome }
  }
}

/** Infinite ones, too: one vector that is none does not spoil the others. */
const anyNumber = z.custom<number>((value) => typeof value === 'number')

const answerSchema = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.array(anyNumber) })),
  usage: z.object({ prompt_tokens: z.number() }).optional(),
})

/** Whatever has come is billed, whether it can be read or not. */
function answerIn(text: string, count: number): Answer {
  const parsed = answerSchema.safeParse(parseJson(text))
  const usage: Usage | undefined = parsed.data?.usage && {
    promptTokens: parsed.data.usage.prompt_tokens,
    completionTokens: 0,
  }
  const outcome: Outcome = {
    kind: 'used',
    completion: { content: '', finish: 'stop', usage },
  }
  const byIndex = new Map(parsed.data?.data.map(({ index, embedding }) => [index, embedding]))
  if (byIndex.size === count) {
    const vectors = Array.from({ length: count }, (_, index) => byIndex.get(index) ?? [])
    return { ok: true, vectors, outcome }
  }
  const message = 'embeddings: the answer does not have a vector for each text'
  return { ok: false, error: new MechosError('ERR_BRAIN_RUBBISH', message), outcome }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Undefined is no answer either.
    return undefined
  }
}
