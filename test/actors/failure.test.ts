import { describe, expect, test } from 'vitest'
import { exchangeFailure, refusalFailure } from '../../actors/failure.ts'
import { ExchangeError, type ExchangeFault } from '../../core/vocabulary/exchange.ts'

const refused = (status: number, headers: Record<string, string> = {}) =>
  refusalFailure({ status, headers }, 0)

describe('a status', () => {
  test('is told, with no more than our own words', () => {
    expect(refused(500)).toEqual({
      code: 'ERR_BRAIN_REFUSED',
      message: "the model's server answered 500",
      outcome: { kind: 'unknown' },
      retryable: true,
      retryAfterMs: undefined,
    })
    expect(refused(401)).toEqual({
      code: 'ERR_BRAIN_REFUSED',
      message: "the model's server answered 401: is the key right, and in its variable?",
      outcome: { kind: 'unsent' },
      retryable: false,
      retryAfterMs: undefined,
    })
  })

  test.each([
    [400, 'unsent', false],
    [402, 'unsent', false],
    [403, 'unsent', false],
    [404, 'unsent', false],
    [408, 'unknown', true],
    [409, 'unsent', true],
    [413, 'unsent', false],
    [422, 'unsent', false],
    [429, 'unsent', true],
    [499, 'unknown', false],
    [500, 'unknown', true],
    [502, 'unknown', true],
    [503, 'unknown', true],
    [529, 'unknown', true],
  ])('%i is charged as %s, and tried again: %s', (status, kind, retryable) => {
    expect(refused(status)).toMatchObject({ outcome: { kind }, retryable })
  })

  test("has the server's own word on trying again above it", () => {
    const yes = { 'x-should-retry': 'true' }
    const no = { 'x-should-retry': 'false' }
    expect([400, 429, 500].map((status) => refused(status, yes).retryable)).toEqual([
      true,
      true,
      true,
    ])
    expect([400, 429, 500].map((status) => refused(status, no).retryable)).toEqual([
      false,
      false,
      false,
    ])
    expect(refused(400, { 'x-should-retry': 'perhaps' }).retryable).toBe(false)
  })

  test('passes on for how long the server wants to be left alone', () => {
    const wants = (text: string) => refused(429, { 'retry-after': text }).retryAfterMs
    expect([wants('2'), wants('0.5'), wants('-1'), wants('soon'), wants('')]).toEqual([
      2000,
      500,
      undefined,
      undefined,
      undefined,
    ])
    const date = { 'retry-after': 'Thu, 01 Jan 1970 00:01:00 GMT' }
    expect(refusalFailure({ status: 503, headers: date }, 45_000).retryAfterMs).toBe(15_000)
  })
})

describe('an exchange that failed', () => {
  test('is free exactly when nothing was sent', () => {
    for (const [isSent, kind] of [
      [true, 'unknown'],
      [false, 'unsent'],
    ] as const) {
      for (const fault of Object.keys(meanings)) {
        const { outcome } = exchangeFailure(new ExchangeError(faultNamed(fault), isSent))
        expect([fault, outcome]).toEqual([fault, { kind }])
      }
    }
  })

  const meanings: Record<ExchangeFault, [string, RegExp, boolean]> = {
    forbidden: ['ERR_BRAIN_UNREACHABLE', /nothing is sent to an address like/, false],
    unresolved: ['ERR_BRAIN_UNREACHABLE', /was not found/, true],
    refused: ['ERR_BRAIN_UNREACHABLE', /connection refused/, true],
    untrusted: ['ERR_BRAIN_UNREACHABLE', /not trusted/, false],
    unconnected: ['ERR_BRAIN_UNREACHABLE', /no connection/, true],
    broken: ['ERR_BRAIN_UNREACHABLE', /^the connection to the model broke$/, true],
    garbled: ['ERR_BRAIN_RUBBISH', /does not speak HTTP/, false],
    encoded: ['ERR_BRAIN_RUBBISH', /compressed/, false],
    redirected: ['ERR_BRAIN_REFUSED', /answered 302: redirects are not followed/, false],
    oversized: ['ERR_BRAIN_RUBBISH', /too much/, false],
    unreadable: ['ERR_BRAIN_RUBBISH', /did not answer in JSON/, false],
    failed: ['ERR_BRAIN_REFUSED', /failed while it answered/, true],
    unfinished: ['ERR_BRAIN_UNREACHABLE', /broke off/, true],
    late: ['ERR_BRAIN_SILENT', /did not answer in time/, false],
    withdrawn: ['ERR_BRAIN_SILENT', /aborted/, false],
  }

  test.each(Object.entries(meanings))(
    'as %s is told in words',
    (fault, [code, words, retryable]) => {
      expect(exchangeFailure(new ExchangeError(faultNamed(fault), true, 302))).toMatchObject({
        code,
        message: expect.stringMatching(words),
        retryable,
      })
    },
  )

  function faultNamed(name: string): ExchangeFault {
    const faults = new Map<string, ExchangeFault>()
    let fault: ExchangeFault
    for (fault in meanings) faults.set(fault, fault)
    return faults.get(name) ?? 'broken'
  }
})
