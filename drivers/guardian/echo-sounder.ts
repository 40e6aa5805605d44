import type { Clock } from '../clock.ts'
import { frames, pinModes } from './frames.ts'
import type { PinRule, PinTable } from './pin-table.ts'
import type { Report } from './reports.ts'

type PinState = Extract<Report, { kind: 'pinState' }>

/** Pins that no board has: their echo marks where in the stream of answers a question was asked. */
const fencePins = { first: 100, last: 126 } as const

const lastCallMs = 2

/** Asks a board whether it carried out a halt. */
export interface EchoSounder {
  /**
   * Asks for the state of every output pin and resolves within `limitMs`: true when all answered that they are safe.
   * An answer counts only after the echo of this question's own mark, so that a late answer to an earlier one cannot
   * vouch for this halt. It is what the firmware remembers, not what the pins put out. Another question ends this one,
   * unanswered. Never rejects.
   */
  sound(limitMs: number): Promise<boolean>
  /** Ends the question that is under way, unanswered. */
  end(): void
}

/** One connection, as far as it takes to ask and to hear. */
export interface Questions {
  ask(frame: Uint8Array): void
  /** Returns how to stop. */
  onReport(listener: (report: Report) => void): () => void
}

/** An echo sounder over one connection. */
export function makeEchoSounder(line: Questions, table: PinTable, clock: Clock): EchoSounder {
  const asked = table.pins.filter(isAsked)
  let fencePin: number = fencePins.last
  let endLast: (() => void) | undefined

  return {
    end: () => endLast?.(),
    sound(limitMs) {
      endLast?.()
      fencePin = fencePin === fencePins.last ? fencePins.first : fencePin + 1
      const fence = fencePin
      return new Promise((resolve) => {
        const open = new Map(asked.map((rule) => [rule.pin, rule]))
        let isPastFence = false
        const finish = (answer: boolean) => {
          endLast = undefined
          stop()
          clock.clearTimeout(limit)
          resolve(answer)
        }
        const stop = line.onReport((report) => {
          if (report.kind === 'echo' && report.pin === fence) {
            isPastFence = true
            if (open.size === 0) finish(true)
          }
          if (report.kind !== 'pinState' || !isPastFence) return
          const rule = open.get(report.pin)
          if (!rule) return
          if (!isSafe(rule, report)) return finish(false)
          open.delete(report.pin)
          if (open.size === 0) finish(true)
        })
        // After a stall of this process the limit is over before the answers that have long arrived were read.
        const lastCall = () => {
          limit = clock.setTimeout(() => finish(false), lastCallMs)
        }
        let limit = clock.setTimeout(lastCall, limitMs - lastCallMs)
        endLast = () => finish(false)
        for (const pin of [fence, ...open.keys()]) line.ask(frames.pinState(pin))
      })
    },
  }
}

function isAsked(rule: PinRule): boolean {
  switch (rule.kind) {
    case 'pwm':
    case 'level':
      return true
    case 'servo':
      return rule.halt === 'release'
    case 'digital':
    case 'analog':
    case 'counter':
    case 'trigger':
    case 'echo':
      return false
  }
}

function isSafe(rule: PinRule, { mode, state }: PinState): boolean {
  switch (rule.kind) {
    case 'pwm':
      // Before the first arming it is an output that is low, which drives nothing either.
      return mode === pinModes.pwm ? state === rule.safe : mode !== pinModes.servo && state === 0
    case 'level':
      return mode !== pinModes.pwm && mode !== pinModes.servo && state === rule.safe
    case 'servo':
      return mode !== pinModes.servo
    case 'digital':
    case 'analog':
    case 'counter':
    case 'trigger':
    case 'echo':
      return true
  }
}
