import type { AnyActorRef, InspectionEvent } from 'xstate'
import { messageOf } from '../../core/vocabulary/errors.ts'
import type { Clock } from '../../drivers/clock.ts'
import { createLoopLog } from './loop.ts'
import type { ActorView, LoopView } from './protocol.ts'
import { createWatched } from './watched.ts'

/** Where charts are watched: `robot.inspect`. */
export type Inspect = (observer: (event: InspectionEvent) => void) => () => void

/** What is being watched, until it is ended. */
export interface Watch {
  /** How often something in here failed. After `failuresMax` times nothing is watched any more. */
  readonly failures: number
  end(): void
}

/** Who is told. */
export interface Watcher {
  /** Times how often it is told, in the machine's own time. */
  readonly clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>
  failed(cause: string): void
  /** The charts that have systems of their own. */
  readonly beside?: readonly AnyActorRef[]
}

/** How often the views of actors are told at most, in ms, and how often a watch may fail before it ends. */
export const viewMs = 33
export const failuresMax = 8

/**
 * Tells the views of all actors within `viewMs`, and from then on those that have changed, together and no more often
 * than that; one that has gone is told as `stopped`. Charts are looked at only between their steps. Throws nothing,
 * whatever is in them: what fails is told and counted.
 */
export function watchActors(
  inspect: Inspect,
  say: (actors: readonly ActorView[]) => void,
  { clock, failed, beside = [] }: Watcher,
): Watch {
  const watched = createWatched(failed, beside)
  let timer: number | undefined
  const watch = watchWith(inspect, failed, (event) => {
    watched.note(event)
    timer ??= clock.setTimeout(tell, viewMs)
  })
  const besides = beside.map(({ system }) => system.inspect(watch.contained(watched.note)))
  const tell = watch.contained(() => {
    timer = undefined
    const changed = watched.look()
    if (changed.length > 0) say(changed)
  })
  return {
    get failures() {
      return watch.failures
    },
    end() {
      watch.end()
      for (const each of besides) each.unsubscribe()
      if (timer !== undefined) clock.clearTimeout(timer)
    },
  }
}

/** Tells each turn of the agent's loop as it begins and as it goes on. Throws nothing, like `watchActors`. */
export function watchLoop(
  inspect: Inspect,
  say: (turn: LoopView) => void,
  failed: Watcher['failed'],
): Watch {
  const log = createLoopLog()
  return watchWith(inspect, failed, (event) => {
    const turn = log.note(event)
    if (turn) say(turn)
  })
}

interface ContainedWatch extends Watch {
  contained<Args extends readonly unknown[]>(act: (...args: Args) => void): (...args: Args) => void
}

/** A throw in an observer would halt the robot. */
function watchWith(
  inspect: Inspect,
  failed: Watcher['failed'],
  note: (event: InspectionEvent) => void,
): ContainedWatch {
  let failures = 0
  let isOver = false
  const contained: ContainedWatch['contained'] =
    (act) =>
    (...args) => {
      if (isOver) return
      try {
        act(...args)
      } catch (error) {
        failures += 1
        isOver = failures >= failuresMax
        failed(`watching the charts failed: ${messageOf(error)}`)
      }
    }
  const leave = inspect(contained(note))
  return {
    get failures() {
      return failures
    },
    contained,
    end() {
      isOver = true
      leave()
    },
  }
}
