import { readRetryAfter } from '../core/budget/retry.ts'
import type { ErrorCode } from '../core/vocabulary/errors.ts'
import type { ExchangeError, ExchangeFault } from '../core/vocabulary/exchange.ts'
import type { AttemptFailure } from '../core/vocabulary/question.ts'

/** An answer of a server that is none of a model: its status, and the headers that say when to try again. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
}

/**
 * What a status other than success means. A refusal (4xx) came before any content and is free. A server that failed,
 * or ran out of time, may have billed. `wallMs` is the time since 1970. Nothing that the server wrote gets into the
 * message: it may have repeated the key.
 */
export function refusalFailure({ status, headers }: Refusal, wallMs: number): AttemptFailure {
  const hint = status === 401 || status === 403 ? ': is the key right, and in its variable?' : ''
  const isFree = status >= 400 && status <= 499 && !outOfTime.has(status)
  return {
    code: 'ERR_BRAIN_REFUSED',
    message: `the model's server answered ${status}${hint}`,
    outcome: { kind: isFree ? 'unsent' : 'unknown' },
    retryable: isRetryable(status, headers['x-should-retry']),
    retryAfterMs: readRetryAfter(headers['retry-after'] ?? '', wallMs),
  }
}

/** What an exchange without an answer means. Only a request that has not left is free. */
export function exchangeFailure({ fault, isSent, status }: ExchangeError): AttemptFailure {
  const [code, message, retryable] = meanings[fault]
  return {
    code,
    message: message.replace('{status}', String(status)),
    outcome: { kind: isSent ? 'unknown' : 'unsent' },
    retryable,
  }
}

/** A gateway answers these when it has waited in vain for the model, which may be at work all the same. */
const outOfTime = new Set([408, 499])

function isRetryable(status: number, word: string | undefined): boolean {
  if (word === 'true') return true
  if (word === 'false') return false
  return status === 408 || status === 409 || status === 429 || status >= 500
}

const meanings: Readonly<Record<ExchangeFault, readonly [ErrorCode, string, boolean]>> = {
  forbidden: [
    'ERR_BRAIN_UNREACHABLE',
    'nothing is sent to an address like that of the model',
    false,
  ],
  unresolved: ['ERR_BRAIN_UNREACHABLE', "the host in the model's address was not found", true],
  refused: [
    'ERR_BRAIN_UNREACHABLE',
    'nobody answers at the address of the model: connection refused',
    true,
  ],
  untrusted: [
    'ERR_BRAIN_UNREACHABLE',
    "the model's server is not trusted: its certificate or its version of TLS",
    false,
  ],
  unconnected: ['ERR_BRAIN_UNREACHABLE', 'no connection to the address of the model', true],
  broken: ['ERR_BRAIN_UNREACHABLE', 'the connection to the model broke', true],
  garbled: ['ERR_BRAIN_RUBBISH', "the model's server does not speak HTTP", false],
  encoded: ['ERR_BRAIN_RUBBISH', "the model's server sent a compressed reply", false],
  redirected: [
    'ERR_BRAIN_REFUSED',
    "the model's server answered {status}: redirects are not followed",
    false,
  ],
  oversized: ['ERR_BRAIN_RUBBISH', "the model's server sent too much", false],
  unreadable: ['ERR_BRAIN_RUBBISH', "the model's server did not answer in JSON", false],
  failed: ['ERR_BRAIN_REFUSED', "the model's server failed while it answered", true],
  unfinished: ['ERR_BRAIN_UNREACHABLE', 'the reply of the model broke off', true],
  late: ['ERR_BRAIN_SILENT', 'the model did not answer in time', false],
  withdrawn: ['ERR_BRAIN_SILENT', 'the call was aborted', false],
}
