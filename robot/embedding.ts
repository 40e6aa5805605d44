import { createEmbedder, type Embedder, vectorsBytesMax } from '../actors/embedding.ts'
import { priceFor } from '../actors/prices.ts'
import { createTariff } from '../actors/tariff.ts'
import { counterAt } from '../actors/tokenizer.ts'
import { pricePerMillion } from '../core/budget/price.ts'
import type { Configuration } from '../core/vocabulary/configuration.ts'
import { MechosError } from '../core/vocabulary/errors.ts'
import type { Clock } from '../drivers/clock.ts'
import type { RobotOptions } from './contract.ts'
import { endpointOf, type Thinking } from './thinking.ts'

/**
 * What gives memories their vectors, by the endpoint that the configuration names; undefined where it names none, or no
 * model that would read them. Rejects with ERR_CONFIGURATION for one whose price nobody knows.
 */
export async function embedderOf(
  { memory: { embeddings } }: Configuration,
  { keys = {} }: RobotOptions,
  thinking: Thinking,
  clock: Clock,
): Promise<Embedder | undefined> {
  if (!embeddings || thinking.endpoints.length === 0) return undefined
  const { model, price, url } = embeddings
  const endpoint = endpointOf(embeddings, 'memory.embeddings', keys, clock, vectorsBytesMax)
  const declared = price && pricePerMillion(price.inputUsdPerMillion, 0)
  const [counter, known] = await Promise.all([
    counterAt({ url, model, declared: undefined }),
    priceFor({ url, model, declared }),
  ])
  if (known) {
    const tariff = createTariff({ counter, price: known })
    return createEmbedder({ endpoint, tariff, budget: thinking.budget, wallMs: thinking.wallMs })
  }
  throw new MechosError(
    'ERR_CONFIGURATION',
    `memory.embeddings.price: missing; nobody knows what ${model} costs at ${new URL(url).host}, so that no budget could bound it: state { inputUsdPerMillion }`,
  )
}
