import type { z } from 'zod'
import type { Difference } from '../core/record/difference.ts'
import type { Entry } from '../core/record/entry.ts'
import { thrownBy } from '../core/record/failure.ts'
import { Script } from '../core/record/script.ts'
import type { Clock } from '../drivers/clock.ts'
import { nothingSchema } from '../core/record/arrivals.ts'
import { counting } from './recording-tape.ts'
import { afterPromises, type Asking, type Tape } from './tape.ts'

/** A replaying tape, and what turns it. */
export interface Playback {
  readonly tape: Tape
  /**
   * What came in at one moment, with all that the record says came of it. `isCut`: the record ends in it, perhaps before
   * the robot was done with it.
   */
  load(entries: readonly Entry[], isCut: boolean): void
  /** Lets that come in, and resolves when the robot is done with it. */
  play(): Promise<void>
  /** The robot's clock, in ms. */
  readonly nowMs: number
}

/** `differ` is told each difference. */
export function createPlayback(
  startMs: number,
  differ: (difference: Difference) => void,
): Playback {
  const script = new Script(startMs, differ)
  const doors = new Map<string, Door>()
  const timers = new Map<number, { readonly fire: () => void; readonly delayMs: number }>()
  const asked = new Map<string, Answering>()
  const count = counting()
  let lastTimer = 0

  const knock = (door: string, value: unknown): void => {
    const known = doors.get(door)
    if (!known) script.differAtLast(`heard ${door}`, null)
    else if (!known.knock(value))
      script.differAtLast(`heard ${door}`, 'cannot read what came in by it')
  }
  /** What came in, or went wrong, while this call was made. */
  const outward = (id: string): void => {
    for (let entry = script.during(id); entry; entry = script.during(id)) {
      if (entry.kind === 'threw') throw thrownBy(entry.failure)
      knock(entry.door, entry.value)
    }
  }
  const fire = ({ timer, delayMs }: Entry & { kind: 'timer' }): void => {
    const set = timers.get(timer)
    timers.delete(timer)
    if (!set) return script.differAtLast(`timer ${timer} of ${delayMs} ms`, null)
    if (!Object.is(set.delayMs, delayMs)) {
      script.differAtLast(`timer ${timer} of ${delayMs} ms`, `one of ${set.delayMs} ms`)
    }
    attempt(set.fire)
  }
  const answer = ({ call, value, failure }: Entry & { kind: 'answer' }): void => {
    const answering = asked.get(call)
    asked.delete(call)
    if (!answering) script.differAtLast(`asked for ${call}`, null)
    else if (failure) answering.reject(thrownBy(failure))
    else if (!answering.resolve(value)) {
      script.differAtLast(`asked for ${call}`, 'cannot read what became of it')
    }
  }
  const listen = <T, R>(door: string, schema: z.ZodType<T>, take: (value: T) => R) => {
    doors.set(door, doorFor(schema, take))
    return take
  }
  const timersOf = (): Omit<Clock, 'now'> => ({
    setTimeout: (fired, delayMs) => {
      const timer = ++lastTimer
      outward(`timer:${timer}`)
      timers.set(timer, { fire: fired, delayMs })
      return timer
    },
    clearTimeout: (id) => void timers.delete(id),
  })

  const tape: Tape = {
    clock: () => ({ now: () => script.nowMs, ...timersOf() }),
    timers: (inner) => ({ now: () => inner.now(), ...timersOf() }),
    arrival: listen,
    command: listen,
    errand(door, run) {
      doors.set(door, doorFor(nothingSchema, run))
      return run
    },
    reply: (given) => given,
    call(name, value) {
      script.compare(name, value)
      outward(count(name))
    },
    pass: (name) => outward(count(name)),
    ask<T>({ name, value, schema }: Asking<T>) {
      script.compare(name, value)
      const call = count(name)
      return new Promise<T>((resolve, reject) => {
        asked.set(call, { resolve: doorFor(schema, resolve).knock, reject })
        outward(call)
      })
    },
    note: (what, value) => script.compare(what, value),
  }
  return {
    tape,
    get nowMs() {
      return script.nowMs
    },
    load: (entries, isCut) => script.load(entries, isCut),
    async play() {
      for (let entry = script.next(); entry; entry = script.next()) {
        switch (entry.kind) {
          case 'in':
            knock(entry.door, entry.value)
            break
          case 'timer':
            fire(entry)
            break
          case 'answer':
            answer(entry)
            break
          case 'begin':
          case 'nested':
          case 'out':
          case 'threw':
          case 'gap':
          case 'end': {
            const { at } = script
            // Promises may still bring what the record says. What comes in by the same call does not wait for them.
            // oxlint-disable-next-line no-await-in-loop -- one thing after the other is what a replay is
            if (!script.isGluedOn) await settled()
            if (script.at === at) script.miss()
          }
        }
      }
      await settled()
    },
  }
}

/** Where something comes in. False when it is not of the form that is taken there. */
interface Door {
  knock(value: unknown): boolean
}

interface Answering {
  readonly resolve: Door['knock']
  reject(reason: unknown): void
}

function doorFor<T>(schema: z.ZodType<T>, take: (value: T) => unknown): Door {
  return {
    knock(value) {
      const parsed = schema.safeParse(value)
      if (parsed.success) attempt(() => take(parsed.data))
      return parsed.success
    },
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => afterPromises(resolve))
}

/** Where the run went on after a throw, as a process does that catches what nobody caught, the replay goes on, too. */
function attempt(act: () => unknown): void {
  try {
    const given = act()
    if (given instanceof Promise) given.catch(ignore)
  } catch {
    // What came of it is in the record.
  }
}

function ignore(): void {}
