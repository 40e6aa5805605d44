import type { Evidence } from '../body.ts'
import type { Clock } from '../clock.ts'
import { type Aftermath, makeAftermath } from './aftermath.ts'
import { type EchoSounder, makeEchoSounder } from './echo-sounder.ts'
import { deadmanFrames } from './deadman.ts'
import { type DeadmanLink, makeDeadmanLink } from './deadman-link.ts'
import { armPreamble, classify, type Effect, frames, haltFrame, splitFrames } from './frames.ts'
import { type LineEvent, silenceMsMax } from './line.ts'
import { makeOutbox } from './outbox.ts'
import type { PinTable } from './pin-table.ts'
import type { Port } from './port.ts'
import { type Report, readReport } from './reports.ts'

/** What a warden works with. */
export interface WardenEnds {
  readonly table: PinTable
  /** The robot's name, at most 15 characters. */
  readonly name: string
  /** Whether a board that keeps another robot's name becomes this one's; otherwise it is refused. */
  readonly adopts?: boolean | undefined
  readonly clock: Clock
  readonly port: Port
  /** Gets the board's bytes as they come. */
  hear(bytes: Uint8Array): void
  say(event: LineEvent): void
}

/** What a warden did not let pass, in frames. */
export interface WardenCounts {
  /** Frames that the table does not declare. */
  readonly refused: number
  /** Frames that came while latched, or before the firmware had reported itself. */
  readonly shut: number
  /** Queries and input settings that found their queue full. */
  readonly overflowed: number
}

/**
 * Keeps the latch of one board, next to its port. Each frame to the board is read: queries pass always; reporting and
 * input modes once the firmware has reported itself; outputs only while armed. What passes is paced at 80 % of the
 * line and coalesced for each part; a halt overtakes it all. Armed, it halts by itself when no beat has come for 300 ms.
 * Never throws.
 */
export interface Warden {
  /** Takes frames from the robot. */
  forward(bytes: Uint8Array): void
  /**
   * Opens the latch. `halts` and `trips` are how many of each the robot knows of: one that it does not know of yet
   * refuses this, and a halt that is still on its way counts as done.
   */
  arm(halts: number, trips: number): void
  /** The robot's halt number `number`; one that was overtaken by an arming that knows of it is void. */
  halt(number: number): void
  beat(): void
  /** Latches by itself, and says so. */
  trip(cause: string): void
  readonly isArmed: boolean
  readonly evidence: Evidence
  counts(): WardenCounts
  /** Halts, waits until that has left or half a second is over, and closes the port. Idempotent, never rejects. */
  close(): Promise<void>
}

/** 80 % of 57 600 baud at ten bits a byte. */
const bytesPerMs = 4.608
/** How far ahead of the line we may write, so that what was decided later is not stuck behind more than this. */
const aheadMs = 5
/** A port that does not get rid of its bytes is given no more of them: what is newest then waits where it can be replaced. */
const backlogBytesMax = 128
const retryMs = 5
const farewellMs = 500
const watchMs = 20
/** After a stall of this process its own timers fire before what has arrived meanwhile is read. */
const lastCallMs = 1

/** What somebody else has found out about the board behind a port. */
export interface Acquaintance {
  readonly isFirmata: boolean
  readonly hasDeadman: boolean
}

const stranger: Acquaintance = { isFirmata: false, hasDeadman: false }

/** A latched warden. */
export function makeWarden(ends: WardenEnds, known: Acquaintance = stranger): Warden {
  const { table, clock, port } = ends
  const halting = haltFrame(table)
  const arming = armPreamble(table)
  const outbox = makeOutbox(table)
  const inbound = splitFrames('inbound')
  const outbound = splitFrames('outbound')
  const reportListeners = new Set<(report: Report) => void>()
  /** The last setting of each input, to be set again after a reset of the board. */
  const settings = new Map<string, Uint8Array>()
  let hasReported = known.isFirmata
  let isArmed = false
  /** Armed, but the board is not unlatched yet: commands wait. */
  let isUnlatching = false
  let isClosed = false
  let lineFreeAt = 0
  let pumping: number | undefined
  let watching: number | undefined
  let beatAtMs = 0
  let halts = 0
  let trips = 0
  let writes = 0
  let writesLeft = 0
  let refused = 0
  let shut = 0
  let overflowed = 0
  let closing: Promise<void> | undefined

  const sounder: EchoSounder = makeEchoSounder(
    {
      ask,
      onReport(listener) {
        reportListeners.add(listener)
        return () => void reportListeners.delete(listener)
      },
    },
    table,
    clock,
  )
  const deadman: DeadmanLink = makeDeadmanLink({
    table,
    name: ends.name,
    adopts: ends.adopts,
    isKnown: known.hasDeadman,
    clock,
    send: (frame) => send(frame),
    ready: (name, boots) => ends.say({ kind: 'deadman', name, boots }),
    failed: (cause) => trip(cause),
  })
  const aftermath: Aftermath = makeAftermath({
    clock,
    async sound(limitMs) {
      if (deadman.isThere) return deadman.measure(limitMs)
      return (await sounder.sound(limitMs)) ? 'echoed' : undefined
    },
    rewrite: () => writeHalt(),
    hasLeft: () => writes > 0 && writesLeft === writes,
    escalate,
    found: (evidence) => ends.say({ kind: 'evidence', halt: halts, evidence }),
  })

  port.onData((bytes) => {
    for (const frame of inbound.push(bytes)) {
      const report = readReport(frame)
      if (report) hearReport(report)
    }
    // Last, for a robot in the same process answers at once, and what it answers to is known by then.
    ends.hear(bytes)
  })
  port.onLost((cause) => {
    latch()
    if (!isClosed) ends.say({ kind: 'lost', cause })
  })

  function hearReport(report: Report) {
    hasReported ||= report.kind === 'firmware'
    deadman.hear(report)
    for (const listener of reportListeners) listener(report)
  }

  function route(frame: Uint8Array) {
    const purpose = classify(frame, table)
    switch (purpose.kind) {
      case 'refused':
        refused++
        return
      case 'query':
        return enqueue(frame)
      case 'reporting':
        return set(`${frame[0]}`, frame)
      case 'inputMode':
        return set(`mode ${purpose.pin}`, frames.mode(purpose.pin, purpose.mode))
      case 'outputMode':
        // Arming has set it already, and setting it again would drop what the pin puts out.
        if (!isArmed) shut++
        return
      case 'output':
        if (isArmed) wish(purpose.effect)
        else shut++
        return
    }
  }

  function set(key: string, frame: Uint8Array) {
    if (!hasReported) return void shut++
    settings.set(key, frame)
    enqueue(frame)
  }

  function wish(effect: Effect) {
    const isMeant = (pin: number) =>
      effect.kind === 'levels' ? pin >> 3 === effect.port : pin === effect.pin
    const parts = new Set(table.pins.filter(({ pin }) => isMeant(pin)).map(({ part }) => part))
    for (const part of parts) outbox.wish(part, effect)
  }

  function enqueue(frame: Uint8Array) {
    if (!outbox.ask(frame)) overflowed++
  }

  function ask(frame: Uint8Array) {
    enqueue(frame)
    pump()
  }

  function send(bytes: Uint8Array, done?: (written: boolean) => void) {
    lineFreeAt = Math.max(lineFreeAt, clock.now()) + bytes.length / bytesPerMs
    port.write(bytes, done)
  }

  function pump() {
    if (isClosed || isUnlatching) return
    while (lineFreeAt - clock.now() < aheadMs && port.backlog() < backlogBytesMax) {
      const bytes = outbox.next()
      if (!bytes) return
      send(bytes)
    }
    if (outbox.waiting === 0 || pumping !== undefined) return
    const delayMs = Math.ceil(lineFreeAt - clock.now() - aheadMs)
    pumping = clock.setTimeout(
      () => {
        pumping = undefined
        pump()
      },
      delayMs > 0 ? delayMs : retryMs,
    )
  }

  /** Nothing is written to a port that has not shown to be a Firmata board. */
  function writeHalt(done?: (written: boolean) => void) {
    if (!hasReported || isClosed) {
      done?.(false)
      return
    }
    const number = ++writes
    if (deadman.isThere) send(deadmanFrames.halt())
    send(halting, (written) => {
      if (written) writesLeft = Math.max(writesLeft, number)
      done?.(written)
    })
  }

  function latch(done?: (written: boolean) => void) {
    isArmed = false
    isUnlatching = false
    deadman.relatch()
    if (watching !== undefined) clock.clearTimeout(watching)
    watching = undefined
    outbox.settle()
    writeHalt(done)
  }

  function halt() {
    latch()
    aftermath.begin()
  }

  function trip(cause: string) {
    if (closing) return
    trips++
    halt()
    ends.say({ kind: 'tripped', cause, trips })
  }

  function watch() {
    const silentMs = clock.now() - beatAtMs
    watching = clock.setTimeout(
      silentMs > silenceMsMax ? lastCall : watch,
      silentMs > silenceMsMax ? lastCallMs : watchMs,
    )
  }

  function lastCall() {
    if (clock.now() - beatAtMs <= silenceMsMax) watch()
    else trip(`the robot process was silent for more than ${silenceMsMax} ms`)
  }

  /** A reset turns inputs into outputs and drops servos and safe-high pins: only where no declared part is harmed. */
  function escalate(step: number) {
    if (!isUnharmedByReset(table)) return
    if (step === 1) send(frames.reset())
    else if (step === 2) void port.reset()
    else return
    writeHalt()
    for (const frame of settings.values()) enqueue(frame)
    pump()
  }

  async function end() {
    aftermath.end()
    sounder.end()
    deadman.end()
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, farewellMs)
      latch(() => {
        clock.clearTimeout(timer)
        resolve()
      })
    })
    isClosed = true
    if (pumping !== undefined) clock.clearTimeout(pumping)
    reportListeners.clear()
    await port.close()
  }

  return {
    forward(bytes) {
      for (const frame of outbound.push(bytes)) route(frame)
      pump()
    },
    arm(haltsKnown, tripsKnown) {
      if (closing || tripsKnown !== trips || haltsKnown < halts) return
      if (!hasReported) return trip('the board has not reported itself')
      if (haltsKnown > halts) {
        halts = haltsKnown
        latch()
      }
      aftermath.end()
      outbox.settle()
      isArmed = true
      beatAtMs = clock.now()
      watch()
      if (!deadman.isThere) return send(arming)
      isUnlatching = true
      deadman.unlatch(() => {
        send(arming)
        isUnlatching = false
        pump()
      })
    },
    halt(number) {
      if (number <= halts || closing) return
      halts = number
      halt()
    },
    beat() {
      beatAtMs = clock.now()
      if (isArmed && deadman.isThere) send(deadmanFrames.beat())
    },
    trip,
    get isArmed() {
      return isArmed
    },
    get evidence() {
      return aftermath.evidence
    },
    counts: () => ({ refused, shut, overflowed }),
    close: () => (closing ??= end()),
  }
}

/** True when every output of the body is safe while it is low, and nothing hangs on a pull-up. */
function isUnharmedByReset({ pins }: PinTable): boolean {
  return pins.every((rule) => {
    switch (rule.kind) {
      case 'pwm':
      case 'level':
        return rule.safe === 0
      case 'servo':
      case 'digital':
      // What the firmware with a deadman works by itself it forgets at a reset.
      case 'counter':
      case 'trigger':
      case 'echo':
        return false
      case 'analog':
        return true
    }
  })
}
