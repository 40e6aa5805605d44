import { describe, expect, test } from 'vitest'
import { createActor, toPromise } from 'xstate'
import { createBudget } from '../../actors/budget.ts'
import { reserveFor, settleWith } from '../../actors/spending.ts'
import { createTariff } from '../../actors/tariff.ts'
import { free, pricePerMillion } from '../../core/budget/price.ts'
import type { Outcome, Question, Reservation } from '../../core/vocabulary/question.ts'
import { virtualClock } from '../../drivers/clock.ts'
import { ledgerDisk } from './ledger-disk.ts'

const unlimited = { tokens: Infinity, nanoUsd: Infinity }
const question: Question = { id: 1, messages: [{ role: 'user', content: 'go on' }], schema: {} }
/** Five bytes, two of the schema, and the template. */
const prompt = 5 + 2 + 16 + 64

async function spending(limitTokens: number) {
  const disk = ledgerDisk()
  const clock = virtualClock()
  const budget = await createBudget({
    limits: { run: { tokens: limitTokens, nanoUsd: Infinity }, day: unlimited, month: unlimited },
    requestsPerMinute: Infinity,
    store: disk.open(),
    clock,
    calendar: () => ({ wallMs: 0, uptimeMs: 0, bootId: 'one', isSynchronised: true }),
    idPrefix: 'run-',
  })
  const tariffs = [free, pricePerMillion(1, 2)].map((price) =>
    createTariff({ counter: undefined, price }),
  )
  return {
    disk,
    clock,
    budget,
    reserving: reserveFor(budget, tariffs),
    settling: settleWith(budget, tariffs),
  }
}

function used(promptTokens: number, completionTokens: number): Outcome {
  const usage = { promptTokens, completionTokens }
  return { kind: 'used', completion: { content: 'on', finish: 'stop', usage } }
}

describe('an attempt', () => {
  test('is reserved at the worst, and settled by what it used, at the tariff of its endpoint', async () => {
    const { budget, reserving, settling } = await spending(1000)
    const input = { question, endpoint: 1, capTokens: 200 }
    const reservation = await toPromise(createActor(reserving, { input }).start())
    expect(reservation).toEqual({
      id: 'run-1',
      worst: { tokens: prompt + 200, nanoUsd: 1000 * prompt + 2000 * 200 },
      capTokens: 200,
    })
    const bill = { reservation, attempt: input, outcome: used(30, 7) }
    const ending = createActor(settling, { input: bill }).start()
    // At once: whoever is stopped now has settled.
    expect(budget.run).toMatchObject({
      spent: { tokens: 37, nanoUsd: 44_000 },
      held: { tokens: 0, nanoUsd: 0 },
    })
    expect(await toPromise(ending)).toEqual({ overbilled: false })
  })

  test('is cut to what is left, but not below what an intent takes', async () => {
    const reserved = async (left: number, capTokens: number) => {
      const { reserving } = await spending(left)
      const actor = createActor(reserving, { input: { question, endpoint: 0, capTokens } })
      return toPromise(actor.start()).then((reservation) => reservation.capTokens)
    }
    expect(await reserved(prompt + 170, 400)).toBe(170)
    expect(await reserved(prompt + 160, 400)).toBe(160)
    await expect(reserved(prompt + 159, 400)).rejects.toMatchObject({
      code: 'ERR_BUDGET_EXHAUSTED',
    })
    expect(await reserved(prompt + 50, 50)).toBe(50)
  })

  test('of an endpoint without a tariff is a mistake', async () => {
    const { reserving } = await spending(1000)
    const actor = createActor(reserving, { input: { question, endpoint: 2, capTokens: 200 } })
    await expect(toPromise(actor.start())).rejects.toEqual(
      new TypeError('endpoint 2 has no tariff'),
    )
  })
})

test('whoever is stopped at any moment of reserving leaves nothing held', async () => {
  for (let patience = 0; patience < 12; patience++) {
    const { budget, clock, disk, reserving } = await spending(1000)
    const input = { question, endpoint: 0, capTokens: 200 }
    const actor = createActor(reserving, { input })
    const taken: Reservation[] = []
    actor.subscribe(({ output }) => output && taken.push(output))
    actor.start()
    for (let moment = 0; moment < patience; moment++) await Promise.resolve()
    actor.stop()
    await clock.advance(0)
    const held = taken.map(({ worst }) => worst.tokens)
    expect([patience, budget.run.held.tokens]).toEqual([patience, held[0] ?? 0])
    expect(disk.kept()?.holds.size).toBe(held.length)
  }
})
