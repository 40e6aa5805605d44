import type { Entry } from '../core/record/entry.ts'
import { type Failure, failureOf } from '../core/record/failure.ts'
import { messageOf } from '../core/vocabulary/errors.ts'
import type { Clock } from '../drivers/clock.ts'
import { afterPromises, type Tape } from './tape.ts'

/** What a recording tape works with. */
export interface RecordingTapeParts {
  /** The robot's own clock. */
  readonly clock: Clock
  /** Milliseconds since 1970. */
  wallMs(): number
  /** Must not throw, and must not keep anybody waiting. */
  keep(entry: Entry): void
}

/** A tape that keeps what passes. What it cannot keep in order is a gap in the record, and the robot does not notice. */
export function recordingTape({ clock, wallMs, keep }: RecordingTapeParts): Tape {
  const { progress, later } = createProgress()
  const stack = createStack()
  const count = counting()
  let nowMs = timeOf(clock, 0)
  let timers = 0

  /** At a moment of its own. */
  const take = <R>(entry: Unstamped, act: () => R): R => {
    if (progress.is === 'working') {
      keep({ kind: 'gap', cause: `${nameOf(entry)} came in between two promises of the robot` })
    }
    nowMs = timeOf(clock, nowMs)
    const glued = progress.is === 'fresh' && { glued: true as const }
    keep({ ...entry, ...glued, atMs: nowMs, wallMs: Math.round(wallMs()) })
    progress.begin()
    return stack.within(taking, act)
  }
  const enter = <R>(door: string, value: unknown, act: () => R): R => {
    const context = stack.top
    if (context === undefined) return take({ kind: 'in', door, value }, act)
    if (context === taking) {
      keep({ kind: 'gap', cause: `${door} came from within the robot itself` })
      return act()
    }
    keep({ kind: 'nested', door, during: context, value })
    return stack.within(taking, act)
  }
  const isInBetween = () => stack.top === undefined && progress.is === 'working'
  const outward = (id: string, act: () => unknown): void => {
    try {
      const given = stack.within(id, act)
      if (!(given instanceof Promise)) return
      given.catch((error: unknown) => {
        keep({ kind: 'gap', cause: `${id} failed afterwards: ${messageOf(error)}` })
      })
    } catch (error) {
      keep({ kind: 'threw', during: id, failure: failureOf(error) })
      throw error
    }
  }
  const timersOf = (inner: Clock): Omit<Clock, 'now'> => ({
    setTimeout: (fire, delayMs) => {
      const timer = ++timers
      let id = 0
      outward(`timer:${timer}`, () => {
        id = inner.setTimeout(() => take({ kind: 'timer', timer, delayMs }, fire), delayMs)
      })
      return id
    },
    clearTimeout: (id) => inner.clearTimeout(id),
  })
  const reply = <T>(given: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      given.then(
        (value) => later(() => resolve(value)),
        (error: unknown) => later(() => reject(error)),
      )
    })

  return {
    clock: (inner) => ({ now: () => nowMs, ...timersOf(inner) }),
    timers: (inner) => ({ now: () => inner.now(), ...timersOf(inner) }),
    arrival: (door, _, hear) => (value) => {
      if (isInBetween()) later(() => enter(door, value, () => hear(value)))
      else enter(door, value, () => hear(value))
    },
    command: (door, _, obey) => (value) => enter(door, value, () => obey(value)),
    errand: (door, run) => () => {
      if (!isInBetween()) return reply(enter(door, undefined, run))
      return new Promise((resolve, reject) => {
        later(() => reply(enter(door, undefined, run)).then(resolve, reject))
      })
    },
    reply,
    call(name, value, act) {
      keep({ kind: 'out', what: name, value })
      outward(count(name), act)
    },
    pass: (name, act) => outward(count(name), act),
    ask({ name, value, act }) {
      keep({ kind: 'out', what: name, value })
      const call = count(name)
      return new Promise((resolve, reject) => {
        const given = stack.within(call, async () => act())
        given.then(
          (answer) =>
            later(() => take({ kind: 'answer', call, value: answer }, () => resolve(answer))),
          (error: unknown) => {
            const failure = failureOf(error)
            later(() => take({ kind: 'answer', call, failure }, () => reject(error)))
          },
        )
      })
    },
    note: (what, value) => keep({ kind: 'out', what, value }),
  }
}

/** What comes in at a moment of its own, before that moment is known. */
type Unstamped =
  | { readonly kind: 'in'; readonly door: string; readonly value: unknown }
  | { readonly kind: 'timer'; readonly timer: number; readonly delayMs: number }
  | {
      readonly kind: 'answer'
      readonly call: string
      readonly value?: unknown
      readonly failure?: Failure
    }

function nameOf(entry: Unstamped): string {
  switch (entry.kind) {
    case 'in':
      return entry.door
    case 'timer':
      return `timer ${entry.timer}`
    case 'answer':
      return entry.call
  }
}

/** A clock that fails stands still. */
function timeOf(clock: Clock, lastMs: number): number {
  try {
    return clock.now()
  } catch {
    return lastMs
  }
}

/** Numbers the calls of each name: `confirm:3` is the third of that name. */
export function counting(): (name: string) => string {
  const counts = new Map<string, number>()
  return (name) => {
    const number = (counts.get(name) ?? 0) + 1
    counts.set(name, number)
    return `${name}:${number}`
  }
}

/** In place of a call: the robot takes something in. */
const taking = Symbol('taking')

/** The calls to the outside that are being made, and what is being taken in, innermost last. */
function createStack() {
  const contexts: (string | typeof taking)[] = []
  return {
    get top() {
      return contexts.at(-1)
    },
    within<R>(context: string | typeof taking, act: () => R): R {
      contexts.push(context)
      try {
        return act()
      } finally {
        contexts.pop()
      }
    },
  }
}

/**
 * How far the robot is with what came in last. `fresh`: no promise has gone on since. `working`: promises go on. `idle`:
 * there is nothing left to be done, which is when `later` does what waits for it, one after the other.
 */
function createProgress() {
  const waiting: (() => void)[] = []
  let is: 'fresh' | 'working' | 'idle' = 'idle'
  let isScheduled = false
  const schedule = () => {
    if (isScheduled) return
    isScheduled = true
    afterPromises(serve)
  }
  const serve = () => {
    isScheduled = false
    // What came in just before this has promises that are yet to be seen to.
    if (is !== 'fresh') {
      is = 'idle'
      waiting.shift()?.()
    }
    if (waiting.length > 0) schedule()
  }
  const progress = {
    get is() {
      return is
    },
    begin() {
      is = 'fresh'
      queueMicrotask(() => {
        is = 'working'
        process.nextTick(() => {
          if (is === 'working') is = 'idle'
        })
      })
    },
  }
  const later = (act: () => void) => {
    waiting.push(act)
    schedule()
  }
  return { progress, later }
}
