import type { Evidence } from '../body.ts'
import type { Clock } from '../clock.ts'
import {
  type DeadmanReport,
  deadmanFirmware,
  deadmanFrames,
  isSafe,
  safeTableCrc,
  safeTableOf,
} from './deadman.ts'
import type { PinRule, PinTable } from './pin-table.ts'
import type { Report } from './reports.ts'

type DeadmanStatus = Extract<DeadmanReport, { what: 'status' }>

/** The deadman of one board, if it has one, seen from the warden. */
export interface DeadmanLink {
  /** True once the firmware has reported itself as ours. */
  readonly isThere: boolean
  hear(report: Report): void
  /**
   * Asks the board for what unlatches it, since each halt makes void what it offered before, sends that back, and calls
   * `opened` once the board runs. Whatever keeps it latched is told as a failure.
   */
  unlatch(opened: () => void): void
  /** The board is latched from now on, whatever was under way: it is being told to halt. */
  relatch(): void
  /** Looks at the registers of every declared output. Undefined when they were not all reported safe within the limit. */
  measure(limitMs: number): Promise<Evidence | undefined>
  end(): void
}

/** What a deadman link works with. */
export interface DeadmanLinkEnds {
  readonly table: PinTable
  /** The robot's name, kept on the board together with the safe table. */
  readonly name: string
  /** Whether a board that keeps another robot's name becomes this one's; otherwise it is refused. */
  readonly adopts?: boolean | undefined
  /** Whether the board is known to have a deadman before it reports itself. */
  readonly isKnown: boolean
  readonly clock: Clock
  send(frame: Uint8Array): void
  /** The board keeps our safe table now. */
  ready(name: string, boots: number): void
  /** It cannot be relied on any more, or never could. */
  failed(cause: string): void
}

const unlatchMsMax = 400
const unlatchTriesMax = 3
const tokenMax = 127

/** Asks a board that reports our firmware for its status, and writes the safe table where it keeps another. */
export function makeDeadmanLink(ends: DeadmanLinkEnds): DeadmanLink {
  const { clock, name, table } = ends
  const outputs = table.pins.filter(isOutput)
  let isThere = ends.isKnown
  let isReady = false
  let hasWritten = false
  let isForeign = false
  /** What the board is to say next of its latch: `asked` until it has offered a nonce, `opening` until it has answered it. */
  let expected: 'latched' | 'asked' | 'opening' | 'open' = 'latched'
  let onOpened: () => void = ignore
  let triesLeft = 0
  let timer: number | undefined
  let token = 0
  let measuring: ((report: Extract<DeadmanReport, { what: 'registers' }>) => void) | undefined
  let endMeasuring: (() => void) | undefined

  const finishOpening = () => {
    if (timer !== undefined) clock.clearTimeout(timer)
    timer = undefined
  }
  const relatch = () => {
    finishOpening()
    expected = 'latched'
    onOpened = ignore
  }
  const tryKey = (nonce: number) => {
    expected = 'opening'
    triesLeft--
    ends.send(deadmanFrames.unlatch(nonce))
  }
  const fail = (cause: string) => {
    relatch()
    ends.failed(cause)
  }
  const hearStatus = (status: DeadmanStatus) => {
    if (expected === 'asked' && status.answers === 'status') {
      if (!status.isLatched) return fail('the board is not latched before it is armed')
      return tryKey(status.nonce)
    }
    if (expected === 'opening' && status.answers === 'unlatch') {
      // The nonce was of before the last halt: the answer to an arming that this halt has overtaken came late.
      if (status.result === 'wrongNonce' && triesLeft > 0) return tryKey(status.nonce)
      if (status.result !== 'done') return fail(`the board stayed latched: ${status.result}`)
      finishOpening()
      expected = 'open'
      return onOpened()
    }
    if (expected === 'open' && status.isLatched) {
      return fail(`the board halted itself: ${status.why}`)
    }
    if (status.result !== 'done' && (status.answers === 'encoder' || status.answers === 'range')) {
      return fail(`the board did not take its ${status.answers}s: ${status.result}`)
    }
    if (!isReady) keepTable(status)
  }
  const keepTable = (status: DeadmanStatus) => {
    const safe = safeTableOf(table)
    if (status.hasTable && status.tableCrc === safeTableCrc(safe, name)) {
      isReady = true
      for (const frame of sensorFrames(table)) ends.send(frame)
      ends.ready(status.name, status.boots)
    } else if (status.hasTable && status.name !== name && !ends.adopts) {
      if (isForeign) return
      isForeign = true
      fail(
        `the board belongs to ${status.name}, not to ${name}: plug in the right one, or mechos doctor --adopt`,
      )
    } else if (!hasWritten) {
      hasWritten = true
      // It may still run, for whoever had it before, and takes a table only while it is latched.
      ends.send(deadmanFrames.halt())
      ends.send(deadmanFrames.writeTable(safe, name))
    } else if (status.answers === 'writeTable') {
      fail(`the board did not take its table of safe outputs: ${status.result}`)
    }
  }

  return {
    get isThere() {
      return isThere
    },
    hear(report) {
      if (report.kind === 'firmware' && report.name.startsWith(deadmanFirmware.name)) {
        isThere = true
        ends.send(deadmanFrames.status())
      }
      if (report.kind !== 'deadman') return
      if (report.what === 'status') hearStatus(report)
      if (report.what === 'registers') measuring?.(report)
    },
    unlatch(opened) {
      relatch()
      if (!isReady) return fail('the board does not keep our table of safe outputs')
      expected = 'asked'
      onOpened = opened
      triesLeft = unlatchTriesMax
      timer = clock.setTimeout(() => fail('the board did not answer its unlatching'), unlatchMsMax)
      ends.send(deadmanFrames.status())
    },
    relatch,
    measure(limitMs) {
      endMeasuring?.()
      token = (token + 1) % tokenMax
      const mine = token
      const open = new Map(outputs.map((rule) => [rule.pin, rule]))
      return new Promise((resolve) => {
        const finish = (evidence: Evidence | undefined) => {
          measuring = undefined
          endMeasuring = undefined
          clock.clearTimeout(limit)
          resolve(evidence)
        }
        const limit = clock.setTimeout(() => finish(undefined), limitMs)
        endMeasuring = () => finish(undefined)
        measuring = (report) => {
          if (report.token !== mine) return
          for (const registers of report.pins) {
            const rule = open.get(registers.pin)
            if (rule && isSafe(rule, registers)) open.delete(registers.pin)
          }
          if (report.isLatched && open.size === 0) finish('measured')
        }
        ends.send(
          deadmanFrames.registers(
            outputs.map(({ pin }) => pin),
            mine,
          ),
        )
      })
    },
    end() {
      relatch()
      endMeasuring?.()
    },
  }
}

function ignore(): void {}

/** What tells the board which encoders and range finders hang on it: it reads them by itself. */
function sensorFrames({ pins }: PinTable): readonly Uint8Array[] {
  const counter = (part: string, channel: string) =>
    pins.find((rule) => rule.kind === 'counter' && rule.part === part && rule.channel === channel)
      ?.pin
  const encoders = counted.flatMap((part, slot) => {
    const a = counter(part, 'a')
    return a === undefined ? [] : [deadmanFrames.encoder(slot, { a, b: counter(part, 'b') })]
  })
  const triggers = pins.filter((rule) => rule.kind === 'trigger')
  const ranges = triggers.flatMap(({ part, pin }, slot) => {
    const echo = pins.find((rule) => rule.kind === 'echo' && rule.part === part)?.pin
    return echo === undefined ? [] : [deadmanFrames.range(slot, { trigger: pin, echo })]
  })
  return [...encoders, ...ranges]
}

/** The wheels in the order of the board's slots. */
const counted = ['left', 'right'] as const

function isOutput(rule: PinRule): boolean {
  return rule.kind === 'pwm' || rule.kind === 'level' || rule.kind === 'servo'
}
