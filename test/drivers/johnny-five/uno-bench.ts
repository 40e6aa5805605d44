import { setTimeout as realMs } from 'node:timers/promises'
import type { Configuration } from '../../../core/vocabulary/configuration.ts'
import type { Reading } from '../../../core/vocabulary/reading.ts'
import type { Body, Evidence } from '../../../drivers/body.ts'
import { wallClock } from '../../../drivers/clock.ts'
import { type PinRule, pinTableOf } from '../../../drivers/guardian/pin-table.ts'
import { firmataBody } from '../../../drivers/johnny-five/body.ts'
import type { RemoteUno } from '../../support/uno/remote.ts'
import type { Bench } from '../body.suite.ts'

/** Long enough for a command to reach its pin, a servo's pulse to be measured, and a sensor to be read twice. */
const settleMs = 70

/** Waits until the chip has lived so much longer, however busy this machine is. */
export async function live(uno: RemoteUno, milliseconds = settleMs): Promise<void> {
  const end = (await uno.chipMs()) + milliseconds
  // oxlint-disable-next-line no-await-in-loop -- it is asked until it is so
  while ((await uno.chipMs()) < end) await realMs(5)
}

/** Resolves with the first reading that is as wanted; a real chain of sensor, chip, line and host takes its time. */
export function readingOf(body: Body, isWanted: (reading: Reading) => boolean): Promise<Reading> {
  return new Promise((resolve) => {
    const stop = body.onReading((reading) => {
      if (!isWanted(reading)) return
      stop()
      resolve(reading)
    })
  })
}

/** The cause of the first loss from now on. */
export function lossOf(body: Body): Promise<string> {
  return new Promise((resolve) => {
    const stop = body.onLost?.((cause) => {
      stop?.()
      resolve(cause)
    })
  })
}

/** Asks again, as a halted robot does, for the machine may be too busy to answer within the limit of one question. */
export async function evidenceOf(body: Body, questionsMax = 10): Promise<Evidence> {
  const evidence = await body.confirm()
  return evidence === 'echoed' || questionsMax <= 1 ? evidence : evidenceOf(body, questionsMax - 1)
}

/** A Firmata body on an emulated Uno, with instruments on the pins. Closing the bench leaves the Uno running. */
export function unoBench(uno: RemoteUno, configuration: Configuration): Bench {
  const { body: declared } = configuration
  if (declared.kind !== 'firmata') throw new TypeError('an Uno is a Firmata body')
  const rules = pinTableOf(declared).pins
  const body = firmataBody(configuration, { port: uno.path, clock: wallClock() })
  return {
    body,
    configuration,
    settle: () => live(uno),
    async effortOf(wheel) {
      const pwm = pinsOf(rules, wheel, 'pwm')[0] ?? NaN
      const levels = await Promise.all(pinsOf(rules, wheel, 'level').map((pin) => uno.levelOf(pin)))
      const [dir = 0, cdir = 1 - dir] = levels
      return (await uno.dutyOf(pwm)) * (dir - cdir)
    },
    levelOf: (relay) => uno.levelOf(pinsOf(rules, relay, 'level')[0] ?? NaN),
    close: () => body.close(),
  }
}

function pinsOf(rules: readonly PinRule[], part: string, kind: PinRule['kind']): number[] {
  return rules.filter((rule) => rule.part === part && rule.kind === kind).map((rule) => rule.pin)
}
