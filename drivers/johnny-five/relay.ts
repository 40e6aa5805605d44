import { type Fitting, pinName } from './library.ts'

/** A switch: `on` is a pin that is high, whatever level was declared for a halt. */
export interface Relay {
  set(on: boolean): void
}

/** A relay on a pin that is an output by the time that it is set. */
export function makeRelay({ five, board, pins }: Fitting, pin: number): Relay {
  const relay = new five.Relay({ board, pin: pinName(pins, pin), type: 'NO' })
  return {
    set(on) {
      if (on) relay.close()
      else relay.open()
    },
  }
}
