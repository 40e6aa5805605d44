import type { FirmataConfiguration } from '../../core/vocabulary/parts.ts'
import type { FirmataIO, Fitting } from './library.ts'
import { pinName } from './library.ts'

/** A switch that tells what it touches. */
export interface Bumper {
  readonly name: string
  /** The port whose reports tell of it. */
  readonly port: number
  isPressed(): boolean
  dispose(): void
}

/** A bumper on an input that reports from now on; with `pressed: 'low'` its pin has the pull-up that the table declares. */
export function makeBumper(
  { five, board, pins }: Fitting,
  pin: number,
  { name, pressed }: Pick<FirmataConfiguration['bumpers'][number], 'name' | 'pressed'>,
): Bumper {
  const io: FirmataIO = board.io
  const button = new five.Button({ board, pin: pinName(pins, pin), invert: pressed === 'low' })
  return {
    name,
    port: pin >> 3,
    isPressed: () => button.isDown,
    dispose() {
      // A button that is held down runs a timer, which only its release ends.
      io.emit(`digital-read-${pin}`, pressed === 'low' ? 1 : 0)
    },
  }
}
