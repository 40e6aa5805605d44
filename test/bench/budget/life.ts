import { z } from 'zod'
import { wallClock } from '../../../drivers/clock.ts'
import { randomStream } from '../../../drivers/random.ts'
import { openLedgerStore } from '../../../store/ledger.ts'
import { openAccount } from './account.ts'
import { spendAll } from './clients.ts'

/**
 * One life of a robot that is killed again and again: opens the ledger that its forerunner left, says `begun` when its
 * clients ask, and, if it gets so far, what was charged once the budget is exhausted. Takes what it needs from its
 * argument.
 */
const needs = z.strictObject({
  url: z.string(),
  folder: z.string(),
  limitTokens: z.number(),
  clients: z.number(),
  life: z.int(),
})
const { url, folder, limitTokens, clients, life } = needs.parse(JSON.parse(process.argv[2] ?? ''))
// Whoever started it is gone when its standard input ends.
process.stdin.resume().on('end', () => process.exit(1))

const clock = wallClock()
const store = await openLedgerStore(folder)
const budget = await openAccount({ limitTokens, store, clock, idPrefix: `life${life}-` })
await spendAll({
  count: clients,
  budget,
  url,
  clock,
  random: randomStream(life, 'clients'),
  onBegun: () => void process.stdout.write('begun\n'),
})
const { spent, assumed, debt } = budget.day
await budget.close()
process.stdout.write(`exhausted ${spent.tokens + assumed.tokens + debt.tokens}\n`, () =>
  process.exit(),
)
