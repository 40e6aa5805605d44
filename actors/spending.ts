import { fromPromise, type PromiseActorLogic } from 'xstate'
import type {
  Attempt,
  Outcome,
  Question,
  Reservation,
  Settlement,
} from '../core/vocabulary/question.ts'
import type { Wish } from '../core/budget/afford.ts'
import type { Budget } from './budget.ts'
import type { Tariff } from './tariff.ts'

/** A reply that is cut off before this many tokens is of no use: an intent does not fit into it. */
const capTokensMin = 160

/**
 * Reserves the worst of one attempt, at the tariff of its endpoint. Stopped, it leaves nothing held. Rejects with
 * ERR_BUDGET_EXHAUSTED or ERR_BUDGET_UNKEPT.
 */
export function reserveFor(
  budget: Budget,
  tariffs: readonly Tariff[],
): PromiseActorLogic<
  Reservation,
  { readonly question: Question; readonly endpoint: number; readonly capTokens: number }
> {
  return fromPromise(async ({ input: { question, endpoint, capTokens }, signal }) => {
    const wishAt = (tariff: Tariff): Wish => ({
      worst: (tokens) => tariff.worst(question, tokens),
      capTokens,
      capTokensMin: Math.min(capTokensMin, capTokens),
    })
    const wish = wishAt(tariffOf(tariffs, endpoint))
    const others = tariffs.filter((_, at) => at !== endpoint).map(wishAt)
    const reservation = await budget.reserve({ ...wish, others }, signal)
    // The signal of an actor is not aborted once its output was taken. Until then nobody has it, and nobody settles it.
    const giveBack = () => void budget.settle(reservation, { kind: 'unsent' }).catch(() => {})
    if (signal.aborted) giveBack()
    else signal.addEventListener('abort', giveBack, { once: true })
    return reservation
  })
}

/** Settles one attempt, at the tariff of its endpoint. Done in memory when it starts. Rejects with ERR_BUDGET_UNKEPT. */
export function settleWith(
  budget: Budget,
  tariffs: readonly Tariff[],
): PromiseActorLogic<
  Settlement,
  { readonly reservation: Reservation; readonly attempt: Attempt; readonly outcome: Outcome }
> {
  return fromPromise(async ({ input: { reservation, attempt, outcome } }) =>
    budget.settle(reservation, tariffOf(tariffs, attempt.endpoint).chargeOf(attempt, outcome)),
  )
}

function tariffOf(tariffs: readonly Tariff[], endpoint: number): Tariff {
  const tariff = tariffs[endpoint]
  if (!tariff) throw new TypeError(`endpoint ${endpoint} has no tariff`)
  return tariff
}
