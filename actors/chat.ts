import type OpenAI from 'openai'
import { fromPromise, type PromiseActorLogic } from 'xstate'
import { ExchangeError } from '../core/vocabulary/exchange.ts'
import type { Attempt, AttemptFailure, Completion } from '../core/vocabulary/question.ts'
import type { Secret } from '../core/vocabulary/secret.ts'
import type { Transport } from '../drivers/https.ts'
import { adapt } from './adaptation.ts'
import { completionOf, type Heard, hear, isOversized } from './completion.ts'
import { eventsOf } from './event-stream.ts'
import { exchangeFailure, type Refusal, refusalFailure } from './failure.ts'
import type { Profile, Profiles, Served } from './profile.ts'
import { requestFor } from './request.ts'

type Library = Awaited<ReturnType<typeof library>>

/** Where a model is served, in the dialect of OpenAI's chat completions. */
export interface Endpoint extends Served {
  /** Sent as a bearer token. Endpoints on this machine need none. */
  readonly key: Secret | undefined
  /** Bounds the time and the size of each exchange. */
  readonly transport: Transport
}

/** How many bytes of a reply are let in: a stream of some 700 tokens, of which each comes in an event of its own. */
export const replyBytesMax = 256 * 1024

/** Loads the library, which takes some tenths of a second: nobody is to wait for that in the middle of a drive. */
export async function prepareChat(): Promise<void> {
  await library()
}

const library = () => import('openai')

/**
 * One attempt: one HTTP request, never retried here, because each attempt may be billed and needs a reservation of its
 * own. It goes to the endpoint of the list that the attempt names, in the way that its profile knows. Resolves also for
 * a text that is not whole, since that is billed. Rejects with an `AttemptFailure`, which says what is known of the
 * bill. `wallMs` tells the time since 1970.
 */
export function complete(
  endpoints: readonly Endpoint[],
  profiles: Profiles,
  wallMs: () => number,
): PromiseActorLogic<Completion, Attempt> {
  const clients = new Map<Endpoint, OpenAI>()
  return fromPromise(async ({ input, signal }) => {
    const endpoint = endpoints[input.endpoint]
    if (!endpoint) throw new TypeError(`there is no endpoint ${input.endpoint}`)
    const profile = profiles.of(endpoint)
    const loaded = await library()
    const client = clients.get(endpoint) ?? clientFor(loaded, endpoint)
    clients.set(endpoint, client)
    try {
      const request = requestFor(endpoint.model, profile, input)
      const response = await client.chat.completions.create(request, { signal }).asResponse()
      const isStream = /^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')
      const heard = await (isStream ? hearStream(response) : hearWhole(response))
      signal.throwIfAborted()
      const completion = completionOf(heard)
      const learnt = lessonOf(profile, completion, { isStream, capTokens: input.capTokens })
      if (learnt) profiles.learn(endpoint, learnt)
      return completion
    } catch (thrown) {
      const cause = signal.aborted ? new ExchangeError('withdrawn', true) : causeOf(loaded, thrown)
      if (cause instanceof RefusedError) {
        throw failureOf(cause, endpoint, profile, profiles, wallMs())
      }
      if (cause.fault !== 'oversized') throw exchangeFailure(cause)
      return { content: '', finish: 'oversized', usage: undefined }
    }
  })
}

/**
 * Everything that the library would read from the environment is said here. The key is not handed to it: it goes into
 * the one header that it belongs in, where the request leaves.
 */
function clientFor(loaded: Library, endpoint: Endpoint): OpenAI {
  return new loaded.default({
    // Never asked: the transport is told the address that is meant.
    baseURL: 'https://endpoint.invalid',
    apiKey: 'unused',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    // The transport has the deadline: this one would end with the headers.
    timeout: 24 * 3600 * 1000,
    logLevel: 'off',
    fetch: async (_, init) => {
      const { body, signal } = init ?? {}
      if (typeof body !== 'string' || !signal) throw new TypeError('no text, or no signal')
      const url = `${endpoint.url.replace(/\/$/, '')}/chat/completions`
      const response = await endpoint.transport(
        { url, headers: headersFor(endpoint), body },
        signal,
      )
      if (response.ok) return response
      throw new RefusedError(response.status, response.headers, await beginningOf(response))
    },
  })
}

function headersFor({ key }: Endpoint): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'user-agent': 'mechos',
    ...(key ? { authorization: `Bearer ${key.reveal()}` } : {}),
  }
}

async function hearWhole(response: Response): Promise<Heard> {
  return understood(hear(parsed(await response.text())))
}

/**
 * Not by the library's own parser: its work grows with the square of the number of chunks, and it prints to the console.
 */
async function hearStream({ body }: Response): Promise<Heard> {
  if (!body) throw new ExchangeError('unfinished', true)
  let heard: Heard | undefined
  for await (const data of eventsOf(body)) {
    if (data.startsWith('[DONE]')) break
    heard = understood(hear(parsed(data), heard))
    // It may go on after this, and bill for it: what it has said of its usage is not the whole.
    if (isOversized(heard)) return { ...heard, usage: undefined }
  }
  if (heard?.finish === undefined) throw new ExchangeError('unfinished', true)
  return heard
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ExchangeError('unreadable', true)
  }
}

function understood(heard: Heard | undefined): Heard {
  if (!heard) throw new ExchangeError('unreadable', true)
  if (heard.hasFailed) throw new ExchangeError('failed', true)
  return heard
}

/** What an answer teaches about its endpoint; undefined when it is nothing new. */
function lessonOf(
  profile: Profile,
  { finish, usage }: Completion,
  { isStream, capTokens }: { readonly isStream: boolean; readonly capTokens: number },
): Profile | undefined {
  const isMute = isStream && profile.stream && usage === undefined && finish !== 'oversized'
  const isExcess = profile.capEnforced && usage !== undefined && usage.completionTokens > capTokens
  if (!isMute && !isExcess) return undefined
  return {
    ...profile,
    stream: profile.stream && !isMute,
    capEnforced: profile.capEnforced && !isExcess,
  }
}

/** A status other than success, with as much of what came with it as is needed to see what was refused. */
class RefusedError extends Error implements Refusal {
  readonly status: number
  readonly headers: Refusal['headers']
  readonly body: string

  constructor(status: number, headers: Headers, body: string) {
    super('refused')
    this.status = status
    this.headers = Object.fromEntries(headers)
    this.body = body
  }
}

function failureOf(
  refused: RefusedError,
  endpoint: Endpoint,
  profile: Profile,
  profiles: Profiles,
  wallMs: number,
): AttemptFailure {
  const adapted = adapt(profile, refused)
  if (!adapted) return refusalFailure(refused, wallMs)
  profiles.learn(endpoint, adapted.profile)
  return {
    code: 'ERR_BRAIN_REFUSED',
    message: `the model's server does not take ${adapted.word}, which it will not be sent again`,
    outcome: { kind: 'unsent' },
    retryable: true,
    adapted: true,
  }
}

const refusalCharactersMax = 4096

async function beginningOf(response: Response): Promise<string> {
  // Its status says enough, whatever becomes of the rest.
  const text = await response.text().catch(() => '')
  return text.slice(0, refusalCharactersMax)
}

/** The library wraps what its `fetch` throws. What is neither of ours says nothing of what became of the request. */
function causeOf({ APIConnectionError }: Library, thrown: unknown): ExchangeError | RefusedError {
  const cause = thrown instanceof APIConnectionError ? thrown.cause : thrown
  const isOurs = cause instanceof ExchangeError || cause instanceof RefusedError
  return isOurs ? cause : new ExchangeError('broken', true)
}
