import type { TokenCounter } from '../core/budget/bound.ts'

/**
 * Counts tokens as this model of OpenAI's does; undefined for all others, whose bytes must do. A prefix of whoever
 * passes it on, as in `openai/gpt-4o`, changes nothing. The first count of a kind loads its table, some tenths of a second.
 */
export async function counterFor(model: string): Promise<TokenCounter | undefined> {
  const name = model.toLowerCase().replace(/^(openrouter\/)?(openai|azure)\//, '')
  if (o200kModels.test(name)) return counting(await import('gpt-tokenizer/encoding/o200k_base'))
  if (cl100kModels.test(name)) return counting(await import('gpt-tokenizer/encoding/cl100k_base'))
  return undefined
}

/**
 * Counts tokens as an endpoint does: by the encoding that is declared for it, or by that of the model where OpenAI serves
 * it. A name alone says nothing: whoever else serves a model of that name may count in another way, and bytes must do.
 */
export async function counterAt(endpoint: {
  readonly url: string
  readonly model: string
  readonly declared: 'o200k_base' | 'cl100k_base' | undefined
}): Promise<TokenCounter | undefined> {
  if (endpoint.declared) return counterFor(endpoint.declared === 'o200k_base' ? 'gpt-4o' : 'gpt-4')
  const { hostname } = new URL(endpoint.url)
  return openAiHosts.test(hostname) ? counterFor(endpoint.model) : undefined
}

const openAiHosts = /(^|\.)openai\.(com|azure\.com)$/

const o200kModels = /^(gpt-4o|gpt-4\.1|gpt-5|gpt-6|o1|o3|o4|chatgpt-4o)(?![a-z0-9])/
const cl100kModels = /^(gpt-4|gpt-4-turbo|gpt-3\.5)(?![a-z0-9.])/

interface Encoding {
  countTokens(text: string, options: { readonly disallowedSpecial: Set<string> }): number
}

/** What looks like a special token is counted as the text that it is: people may write anything. */
function counting({ countTokens }: Encoding): TokenCounter {
  const disallowedSpecial = new Set<string>()
  return { count: (text) => countTokens(text, { disallowedSpecial }) }
}
