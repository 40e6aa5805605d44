import type { Amount } from '../vocabulary/question.ts'

export const nothing: Amount = Object.freeze({ tokens: 0, nanoUsd: 0 })

/** Whether both are whole, finite and not negative: what can be charged. A limit may be Infinity besides. */
export function isAmount({ tokens, nanoUsd }: Amount): boolean {
  return isCount(tokens) && isCount(nanoUsd)
}

/** The sum, which stays a whole number whatever is added: it ends at the largest that there is. */
export function sum(amounts: Iterable<Amount>): Amount {
  let total = nothing
  for (const { tokens, nanoUsd } of amounts) {
    total = { tokens: add(total.tokens, tokens), nanoUsd: add(total.nanoUsd, nanoUsd) }
  }
  return total
}

/** What is left of `limit` after `taken`: never below nothing, and Infinity where there is no limit. */
export function rest(limit: Amount, taken: Amount): Amount {
  return {
    tokens: Math.max(0, limit.tokens - taken.tokens),
    nanoUsd: Math.max(0, limit.nanoUsd - taken.nanoUsd),
  }
}

/** The smaller tokens and the smaller money of two. */
export function lesser(one: Amount, other: Amount): Amount {
  return {
    tokens: Math.min(one.tokens, other.tokens),
    nanoUsd: Math.min(one.nanoUsd, other.nanoUsd),
  }
}

/** Whether `wanted` fits into `room`, in tokens and in money. NaN never fits. */
export function covers(room: Amount, wanted: Amount): boolean {
  return wanted.tokens <= room.tokens && wanted.nanoUsd <= room.nanoUsd
}

function add(one: number, other: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, one + other)
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
