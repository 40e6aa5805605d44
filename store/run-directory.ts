import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
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
  /** Puts the mark on the disk that only a clean end removes. Throws when the disk refuses. */
  markRunning(): void
  /** Removes the mark; with a cause, leaves word of it for the next run instead. */
  end(fault: string | undefined): void
  release(): void
}

const lockName = 'lock'
const runningName = 'running'

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
  return {
    path,
    socket,
    unclean: readText(mark),
    markRunning: () => writeSynced(mark, 'the last run ended without halting'),
    end(fault) {
      if (fault === undefined) rmSync(mark, { force: true })
      else writeSynced(mark, `the last run was halted by a fault: ${fault}`)
    },
    release() {
      rmSync(socket, { force: true })
      rmSync(join(path, lockName), { force: true })
    },
  }
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
    // A link is made whole or not at all, and never over another: two starters cannot both have it.
    for (let attempt = 0; attempt < 2; attempt++) {
      if (tryLink(mine, file)) return
      const holder = ownerOf(path)
      if (holder) {
        throw new MechosError(
          'ERR_ROBOT_RUNNING',
          `${holder.name} is running already as process ${holder.pid}; halt it, or give this one another --state`,
        )
      }
      removeStale(file, owner.pid)
    }
    throw new MechosError('ERR_ROBOT_RUNNING', `another robot is starting in ${path}`)
  } finally {
    unlinkSync(mine)
  }
}

/** Moves a dead robot's lock away. Should it have been replaced by a living one's meanwhile, that one is put back. */
function removeStale(file: string, pid: number): void {
  const aside = `${file}.stale.${pid}`
  renameSync(file, aside)
  const holder = ownerSchema.safeParse(parseJson(readText(aside) ?? ''))
  if (holder.success && isAlive(holder.data)) tryLink(aside, file)
  unlinkSync(aside)
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
