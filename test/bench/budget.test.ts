import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Budget } from '../../actors/budget.ts'
import { wallClock } from '../../drivers/clock.ts'
import { memoryLedgerStore } from '../../store/ledger.ts'
import { openAccount } from './budget/account.ts'
import type { Bill } from './budget/bill.ts'
import { spendUnderKills } from './budget/lives.ts'
import { type ModelServer, startModelServer } from './budget/server.ts'
import { spend, type Spending } from './budget/spending.ts'
import { killedFigure, spendingFigures, spendSeed } from './budget.ts'

describe('a budget and a faulty server', { timeout: 120_000 }, () => {
  let server: ModelServer
  beforeAll(async () => {
    server = await startModelServer()
  })
  afterAll(() => server.close())

  test('the server bills what it did, and never more than was charged', async () => {
    const limitTokens = 6_000
    const spending = await spendSeed(server, { clients: 12, seed: 1, limitTokens })
    const { spent, assumed, debt, useful, bill } = spending
    const itemised = bill.calls.reduce((sum, { tokens }) => sum + tokens, 0)
    expect([itemised, debt]).toEqual([bill.billedTokens, 0])
    expect(useful).toBeGreaterThan(0)
    expect(useful).toBeLessThanOrEqual(spent)
    expect(bill.billedTokens).toBeLessThanOrEqual(spent + assumed)
    expect(spent + assumed).toBeLessThanOrEqual(limitTokens)
    expect(spendingFigures([spending], limitTokens)[0]).toMatchObject({ value: 0, verdict: 'ok' })
  })

  test('a budget that gives back what nobody knows of is found out', async () => {
    const limitTokens = 8_000
    const clock = wallClock()
    const store = memoryLedgerStore()
    const budget = await openAccount({ limitTokens, store, clock, idPrefix: 'careless-' })
    const spending = await spend(server, careless(budget), { clients: 40, seed: 1 })
    await budget.close()
    expect(spending.bill.billedTokens).toBeGreaterThan(limitTokens)
    expect(spendingFigures([spending], limitTokens)[0]).toMatchObject({
      value: spending.bill.billedTokens - limitTokens,
      verdict: 'miss',
    })
  })

  test('a robot that is killed pays for each call, and has no more afterwards', async () => {
    const limitTokens = 5_000
    const lives = await spendUnderKills(server, { limitTokens, clients: 4, lifeMs: 400 })
    expect(lives.kills).toBeGreaterThan(0)
    expect(lives.bill.billedTokens).toBeGreaterThan(0)
    expect(lives.bill.billedTokens).toBeLessThanOrEqual(lives.charged)
    expect(lives.charged).toBeLessThanOrEqual(limitTokens)
    expect(lives.requestsAfterwards).toBe(0)
  })
})

describe('the figures', () => {
  const bill: Bill = {
    requests: 20,
    underWay: 0,
    atOnceMax: 7,
    failed: 3,
    dropped: 2,
    lies: 1,
    givenUp: 0,
    billedTokens: 900,
    calls: [],
  }
  const good: Spending = { seed: 1, spent: 500, assumed: 450, debt: 0, useful: 500, bill }
  const poor = { ...good, seed: 2, useful: 400 }
  const dear = { ...good, seed: 3, debt: 90, bill: { ...bill, billedTokens: 1_090, atOnceMax: 9 } }

  test('are the worst of all seeds, each of its own, and say which that was', () => {
    expect(spendingFigures([good, poor, dear, good], 1_000)).toMatchObject([
      {
        name: 'overspendTokens',
        unit: 'tokens',
        op: '<=',
        bound: 0,
        value: 90,
        n: 4,
        verdict: 'miss',
        reason:
          'seed 3: spent 500, assumed 450, debt 90, billed 1090, useful 500; 80 requests, at most 9 at once: 15 % failed, 10 % dropped, 5 % lied about, 0 % given up',
      },
      {
        name: 'usefulShare',
        unit: 'share',
        op: '>=',
        bound: 0.9,
        value: 0.73,
        n: 4,
        verdict: 'miss',
        reason: 'seed 2: spent 500, assumed 450, debt 0, billed 900, useful 400',
      },
    ])
    const verdicts = spendingFigures([good], 1_000).map(({ value, verdict }) => [value, verdict])
    expect(verdicts).toEqual([
      [0, 'ok'],
      [0.91, 'ok'],
    ])
  })

  test('are a miss where nothing could be spent usefully', () => {
    const idle = { ...good, assumed: 1_000, useful: 0 }
    expect(spendingFigures([good, idle, good], 1_000)[1]).toMatchObject({
      value: null,
      verdict: 'miss',
    })
  })

  test('of a robot that is killed are a miss after few kills, and when it forgot its budget', () => {
    const lives = { kills: 5, charged: 990, bill, requestsAfterwards: 0 }
    expect(killedFigure(lives, 1_000)).toMatchObject({
      name: 'overspendTokensKilled',
      value: 0,
      n: 5,
      verdict: 'ok',
    })
    expect(killedFigure(lives, 800)).toMatchObject({ value: 100, verdict: 'miss' })
    expect(killedFigure({ ...lives, kills: 4 }, 1_000)).toMatchObject({ verdict: 'miss' })
    expect(killedFigure({ ...lives, requestsAfterwards: 1 }, 1_000).verdict).toBe('miss')
  })
})

/** As most programs do it: what failed is taken not to have cost anything. */
function careless(budget: Budget): Budget {
  return {
    reserve: budget.reserve,
    settle: (reservation, charge) =>
      budget.settle(reservation, charge.kind === 'unknown' ? { kind: 'unsent' } : charge),
    get note() {
      return budget.note
    },
    get run() {
      return budget.run
    },
    get day() {
      return budget.day
    },
    get month() {
      return budget.month
    },
    onNote: budget.onNote,
    close: budget.close,
  }
}
