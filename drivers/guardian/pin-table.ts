import { analogChannel, type BoardPins, boards, pinNumber } from '../../core/vocabulary/board.ts'
import { dutyMax } from './duty.ts'
import { type FirmataConfiguration, switchesOf } from '../../core/vocabulary/parts.ts'

/** What a body lets its board do with one pin. `part` is the configured name; a wheel is `left` or `right`. */
export type PinRule =
  | { readonly kind: 'pwm'; readonly pin: number; readonly part: string; readonly safe: number }
  | {
      readonly kind: 'level'
      readonly pin: number
      readonly part: string
      readonly safe: 0 | 1
      /** True for analog pins: the firmware leaves them inputs until it is told otherwise. */
      readonly bootsAsInput: boolean
    }
  | {
      readonly kind: 'servo'
      readonly pin: number
      readonly part: string
      readonly halt: 'hold' | 'release'
    }
  | {
      readonly kind: 'digital'
      readonly pin: number
      readonly part: string
      readonly hasPullUp: boolean
    }
  | {
      readonly kind: 'analog'
      readonly pin: number
      readonly part: string
      readonly channel: number
    }
  /** One channel of the encoder of a wheel, which the firmware with a deadman counts by itself. */
  | {
      readonly kind: 'counter'
      readonly pin: number
      readonly part: 'left' | 'right'
      readonly channel: 'a' | 'b'
    }
  /** One end of an HC-SR04, which the firmware with a deadman works by itself. */
  | { readonly kind: 'trigger' | 'echo'; readonly pin: number; readonly part: string }

/** Every pin of a body, one rule each. Plain data, so that it can be handed to another process. */
export interface PinTable {
  readonly pins: readonly PinRule[]
}

/** The table of the pins that a checked configuration declares. Throws TypeError for a pin that its board has not. */
export function pinTableOf(body: FirmataConfiguration): PinTable {
  const board: BoardPins = boards[body.board]
  return {
    pins: [
      ...wheelRules(board, body.wheels, 'left'),
      ...wheelRules(board, body.wheels, 'right'),
      ...body.relays.map((relay) =>
        levelRule(board, relay.name, relay.pin, relay.halt === 'high' ? 1 : 0),
      ),
      ...body.servos.map(({ name, pin, halt }): PinRule => {
        return { kind: 'servo', pin: numberOf(board, pin), part: name, halt }
      }),
      ...body.bumpers.map(({ name, pin, pressed }): PinRule => {
        return {
          kind: 'digital',
          pin: numberOf(board, pin),
          part: name,
          hasPullUp: pressed === 'low',
        }
      }),
      ...switchesOf(body).map(({ name, pin }): PinRule => {
        return { kind: 'digital', pin: numberOf(board, pin), part: name, hasPullUp: true }
      }),
      ...body.ranges.flatMap((range) => rangeRules(board, range)),
    ],
  }
}

function wheelRules(
  board: BoardPins,
  wheels: FirmataConfiguration['wheels'],
  part: 'left' | 'right',
): readonly PinRule[] {
  const wheel = wheels?.[part]
  if (!wheel) return []
  const isBraking = wheel.halt === 'brake'
  const pwm = numberOf(board, wheel.pwm)
  const directions = [wheel.dir, wheel.cdir].filter((pin) => pin !== undefined)
  return [
    { kind: 'pwm', pin: pwm, part, safe: isBraking ? dutyMax : 0 },
    ...directions.map((pin) => levelRule(board, part, pin, isBraking ? 1 : 0)),
    ...counterRules(board, part, wheel.encoder),
  ]
}

function counterRules(
  board: BoardPins,
  part: 'left' | 'right',
  encoder: NonNullable<FirmataConfiguration['wheels']>['left']['encoder'],
): readonly PinRule[] {
  if (!encoder) return []
  const { a, b } = encoder
  return [
    { kind: 'counter', pin: numberOf(board, a), part, channel: 'a' },
    ...(b === undefined
      ? []
      : [{ kind: 'counter', pin: numberOf(board, b), part, channel: 'b' } as const]),
  ]
}

function rangeRules(
  board: BoardPins,
  { name, model, pin, echo }: FirmataConfiguration['ranges'][number],
): readonly PinRule[] {
  if (model !== 'HC-SR04') return [analogRule(board, name, pin)]
  return [
    { kind: 'trigger', pin: numberOf(board, pin), part: name },
    { kind: 'echo', pin: numberOf(board, echo), part: name },
  ]
}

function levelRule(
  board: BoardPins,
  part: string,
  declared: number | string | undefined,
  safe: 0 | 1,
): PinRule {
  const pin = numberOf(board, declared)
  return { kind: 'level', pin, part, safe, bootsAsInput: analogChannel(board, pin) !== undefined }
}

function analogRule(
  board: BoardPins,
  part: string,
  declared: number | string | undefined,
): PinRule {
  const pin = numberOf(board, declared)
  const channel = analogChannel(board, pin)
  if (channel === undefined) throw new TypeError(`pin ${declared} is not an analog one`)
  return { kind: 'analog', pin, part, channel }
}

function numberOf(board: BoardPins, declared: number | string | undefined): number {
  const pin = declared === undefined ? undefined : pinNumber(board, declared)
  if (pin === undefined) throw new TypeError(`${declared} is not a pin of this board`)
  return pin
}
