import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { uptime } from 'node:os'
import type { CalendarReading } from '../core/budget/calendar.ts'

/** Where a computer keeps what its calendar is read from. */
export interface CalendarSources {
  readonly wallMs: () => number
  readonly uptimeMs: () => number
  /** Holds another text after each start of the computer. */
  readonly bootIdFile: string
  /** Is there once the clock has followed a time server. */
  readonly synchronisedFile: string
  /** Asks the system whether the clock follows a time server; undefined when it cannot say. */
  readonly askSynchronised: () => Promise<boolean | undefined>
}

/** An answer is asked for again when it is older than this, in ms. */
const answerMsMax = 60_000
/** A wall clock that moves by more than this against the uptime has been set: no earlier answer is about it. */
const setMsMax = 5_000

/**
 * Reads this computer's clocks. Never waits: whether the clock is synchronised is asked in the background, from the
 * first reading on, and is false until there is an answer. Where the system does not say, the mark of timesyncd counts.
 */
export function calendar(sources: CalendarSources = computer): () => CalendarReading {
  const bootId = readBootId(sources.bootIdFile)
  let answer: boolean | undefined = false
  let wasSet = false
  let asked: { readonly uptimeMs: number; readonly offsetMs: number } | undefined
  const ask = async (about: typeof asked) => {
    const said = await sources.askSynchronised()
    // A clock that was set meanwhile was not what was asked about.
    if (about === asked) answer = said
  }
  return () => {
    const [wallMs, uptimeMs] = [sources.wallMs(), sources.uptimeMs()]
    const offsetMs = wallMs - uptimeMs
    const isSet = asked !== undefined && !(Math.abs(offsetMs - asked.offsetMs) <= setMsMax)
    if (isSet) {
      wasSet = true
      answer = false
    }
    if (asked === undefined || isSet || !(uptimeMs - asked.uptimeMs < answerMsMax)) {
      asked = { uptimeMs, offsetMs }
      void ask(asked)
    }
    const isSynchronised = answer ?? (!wasSet && existsSync(sources.synchronisedFile))
    return { wallMs, uptimeMs, bootId, isSynchronised }
  }
}

const computer: CalendarSources = {
  wallMs: () => Date.now(),
  uptimeMs: () => uptime() * 1_000,
  bootIdFile: '/proc/sys/kernel/random/boot_id',
  synchronisedFile: '/run/systemd/timesync/synchronized',
  askSynchronised,
}

/** A system that does not answer within this, in ms, does not know. */
const askMsMax = 5_000

function askSynchronised(): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    const question = ['show', '--property=NTPSynchronized', '--value']
    const child = execFile('timedatectl', question, { timeout: askMsMax }, (error, stdout) => {
      const word = error ? '' : stdout.trim()
      resolve(word === 'yes' || word === 'no' ? word === 'yes' : undefined)
    })
    // Nobody waits for the answer when the program ends.
    child.unref()
  })
}

function readBootId(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim() || 'unknown'
  } catch {
    // Other systems do not have it. An uptime that is shorter than before tells of a start, too.
    return 'unknown'
  }
}
