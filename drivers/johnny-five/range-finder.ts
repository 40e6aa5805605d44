import type { Fitting } from './library.ts'
import { sharpMetres, type SharpModel } from './sharp.ts'

/** A Sharp range finder on an analog pin. */
export interface RangeFinder {
  readonly name: string
  /** The channel whose reports tell of it. */
  readonly channel: number
  /** Of the latest report, in metres; `Infinity` is nothing within reach. */
  metres(): number
  dispose(): void
}

/** A range finder that reports every 20 ms from now on. */
export function makeRangeFinder(
  { five, board }: Fitting,
  channel: number,
  { name, model }: { readonly name: string; readonly model: SharpModel },
): RangeFinder {
  // Its own events come from a timer and go on when the board is dead, so only its latest raw value is used.
  const sensor = new five.Sensor({ board, pin: `A${channel}` })
  return {
    name,
    channel,
    metres: () => sharpMetres(model, sensor.raw),
    dispose: () => void sensor.disable(),
  }
}
