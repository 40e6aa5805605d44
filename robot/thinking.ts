import { readFileSync } from 'node:fs'
import { type Budget, createBudget } from '../actors/budget.ts'
import { type Endpoint, prepareChat, replyBytesMax } from '../actors/chat.ts'
import { priceFor } from '../actors/prices.ts'
import { createProfiles, type Profiles } from '../actors/profile.ts'
import { createTariff, type Tariff } from '../actors/tariff.ts'
import { counterAt } from '../actors/tokenizer.ts'
import { pricePerMillion } from '../core/budget/price.ts'
import type { Period } from '../core/budget/purse.ts'
import type { BrainConfiguration, Configuration } from '../core/vocabulary/configuration.ts'
import { MechosError, messageOf } from '../core/vocabulary/errors.ts'
import { keyVariableOf } from '../core/vocabulary/key.ts'
import type { Amount } from '../core/vocabulary/question.ts'
import { Secret } from '../core/vocabulary/secret.ts'
import { calendar } from '../drivers/calendar.ts'
import type { Clock } from '../drivers/clock.ts'
import { httpsTransport } from '../drivers/https.ts'
import { memoryLedgerStore } from '../store/ledger.ts'
import type { RobotOptions } from './contract.ts'

/** What a robot asks models with. Nothing is asked before `prepare` has resolved. */
export interface Thinking {
  readonly endpoints: readonly Endpoint[]
  /** How each of them bills; empty before `prepare`. */
  readonly tariffs: readonly Tariff[]
  readonly profiles: Profiles
  /** Refuses everything before `prepare`. */
  readonly budget: Budget
  /** The budget once it is open. */
  readonly opened: Budget | undefined
  /** Milliseconds since 1970. */
  wallMs(): number
  /**
   * Loads what talks to them, what counts tokens and what knows prices, which is slow, and opens the ledger. Throws ERR_CONFIGURATION for a
   * model whose price nobody knows, ERR_BUDGET_UNKEPT when the ledger cannot be kept.
   */
  prepare(): Promise<void>
  close(): Promise<void>
}

/** Throws ERR_CONFIGURATION when a file of certificates cannot be read. */
export function createThinking(
  configuration: Configuration,
  options: RobotOptions,
  clocks: { readonly robot: Clock; readonly wall: Clock },
): Thinking {
  const models = modelsOf(configuration)
  const endpoints = models.map(({ brain, at }) =>
    endpointOf(brain, `brains[${at}]`, options.keys ?? {}, clocks.wall),
  )
  const tariffs: Tariff[] = []
  const read = calendar()
  const { trustClock } = configuration.budget
  let opened: Budget | undefined
  return {
    endpoints,
    tariffs,
    profiles: createProfiles(options.endpoints?.before, options.endpoints?.keep),
    budget: budgetIn(() => opened),
    get opened() {
      return opened
    },
    wallMs: () => read().wallMs,
    async prepare() {
      await prepareChat()
      tariffs.push(...(await Promise.all(models.map(({ brain, at }) => tariffOf(brain, at)))))
      opened = await createBudget({
        limits: limitsOf(configuration),
        requestsPerMinute: configuration.budget.requestsPerMinute,
        store: options.ledger ?? memoryLedgerStore(),
        calendar: trustClock ? () => ({ ...read(), isSynchronised: true }) : read,
        clock: clocks.robot,
        idPrefix: `${options.run ?? configuration.name}-${read().wallMs}`,
      })
    },
    close: async () => (opened ?? options.ledger)?.close(),
  }
}

/** The brains that are models, each with its place in the configuration. */
function modelsOf({ brains }: Configuration) {
  return brains.map((brain, at) => ({ brain, at })).filter(({ brain }) => brain.url !== 'explorer')
}

/** Where a model is served. `field` is where the configuration says so. Throws ERR_CONFIGURATION. */
export function endpointOf(
  brain: Pick<BrainConfiguration, 'url' | 'model' | 'keyEnv' | 'caFile' | 'deadlineMs'>,
  field: string,
  keys: NonNullable<RobotOptions['keys']>,
  clock: Clock,
  bodyBytesMax = replyBytesMax,
): Endpoint {
  const variable = keyVariableOf(brain)
  const key = variable === undefined ? undefined : keys[variable]
  return {
    url: brain.url,
    model: brain.model ?? '',
    key: typeof key === 'string' ? new Secret(key) : key,
    transport: httpsTransport({
      clock,
      deadlineMs: brain.deadlineMs,
      bodyBytesMax,
      authorities: authoritiesOf(brain, field),
    }),
  }
}

function authoritiesOf(
  { caFile }: Pick<BrainConfiguration, 'caFile'>,
  field: string,
): string | undefined {
  if (caFile === undefined) return undefined
  try {
    return readFileSync(caFile, 'utf8')
  } catch (cause) {
    throw new MechosError(
      'ERR_CONFIGURATION',
      `${field}.caFile: ${caFile} cannot be read: ${messageOf(cause)}; a file of certificates in PEM`,
      { cause },
    )
  }
}

async function tariffOf(
  { url, model = '', price, tokenizer }: BrainConfiguration,
  at: number,
): Promise<Tariff> {
  const declared = price && pricePerMillion(price.inputUsdPerMillion, price.outputUsdPerMillion)
  const [counter, known] = await Promise.all([
    counterAt({ url, model, declared: tokenizer }),
    priceFor({ url, model, declared }),
  ])
  if (known) return createTariff({ counter, price: known })
  throw new MechosError(
    'ERR_CONFIGURATION',
    `brains[${at}].price: missing; nobody knows what ${model} costs at ${new URL(url).host}, so that no budget could bound it: state { inputUsdPerMillion, outputUsdPerMillion }`,
  )
}

const nanoUsdPerUsd = 1_000_000_000

function limitsOf({ budget }: Configuration): Readonly<Record<Period, Amount>> {
  return {
    run: amountOf(budget.tokensPerRun, budget.usdPerRun),
    day: amountOf(budget.tokensPerDay, budget.usdPerDay),
    month: amountOf(budget.tokensPerMonth, budget.usdPerMonth),
  }
}

/** What is not said has no limit. */
function amountOf(tokens = Number.POSITIVE_INFINITY, usd = Number.POSITIVE_INFINITY): Amount {
  return { tokens, nanoUsd: Math.floor(usd * nanoUsdPerUsd) }
}

/** A budget that is opened later. Until then nothing is afforded. */
function budgetIn(find: () => Budget | undefined): Budget {
  const budget = () => {
    const found = find()
    if (found) return found
    throw new MechosError('ERR_BUDGET_UNKEPT', 'the ledger is not open yet')
  }
  return {
    reserve: async (wish, signal) => budget().reserve(wish, signal),
    settle: async (reservation, charge) => budget().settle(reservation, charge),
    get note() {
      return budget().note
    },
    get run() {
      return budget().run
    },
    get day() {
      return budget().day
    },
    get month() {
      return budget().month
    },
    onNote: (listener) => budget().onNote(listener),
    close: async () => find()?.close(),
  }
}
