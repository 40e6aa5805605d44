import { type VirtualClock, virtualClock } from '../../../drivers/clock.ts'

/** A virtual clock that knows how many of its timers are running. */
export interface CountingClock extends VirtualClock {
  readonly running: number
}

export function countingClock(): CountingClock {
  const clock = virtualClock()
  const running = new Set<number>()
  return {
    ...clock,
    setTimeout(fire, milliseconds) {
      const id = clock.setTimeout(() => {
        running.delete(id)
        fire()
      }, milliseconds)
      running.add(id)
      return id
    },
    clearTimeout(id) {
      running.delete(id)
      clock.clearTimeout(id)
    },
    get running() {
      return running.size
    },
  }
}

/** Lets time pass in steps of 5 ms, so that what a fake board answers arrives in between. */
export async function pass(clock: VirtualClock, milliseconds: number): Promise<void> {
  for (let ms = 0; ms < milliseconds; ms += 5) {
    // oxlint-disable-next-line no-await-in-loop -- time passes step by step
    await clock.advance(Math.min(5, milliseconds - ms))
  }
}
