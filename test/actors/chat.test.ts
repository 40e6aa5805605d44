import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type ActorRefFrom, createActor, toPromise } from 'xstate'
import { complete, replyBytesMax } from '../../actors/chat.ts'
import { createProfiles, type Profile, type Profiles } from '../../actors/profile.ts'
import { replyCharactersMax } from '../../core/rules/reply.ts'
import type { Attempt } from '../../core/vocabulary/question.ts'
import { Secret } from '../../core/vocabulary/secret.ts'
import { virtualClock, type VirtualClock } from '../../drivers/clock.ts'
import { httpsTransport } from '../../drivers/https.ts'
import { completion, type HostileServer, startHostile } from '../support/model-server.ts'

const key = 'sk-abc123'
const attempt: Attempt = {
  question: {
    id: 1,
    messages: [
      { role: 'system', content: 'You steer.' },
      { role: 'user', content: 'hello' },
    ],
    schema: { type: 'object' },
  },
  endpoint: 0,
  capTokens: 50,
}
const served = (url: string) => ({ url, model: 'm' })

let clock: VirtualClock
let profiles: Profiles
const servers: HostileServer[] = []
beforeEach(() => {
  clock = virtualClock()
  profiles = createProfiles()
})
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

type Respond = (response: ServerResponse, request: IncomingMessage) => void

async function serve(respond: Respond): Promise<HostileServer> {
  const server = await startHostile((response, request) => {
    response.on('error', () => {})
    respond(response, request)
  })
  servers.push(server)
  return server
}

function attemptAt(...urls: readonly string[]): ActorRefFrom<ReturnType<typeof complete>> {
  const transport = httpsTransport({ clock, deadlineMs: 2000, bodyBytesMax: replyBytesMax })
  const endpoints = urls.map((url) => ({ ...served(url), key: new Secret(key), transport }))
  return createActor(
    complete(endpoints, profiles, () => 0),
    { input: attempt },
  )
}

/** What became of one attempt: a completion, or how it failed. Neither ever holds the key. */
async function outcomeOf(actor: ActorRefFrom<ReturnType<typeof complete>>): Promise<unknown> {
  const outcome = toPromise(actor).catch((error: unknown) => error)
  actor.start()
  const result = await outcome
  expect(inspect(result, { depth: null, showHidden: true })).not.toContain(key)
  expect(JSON.stringify(result)).not.toContain(key)
  return result
}

async function against(respond: Respond): Promise<unknown> {
  return outcomeOf(attemptAt((await serve(respond)).url))
}

const json =
  (body: string): Respond =>
  (response) => {
    response.setHeader('content-type', 'application/json').end(body)
  }
const status =
  (code: number, headers: object = {}, body = `{"error":{"message":"no ${key}"}}`): Respond =>
  (response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(body)
  }
const event = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`
const chunk = (delta: object, finish_reason: string | null = null) =>
  event({ choices: [{ index: 0, delta, finish_reason }] })
const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 }
const bill = event({ choices: [], usage })
const stream =
  (...events: readonly string[]): Respond =>
  (response) => {
    response.setHeader('content-type', 'text/event-stream; charset=utf-8').end(events.join(''))
  }

describe('what is sent', () => {
  async function bodyAndHeadersFor(profile: Partial<Profile>) {
    const server = await startRecording()
    profiles.learn(served(server.url), { ...profiles.of(served(server.url)), ...profile })
    await outcomeOf(attemptAt(server.url))
    return server.seen
  }

  async function startRecording() {
    const seen: { body: unknown; headers: IncomingMessage['headers']; url: string | undefined }[] =
      []
    const { createServer } = await import('node:http')
    const server = createServer((request, response) => {
      let text = ''
      request.on('data', (data: Buffer) => {
        text += data.toString()
      })
      request.on('end', () => {
        seen.push({ body: JSON.parse(text), headers: request.headers, url: request.url })
        json(completion('{}'))(response, request)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('a server without a port')
    const close = () => new Promise<void>((closed) => void server.close(() => closed()))
    const url = `http://127.0.0.1:${address.port}/v1`
    servers.push({ url, asked: 0, close })
    return { url, seen }
  }

  const base = { model: 'm', messages: attempt.question.messages }
  const format = {
    type: 'json_schema',
    json_schema: { name: 'reply', strict: true, schema: { type: 'object' } },
  }
  const told = [
    {
      role: 'system',
      content: 'You steer.\nThe JSON schema of the answer: {"type":"object"}',
    },
    attempt.question.messages[1],
  ]
  test.each<[string, Partial<Profile>, object]>([
    [
      'the whole dialect, to who is not known',
      {},
      {
        ...base,
        max_tokens: 50,
        response_format: format,
        stream: true,
        stream_options: { include_usage: true },
      },
    ],
    [
      'the other cap, and no question of usage',
      { capField: 'max_completion_tokens', usageInStream: false },
      { ...base, max_completion_tokens: 50, response_format: format, stream: true },
    ],
    [
      'the schema in words, where JSON is all that can be asked for',
      { format: 'json_object', stream: false },
      { ...base, messages: told, max_tokens: 50, response_format: { type: 'json_object' } },
    ],
    ['the least', { format: 'none', stream: false }, { ...base, messages: told, max_tokens: 50 }],
  ])('is %s', async (_, profile, body) => {
    expect(await bodyAndHeadersFor(profile)).toEqual([
      expect.objectContaining({ body, url: '/v1/chat/completions' }),
    ])
  })

  test('has the headers that are needed, and nothing of the environment', async () => {
    const names = ['API_KEY', 'ADMIN_KEY', 'ORG_ID', 'PROJECT_ID', 'WEBHOOK_SECRET', 'BASE_URL']
    for (const name of names) vi.stubEnv(`OPENAI_${name}`, 'http://127.0.0.1:1/environment')
    vi.stubEnv('OPENAI_CUSTOM_HEADERS', 'x-leak: environment\nauthorization: environment')
    vi.stubEnv('OPENAI_LOG', 'debug')
    const printed = vi.spyOn(console, 'debug')
    try {
      const [seen] = await bodyAndHeadersFor({})
      expect(seen?.headers).toEqual({
        accept: 'application/json, text/event-stream',
        'accept-encoding': 'identity',
        authorization: `Bearer ${key}`,
        connection: 'close',
        'content-length': expect.any(String),
        'content-type': 'application/json',
        host: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        'user-agent': 'mechos',
      })
      expect(printed).not.toHaveBeenCalled()
    } finally {
      vi.unstubAllEnvs()
      printed.mockRestore()
    }
  })

  test('goes to the endpoint that the attempt names, and to no other', async () => {
    const first = await serve(json(completion('1')))
    const second = await serve(json(completion('2')))
    const transport = httpsTransport({ clock, deadlineMs: 2000, bodyBytesMax: 1024 })
    const endpoints = [first, second].map(({ url }) => ({
      ...served(url),
      key: undefined,
      transport,
    }))
    const input = { ...attempt, endpoint: 1 }
    const actor = createActor(
      complete(endpoints, profiles, () => 0),
      { input },
    )
    expect(await outcomeOf(actor)).toMatchObject({ content: '2' })
    expect([first.asked, second.asked]).toEqual([0, 1])
    const nobody = createActor(
      complete(endpoints, profiles, () => 0),
      {
        input: { ...attempt, endpoint: 2 },
      },
    )
    expect(await outcomeOf(nobody)).toEqual(new TypeError('there is no endpoint 2'))
  })
})

const billed = { promptTokens: 100, completionTokens: 10 }

describe('an attempt that was answered', () => {
  test('tells the text, the bill and how it ended, whole or in pieces', async () => {
    const answer = { content: '{}', finish: 'stop', usage: billed }
    expect(await against(json(completion('{}')))).toEqual(answer)
    expect(
      await against(
        stream(
          ': wait\n\n',
          chunk({ role: 'assistant', content: '' }),
          chunk({ content: '{' }),
          chunk({ content: '}' }),
          chunk({}, 'stop'),
          bill,
          'data: [DONE]\n\n',
        ),
      ),
    ).toEqual(answer)
  })

  test('but not to its end is an answer all the same, since it is billed', async () => {
    for (const finish of ['length', 'content_filter', 'tool_calls']) {
      const expected = { content: '{', finish, usage: billed }
      expect(await against(json(completion('{', { finish_reason: finish })))).toEqual(expected)
      expect(await against(stream(chunk({ content: '{' }), chunk({}, finish), bill))).toEqual(
        expected,
      )
    }
  })

  test('never passes a refusal or a call off as an answer', async () => {
    const refusal = { role: 'assistant', content: '{}', refusal: 'no' }
    expect(await against(json(completion(null, { message: refusal })))).toEqual({
      content: 'no',
      finish: 'refusal',
      usage: billed,
    })
    const call = { content: '{}', tool_calls: [{ index: 0, function: { name: 'drive' } }] }
    expect(await against(stream(chunk(call), chunk({}, 'stop'), bill))).toEqual({
      content: '{}',
      finish: 'tool_calls',
      usage: billed,
    })
  })

  test('knows no bill where the server names none', async () => {
    for (const said of [undefined, null, { prompt_tokens: '100', completion_tokens: '10' }, 7]) {
      const whole: object = JSON.parse(completion('{}'))
      const body = JSON.stringify({ ...whole, usage: said })
      expect(await against(json(body))).toEqual({ content: '{}', finish: 'stop', usage: undefined })
    }
    expect(await against(json('{}'))).toEqual({ content: '', finish: 'missing', usage: undefined })
  })

  test('does not judge the bill', async () => {
    const whole: object = JSON.parse(completion('{}'))
    const odd = { prompt_tokens: -5, completion_tokens: 1e300 }
    expect(await against(json(JSON.stringify({ ...whole, usage: odd })))).toMatchObject({
      usage: { promptTokens: -5, completionTokens: 1e300 },
    })
  })
})

/** Writes the same again until nobody takes it any more. */
function pour(response: ServerResponse, text: string): void {
  const more = () => {
    let isTaken = true
    while (isTaken && !response.destroyed) isTaken = response.write(text)
    response.once('drain', more)
  }
  more()
}

describe('an attempt that is answered with too much is cut off', () => {
  const takenBytesMax = 32 * 1024 * 1024

  test.each<[string, string, string]>([
    ['in the text of a stream', 'text/event-stream', chunk({ content: 'so '.repeat(99) })],
    ['in a stream that says nothing', 'text/event-stream', chunk({})],
    ['in a stream without events', 'text/event-stream', ': wait\n'],
    ['in an event without an end', 'text/event-stream', 'data: 1'],
    ['in JSON', 'application/json', ' '.repeat(64 * 1024)],
  ])('%s', async (_, type, text) => {
    let written = (): number => 0
    let hungUp: Promise<unknown> | undefined
    const outcome = await against((response) => {
      const { socket } = response
      hungUp = once(response, 'close')
      written = () => socket?.bytesWritten ?? 0
      response.setHeader('content-type', type)
      pour(response, text)
    })
    expect(outcome).toMatchObject({ finish: 'oversized', usage: undefined })
    await hungUp
    expect(written()).toBeGreaterThan(replyCharactersMax)
    expect(written()).toBeLessThan(takenBytesMax)
  })

  test('and keeps what of it was text', async () => {
    const long = 'x'.repeat(replyCharactersMax)
    expect(await against(stream(chunk({ content: long }), chunk({ content: 'x' })))).toEqual({
      content: long,
      finish: 'oversized',
      usage: undefined,
    })
  })
})

describe('an attempt that failed', () => {
  const cases: Record<string, [Respond, object]> = {
    'with 500 may have been billed, and may be tried again': [
      status(500),
      {
        code: 'ERR_BRAIN_REFUSED',
        message: "the model's server answered 500",
        outcome: { kind: 'unknown' },
        retryable: true,
      },
    ],
    'with 503 likewise, and later': [
      status(503, { 'retry-after': '2' }),
      {
        code: 'ERR_BRAIN_REFUSED',
        message: "the model's server answered 503",
        outcome: { kind: 'unknown' },
        retryable: true,
        retryAfterMs: 2000,
      },
    ],
    'with 429 was not billed, and may be tried again when the server says so': [
      status(429, { 'retry-after': 'Thu, 01 Jan 1970 00:00:30 GMT' }),
      {
        code: 'ERR_BRAIN_REFUSED',
        message: "the model's server answered 429",
        outcome: { kind: 'unsent' },
        retryable: true,
        retryAfterMs: 30_000,
      },
    ],
    'with 401 was not billed, and would fail again': [
      status(401),
      {
        code: 'ERR_BRAIN_REFUSED',
        message: "the model's server answered 401: is the key right, and in its variable?",
        outcome: { kind: 'unsent' },
        retryable: false,
      },
    ],
    'with 400 would fail again, unless the server knows better': [
      status(400, { 'x-should-retry': 'true' }),
      {
        code: 'ERR_BRAIN_REFUSED',
        message: "the model's server answered 400",
        outcome: { kind: 'unsent' },
        retryable: true,
      },
    ],
    'with a status and no end of reasons is told by the status': [
      (response) => {
        response.writeHead(429)
        pour(response, 'because '.repeat(9999))
      },
      {
        code: 'ERR_BRAIN_REFUSED',
        message: "the model's server answered 429",
        outcome: { kind: 'unsent' },
        retryable: true,
      },
    ],
    'with a redirect may have been billed': [
      status(302, { location: 'https://example.com/' }),
      {
        code: 'ERR_BRAIN_REFUSED',
        message: "the model's server answered 302: redirects are not followed",
        outcome: { kind: 'unknown' },
        retryable: false,
      },
    ],
    'with a broken connection may have been billed': [
      (response) => response.destroy(),
      {
        code: 'ERR_BRAIN_UNREACHABLE',
        message: 'the connection to the model broke',
        outcome: { kind: 'unknown' },
        retryable: true,
      },
    ],
    'with something else than JSON may have been billed': [
      json('<html>'),
      {
        code: 'ERR_BRAIN_RUBBISH',
        message: "the model's server did not answer in JSON",
        outcome: { kind: 'unknown' },
        retryable: false,
      },
    ],
    'with a bill that is no number, and so no JSON, likewise': [
      json('{"choices":[],"usage":{"prompt_tokens":NaN,"completion_tokens":1}}'),
      {
        code: 'ERR_BRAIN_RUBBISH',
        message: "the model's server did not answer in JSON",
        outcome: { kind: 'unknown' },
        retryable: false,
      },
    ],
    'with JSON that is no answer likewise': [
      json('null'),
      {
        code: 'ERR_BRAIN_RUBBISH',
        message: "the model's server did not answer in JSON",
        outcome: { kind: 'unknown' },
        retryable: false,
      },
    ],
    'with no body likewise': [
      (response) => response.writeHead(204).end(),
      {
        code: 'ERR_BRAIN_RUBBISH',
        message: "the model's server did not answer in JSON",
        outcome: { kind: 'unknown' },
        retryable: false,
      },
    ],
    'with an event that is no JSON likewise': [
      stream('event: thread.x\ndata: {\n\n'),
      {
        code: 'ERR_BRAIN_RUBBISH',
        message: "the model's server did not answer in JSON",
        outcome: { kind: 'unknown' },
        retryable: false,
      },
    ],
    'with an error in the place of an answer may have been billed': [
      json(`{"error":{"message":"overloaded ${key}","code":529}}`),
      {
        code: 'ERR_BRAIN_REFUSED',
        message: "the model's server failed while it answered",
        outcome: { kind: 'unknown' },
        retryable: true,
      },
    ],
    'with an error in the middle of a stream likewise': [
      stream(chunk({ content: '{}' }), event({ error: { message: key } }), chunk({}, 'stop')),
      {
        code: 'ERR_BRAIN_REFUSED',
        message: "the model's server failed while it answered",
        outcome: { kind: 'unknown' },
        retryable: true,
      },
    ],
    'with a stream that ends before it says so may have been billed': [
      stream(chunk({ content: '{}' }), 'data: [DONE]\n\n'),
      {
        code: 'ERR_BRAIN_UNREACHABLE',
        message: 'the reply of the model broke off',
        outcome: { kind: 'unknown' },
        retryable: true,
      },
    ],
    'with an empty stream likewise': [
      stream(),
      {
        code: 'ERR_BRAIN_UNREACHABLE',
        message: 'the reply of the model broke off',
        outcome: { kind: 'unknown' },
        retryable: true,
      },
    ],
    'with a stream that is cut may have been billed': [
      (response) => {
        response.setHeader('content-type', 'text/event-stream')
        response.write(chunk({ content: '{}' }, 'stop'), () => response.destroy())
      },
      {
        code: 'ERR_BRAIN_UNREACHABLE',
        message: 'the connection to the model broke',
        outcome: { kind: 'unknown' },
        retryable: true,
      },
    ],
    'with JSON that is cut likewise': [
      (response) => {
        response.setHeader('content-type', 'application/json')
        response.write('{"choices":[', () => response.destroy())
      },
      {
        code: 'ERR_BRAIN_UNREACHABLE',
        message: 'the connection to the model broke',
        outcome: { kind: 'unknown' },
        retryable: true,
      },
    ],
    'with a compressed reply may have been billed': [
      (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
      {
        code: 'ERR_BRAIN_RUBBISH',
        message: "the model's server sent a compressed reply",
        outcome: { kind: 'unknown' },
        retryable: false,
      },
    ],
  }
  test.each(Object.entries(cases))('%s', async (_, [respond, failure]) => {
    expect(await against(respond)).toEqual({ retryAfterMs: undefined, ...failure })
    expect(servers[0]?.asked).toBe(1)
  })

  test.each<[string, Respond]>([
    ['nothing', () => {}],
    ['half a stream', (response) => void response.writeHead(200).write(chunk({ content: '{}' }))],
    ['half a reason', (response) => void response.writeHead(200).write('{')],
  ])('in time with %s may have been billed', async (_, respond) => {
    let reached: (() => void) | undefined
    const asked = new Promise<void>((resolve) => {
      reached = resolve
    })
    const outcome = against((response, request) => {
      respond(response, request)
      reached?.()
    })
    await asked
    await clock.advance(2000)
    expect(await outcome).toEqual({
      code: 'ERR_BRAIN_SILENT',
      message: 'the model did not answer in time',
      outcome: { kind: 'unknown' },
      retryable: false,
    })
  })

  test('with nobody there was not billed', async () => {
    const server = await serve(() => {})
    await servers.pop()?.close()
    expect(await outcomeOf(attemptAt(server.url))).toEqual({
      code: 'ERR_BRAIN_UNREACHABLE',
      message: 'nobody answers at the address of the model: connection refused',
      outcome: { kind: 'unsent' },
      retryable: true,
    })
  })

  test.each(['http://192.0.2.1/v1', 'http://127.0.0.1@example.com/v1', 'explorer'])(
    'since nothing is sent to %s was not billed',
    async (url) => {
      expect(await outcomeOf(attemptAt(url))).toEqual({
        code: 'ERR_BRAIN_UNREACHABLE',
        message: 'nothing is sent to an address like that of the model',
        outcome: { kind: 'unsent' },
        retryable: false,
      })
    },
  )
})

describe('an attempt that is given up', () => {
  test.each<[string, Respond]>([
    ['before an answer', () => {}],
    [
      'in the middle of one',
      (response) => {
        response.setHeader('content-type', 'text/event-stream').write(chunk({ content: '{' }))
      },
    ],
  ])('%s hangs up, and tells nothing afterwards', async (_, respond) => {
    let hungUp: Promise<unknown> | undefined
    let answer: (() => void) | undefined
    const server = await serve((response, request) => {
      respond(response, request)
      hungUp = once(response, 'close')
      answer = () => response.end(completion('{}'))
    })
    const actor = attemptAt(server.url)
    const told: unknown[] = []
    actor.subscribe({
      next: (snapshot) => told.push(snapshot.status),
      error: (error) => told.push(error),
    })
    actor.start()
    await vi.waitFor(() => expect(hungUp).toBeDefined(), { timeout: 10_000, interval: 5 })
    actor.stop()
    await hungUp
    answer?.()
    await clock.advance(5000)
    expect(told.filter((said) => said !== 'stopped')).toEqual(['active'])
  })
})

describe('what an endpoint takes is learnt', () => {
  const adapted = (word: string) => ({
    code: 'ERR_BRAIN_REFUSED',
    message: `the model's server does not take ${word}, which it will not be sent again`,
    outcome: { kind: 'unsent' },
    retryable: true,
    adapted: true,
  })
  const error = (message: string, param: string) =>
    JSON.stringify({
      error: { message: `${message} ${key}`, param, code: 'unsupported_parameter' },
    })

  test('from what it refuses, each thing once', async () => {
    const refusals = [
      'max_tokens',
      'response_format',
      'response_format',
      'stream_options',
      'stream',
    ]
    const left = [...refusals]
    const server = await serve((response, request) => {
      const param = left.shift() ?? 'stream'
      status(400, {}, error('Unsupported', param))(response, request)
    })
    const words = ['max_tokens', 'json_schema', 'json_object', 'stream_options', 'stream']
    for (const word of words) expect(await outcomeOf(attemptAt(server.url))).toEqual(adapted(word))
    expect(profiles.of(served(server.url))).toEqual({
      capField: 'max_completion_tokens',
      format: 'none',
      stream: false,
      usageInStream: false,
      capEnforced: true,
      refused: words,
    })
    expect(await outcomeOf(attemptAt(server.url))).toEqual({
      code: 'ERR_BRAIN_REFUSED',
      message: "the model's server answered 400",
      outcome: { kind: 'unsent' },
      retryable: false,
      retryAfterMs: undefined,
    })
  })

  test('from a stream without a bill: it is not asked to stream again', async () => {
    const server = await serve(stream(chunk({ content: '{}' }, 'stop'), 'data: [DONE]\n\n'))
    expect(await outcomeOf(attemptAt(server.url))).toEqual({
      content: '{}',
      finish: 'stop',
      usage: undefined,
    })
    expect(profiles.of(served(server.url))).toMatchObject({ stream: false, capEnforced: true })
  })

  test('from nothing but that', async () => {
    const learn = vi.spyOn(profiles, 'learn')
    await against(stream(chunk({ content: '{}' })))
    await against(stream(chunk({ content: '{}' }, 'stop'), bill))
    await against(json('{}'))
    await against(stream(chunk({ content: 'x'.repeat(replyCharactersMax + 1) })))
    await against(status(400))
    await against(status(500, {}, error('Unsupported', 'max_tokens')))
    expect(learn).not.toHaveBeenCalled()
  })

  test('from a bill above its cap', async () => {
    const whole: object = JSON.parse(completion('{}'))
    const respond = (tokens: number) =>
      json(JSON.stringify({ ...whole, usage: { prompt_tokens: 1, completion_tokens: tokens } }))
    for (const [tokens, capEnforced] of [
      [50, true],
      [51, false],
    ] as const) {
      const server = await serve(respond(tokens))
      await outcomeOf(attemptAt(server.url))
      expect(profiles.of(served(server.url))).toMatchObject({ capEnforced, stream: true })
    }
  })
})
