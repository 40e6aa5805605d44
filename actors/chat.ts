import OpenAI, {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
} from 'openai'
import { fromPromise, type PromiseActorLogic } from 'xstate'
import type { Attempt, AttemptFailure, Completion } from '../machines/llm.machine.ts'

/** Where a model is served, in the dialect of OpenAI's chat completions. */
export interface Endpoint {
  readonly url: string
  readonly model: string
  /** Sent as a bearer token. Endpoints on this machine ignore it. */
  readonly key: string
  readonly deadlineMs: number
}

/**
 * One attempt: one HTTP request, never retried here, because each attempt may be billed and needs a reservation of its
 * own. Rejects with an `AttemptFailure`, which says what is known of the bill.
 */
export function complete(endpoint: Endpoint): PromiseActorLogic<Completion, Attempt> {
  const client = new OpenAI({
    baseURL: endpoint.url,
    apiKey: endpoint.key,
    // Nothing but what is said here: the library would read these from the environment.
    organization: null,
    project: null,
    // One attempt is one request to one host.
    fetchOptions: { redirect: 'error' },
    maxRetries: 0,
    timeout: endpoint.deadlineMs,
    logLevel: 'off',
  })
  return fromPromise(async ({ input, signal }) => {
    try {
      const answer = await client.chat.completions.create(requestFor(endpoint, input), { signal })
      const choice = answer.choices?.[0]
      return {
        content: choice?.message?.refusal ?? choice?.message?.content ?? '',
        usedTokens: answer.usage?.total_tokens,
        finish: choice?.message?.refusal ? 'refusal' : (choice?.finish_reason ?? 'missing'),
      }
    } catch (error) {
      throw classify(error)
    }
  })
}

function requestFor(
  endpoint: Endpoint,
  attempt: Attempt,
): OpenAI.ChatCompletionCreateParamsNonStreaming {
  return {
    model: endpoint.model,
    messages: attempt.messages.map((message) => ({ ...message })),
    max_tokens: attempt.capTokens,
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'reply', strict: true, schema: { ...attempt.schema } },
    },
  }
}

/**
 * What a thrown value means for the budget. Only a refusal before any content (4xx) and a connection that was never
 * made are free; of everything else nobody knows what was billed.
 */
export function classify(error: unknown): AttemptFailure {
  if (error instanceof APIUserAbortError) {
    return failure('ERR_BRAIN_SILENT', 'the call was aborted', 'unknown', false)
  }
  if (error instanceof APIConnectionTimeoutError) {
    return failure('ERR_BRAIN_SILENT', 'the model did not answer in time', 'unknown', false)
  }
  if (error instanceof APIConnectionError) {
    const refused = reasonOf(error) === 'ECONNREFUSED'
    const message = refused
      ? 'nobody answers at the address of the model: connection refused'
      : 'the connection to the model broke'
    return failure('ERR_BRAIN_UNREACHABLE', message, refused ? 'unsent' : 'unknown', true)
  }
  if (error instanceof APIError) {
    const status = Number(error.status)
    const client = status >= 400 && status < 500
    const hint = status === 401 || status === 403 ? ': is the key right, and in its variable?' : ''
    const message = `the model's server answered ${status}${hint}`
    return failure(
      'ERR_BRAIN_REFUSED',
      message,
      client ? 'unsent' : 'unknown',
      !client || status === 429,
    )
  }
  return failure('ERR_BRAIN_RUBBISH', "the model's server did not answer in JSON", 'unknown', false)
}

function failure(
  code: AttemptFailure['code'],
  message: string,
  kind: 'unknown' | 'unsent',
  retryable: boolean,
): AttemptFailure {
  return { code, message, outcome: { kind }, retryable }
}

/** The system's own code at the bottom of a chain of causes. */
function reasonOf(error: unknown): unknown {
  let at = error
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    if ('code' in at && typeof at.code === 'string') return at.code
    at = at.cause
  }
  return undefined
}
