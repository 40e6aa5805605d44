import type { ErrorCode } from './errors.ts'

/** One message of a conversation with a model. */
export interface Message {
  readonly role: 'system' | 'user'
  readonly content: string
}

/** One question to a model. `schema` is the JSON schema of the reply. */
export interface Question {
  readonly id: number
  readonly messages: readonly Message[]
  readonly schema: object
}

/** One attempt to have a question answered: by which endpoint of the list, and with at most how many tokens. */
export interface Attempt {
  readonly question: Question
  readonly endpoint: number
  readonly capTokens: number
}

/** What a server says that a call used. Reasoning tokens are in `completionTokens`. */
export interface Usage {
  readonly promptTokens: number
  readonly completionTokens: number
}

/** Why a reply ended. Only `stop` is a whole one. */
export type Finish =
  | 'stop'
  | 'length'
  | 'content_filter'
  | 'refusal'
  | 'tool_calls'
  | 'oversized'
  | 'missing'

/** What came back: the text, why it ended, and what the server says it used, if it says so. */
export interface Completion {
  readonly content: string
  readonly finish: Finish
  readonly usage: Usage | undefined
}

/**
 * What is known of the bill of an attempt. `unsent`: it provably never reached the model, or was refused before any
 * content. `unknown`: nobody knows, and the worst is charged. `used`: there is a completion to settle by.
 */
export type Outcome =
  | { readonly kind: 'unsent' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'used'; readonly completion: Completion }

/** How an attempt failed, how it is to be charged, and what is to be done next. */
export interface AttemptFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly outcome: Outcome
  readonly retryable: boolean
  /** How long the server asks to be left alone, in ms; undefined when it does not say. */
  readonly retryAfterMs?: number | undefined
  /** Nobody's fault: it is not held against the endpoint. */
  readonly blameless?: true
  /** Another endpoint may be cheaper: it is to be asked instead. */
  readonly elsewhere?: true
  /** The endpoint refused a field that is not sent to it any more: ask again at once. */
  readonly adapted?: true
}

/** Tokens and money, both whole and not negative. Money in 1e-9 USD, so that the price of one token is a number. */
export interface Amount {
  readonly tokens: number
  readonly nanoUsd: number
}

/** A hold in the ledger: the worst that one attempt may cost, kept on disk before the attempt is made. */
export interface Reservation {
  readonly id: string
  readonly worst: Amount
  /** The cap that was afforded: what was asked for, or less. */
  readonly capTokens: number
}

/** What became of a reservation. `overbilled`: the server says that it used more than was held, which is now a debt. */
export interface Settlement {
  readonly overbilled: boolean
}

/** What a budget has come to, for charts and people. */
export interface BudgetNote {
  readonly level: 'ample' | 'low' | 'exhausted'
  /** Why it is exhausted and what would lift that, in one line; undefined while it is not. */
  readonly cause: string | undefined
}
