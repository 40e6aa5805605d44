import { wallClock } from '../../drivers/clock.ts'
import { memoryLedgerStore } from '../../store/ledger.ts'
import { openAccount } from './budget/account.ts'
import type { Bill } from './budget/bill.ts'
import { type Lives, spendUnderKills } from './budget/lives.ts'
import { type ModelServer, startModelServer } from './budget/server.ts'
import { spend, type Spending } from './budget/spending.ts'
import type { BenchOptions } from './command.ts'
import { type Counted, countedFigure, type Figure } from './figure.ts'

const seeds = 20
const clients = 50
const limitTokens = 20_000

/** Enough for several lives of a second each. */
const mortal = { limitTokens: 60_000, clients: 8, lifeMs: 1_000 }
const killsMin = 5

const overspend: Counted = { name: 'overspendTokens', unit: 'tokens', bound: 0, op: '<=' }
const overspendKilled: Counted = { ...overspend, name: 'overspendTokensKilled' }
const usefulShare: Counted = { name: 'usefulShare', unit: 'share', bound: 0.9, op: '>=' }

/**
 * What a faulty server bills to clients that share one budget, beside the limit of that budget; how much of what can
 * be known to be spent bought replies that were acted upon; and what it bills to a robot that is killed every second.
 */
export async function budgetBench({ note }: BenchOptions): Promise<readonly Figure[]> {
  const server = await startModelServer()
  try {
    const spendings: Spending[] = []
    for (let seed = 1; seed <= seeds; seed++) {
      // oxlint-disable-next-line no-await-in-loop -- one bill at a time
      const spending = await spendSeed(server, { clients, seed, limitTokens })
      note(lineOf(spending))
      spendings.push(spending)
    }
    const lives = await spendUnderKills(server, mortal)
    return [...spendingFigures(spendings, limitTokens), killedFigure(lives, mortal.limitTokens)]
  } finally {
    await server.close()
  }
}

/** Spends one budget in memory. */
export async function spendSeed(
  server: ModelServer,
  run: { readonly clients: number; readonly seed: number; readonly limitTokens: number },
): Promise<Spending> {
  const budget = await openAccount({
    limitTokens: run.limitTokens,
    store: memoryLedgerStore(),
    clock: wallClock(),
    idPrefix: `seed${run.seed}-`,
  })
  try {
    return await spend(server, budget, run)
  } finally {
    await budget.close()
  }
}

/** Of each number the worst of all seeds. */
export function spendingFigures(spendings: readonly Spending[], limit: number): readonly Figure[] {
  const n = spendings.length
  const overspent = ({ bill }: Spending) => Math.max(0, bill.billedTokens - limit)
  const share = ({ useful, assumed }: Spending) => useful / (limit - assumed)
  const dearest = worstOf(spendings, overspent)
  const idlest = worstOf(spendings, (spending) => -share(spending))
  return [
    countedFigure(overspend, {
      value: overspent(dearest),
      n,
      reason: `${lineOf(dearest)}; ${faultsOf(spendings)}`,
    }),
    countedFigure(usefulShare, { value: share(idlest), n, reason: lineOf(idlest) }),
  ]
}

/** Fewer kills than five show nothing, and neither does a budget that is forgotten. */
export function killedFigure(
  { kills, charged, bill, requestsAfterwards }: Lives,
  limit: number,
): Figure {
  const over = Math.max(0, bill.billedTokens - limit)
  const isShown = kills >= killsMin && requestsAfterwards === 0
  return countedFigure(overspendKilled, {
    value: isShown ? over : Number.NaN,
    n: kills,
    reason: `limit ${limit}, charged ${charged}, billed ${bill.billedTokens}; ${bill.requests} requests, ${requestsAfterwards} more from a robot that was started when the budget was exhausted; at least ${killsMin} kills are needed`,
  })
}

/** The first of the worst. What is no number is worse than any. */
function worstOf(
  spendings: readonly Spending[],
  badness: (spending: Spending) => number,
): Spending {
  return spendings.reduce((worst, next) =>
    Number.isNaN(badness(worst)) || badness(worst) >= badness(next) ? worst : next,
  )
}

function lineOf({ seed, spent, assumed, debt, bill, useful }: Spending): string {
  return `seed ${seed}: spent ${spent}, assumed ${assumed}, debt ${debt}, billed ${bill.billedTokens}, useful ${useful}`
}

/** What the server did to all of them, so that one can see that it was as bad as it should be. */
function faultsOf(spendings: readonly Spending[]): string {
  const total = (count: (bill: Bill) => number) =>
    spendings.reduce((sum, { bill }) => sum + count(bill), 0)
  const requests = total((bill) => bill.requests)
  const percent = (count: (bill: Bill) => number) => Math.round((total(count) / requests) * 100)
  const atOnce = Math.max(...spendings.map(({ bill }) => bill.atOnceMax))
  const shares = [
    `${percent(({ failed }) => failed)} % failed`,
    `${percent(({ dropped }) => dropped)} % dropped`,
    `${percent(({ lies }) => lies)} % lied about`,
    `${percent(({ givenUp }) => givenUp)} % given up`,
  ]
  return `${requests} requests, at most ${atOnce} at once: ${shares.join(', ')}`
}
