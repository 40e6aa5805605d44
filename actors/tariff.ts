import {
  contentsBound,
  promptBound,
  promptFloor,
  replyFloor,
  type TokenCounter,
} from '../core/budget/bound.ts'
import type { Charge } from '../core/budget/ledger.ts'
import { covers } from '../core/budget/amount.ts'
import { amountOf, checkPrice, type Price } from '../core/budget/price.ts'
import type {
  Amount,
  Attempt,
  Completion,
  Outcome,
  Question,
  Usage,
} from '../core/vocabulary/question.ts'

/** How one endpoint bills. It learns what the endpoint adds to a prompt from what it reports. */
export interface Tariff {
  /** The most that an attempt can be billed. */
  worst(question: Question, capTokens: number): Amount
  /**
   * What an attempt is charged. What the server reports is believed unless it is no count, or less than the texts
   * themselves come to: then, as without a report, nobody knows.
   */
  chargeOf(attempt: Attempt, outcome: Outcome): Charge
}

/** `counter` counts as the model does; undefined where that is not known, and bytes are counted. */
export interface TariffInput {
  readonly counter: TokenCounter | undefined
  readonly price: Price
}

/** Throws TypeError for a price that is none. */
export function createTariff({ counter, price }: TariffInput): Tariff {
  checkPrice(price)
  const countsOf = remembered((question) => countPrompt(question, counter))
  let overheadTokens = 0
  /** By how much it has billed more than the worst: its caps are not kept to. */
  let surplusTokens = 0
  const worstOf = (question: Question, capTokens: number) => {
    const { bound, contents } = countsOf(question)
    const promptTokens = Math.max(bound, contents + overheadTokens)
    return amountOf(price, { promptTokens, completionTokens: capTokens + surplusTokens })
  }
  return {
    worst: worstOf,
    chargeOf({ question, capTokens }, outcome) {
      if (outcome.kind !== 'used') return outcome
      const { completion } = outcome
      const { usage } = completion
      const { contents, floor } = countsOf(question)
      if (!usage || !isCount(usage)) return { kind: 'unknown' }
      const amount = amountOf(price, usage)
      const worst = worstOf(question, capTokens)
      surplusTokens += Math.max(0, amount.tokens - worst.tokens)
      if (isLie(usage, floor, completion, counter)) {
        // Less than the texts is a lie; more than the worst is a debt, however it is made up.
        return covers(worst, amount) ? { kind: 'unknown' } : { kind: 'used', amount }
      }
      overheadTokens = Math.max(overheadTokens, usage.promptTokens - contents)
      return { kind: 'used', amount }
    },
  }
}

interface PromptCounts {
  readonly bound: number
  /** What of the bound is for the contents of the messages alone. */
  readonly contents: number
  readonly floor: number
}

function countPrompt(question: Question, counter: TokenCounter | undefined): PromptCounts {
  return {
    bound: promptBound(question, counter),
    contents: contentsBound(question, counter),
    floor: promptFloor(question, counter),
  }
}

/** A question is asked for its price again and again, and counting takes time. */
function remembered<T>(count: (question: Question) => T): (question: Question) => T {
  const counts = new WeakMap<Question, T>()
  return (question) => {
    const known = counts.get(question)
    if (known !== undefined) return known
    const counted = count(question)
    counts.set(question, counted)
    return counted
  }
}

function isCount({ promptTokens, completionTokens }: Usage): boolean {
  return [promptTokens, completionTokens, promptTokens + completionTokens].every(
    (tokens) => Number.isSafeInteger(tokens) && tokens >= 0,
  )
}

/** Below what no honest server counts for what was sent and what came back. */
function isLie(
  usage: Usage,
  promptTokensMin: number,
  { content }: Completion,
  counter: TokenCounter | undefined,
): boolean {
  return (
    usage.promptTokens + usage.completionTokens === 0 ||
    usage.promptTokens < promptTokensMin ||
    usage.completionTokens < replyFloor(content, counter)
  )
}
