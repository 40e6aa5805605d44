// Imported, not taken from the global object: a test with fake timers keeps its limits.
import { clearTimeout, setTimeout } from 'node:timers'

/** Asks to be told whenever something may have changed; answers how to end it. */
export type Subscribe = (listener: () => void) => () => void

/**
 * Resolves as soon as `condition` holds, looked at now and after each change that `on` tells of. Rejects, naming `what`,
 * where it does not within `limitMs`. `what` is asked only then, so it may tell how far things have got.
 */
export function until({
  what,
  condition,
  on,
  limitMs = 5000,
}: {
  readonly what: () => string
  readonly condition: () => boolean
  readonly on: Subscribe
  readonly limitMs?: number
}): Promise<void> {
  return new Promise((resolve, reject) => {
    const timeout = setTimeout(() => {
      unsubscribe()
      reject(new Error(`not within ${limitMs} ms: ${what()}`))
    }, limitMs)
    const unsubscribe = on(look)
    look()

    function look() {
      if (!condition()) return
      clearTimeout(timeout)
      unsubscribe()
      resolve()
    }
  })
}
