import { completionOf, type Heard } from '../../actors/completion.ts'
import { createTariff } from '../../actors/tariff.ts'
import { sum } from '../../core/budget/amount.ts'
import { openLedger, reserve, settle } from '../../core/budget/ledger.ts'
import { free } from '../../core/budget/price.ts'
import type { Question } from '../../core/vocabulary/question.ts'

/** What is held for one attempt, and what of it is charged once its answer was heard, in tokens. */
export function chargeFor(heard: Heard): { readonly charged: number; readonly worst: number } {
  const tariff = createTariff({ counter: undefined, price: free })
  const worst = tariff.worst(question, capTokens)
  const ledger = reserve(openLedger({ run: endless, day: endless, month: endless }, day), id, worst)
  if (!ledger) throw new Error('nothing is held')
  const completion = completionOf(heard)
  const charge = tariff.chargeOf({ question, endpoint: 0, capTokens }, { kind: 'used', completion })
  const { spent, assumed, debt } = settle(ledger, id, charge).purses.run
  return { charged: sum([spent, assumed, debt]).tokens, worst: worst.tokens }
}

const id = 'attempt'
const day = '2026-01-31'
const endless = { tokens: Infinity, nanoUsd: Infinity }
const capTokens = 100
const question: Question = {
  id: 1,
  messages: [{ role: 'user', content: 'What now?' }],
  schema: {},
}
