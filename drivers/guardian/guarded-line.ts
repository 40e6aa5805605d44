import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type ErrorCode, MechosError } from '../../core/vocabulary/errors.ts'
import type { Evidence } from '../body.ts'
import type { Clock } from '../clock.ts'
import { makeAnswers } from './answers.ts'
import type { Errand, GuardianWord } from './errand.ts'
import { beatMs, type Line, type LineEvent, silenceMsMax } from './line.ts'
import { armFrame, beatRecord, farewellRecord, makeRecord, nameHalt } from './orders.ts'
import { rescue } from './rescue.ts'

/** What a guarded line needs to know. */
export interface GuardedLineOptions extends Errand {
  readonly clock: Clock
}

/** Where the guardian's program is: beside this file, or, when this runs from its source, where it was built to. */
const program = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../dist/drivers/guardian/main.js' : './main.js',
    import.meta.url,
  ),
)
/** Loading a program takes a tenth of a second, or several on a busy small computer. */
const startMsMax = 10_000
const farewellMsMax = 2_500
const watchMs = 20
const lastCallMs = 1
/** What a guardian does not read is not kept beyond this; it will be found silent. */
const unreadBytesMax = 65_536

/**
 * A line whose warden lives in a process of its own, which this starts: the guardian. It alone opens the port, in a
 * session of its own, with an empty environment, hearing nobody but this process. When it dies, or says nothing for
 * 300 ms, it is killed, and this process takes the port for as long as it takes to halt the board.
 * Rejects with ERR_PORT_UNAVAILABLE.
 */
export async function openGuardedLine(options: GuardedLineOptions): Promise<Line> {
  const { clock, path, table, name, adopts, note } = options
  // Loaded now, because nothing may be loaded when it is needed.
  await import('serialport')
  const errand: Errand = { path, table, name, adopts, note }
  const child = spawn(process.execPath, [program, JSON.stringify(errand)], {
    cwd: '/',
    detached: true,
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  preferToDie()
  const [, , , data, urgent] = child.stdio
  if (!(data instanceof Socket) || !(urgent instanceof Socket)) {
    throw new TypeError('a pipe to a child is a socket')
  }
  const words = createInterface({ input: urgent })
  // The pipe has a listener of its own; this would be the second report of the same error.
  words.on('error', () => undefined)
  await opened(child, clock, path, (hear) => {
    words.once('line', (line) => hear(read(line)))
  })
  return guard(options, child, { data, urgent }, (hear) => {
    words.on('line', (line) => hear(read(line)))
  })
}

function guard(
  { clock, path, table, name }: GuardedLineOptions,
  child: ChildProcess,
  { data, urgent }: { readonly data: Socket; readonly urgent: Socket },
  onWord: (hear: (word: GuardianWord) => void) => void,
): Line {
  const dataListeners = new Set<(bytes: Uint8Array) => void>()
  const eventListeners = new Set<(event: LineEvent) => void>()
  const answers = makeAnswers(clock)
  const write = urgentWriter(urgent)
  const beat = beatRecord()
  const halting = makeRecord()
  let halts = 0
  let trips = 0
  let beatenAtMs = Number.NEGATIVE_INFINITY
  let heardAtMs = clock.now()
  let hasDeadman = false
  let isOver = false
  let rescuing: { readonly evidence: Promise<Evidence>; readonly over: Promise<void> } | undefined
  /** The last halt that the rescue vouches for, once it has: nobody is there to ask about a later one. */
  let vouched: number | undefined
  let closing: Promise<void> | undefined
  const died = new Promise<void>((resolve) => {
    child.once('exit', (code) => {
      resolve()
      // One that was asked to end has halted the board when it says 0.
      if (!closing || code !== 0) takeOver('the guardian process died')
    })
  })
  let watching = clock.setTimeout(watch, watchMs)

  onWord((word) => {
    heardAtMs = clock.now()
    if (isOver || word.kind === 'beat' || word.kind === 'opened' || word.kind === 'failed') return
    if (word.kind === 'tripped') ({ trips } = word)
    if (word.kind === 'evidence') answers.hear(word)
    hasDeadman ||= word.kind === 'deadman'
    say(word)
  })
  data.on('data', (bytes: Uint8Array) => {
    for (const listener of dataListeners) listener(bytes)
  })
  for (const pipe of [data, urgent]) {
    pipe.on('error', () => {
      if (!closing) takeOver('the guardian process died')
    })
  }

  function say(event: LineEvent) {
    if (event.kind === 'lost') isOver = true
    for (const listener of eventListeners) listener(event)
  }

  function watch() {
    const isSilent = clock.now() - heardAtMs > silenceMsMax
    watching = clock.setTimeout(isSilent ? lastCall : watch, isSilent ? lastCallMs : watchMs)
  }

  /** After a stall of this process its own timers fire before what has arrived meanwhile is read. */
  function lastCall() {
    if (clock.now() - heardAtMs > silenceMsMax) {
      takeOver(`the guardian was silent for more than ${silenceMsMax} ms`)
    } else watch()
  }

  function takeOver(cause: string): void {
    if (rescuing) return
    clock.clearTimeout(watching)
    child.kill('SIGKILL')
    const begun = died.then(() => rescue({ path, table, name, clock, hasDeadman }))
    rescuing = {
      evidence: begun.then(({ evidence }) => evidence),
      over: begun.then(({ over }) => over),
    }
    say({ kind: 'tripped', cause, trips: ++trips })
    void rescuing.evidence.then((evidence) => {
      vouched = halts
      say({ kind: 'evidence', halt: halts, evidence })
    })
    void rescuing.over.then(() => say({ kind: 'lost', cause }))
  }

  async function end(): Promise<void> {
    if (!rescuing && !write(farewellRecord())) takeOver('the guardian takes no orders')
    const limit = clock.setTimeout(() => takeOver('the guardian does not end'), farewellMsMax)
    await died
    clock.clearTimeout(limit)
    clock.clearTimeout(watching)
    await rescuing?.over
    isOver = true
    dataListeners.clear()
    eventListeners.clear()
    data.destroy()
    urgent.destroy()
  }

  return {
    write(bytes) {
      if (!data.writable) return
      // Nothing may be left out: a duty without the direction before it would turn a wheel the wrong way.
      if (data.writableLength > unreadBytesMax) takeOver('the guardian takes no commands')
      else data.write(bytes)
    },
    arm() {
      if (isOver || rescuing || closing) {
        throw new MechosError('ERR_BOARD_LOST', 'the guardian is gone, nothing can be armed')
      }
      data.write(armFrame(halts, trips))
    },
    halt() {
      nameHalt(halting, ++halts)
      if (isOver || rescuing || closing) return false
      const hasLeft = write(halting)
      if (!hasLeft) takeOver('the guardian takes no orders')
      return hasLeft
    },
    beat() {
      const now = clock.now()
      if (isOver || rescuing || closing || now - beatenAtMs < beatMs) return
      beatenAtMs = now
      if (!write(beat)) takeOver('the guardian takes no orders')
    },
    confirm() {
      const isVouchedFor = vouched === undefined || halts <= vouched
      return rescuing && isVouchedFor ? rescuing.evidence : answers.evidenceOf(halts)
    },
    isOpen: () => !isOver && !rescuing && !closing,
    onData: (listener) => void dataListeners.add(listener),
    onEvent: (listener) => void eventListeners.add(listener),
    close: () => (closing ??= end()),
  }
}

/**
 * Writes records at once, without a queue: what has not left when it returns never will. Node does not tell the
 * descriptor of a pipe to a child; where it cannot be had, a stream with nothing queued writes at once too.
 */
function urgentWriter(pipe: Socket): (record: Uint8Array) => boolean {
  const handle: unknown = Reflect.get(pipe, '_handle')
  const fd: unknown =
    typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined
  return (record) => {
    try {
      if (typeof fd === 'number' && fd >= 0) return writeSync(fd, record) === record.length
      pipe.write(record)
      return pipe.writableLength === 0
    } catch {
      // Full or broken: the guardian does not hear, and the caller takes its place.
      return false
    }
  }
}

function read(line: string): GuardianWord {
  return JSON.parse(line)
}

/** Resolves once the guardian holds the port. */
async function opened(
  child: ChildProcess,
  clock: Clock,
  path: string,
  onFirstWord: (hear: (word: GuardianWord) => void) => void,
): Promise<void> {
  let timer: number | undefined
  try {
    const word = await new Promise<GuardianWord>((resolve, reject) => {
      const fail = (why: string) =>
        reject(new MechosError('ERR_PORT_UNAVAILABLE', `cannot open ${path}: the guardian ${why}`))
      timer = clock.setTimeout(() => fail('did not start in time'), startMsMax)
      child.once('error', (error) => fail(`did not start: ${error.message}`))
      child.once('exit', (code) => fail(`ended with ${code}`))
      onFirstWord(resolve)
    })
    if (word.kind === 'failed') throw new MechosError(errorCode(word.code), word.message)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    if (timer !== undefined) clock.clearTimeout(timer)
  }
}

function errorCode(code: string): ErrorCode {
  return code === 'ERR_BOARD_LOST' ? code : 'ERR_PORT_UNAVAILABLE'
}

/** When memory runs out the robot goes before its guardian, which then halts the board. */
function preferToDie(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '500')
  } catch {
    // Only Linux has it; without it the system chooses by size, and a guardian is the smaller.
  }
}
