import type { z } from 'zod'
import { analogChannel, type BoardPins, boards, isDigital, pinNumber } from './board.ts'
import {
  type BodyConfiguration,
  enablingName,
  type FirmataConfiguration,
  motorPowerName,
} from './parts.ts'
import { show } from './explain.ts'

/** What a part needs of its pin. */
type Need = 'output' | 'pwm' | 'input' | 'analog' | 'servo'

/** One use of one pin by one part, at the place in the configuration that says so. */
export interface PinUse {
  readonly path: readonly (string | number)[]
  readonly pin: number | string | undefined
  readonly need: Need
}

/** Adds an issue for every rule that pins, names and parts break together. */
export function checkPins(
  value: { readonly body: BodyConfiguration },
  context: z.RefinementCtx,
): void {
  const report = (path: readonly (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path: ['body', ...path], message })
  checkNames(value.body, report)
  if (value.body.kind === 'firmata') checkBoard(value.body, report)
}

type Report = (path: readonly (string | number)[], message: string) => void

/** Every pin that a Firmata body uses, in the order of its parts. */
export function pinUsesOf(body: FirmataConfiguration): readonly PinUse[] {
  const uses: PinUse[] = []
  for (const side of ['left', 'right'] as const) {
    const wheel = body.wheels?.[side]
    if (!wheel) continue
    uses.push({ path: ['wheels', side, 'pwm'], pin: wheel.pwm, need: 'pwm' })
    uses.push({ path: ['wheels', side, 'dir'], pin: wheel.dir, need: 'output' })
    if (wheel.cdir !== undefined) {
      uses.push({ path: ['wheels', side, 'cdir'], pin: wheel.cdir, need: 'output' })
    }
    if (wheel.encoder) {
      const { a, b } = wheel.encoder
      uses.push({ path: ['wheels', side, 'encoder', 'a'], pin: a, need: 'input' })
      if (b !== undefined) {
        uses.push({ path: ['wheels', side, 'encoder', 'b'], pin: b, need: 'input' })
      }
    }
  }
  body.ranges.forEach(({ model, pin, echo }, index) => {
    const isPing = model === 'HC-SR04'
    uses.push({ path: ['ranges', index, 'pin'], pin, need: isPing ? 'output' : 'analog' })
    if (isPing) uses.push({ path: ['ranges', index, 'echo'], pin: echo, need: 'input' })
  })
  const parts = [
    ['bumpers', 'input'],
    ['relays', 'output'],
    ['servos', 'servo'],
    ['stopButtons', 'input'],
  ] as const
  for (const [list, need] of parts) {
    body[list].forEach((part, index) =>
      uses.push({ path: [list, index, 'pin'], pin: part.pin, need }),
    )
  }
  for (const single of ['motorPower', 'enabling'] as const) {
    const part = body[single]
    if (part) uses.push({ path: [single, 'pin'], pin: part.pin, need: 'input' })
  }
  return uses
}

function checkBoard(body: FirmataConfiguration, report: Report): void {
  const board: BoardPins = boards[body.board]
  const taken = new Map<number, string>()
  for (const use of pinUsesOf(body)) {
    const part = use.path.slice(0, -1).join('.')
    if (use.pin === undefined) {
      report(use.path, `missing; a pin of the ${body.board}`)
      continue
    }
    const pin = pinNumber(board, use.pin)
    if (pin === undefined || !canServe(board, pin, use.need)) {
      report(use.path, `${show(use.pin)} is not allowed; ${allowed(board, body.board, use.need)}`)
      continue
    }
    const other = taken.get(pin)
    if (other !== undefined) {
      report(use.path, `pin ${show(use.pin)} is not allowed; ${other} has it already`)
    }
    taken.set(pin, part)
    if (use.need === 'pwm' && body.servos.length > 0 && board.lostToServo.includes(pin)) {
      report(
        use.path,
        `${show(use.pin)} is not allowed; a servo silences PWM on ${board.lostToServo.join(', ')} of the ${body.board}`,
      )
    }
  }
  checkSensing(body, report)
  for (const side of ['left', 'right'] as const) {
    const wheel = body.wheels?.[side]
    if (wheel?.halt === 'brake' && wheel.cdir === undefined) {
      report(
        ['wheels', side, 'halt'],
        `"brake" is not allowed; coast, unless the driver has a third pin, cdir`,
      )
    }
  }
}

/** The firmware with a deadman has room for so many HC-SR04. */
const pingsMax = 4

function checkSensing({ ranges, wheels }: FirmataConfiguration, report: Report): void {
  const { left, right } = wheels ?? {}
  for (const [side, has] of [
    ['left', left?.encoder],
    ['right', right?.encoder],
  ] as const) {
    if (!has && (left?.encoder ?? right?.encoder)) {
      report(['wheels', side, 'encoder'], 'missing; both wheels have an encoder, or none')
    }
  }
  if (left?.encoder && wheels?.countsPerTurn === undefined) {
    report(['wheels', 'countsPerTurn'], 'missing; the edges of an encoder in one turn of a wheel')
  }
  ranges.forEach(({ model, echo }, index) => {
    if (model !== 'HC-SR04' && echo !== undefined) {
      report(['ranges', index, 'echo'], `${show(echo)} is not allowed; only an HC-SR04 has one`)
    }
  })
  const pings = ranges.filter(({ model }) => model === 'HC-SR04')
  if (pings.length > pingsMax) {
    report(['ranges'], `${pings.length} HC-SR04 are not allowed; at most ${pingsMax}`)
  }
}

function canServe(board: BoardPins, pin: number, need: Need): boolean {
  if (need === 'pwm') return board.pwm.includes(pin)
  if (need === 'analog') return analogChannel(board, pin) !== undefined
  return isDigital(board, pin)
}

function allowed(board: BoardPins, name: string, need: Need): string {
  if (need === 'pwm') return `a PWM pin of the ${name}: ${board.pwm.join(', ')}`
  if (need === 'analog') return `an analog pin of the ${name}: A0 to A${board.analog - 1}`
  return `a digital pin of the ${name}: ${board.serial.length} to ${board.digital - 1}, or A0 to A${board.analog - board.analogOnly - 1}`
}

function checkNames(body: BodyConfiguration, report: Report): void {
  const taken = new Set<string>([
    'left',
    'right',
    'encoders',
    'lidar',
    'imu',
    'battery',
    motorPowerName,
    enablingName,
  ])
  for (const list of ['ranges', 'bumpers', 'relays', 'servos', 'cameras', 'stopButtons'] as const) {
    body[list].forEach((part, index) => {
      if (taken.has(part.name)) {
        report([list, index, 'name'], `"${part.name}" is not allowed; another part has that name`)
      }
      taken.add(part.name)
    })
  }
  body.servos.forEach((servo, index) => {
    if (!(servo.minRadians < servo.maxRadians)) {
      report(
        ['servos', index, 'minRadians'],
        `${servo.minRadians} is not allowed; less than maxRadians, ${servo.maxRadians}`,
      )
    }
  })
}
