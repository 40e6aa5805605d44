// The build starts from index.ts and would not find declarations that nothing imports.
// oxlint-disable typescript/triple-slash-reference
/// <reference path="./firmata-io.d.ts" />
/// <reference path="./johnny-five.d.ts" />
import type firmata from 'firmata-io'
import type johnnyFive from 'johnny-five'
import { analogChannel, type BoardPins } from '../../core/vocabulary/board.ts'

export type Five = typeof johnnyFive
export type FiveBoard = InstanceType<Five['Board']>
export type FirmataIO = InstanceType<(typeof firmata)['Firmata']>

/** A board that is ready for parts. `board` goes to every part, or it would join the first board of the process. */
export interface Fitting {
  readonly five: Five
  readonly board: FiveBoard
  readonly pins: BoardPins
}

/**
 * A pin as Johnny-Five must be told it, by number or by name. Digital uses of analog pins need the name: of the number
 * 17 it would make pin 3.
 */
export function pinName(board: BoardPins, pin: number): number | string {
  const channel = analogChannel(board, pin)
  return channel === undefined ? pin : `A${channel}`
}
