import { describe, expect, test } from 'vitest'
import { counterAt, counterFor } from '../../actors/tokenizer.ts'

/** Devanagari, of which the newer encoding makes half as many tokens as the older. */
const telling = 'हिन्दी'

async function count(model: string, text = telling): Promise<number | undefined> {
  return (await counterFor(model))?.count(text)
}

describe('a tokenizer', () => {
  test('is that of the model, whoever passes it on', async () => {
    const newer = await count('gpt-4o')
    const older = await count('gpt-4')
    expect([newer, older]).toEqual([3, 6])
    for (const model of [
      'gpt-4o-mini-2024-07-18',
      'gpt-4.1-nano',
      'gpt-5',
      'gpt-5.6-luna',
      'gpt-6-rosalind',
      'o1',
      'o3-mini',
      'o4-mini',
      'chatgpt-4o-latest',
      'openai/gpt-4o',
      'openrouter/openai/gpt-5.4-pro',
    ]) {
      expect([model, await count(model)]).toEqual([model, newer])
    }
    for (const model of ['gpt-4-0613', 'gpt-4-turbo', 'gpt-3.5-turbo', 'azure/gpt-4']) {
      expect([model, await count(model)]).toEqual([model, older])
    }
  })

  test('is not known of any other', async () => {
    for (const model of [
      'llama3.2',
      'qwen2.5:7b',
      'gpt-40',
      'gpt-4.5-preview',
      'gpt-oss-20b',
      'o10',
      'someone/gpt-4o',
      '',
    ]) {
      expect([model, await counterFor(model)]).toEqual([model, undefined])
    }
  })

  test('counts what looks like a special token as text', async () => {
    expect(await count('gpt-4o', '<|endoftext|>')).toBeGreaterThan(1)
    expect(await count('gpt-4', '<|im_start|>system')).toBeGreaterThan(1)
  })
})

test('an endpoint is counted for by its host, or by what is declared, and never by a name alone', async () => {
  const at = async (url: string, declared?: 'o200k_base') =>
    (await counterAt({ url, model: 'gpt-4o-mini', declared }))?.count('hello world') ?? 'bytes'
  expect(await at('https://api.openai.com/v1')).toBe(2)
  expect(await at('https://house.openai.azure.com/v1')).toBe(2)
  expect(await at('http://127.0.0.1:1/v1')).toBe('bytes')
  expect(await at('https://openai.com.evil.example/v1')).toBe('bytes')
  expect(await at('http://127.0.0.1:1/v1', 'o200k_base')).toBe(2)
})
