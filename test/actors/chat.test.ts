import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { createActor, toPromise } from 'xstate'
import { complete } from '../../actors/chat.ts'
import type { Attempt } from '../../machines/llm.machine.ts'
import { completion, type HostileServer, startHostile } from '../support/model-server.ts'

const attempt: Attempt = {
  id: 1,
  messages: [{ role: 'user', content: 'hello' }],
  schema: { type: 'object' },
  capTokens: 50,
}
let server: HostileServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function serve(respond: (response: ServerResponse, request: IncomingMessage) => void) {
  server = await startHostile(respond)
  const logic = complete({ url: server.url, model: 'm', key: 'k', deadlineMs: 500 })
  return createActor(logic, { input: attempt })
}

async function attemptAgainst(respond: (response: ServerResponse) => void): Promise<unknown> {
  const actor = await serve(respond)
  const outcome = toPromise(actor).catch((error: unknown) => error)
  actor.start()
  return outcome
}

const json = (body: string) => (response: ServerResponse) => {
  response.setHeader('content-type', 'application/json').end(body)
}
const status = (code: number) => (response: ServerResponse) => {
  response.writeHead(code, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}')
}

describe('an attempt that was answered', () => {
  test('tells the text, the bill and how it ended', async () => {
    expect(await attemptAgainst(json(completion('{}')))).toEqual({
      content: '{}',
      usedTokens: 110,
      finish: 'stop',
    })
    expect(await attemptAgainst(json(completion('{', { finish_reason: 'length' })))).toEqual({
      content: '{',
      usedTokens: 110,
      finish: 'length',
    })
  })

  test('never passes a refusal off as an answer', async () => {
    const message = { role: 'assistant', content: '{}', refusal: 'no' }
    expect(await attemptAgainst(json(completion(null, { message })))).toMatchObject({
      content: 'no',
      finish: 'refusal',
    })
  })

  test('knows no bill where the server names none', async () => {
    const whole: object = JSON.parse(completion('{}'))
    expect(
      await attemptAgainst(json(JSON.stringify({ ...whole, usage: undefined }))),
    ).toMatchObject({ usedTokens: undefined })
    expect(await attemptAgainst(json('{}'))).toEqual({
      content: '',
      usedTokens: undefined,
      finish: 'missing',
    })
  })
})

describe('an attempt that failed', () => {
  const cases: Record<string, [(response: ServerResponse) => void, object]> = {
    'with 500 may have been billed, and may be tried again': [
      status(500),
      {
        code: 'ERR_BRAIN_REFUSED',
        message: "the model's server answered 500",
        outcome: { kind: 'unknown' },
        retryable: true,
      },
    ],
    'with 503 likewise': [status(503), { outcome: { kind: 'unknown' }, retryable: true }],
    'with 429 was not billed, and may be tried again': [
      status(429),
      { code: 'ERR_BRAIN_REFUSED', outcome: { kind: 'unsent' }, retryable: true },
    ],
    'with 401 was not billed, and would fail again': [
      status(401),
      { code: 'ERR_BRAIN_REFUSED', outcome: { kind: 'unsent' }, retryable: false },
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
    'with silence may have been billed': [
      () => {},
      {
        code: 'ERR_BRAIN_SILENT',
        message: 'the model did not answer in time',
        outcome: { kind: 'unknown' },
      },
    ],
    'with something else than JSON may have been billed': [
      json('<html>'),
      { code: 'ERR_BRAIN_RUBBISH', outcome: { kind: 'unknown' }, retryable: false },
    ],
  }
  for (const [title, [respond, failure]] of Object.entries(cases)) {
    test(title, async () => {
      expect(await attemptAgainst(respond)).toMatchObject(failure)
      expect(server?.asked).toBe(1)
    })
  }

  test('with nobody there was not billed', async () => {
    const actor = await serve(() => {})
    await server?.close()
    const outcome = toPromise(actor).catch((error: unknown) => error)
    actor.start()
    expect(await outcome).toEqual({
      code: 'ERR_BRAIN_UNREACHABLE',
      message: 'nobody answers at the address of the model: connection refused',
      outcome: { kind: 'unsent' },
      retryable: true,
    })
  })
})

test('an attempt that is given up hangs up', async () => {
  let hungUp: Promise<unknown> | undefined
  const asked = new Promise<void>((resolve) => {
    void serve((response) => {
      hungUp = once(response, 'close')
      resolve()
    }).then((actor) => {
      actor.start()
      void asked.then(() => actor.stop())
    })
  })
  await asked
  await hungUp
})
