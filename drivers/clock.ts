import { performance } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'

/** Time as the robot knows it: milliseconds that only ever grow, from an arbitrary zero. XState takes it as its clock. */
export interface Clock {
  now(): number
  setTimeout(fire: () => void, milliseconds: number): number
  clearTimeout(id: number): void
}

/** A clock that moves only when it is told to, so that a run can be repeated. */
export interface VirtualClock extends Clock {
  /**
   * Moves on by `milliseconds`, firing each timer at its own time and in the order they were set, and lets every
   * promise that they settle run to its end before the next.
   */
  advance(milliseconds: number): Promise<void>
}

/** The machine's monotonic clock. */
export function wallClock(): Clock {
  const timers = new Map<number, NodeJS.Timeout>()
  let lastId = 0
  return {
    now: () => performance.now(),
    setTimeout(fire, milliseconds) {
      const id = ++lastId
      const expire = () => {
        timers.delete(id)
        fire()
      }
      timers.set(id, setTimeout(expire, milliseconds))
      return id
    },
    clearTimeout(id) {
      clearTimeout(timers.get(id))
      timers.delete(id)
    },
  }
}

/** The wall's date and time, in UTC, as a word that fits into names: `20260131T120000Z`. */
export function wallStamp(): string {
  return new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
}

/** The wall's time, in ms since 1970. It may jump; whatever has to know how long something takes asks a clock. */
export function unixMs(): number {
  return Date.now()
}

/** A virtual clock that starts at 0. */
export function virtualClock(): VirtualClock {
  interface Timer {
    readonly id: number
    readonly at: number
    readonly fire: () => void
  }
  const timers = new Map<number, Timer>()
  let time = 0
  let lastId = 0

  const nextDue = (until: number): Timer | undefined => {
    let next: Timer | undefined
    for (const timer of timers.values()) {
      if (timer.at <= until && (!next || timer.at < next.at)) next = timer
    }
    return next
  }

  return {
    now: () => time,
    setTimeout(fire, milliseconds) {
      if (!(milliseconds >= 0)) throw new TypeError(`a delay of ${milliseconds} ms has no end`)
      const id = ++lastId
      timers.set(id, { id, at: time + milliseconds, fire })
      return id
    },
    clearTimeout(id) {
      timers.delete(id)
    },
    async advance(milliseconds) {
      const until = time + milliseconds
      await turn()
      for (let due = nextDue(until); due; due = nextDue(until)) {
        timers.delete(due.id)
        time = Math.max(time, due.at)
        due.fire()
        await turn()
      }
      time = until
    },
  }
}
