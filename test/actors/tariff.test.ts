import { describe, expect, test } from 'vitest'
import { createTariff } from '../../actors/tariff.ts'
import { promptBound } from '../../core/budget/bound.ts'
import type { Completion, Outcome, Question, Usage } from '../../core/vocabulary/question.ts'

const price = { inputNanoUsdPerToken: 2.5, outputNanoUsdPerToken: 10 }
const words = { count: (text: string) => text.split(/\s+/).filter((word) => word !== '').length }
const question: Question = {
  id: 1,
  messages: [
    { role: 'system', content: 'you drive a rover' },
    { role: 'user', content: 'go to the door' },
  ],
  schema: { type: 'object' },
}
const attempt = { question, endpoint: 0, capTokens: 400 }
const reply = 'turn left and drive on'
const contents = 8

function used(usage: Usage | undefined, content = reply): Outcome {
  const completion: Completion = { content, finish: 'stop', usage }
  return { kind: 'used', completion }
}

const bytes = () => createTariff({ counter: undefined, price })
const counted = () => createTariff({ counter: words, price })

describe('a tariff', () => {
  test('has as its worst the bound of the prompt and the whole reply, each at its price', () => {
    for (const [tariff, counter] of [
      [bytes(), undefined],
      [counted(), words],
    ] as const) {
      const prompt = promptBound(question, counter)
      expect(tariff.worst(question, 400)).toEqual({
        tokens: prompt + 400,
        nanoUsd: Math.ceil(prompt * 2.5 + 4000),
      })
    }
  })

  test('charges what an honest server reports', () => {
    expect(counted().chargeOf(attempt, used({ promptTokens: 31, completionTokens: 12 }))).toEqual({
      kind: 'used',
      amount: { tokens: 43, nanoUsd: 198 },
    })
  })

  test('charges nothing for what was not sent, and the worst for what nobody knows', () => {
    const tariff = counted()
    expect(tariff.chargeOf(attempt, { kind: 'unsent' })).toEqual({ kind: 'unsent' })
    expect(tariff.chargeOf(attempt, { kind: 'unknown' })).toEqual({ kind: 'unknown' })
    expect(tariff.chargeOf(attempt, used(undefined))).toEqual({ kind: 'unknown' })
  })

  test.each([
    ['fewer tokens than its prompt has words', { promptTokens: 7, completionTokens: 12 }],
    ['fewer tokens than its reply has words', { promptTokens: 31, completionTokens: 4 }],
    ['nothing', { promptTokens: 0, completionTokens: 0 }],
    ['less than nothing', { promptTokens: 31, completionTokens: -1 }],
    ['half a token', { promptTokens: 31.5, completionTokens: 12 }],
    ['no number', { promptTokens: NaN, completionTokens: 12 }],
    ['no end', { promptTokens: 31, completionTokens: Infinity }],
    ['more than can be counted', { promptTokens: 2e15, completionTokens: 8e15 }],
  ])('believes no server that reports %s', (_, usage) => {
    for (const tariff of [bytes(), counted()]) {
      expect(tariff.chargeOf(attempt, used(usage))).toEqual({ kind: 'unknown' })
    }
  })

  test('believes the least that is possible, and what is far too much', () => {
    const amountFor = (usage: Usage) => counted().chargeOf(attempt, used(usage))
    expect(amountFor({ promptTokens: contents, completionTokens: 5 })).toMatchObject({
      amount: { tokens: 13 },
    })
    expect(amountFor({ promptTokens: 1e6, completionTokens: 5 })).toMatchObject({
      amount: { tokens: 1_000_005 },
    })
    const empty = counted().chargeOf(attempt, used({ promptTokens: 30, completionTokens: 0 }, ''))
    expect(empty).toMatchObject({ kind: 'used', amount: { tokens: 30 } })
  })

  test('learns what its server adds to a prompt, and keeps to the most that it saw', () => {
    const tariff = counted()
    const before = tariff.worst(question, 0).tokens
    tariff.chargeOf(attempt, used({ promptTokens: contents + 20, completionTokens: 5 }))
    expect(tariff.worst(question, 0).tokens).toBe(before)
    for (const overhead of [300, 200]) {
      tariff.chargeOf(attempt, used({ promptTokens: contents + overhead, completionTokens: 5 }))
      expect(tariff.worst(question, 0).tokens).toBe(contents + 300)
    }
    const short = { ...question, messages: question.messages.slice(1) }
    expect(tariff.worst(short, 0).tokens).toBe(4 + 300)
  })

  test('learns nothing from a lie', () => {
    const tariff = counted()
    const before = tariff.worst(question, 0)
    tariff.chargeOf(attempt, used({ promptTokens: 2, completionTokens: 1 }))
    expect(tariff.worst(question, 0)).toEqual(before)
  })

  test('expects to be billed again what went beyond its worst, however that is made up', () => {
    const tariff = counted()
    const before = tariff.worst(question, attempt.capTokens).tokens
    const lie = { promptTokens: before + 500, completionTokens: 0 }
    const charge = tariff.chargeOf(attempt, used(lie))
    expect(charge).toMatchObject({ kind: 'used', amount: { tokens: before + 500 } })
    expect(tariff.worst(question, attempt.capTokens).tokens).toBe(before + 500)
  })

  test('has a price', () => {
    const bad = { inputNanoUsdPerToken: NaN, outputNanoUsdPerToken: 1 }
    expect(() => createTariff({ counter: undefined, price: bad })).toThrow(TypeError)
  })
})
