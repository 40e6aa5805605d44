import { after, type Contents, recordChange } from './contents.ts'
import type { Change } from './notes.ts'

/** What a robot that was killed had said of one of its stores. */
export interface Said {
  /** All that it was about to keep, in this order. */
  readonly changes: readonly Change[]
  /** So many of them, from the first, were acknowledged. */
  readonly acknowledged: number
}

/** What is found of that afterwards. */
export interface Loss {
  /** Ledger entries, memories or decisions that were acknowledged and are not there. */
  readonly lost: number
  /** What is there is not what was there after any of the changes: one of them was made in part. */
  readonly isTorn: boolean
}

/** How many things a change keeps, of the kind that may not be lost. */
export function worthOf(change: Change): number {
  switch (change.of) {
    case 'ledger':
      return 1
    case 'memories':
      return change.keep.length
    case 'record':
      return change.decisions
  }
}

/** Compares a ledger or a memory with what it must hold, from what was in it before. */
export function lossOf(before: Contents, said: Said, found: Contents): Loss {
  let contents = before
  let made = isSame(before, found) ? 0 : -1
  for (const [index, change] of said.changes.entries()) {
    contents = after(contents, change)
    if (isSame(contents, found)) made = index + 1
  }
  return { lost: lostOf(said, made), isTorn: made < 0 }
}

/** Compares a record, which begins empty and only grows. */
export function recordLossOf(said: Said, texts: readonly string[]): Loss {
  let made = 0
  let at = 0
  for (const change of said.changes) {
    if (change.of !== 'record') continue
    const slice = texts.slice(at, at + change.entries)
    if (slice.length < change.entries || recordChange(slice).digest !== change.digest) break
    at += change.entries
    made += 1
  }
  return { lost: lostOf(said, made), isTorn: at !== texts.length }
}

/** What cannot be found again counts as lost. */
export function lostOf({ acknowledged, changes }: Said, made: number): number {
  return changes
    .slice(Math.max(0, made), acknowledged)
    .reduce((sum, change) => sum + worthOf(change), 0)
}

function isSame(one: Contents, other: Contents): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value)
}
