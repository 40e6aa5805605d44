import { readFileSync } from 'node:fs'

/** A process, told apart from a later one that was given the same number. `startTicks` is null where that is not known. */
export interface ProcessIdentity {
  readonly pid: number
  readonly startTicks: number | null
}

/** What `/proc` says of a process; undefined when it is gone, or a zombie, or where there is no `/proc`. */
export interface ProcessFacts extends ProcessIdentity {
  readonly parent: number
  readonly group: number
}

export function identityOf(pid: number): ProcessIdentity {
  return { pid, startTicks: factsOf(pid)?.startTicks ?? null }
}

/** True while that very process lives. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.startTicks !== null) return factsOf(identity.pid)?.startTicks === identity.startTicks
  try {
    process.kill(identity.pid, 0)
    return true
  } catch (error) {
    // Any other refusal than "no such process" means that there is one.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

export function factsOf(pid: number): ProcessFacts | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    // Gone, or a system without /proc: both are "not known", which is what undefined says.
    return undefined
  }
  // The name, in parentheses, may hold spaces: count from the last parenthesis (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, parent, group] = fields
  if (state === 'Z' || state === 'X') return undefined
  return { pid, parent: Number(parent), group: Number(group), startTicks: Number(fields[19]) }
}
