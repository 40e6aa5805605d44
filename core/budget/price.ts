import type { Amount, Usage } from '../vocabulary/question.ts'

/** What a token costs at most, in 1e-9 USD. May be fractional. */
export interface Price {
  readonly inputNanoUsdPerToken: number
  readonly outputNanoUsdPerToken: number
}

export const free: Price = Object.freeze({ inputNanoUsdPerToken: 0, outputNanoUsdPerToken: 0 })

/** The price that lists state in USD for a million tokens. Throws TypeError unless both are finite and not negative. */
export function pricePerMillion(inputUsd: number, outputUsd: number): Price {
  return checkPrice({
    inputNanoUsdPerToken: inputUsd * nanoUsdPerTokenOfMillion,
    outputNanoUsdPerToken: outputUsd * nanoUsdPerTokenOfMillion,
  })
}

/** The price itself. Throws TypeError unless both sides are finite and not negative. */
export function checkPrice(price: Price): Price {
  for (const side of [price.inputNanoUsdPerToken, price.outputNanoUsdPerToken]) {
    if (!(side >= 0 && side < Infinity)) throw new TypeError(`a price of ${side} per token`)
  }
  return price
}

/** What so many tokens come to; money is rounded up, and ends at the largest whole number that there is. */
export function amountOf(price: Price, { promptTokens, completionTokens }: Usage): Amount {
  const nanoUsd =
    promptTokens * price.inputNanoUsdPerToken + completionTokens * price.outputNanoUsdPerToken
  return {
    tokens: promptTokens + completionTokens,
    nanoUsd: Math.min(Number.MAX_SAFE_INTEGER, Math.ceil(nanoUsd)),
  }
}

/** One USD for a million tokens is a thousand 1e-9 USD for one. */
const nanoUsdPerTokenOfMillion = 1_000
