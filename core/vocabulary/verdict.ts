import type { Intent } from './intent.ts'

/** Who commands: the agent's brain, or a person. */
export type Source = 'agent' | 'operator'

/** What a person is to be asked, numbered by the kernel. */
export interface Ask {
  readonly id: number
  readonly text: string
  readonly choices: readonly string[]
}

/** A permission carries its own checked copy of the intent. */
export interface Permission {
  readonly permitted: true
  readonly intent: Intent
  /** What the intent itself asks a person. */
  readonly asks?: Ask
}

/** A refusal that a model and a person can act on: which rule, what was asked, what is allowed. */
export interface Refusal {
  readonly permitted: false
  readonly rule: string
  readonly value: unknown
  readonly limit: unknown
  readonly message: string
  /** What a person would have to approve. */
  readonly asks?: Ask
}

/** What the kernel says of a proposal. */
export type Verdict = Permission | Refusal
