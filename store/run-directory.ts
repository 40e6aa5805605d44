import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { MechosError, messageOf } from '../core/vocabulary/errors.ts'
import { identityOf, isAlive, type ProcessIdentity } from './process-identity.ts'

const ownerSchema = z.object({
  pid: z.int(),
  startTicks: z.number().nullable(),
  name: z.string(),
  socket: z.string(),
  /** Nothing outside of its computer moves. */
  simulated: z.boolean(),
})

/** The process that runs a robot in a directory, and where it listens. */
export type Owner = z.infer<typeof ownerSchema> & ProcessIdentity

/** A robot's directory, locked by this process: lock, control socket, running mark. */
export interface RunDirectory {
  readonly path: string
  readonly socket: string
  /** Why the last run in this directory did not end well; undefined when it did, or was none. */
  readonly unclean: string | undefined
  /** Where the guardian of a robot that died notes how its last halt went; `unclean` tells of it. */
  readonly lastHalt: string
  /** Puts the mark on the disk that only a clean end removes. Throws when the disk refuses. */
  markRunning(): void
  /** Removes the mark; with a cause, leaves word of it for the next run instead. */
  end(fault: string | undefined): void
  release(): void
}

const lockName = 'lock'
const runningName = 'running'
const runningText = 'the last run ended without halting'
const lastHaltName = 'last-halt.json'

/** A lock may be seen to change hands so often before its next holder gives up. */
const attemptsMax = 10

/** Unix socket addresses hold 108 bytes; longer paths get their socket elsewhere. */
const socketBytesMax = 100

/**
 * Takes a directory for a robot, making it (mode 0700) where needed. Throws ERR_ROBOT_RUNNING when a living process
 * holds it, naming that process, and ERR_STATE_DIRECTORY when the disk refuses.
 */
export function openRunDirectory(
  path: string,
  robot: { readonly name: string; readonly simulated: boolean },
): RunDirectory {
  const socket = socketFor(path)
  const { name, simulated } = robot
  const owner: Owner = { ...identityOf(process.pid), name, socket, simulated }
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    lock(path, owner)
  } catch (cause) {
    if (cause instanceof MechosError) throw cause
    throw new MechosError(
      'ERR_STATE_DIRECTORY',
      `state: ${path} cannot be used: ${messageOf(cause)}`,
      { cause },
    )
  }
  const mark = join(path, runningName)
  const lastHalt = join(path, lastHaltName)
  return {
    path,
    socket,
    unclean: uncleanText(readText(mark), readText(lastHalt)),
    lastHalt,
    markRunning() {
      rmSync(lastHalt, { force: true })
      writeSynced(mark, runningText)
    },
    end(fault) {
      rmSync(lastHalt, { force: true })
      if (fault === undefined) rmSync(mark, { force: true })
      else writeSynced(mark, isWord(fault) ? fault : `the last run was halted by a fault: ${fault}`)
    },
    release() {
      rmSync(socket, { force: true })
      rmSync(join(path, lockName), { force: true })
    },
  }
}

/** Whether a run found this here and has only kept it. */
function isWord(fault: string): boolean {
  return fault.startsWith('the last run ')
}

/** How the guardian of a robot that died in this directory halted its board; undefined where there is no word of it. */
export function lastHaltIn(path: string): { evidence: string; ms: number } | undefined {
  const note = readText(join(path, lastHaltName))
  const halt = lastHaltSchema.safeParse(note === undefined ? undefined : parseJson(note))
  return halt.success ? { evidence: halt.data.evidence, ms: halt.data.ms } : undefined
}

/** Takes the word of an earlier death away, so that what is found there later is of this one. */
export function forgetLastHalt(path: string): void {
  rmSync(join(path, lastHaltName), { force: true })
}

const lastHaltSchema = z.object({ cause: z.string(), evidence: z.string(), ms: z.number() })

/** What the mark says, and what the guardian found when the robot was gone. */
function uncleanText(mark: string | undefined, note: string | undefined): string | undefined {
  if (mark !== runningText || note === undefined) return mark
  const halt = lastHaltSchema.safeParse(parseJson(note))
  if (!halt.success) return mark
  const { cause, evidence, ms } = halt.data
  return `the last run died: ${cause}; its guardian halted the board (evidence ${evidence}, ${ms} ms)`
}

/** Who runs a robot in this directory now, or undefined. */
export function ownerOf(path: string): Owner | undefined {
  const text = readText(join(path, lockName))
  if (text === undefined) return undefined
  const parsed = ownerSchema.safeParse(parseJson(text))
  return parsed.success && isAlive(parsed.data) ? parsed.data : undefined
}

function lock(path: string, owner: Owner): void {
  const file = join(path, lockName)
  const mine = `${file}.${owner.pid}`
  writeFileSync(mine, JSON.stringify(owner), { mode: 0o600 })
  try {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      // A link is made whole or not at all, and never over another: two starters cannot both have it.
      if (tryLink(mine, file) || takeOver(file, mine)) return
      const holder = ownerOf(path)
      if (holder) {
        throw new MechosError(
          'ERR_ROBOT_RUNNING',
          `${holder.name} is running already as process ${holder.pid}; halt it, or give this one another --state`,
        )
      }
    }
    throw new MechosError('ERR_ROBOT_RUNNING', `another robot is starting in ${path}`)
  } finally {
    rmSync(mine, { force: true })
  }
}

/**
 * Puts this process's lock in the place of a dead one's. Of all who try, only one at a time may: the right to replace
 * the lock of one dead process is a link that bears that one's name, and whoever has it looks again before he acts.
 */
function takeOver(file: string, mine: string): boolean {
  const dead = deadIn(file)
  if (dead === undefined) return false
  const right = `${file}.after.${dead}`
  if (!tryLink(mine, right)) {
    // Its holder may have died over it.
    if (deadIn(right) !== undefined) rmSync(right, { force: true })
    return false
  }
  try {
    if (deadIn(file) !== dead) return false
    renameSync(mine, file)
    return true
  } finally {
    rmSync(right, { force: true })
  }
}

/** A name for the dead process that holds a lock; undefined when there is none, or the holder lives. */
function deadIn(file: string): string | undefined {
  const text = readText(file)
  if (text === undefined) return undefined
  const holder = ownerSchema.safeParse(parseJson(text))
  if (!holder.success) return 'nobody'
  return isAlive(holder.data) ? undefined : `${holder.data.pid}-${holder.data.startTicks}`
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

function socketFor(path: string): string {
  const socket = join(path, 'control.sock')
  if (Buffer.byteLength(socket) <= socketBytesMax) return socket
  return join(tmpdir(), `mechos-${process.pid}.sock`)
}

function writeSynced(file: string, text: string): void {
  const handle = openSync(file, 'w', 0o600)
  try {
    writeFileSync(handle, text)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A lock that cannot be read was cut short by a crash: it names no owner.
    return undefined
  }
}
