import { expect, test } from 'vitest'
import { priceFor } from '../../actors/prices.ts'

const openai = 'https://api.openai.com/v1'

function price(input: number, output: number) {
  return { inputNanoUsdPerToken: input, outputNanoUsdPerToken: output }
}

function listed(url: string, model: string) {
  return priceFor({ url, model, declared: undefined })
}

test('a declared price wins over everything', async () => {
  const declared = price(1, 2)
  for (const url of [openai, 'http://localhost:11434/v1']) {
    expect(await priceFor({ url, model: 'gpt-4o', declared })).toEqual(declared)
  }
})

test('a model on this computer costs no money', async () => {
  for (const host of ['127.0.0.1', '127.1', '127.9.9.9:8080', '[::1]:80', 'localhost:11434']) {
    expect(await listed(`http://${host}/v1`, 'gpt-4o')).toEqual(price(0, 0))
  }
})

test('what only looks like this computer is not it', async () => {
  for (const url of [
    'https://localhost@models.example/v1',
    'https://127.0.0.1.models.example/v1',
    'https://localhost.models.example/v1',
    'https://128.0.0.1/v1',
    'https://models.example/?localhost',
  ]) {
    expect(await listed(url, 'gpt-4o')).toBe(undefined)
  }
})

test('a listed price is the dearest of its tiers', async () => {
  expect(await listed(openai, 'gpt-4o')).toEqual(price(2_500, 10_000))
  // From 272k tokens on it costs twice; and at the next one, keeping a prompt costs more than reading it.
  expect(await listed(openai, 'gpt-5.5')).toEqual(price(10_000, 45_000))
  expect(await listed('https://api.anthropic.com/v1', 'claude-sonnet-4-5')).toEqual(
    price(7_500, 22_500),
  )
})

test('and the dearest of its times', async () => {
  // At night it is cheaper; nobody knows how late it is where it is billed.
  expect(await listed('https://api.deepseek.com', 'deepseek-chat')).toEqual(price(270, 1_100))
})

test('nobody knows the price of an unknown model, of a stranger, or of what is billed by the request', async () => {
  expect(await listed(openai, 'gpt-6-rosalind')).toBe(undefined)
  expect(await listed('https://models.example/v1', 'gpt-4o')).toBe(undefined)
  expect(await listed('http://192.168.1.5:11434/v1', 'llama3')).toBe(undefined)
  expect(await listed('https://api.perplexity.ai', 'sonar')).toBe(undefined)
})
