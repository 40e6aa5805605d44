import { type Effect, frames, pinModes } from './frames.ts'
import type { PinRule, PinTable } from './pin-table.ts'

/**
 * What waits to be sent. Outputs are kept as one wish for each part, not as a queue of frames: the last value wins,
 * and what is sent leads from what the board was last told to what is wished, in a safe order. So a flood of commands
 * takes no more room than one, and no merging can put a duty before the direction that it was meant for.
 */
export interface Outbox {
  /** Queues a frame that is no output. False, and not queued, when `asksMax` are waiting. */
  ask(frame: Uint8Array): boolean
  /** Changes what is wished for `part`; what the effect would do to any other part is ignored. */
  wish(part: string, effect: Effect): void
  /** The next bytes to send, whole frames, or undefined when nothing waits. */
  next(): Uint8Array | undefined
  /** Forgets all wishes, after bytes that put every output at its safe level were sent past this box. Asks stay. */
  settle(): void
  /** How many asks and parts are waiting; never more than `asksMax` and the number of parts. */
  readonly waiting: number
}

/** How many queries, reporting and input mode frames may wait. */
export const asksMax = 64

type PwmRule = Extract<PinRule, { kind: 'pwm' }>
type LevelRule = Extract<PinRule, { kind: 'level' }>
type ServoRule = Extract<PinRule, { kind: 'servo' }>

/** An empty box that believes every output of the table to be at its safe level. */
export function makeOutbox(table: PinTable): Outbox {
  const pwms = table.pins.filter((rule) => rule.kind === 'pwm')
  const levels = table.pins.filter((rule) => rule.kind === 'level')
  const servos = table.pins.filter((rule) => rule.kind === 'servo')
  const wished = new Map<number, number>()
  const sent = new Map<number, number>()
  const attached = new Set<number>()
  let waiting: (Uint8Array | string)[] = []
  let asks = 0

  const settle = () => {
    waiting = waiting.filter((item) => typeof item !== 'string')
    attached.clear()
    wished.clear()
    for (const rule of [...pwms, ...levels]) {
      wished.set(rule.pin, rule.safe)
      sent.set(rule.pin, rule.safe)
    }
  }
  const enqueue = (part: string) => {
    if (!waiting.includes(part)) waiting.push(part)
  }
  const wishLevels = (part: string, port: number, bits: number) => {
    for (const rule of levels) {
      if (rule.part !== part || rule.pin >> 3 !== port) continue
      wished.set(rule.pin, (bits >> (rule.pin & 7)) & 1)
      enqueue(part)
    }
  }

  const sendPorts = (changed: readonly LevelRule[]): Uint8Array[] => {
    for (const rule of changed) sent.set(rule.pin, wished.get(rule.pin) ?? rule.safe)
    const ports = new Set(changed.map((rule) => rule.pin >> 3))
    return [...ports].map((port) =>
      frames.port(
        port,
        levels
          .filter((rule) => rule.pin >> 3 === port)
          .reduce((bits, rule) => bits | ((sent.get(rule.pin) ?? rule.safe) << (rule.pin & 7)), 0),
      ),
    )
  }
  const sendDuty = (rule: PwmRule, duty: number): Uint8Array => {
    sent.set(rule.pin, duty)
    return frames.analog(rule.pin, duty)
  }
  const sendPulse = (rule: ServoRule): Uint8Array[] => {
    const pulse = wished.get(rule.pin)
    // Attaching alone would drive the servo to its middle: it waits for the pulse that belongs to it.
    if (pulse === undefined) return []
    const isAttached = attached.has(rule.pin)
    attached.add(rule.pin)
    return [
      ...(isAttached ? [] : [frames.mode(rule.pin, pinModes.servo)]),
      frames.analog(rule.pin, pulse),
    ]
  }
  const sendPart = (part: string): Uint8Array => {
    const ofPart = (rule: PinRule) => rule.part === part
    const duties = pwms.filter(ofPart)
    const changed = levels.filter(
      (rule) =>
        ofPart(rule) && (duties.length === 0 || wished.get(rule.pin) !== sent.get(rule.pin)),
    )
    return Uint8Array.from(
      [
        ...(changed.length > 0 ? duties.map((rule) => sendDuty(rule, 0)) : []),
        ...sendPorts(changed),
        ...duties
          .map((rule) => ({ rule, duty: wished.get(rule.pin) ?? rule.safe }))
          .filter(({ duty }) => changed.length === 0 || duty > 0)
          .map(({ rule, duty }) => sendDuty(rule, duty)),
        ...servos.filter(ofPart).flatMap(sendPulse),
      ].flatMap((frame) => [...frame]),
    )
  }

  settle()
  return {
    ask(frame) {
      if (asks >= asksMax) return false
      asks++
      waiting.push(frame)
      return true
    },
    wish(part, effect) {
      if (effect.kind === 'levels') return wishLevels(part, effect.port, effect.levels)
      const owner = table.pins.find((rule) => rule.pin === effect.pin)
      if (effect.kind === 'attach' || owner?.part !== part) return
      wished.set(effect.pin, effect.value)
      enqueue(part)
    },
    next() {
      for (;;) {
        const item = waiting.shift()
        if (item === undefined) return undefined
        if (typeof item !== 'string') {
          asks--
          return item
        }
        const bytes = sendPart(item)
        if (bytes.length > 0) return bytes
      }
    },
    settle,
    get waiting() {
      return waiting.length
    },
  }
}
