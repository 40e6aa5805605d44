import { BehaviorSubject, Subject } from 'rxjs'
import { type Anatomy, type Commanded, perceive } from '../core/space/perceive.ts'
import { emptyWorld, type World } from '../core/space/world.ts'
import type { Reading } from '../core/vocabulary/reading.ts'

/** The robot's streams: what its sensors say, and what it makes of that. */
export interface Senses {
  /** Every reading of body and cameras, as it arrives. */
  readonly readings: Subject<Reading | Commanded>
  /** What the robot believes after each reading; always has a value. */
  readonly world: BehaviorSubject<World>
}

/**
 * Folds readings into a world, one by one and in order, within the call that delivers them. `listen` makes the fold total:
 * RxJS would tell the whole process of what it throws.
 */
export function senses(
  anatomy: Anatomy,
  listen: (fold: (reading: Reading | Commanded) => void) => (reading: Reading | Commanded) => void,
): Senses {
  const readings = new Subject<Reading | Commanded>()
  const world = new BehaviorSubject(emptyWorld())
  readings.subscribe(listen((reading) => world.next(perceive(world.value, reading, anatomy))))
  return { readings, world }
}
