import type { Intent } from './intent.ts'

/** Who commands: the agent's brain, or a person. */
export type Source = 'agent' | 'operator'

/** A refusal that a model and a person can act on: which rule, what was asked, what is allowed. */
export interface Refusal {
  readonly permitted: false
  readonly rule: string
  readonly value: unknown
  readonly limit: unknown
  readonly message: string
}

/** What the kernel says of a proposal. A permitted verdict carries its own checked copy of the intent. */
export type Verdict = { readonly permitted: true; readonly intent: Intent } | Refusal
