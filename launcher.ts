import type { Clock } from './drivers/clock.ts'
import { factsOf, isAlive, type ProcessIdentity } from './store/process-identity.ts'

/** How often the launcher is looked for, in ms: with one tick to spare, its end is seen within 300 ms. */
const lookMs = 100

/**
 * Calls back once when the process that launched this one is gone. npm and npx pass no signals on, and a robot whose
 * launcher died must not drive on. Launchers are this process's ancestors in its own process group: npx, the shell
 * between, and this. Returns how to stop watching.
 */
export function watchLauncher(clock: Clock, onGone: () => void): () => void {
  const parent = process.ppid
  const launchers = launchersOf(process.pid)
  let timer: number | undefined
  const look = (): void => {
    if (process.ppid !== parent || !launchers.every(isAlive)) return onGone()
    timer = clock.setTimeout(look, lookMs)
  }
  look()
  return () => {
    if (timer !== undefined) clock.clearTimeout(timer)
  }
}

function launchersOf(pid: number): readonly ProcessIdentity[] {
  const own = factsOf(pid)
  if (!own) return []
  const found: ProcessIdentity[] = []
  for (let at = factsOf(own.parent); at && at.group === own.group; at = factsOf(at.parent)) {
    found.push({ pid: at.pid, startTicks: at.startTicks })
  }
  return found
}
