import { free, type Price, pricePerMillion } from '../core/budget/price.ts'

/**
 * What a model costs at most: what the configuration declares; nothing on this computer; else the dearest that the list
 * of prices has for it at that address, over all tiers, times and dates. Undefined where nobody knows: then it must
 * not be asked. The list is the one that was installed, and is never fetched.
 */
export async function priceFor(endpoint: {
  readonly url: string
  readonly model: string
  readonly declared: Price | undefined
}): Promise<Price | undefined> {
  if (endpoint.declared) return endpoint.declared
  const url = new URL(endpoint.url)
  if (isLoopback(url)) return free
  const { calcPrice } = await import('@pydantic/genai-prices')
  try {
    const listed = calcPrice({ input_tokens: 1 }, endpoint.model, { providerApiUrl: url.href })
    return listed ? dearest(ratesOf(listed.model.prices)) : undefined
  } catch {
    // A price that cannot be computed is not known.
    return undefined
  }
}

/** USD for a million tokens, which may depend on how long the prompt is. */
type Rate =
  | number
  | { readonly base: number; readonly tiers: readonly { readonly price: number }[] }
type Rates = Readonly<Record<string, Rate | undefined>>

function dearest(all: readonly Rates[]): Price | undefined {
  if (all.some((rates) => surcharges.some((name) => ratesIn(rates, name).length > 0)))
    return undefined
  const input = highest(all, ['input_mtok', 'cache_read_mtok', 'cache_write_mtok'])
  const output = highest(all, ['output_mtok', 'output_reasoning_mtok'])
  return input === undefined || output === undefined ? undefined : pricePerMillion(input, output)
}

/** What is billed beside the tokens of prompt and reply: a price for each of those does not cover it. */
const surcharges = ['requests_kcount', 'input_text_messages_kcount', 'output_citation_mtok']

/** The first of `names` must have a price; the others may. */
function highest(all: readonly Rates[], names: readonly [string, ...string[]]): number | undefined {
  if (all.length === 0 || !all.every((rates) => ratesIn(rates, names[0]).length > 0))
    return undefined
  return Math.max(...all.flatMap((rates) => names.flatMap((name) => ratesIn(rates, name))))
}

function ratesIn(rates: Rates, name: string): readonly number[] {
  const rate = rates[name]
  if (rate === undefined) return []
  return typeof rate === 'number' ? [rate] : [rate.base, ...rate.tiers.map(({ price }) => price)]
}

/** What holds at some times only counts at all times. */
function ratesOf(prices: Rates | readonly { readonly prices: Rates }[]): readonly Rates[] {
  return isConditional(prices) ? prices.map((part) => part.prices) : [prices]
}

function isConditional(
  prices: Rates | readonly { readonly prices: Rates }[],
): prices is readonly { readonly prices: Rates }[] {
  return Array.isArray(prices)
}

/** As the address was parsed, so that what only looks like this computer is not. */
function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}
