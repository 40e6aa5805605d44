/** What has become of a token budget. `spent` was reported by a server, `assumed` was charged because nobody knows. */
export interface Ledger {
  readonly limit: number
  readonly spent: number
  readonly assumed: number
  /** Tokens held for calls under way, by the call's id. */
  readonly holds: ReadonlyMap<number, number>
}

/** How a call ended. Unknown is charged at the whole hold: the server may have billed all of it. */
export type Outcome =
  | { readonly kind: 'used'; readonly tokens: number }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unsent' }

/** The share of the limit under which a budget is called low. */
export const lowShare = 0.2

export function openLedger(limit: number): Ledger {
  if (!(limit > 0) || !Number.isFinite(limit)) throw new TypeError(`a budget of ${limit} tokens`)
  return { limit, spent: 0, assumed: 0, holds: new Map() }
}

export function heldTokens(ledger: Ledger): number {
  let held = 0
  for (const tokens of ledger.holds.values()) held += tokens
  return held
}

/** What may still be held. Never negative. */
export function remainingTokens(ledger: Ledger): number {
  return Math.max(0, ledger.limit - ledger.spent - ledger.assumed - heldTokens(ledger))
}

/** Holds the worst that a call can cost, or returns undefined when that is more than remains. */
export function reserve(ledger: Ledger, id: number, worst: number): Ledger | undefined {
  if (!(worst > 0) || !(worst <= remainingTokens(ledger)) || ledger.holds.has(id)) return undefined
  return { ...ledger, holds: new Map(ledger.holds).set(id, worst) }
}

/**
 * Ends a hold, exactly once: settling an unknown id changes nothing. A server that bills more than was held is
 * believed, so that the debt shows.
 */
export function settle(ledger: Ledger, id: number, outcome: Outcome): Ledger {
  const hold = ledger.holds.get(id)
  if (hold === undefined) return ledger
  const holds = new Map(ledger.holds)
  holds.delete(id)
  switch (outcome.kind) {
    case 'used':
      return isUsage(outcome.tokens)
        ? { ...ledger, holds, spent: ledger.spent + outcome.tokens }
        : { ...ledger, holds, assumed: ledger.assumed + hold }
    case 'unknown':
      return { ...ledger, holds, assumed: ledger.assumed + hold }
    case 'unsent':
      return { ...ledger, holds }
  }
}

function isUsage(tokens: number): boolean {
  return Number.isSafeInteger(tokens) && tokens > 0
}
