/**
 * The guardian: a process of its own that alone holds the port of a board. It forwards frames for as long as it hears
 * its robot, and halts the board when asked, when the robot is silent, and when it is gone. It takes orders from the
 * two pipes that it inherits and from nowhere else, and ends within two seconds of its robot.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { messageOf, MechosError } from '../../core/vocabulary/errors.ts'
import type { Evidence } from '../body.ts'
import { wallClock } from '../clock.ts'
import type { Errand, GuardianWord } from './errand.ts'
import { beatMs } from './line.ts'
import { type Order, readArming, readOrders } from './orders.ts'
import { splitFrames } from './frames.ts'
import { openPort } from './port.ts'
import { makeWarden, type Warden } from './warden.ts'

/** What the robot does not read is not kept beyond this: it is frozen then, and halted. */
const unreadBytesMax = 65_536
/** How long after its robot a guardian may live, to see its halt confirmed. */
const afterlifeMs = 1_500
const endMsMax = 1_900

/** What a list of processes shows. */
process.title = 'mechos-guardian'

const errand: Errand = JSON.parse(process.argv[2] ?? 'null')
const clock = wallClock()
const data = new Socket({ fd: 3, readable: true, writable: true })
const urgent = new Socket({ fd: 4, readable: true, writable: true })
let warden: Warden | undefined
let ending: Promise<void> | undefined
let onConfirmed = (): void => undefined

for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGTSTP'] as const) {
  process.on(signal, () => undefined)
}
process.on('SIGTERM', () => warden?.trip('the guardian was asked to end'))
process.on('uncaughtException', (error) => fail(error))
process.on('unhandledRejection', (error) => fail(error))
preferToLive()

data.on('error', () => over('the data pipe to the robot broke'))
urgent.on('error', () => over('the urgent pipe to the robot broke'))
data.on('end', () => over('the robot process has ended'))
urgent.on('end', () => over('the robot process has ended'))

const orders = readOrders()
const frames = splitFrames('outbound')
urgent.on('data', (bytes: Uint8Array) => {
  for (const order of orders(bytes)) obey(order)
})
data.on('data', (bytes: Uint8Array) => {
  for (const frame of frames.push(bytes)) {
    const arming = readArming(frame)
    if (arming) warden?.arm(arming.halts, arming.trips)
    else warden?.forward(frame)
  }
})

function obey(order: Order | undefined): void {
  switch (order?.kind) {
    case 'beat':
      return warden?.beat()
    case 'halt':
      return warden?.halt(order.number)
    case 'farewell':
      return over(undefined)
    case undefined:
      warden?.trip('the robot process sent an order that is none')
  }
}

function say(word: GuardianWord): void {
  if (word.kind === 'evidence' && word.evidence !== 'written') onConfirmed()
  if (urgent.writable && urgent.writableLength < unreadBytesMax) {
    urgent.write(`${JSON.stringify(word)}\n`)
  }
}

function hear(bytes: Uint8Array): void {
  if (data.writable && data.writableLength < unreadBytesMax) data.write(bytes)
}

function beat(): void {
  say({ kind: 'beat' })
  clock.setTimeout(beat, beatMs)
}

/** The robot is gone (then with a cause), or takes its leave. */
function over(cause: string | undefined): void {
  ending ??= end(cause)
}

async function end(cause: string | undefined): Promise<void> {
  clock.setTimeout(() => process.exit(1), endMsMax)
  if (warden && cause !== undefined) {
    const startedMs = clock.now()
    warden.trip(cause)
    await confirmed()
    note(cause, warden.evidence, Math.round(clock.now() - startedMs))
  }
  await warden?.close()
  process.exit()
}

/** Resolves when the board has confirmed the halt, or when that has taken too long. */
function confirmed(): Promise<void> {
  return new Promise((resolve) => {
    onConfirmed = resolve
    clock.setTimeout(resolve, afterlifeMs)
  })
}

/** Nobody is left to be told of a disk that refuses: then the exit code says it. */
function note(cause: string, evidence: Evidence, milliseconds: number): void {
  if (errand.note === undefined) return
  try {
    const text = JSON.stringify({ cause, evidence, ms: milliseconds })
    writeFileSync(`${errand.note}.new`, `${text}\n`, { mode: 0o600 })
    renameSync(`${errand.note}.new`, errand.note)
  } catch {
    process.exitCode = 1
  }
}

function fail(error: unknown): void {
  say({ kind: 'lost', cause: `the guardian failed: ${messageOf(error)}` })
  over(`the guardian failed: ${messageOf(error)}`)
}

/** The robot makes itself the preferred victim when memory runs out, and a child inherits that. */
function preferToLive(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '0')
  } catch {
    // Only Linux has it, and only its owner may lower it; without it nothing is promised.
  }
}

try {
  const port = await openPort(errand.path, clock)
  warden = makeWarden({
    table: errand.table,
    name: errand.name,
    adopts: errand.adopts,
    clock,
    port,
    hear,
    say,
  })
  say({ kind: 'opened' })
  beat()
} catch (error) {
  say({
    kind: 'failed',
    code: error instanceof MechosError ? error.code : 'ERR_PORT_UNAVAILABLE',
    message: messageOf(error),
  })
  over(undefined)
}
