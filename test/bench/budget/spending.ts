import type { Budget } from '../../../actors/budget.ts'
import { wallClock } from '../../../drivers/clock.ts'
import { randomStream } from '../../../drivers/random.ts'
import type { Bill } from './bill.ts'
import { spendAll } from './clients.ts'
import type { ModelServer } from './server.ts'

/** How a budget was spent, in tokens: what was charged, and what the server says of it. */
export interface Spending {
  readonly seed: number
  /** Settled by what the server reported. */
  readonly spent: number
  /** Charged for calls of which nobody knew what they came to. */
  readonly assumed: number
  readonly debt: number
  readonly bill: Bill
  /** What the server billed for replies that were whole, told of honestly, and acted upon. */
  readonly useful: number
}

/** Has so many clients spend a budget to its end, on a new bill. */
export async function spend(
  server: ModelServer,
  budget: Budget,
  { clients, seed }: { readonly clients: number; readonly seed: number },
): Promise<Spending> {
  await server.begin(seed, 'faulty')
  const acted = await spendAll({
    count: clients,
    budget,
    url: server.url,
    clock: wallClock(),
    random: randomStream(seed, 'clients'),
  })
  const bill = await server.settledBill()
  const { spent, assumed, debt } = budget.day
  return {
    seed,
    spent: spent.tokens,
    assumed: assumed.tokens,
    debt: debt.tokens,
    bill,
    useful: usefulIn(bill, new Set(acted)),
  }
}

/** A reply that was lied about is acted upon like others, but it is charged at its worst: it counts as that alone. */
function usefulIn({ calls }: Bill, acted: ReadonlySet<string>): number {
  return calls
    .filter(({ id, isHonest, isWhole }) => acted.has(id) && isHonest && isWhole)
    .reduce((sum, { tokens }) => sum + tokens, 0)
}
