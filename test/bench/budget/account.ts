import { type Budget, createBudget } from '../../../actors/budget.ts'
import type { Clock } from '../../../drivers/clock.ts'
import type { LedgerStore } from '../../../store/ledger.ts'

/** A budget of so many tokens for a day that does not end, however long the bench takes. */
export interface Account {
  readonly limitTokens: number
  readonly store: LedgerStore
  readonly clock: Clock
  /** Another one for each process: the ids of holds are kept. */
  readonly idPrefix: string
}

export function openAccount({ limitTokens, ...rest }: Account): Promise<Budget> {
  return createBudget({
    limits: { run: unlimited, day: { ...unlimited, tokens: limitTokens }, month: unlimited },
    requestsPerMinute,
    calendar: () => ({
      wallMs: noonMs,
      uptimeMs: rest.clock.now(),
      bootId: 'bench',
      isSynchronised: true,
    }),
    ...rest,
  })
}

const unlimited = { tokens: Infinity, nanoUsd: Infinity }
/** More than there is time for: nobody waits for this. */
const requestsPerMinute = 1_000_000
const noonMs = Date.UTC(2026, 0, 30, 12)
