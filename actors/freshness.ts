import { distinctUntilChanged, from, map, mergeMap, type Observable } from 'rxjs'
import { type CallbackActorLogic, type EventObject, fromCallback } from 'xstate'
import type { World } from '../core/space/world.ts'

/** A sensor, and for how many milliseconds a reading of it is worth anything. */
export interface Watched {
  readonly name: string
  readonly staleMs: number
}

type Fact = {
  type: 'perception.fresh' | 'perception.stale' | 'perception.unsound'
  sensor: string
}

/**
 * Says of each sensor when it becomes fresh, grows stale, or says what cannot be, and nothing in between: machines hear changes,
 * not samples. `ticks` carries the present time in milliseconds; the age of a reading is taken on the robot's clock,
 * so a stamp from the future is worth as much as one from now.
 */
export function freshness(
  ticks: Observable<number>,
  world: { readonly value: World },
  sensors: readonly Watched[],
): CallbackActorLogic<EventObject, undefined> {
  return fromCallback<EventObject, undefined>(({ sendBack }) => {
    const facts = from(sensors).pipe(
      mergeMap((sensor) =>
        ticks.pipe(
          map((now) => conditionOf(sensor, world.value, now)),
          distinctUntilChanged(),
          map((type): Fact => ({ type, sensor: sensor.name })),
        ),
      ),
    )
    const subscription = facts.subscribe(sendBack)
    return () => subscription.unsubscribe()
  })
}

/** True while the last reading of a sensor is sound and young enough to be believed. */
export function isFreshNow(sensor: Watched, world: World, now: number): boolean {
  return conditionOf(sensor, world, now) === 'perception.fresh'
}

function conditionOf(sensor: Watched, world: World, now: number): Fact['type'] {
  if (world.unsound.has(sensor.name)) return 'perception.unsound'
  return isFresh(world.heardMs.get(sensor.name), now, sensor.staleMs)
    ? 'perception.fresh'
    : 'perception.stale'
}

function isFresh(heardMs: number | undefined, now: number, staleMs: number): boolean {
  return heardMs !== undefined && now - heardMs <= staleMs
}
