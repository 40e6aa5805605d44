import { setTimeout as realMs } from 'node:timers/promises'
import type { Configuration } from '../../../core/vocabulary/configuration.ts'
import type { Reading } from '../../../core/vocabulary/reading.ts'
import type { Body, Evidence } from '../../../drivers/body.ts'
import { wallClock } from '../../../drivers/clock.ts'
import { frames, splitFrames } from '../../../drivers/guardian/frames.ts'
import { openGuardedLine } from '../../../drivers/guardian/guarded-line.ts'
import type { Line } from '../../../drivers/guardian/line.ts'
import { type PinRule, pinTableOf } from '../../../drivers/guardian/pin-table.ts'
import { readReport } from '../../../drivers/guardian/reports.ts'
import { type FirmataOptions, firmataBody } from '../../../drivers/johnny-five/body.ts'
import type { RemoteUno } from '../../support/uno/remote.ts'
import { until } from '../../support/uno/until.ts'
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

/** How often the reflex loop of a robot beats. */
const beatMs = 20
/** No board has such a pin: its echo comes after everything that was sent before was carried out. */
const markPin = 98
/** The line that a living body has open to each board, by the path of its port. */
const lines = new Map<string, Line>()

/** Waits until what was commanded before has been carried out, and then for the board to settle. */
export async function settled(uno: RemoteUno): Promise<void> {
  const line = lines.get(uno.path)
  if (line?.isOpen() === true) await echoed(line)
  await live(uno)
}

/** A guardian that this machine keeps waiting is not waited for by the chip: its line is asked. */
function echoed(line: Line): Promise<void> {
  const splitter = splitFrames('inbound')
  let isEchoed = false
  return until({
    what: () => 'the board echoes',
    condition: () => isEchoed || !line.isOpen(),
    on(listener) {
      let isListening = true
      line.onData((bytes) => {
        for (const frame of splitter.push(bytes)) {
          const report = readReport(frame)
          isEchoed ||= report?.kind === 'echo' && report.pin === markPin
        }
        if (isListening) listener()
      })
      line.onEvent(() => {
        if (isListening) listener()
      })
      line.write(frames.pinState(markPin))
      return () => {
        isListening = false
      }
    },
  })
}

/** A Firmata body in a robot whose loop is alive for as long as the body is open. */
export function livingBody(
  configuration: Configuration,
  options: Omit<FirmataOptions, 'open'>,
): Body {
  const { port: path, clock, note } = options
  const body = firmataBody(configuration, {
    ...options,
    async open(_path, table) {
      const { name } = configuration
      const line = await openGuardedLine({ path, table, name, note, clock })
      lines.set(path, line)
      return line
    },
  })
  let beating: NodeJS.Timeout | undefined
  return {
    ...body,
    open() {
      clearInterval(beating)
      beating = setInterval(() => body.beat?.(), beatMs)
      return body.open()
    },
    close() {
      clearInterval(beating)
      return body.close()
    },
  }
}

/** How long after its halt a board may take to confirm it, on a machine that is busy with other things. */
const evidenceMsMax = 2_000
const roundMs = 50

/** The best evidence for the last halt: a guardian that has none yet goes on asking the board. */
export async function evidenceOf(body: Body, limitMs = evidenceMsMax): Promise<Evidence> {
  const evidence = await body.confirm()
  if (evidence === 'echoed' || evidence === 'measured' || limitMs <= 0) return evidence
  await realMs(roundMs)
  return evidenceOf(body, limitMs - roundMs)
}

/** A Firmata body on an emulated Uno, with instruments on the pins. Closing the bench leaves the Uno running. */
export function unoBench(uno: RemoteUno, configuration: Configuration): Bench {
  const { body: declared } = configuration
  if (declared.kind !== 'firmata') throw new TypeError('an Uno is a Firmata body')
  const rules = pinTableOf(declared).pins
  const body = livingBody(configuration, { port: uno.path, clock: wallClock() })
  return {
    body,
    configuration,
    settle: () => settled(uno),
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
