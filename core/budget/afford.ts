import type { Amount } from '../vocabulary/question.ts'
import { covers, isAmount } from './amount.ts'
import { type Ledger, remaining, remainingAtBest } from './ledger.ts'

/** A call that somebody wants to make. */
export interface Wish {
  /** The worst that it can cost with so many tokens for the reply; more tokens never cost less. */
  worst(capTokens: number): Amount
  readonly capTokens: number
  /** A reply that is cut off earlier is of no use. */
  readonly capTokensMin: number
  /** What would do as well, at other prices: a budget that can still pay for one of them is not exhausted. */
  readonly others?: readonly Wish[]
}

/** Whether a wish can be paid: now, with so many tokens for the reply; perhaps when holds have ended; or never. */
export type Means =
  | { readonly kind: 'now'; readonly capTokens: number; readonly worst: Amount }
  | { readonly kind: 'later' }
  | { readonly kind: 'never'; readonly worst: Amount }

/**
 * What a ledger has for a wish. While calls are under way a wish waits for what they give back, rather than to be cut
 * short: they ask for the worst and mostly use less. When nothing is held the reply shrinks to what is left, so that
 * little stays unspent. Throws TypeError for a cost that is no amount.
 */
export function afford(ledger: Ledger, wish: Wish): Means {
  const leastTokens = Math.min(wish.capTokensMin, wish.capTokens)
  const least = costOf(wish, leastTokens)
  if (!covers(remainingAtBest(ledger), least)) return { kind: 'never', worst: least }
  const room = remaining(ledger)
  const whole = costOf(wish, wish.capTokens)
  if (covers(room, whole)) return { kind: 'now', capTokens: wish.capTokens, worst: whole }
  if (ledger.holds.size > 0) return { kind: 'later' }
  const capTokens = largestWithin(room, wish, leastTokens)
  return { kind: 'now', capTokens, worst: costOf(wish, capTokens) }
}

/** The largest cap that `room` covers, by halving; `leastTokens` is covered, the whole is not. */
function largestWithin(room: Amount, wish: Wish, leastTokens: number): number {
  let covered = leastTokens
  let beyond = wish.capTokens
  while (beyond - covered > 1) {
    const middle = Math.floor((covered + beyond) / 2)
    if (covers(room, costOf(wish, middle))) covered = middle
    else beyond = middle
  }
  return covered
}

function costOf(wish: Wish, capTokens: number): Amount {
  const worst = wish.worst(capTokens)
  if (isAmount(worst) && worst.tokens > 0) return worst
  throw new TypeError(`a call that costs ${worst.tokens} tokens and ${worst.nanoUsd} nanoUSD`)
}
