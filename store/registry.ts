import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Owner, ownerOf } from './run-directory.ts'

/** Notes where this process keeps its robot, so that `mechos status` finds it by name. Returns how to take it back. */
export function register(root: string, directory: string): () => void {
  const folder = join(root, '.running')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, String(process.pid))
  writeFileSync(file, directory, { mode: 0o600 })
  return () => rmSync(file, { force: true })
}

/** Every robot of this user that is running now. Notes of the dead are swept away. */
export function runningRobots(root: string): readonly (Owner & { readonly directory: string })[] {
  const folder = join(root, '.running')
  return notesIn(folder).flatMap((note) => {
    const file = join(folder, note)
    const directory = readNote(file)
    const owner = directory === undefined ? undefined : ownerIn(directory)
    if (directory !== undefined && owner?.pid === Number(note)) return [{ ...owner, directory }]
    rmSync(file, { force: true, recursive: true })
    return []
  })
}

function notesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => /^\d+$/.test(name))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/** Undefined for what is no note: its robot took it back this moment, or something else lies there. */
function readNote(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // Nothing that lies here may keep anybody from halting the other robots.
    return undefined
  }
}

function ownerIn(directory: string): Owner | undefined {
  try {
    return ownerOf(directory)
  } catch {
    // A note that leads nowhere sensible names no robot.
    return undefined
  }
}
