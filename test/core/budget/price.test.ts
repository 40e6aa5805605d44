import { expect, test } from 'vitest'
import { amountOf, checkPrice, pricePerMillion } from '../../../core/budget/price.ts'

test('a price of lists is one of 1e-9 USD for a token', () => {
  expect(pricePerMillion(2.5, 10)).toEqual({
    inputNanoUsdPerToken: 2_500,
    outputNanoUsdPerToken: 10_000,
  })
})

test('money is rounded up', () => {
  const price = { inputNanoUsdPerToken: 0.1, outputNanoUsdPerToken: 0.25 }
  const cost = (promptTokens: number, completionTokens: number) =>
    amountOf(price, { promptTokens, completionTokens })
  expect(cost(1, 0)).toEqual({ tokens: 1, nanoUsd: 1 })
  expect(cost(5, 2)).toEqual({ tokens: 7, nanoUsd: 1 })
  expect(cost(5, 3)).toEqual({ tokens: 8, nanoUsd: 2 })
})

test('money that is too much for a whole number is the largest one', () => {
  expect(
    amountOf(pricePerMillion(1000, 1000), { promptTokens: 1e15, completionTokens: 0 }),
  ).toEqual({ tokens: 1e15, nanoUsd: Number.MAX_SAFE_INTEGER })
})

test('a price that is none is a mistake', () => {
  for (const bad of [NaN, -1, Infinity]) {
    expect(() => pricePerMillion(bad, 1)).toThrow(TypeError)
    expect(() => checkPrice({ inputNanoUsdPerToken: 1, outputNanoUsdPerToken: bad })).toThrow(
      TypeError,
    )
  }
})
