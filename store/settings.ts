import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Adapter, Low } from 'lowdb'
import writeFileAtomic from 'write-file-atomic'
import {
  emptyDocument,
  noSettings,
  readDocument,
  type Settings,
  type SettingsDocument,
  settingsIn,
} from '../core/settings/settings.ts'
import { messageOf } from '../core/vocabulary/errors.ts'

/** What was found in the settings, and how old that is. */
export interface SettingsLook {
  /** The last ones that made sense. */
  readonly settings: Settings
  /** Why those are not the ones in the file: its line, field, and what is allowed. Undefined when they are. */
  readonly problem: string | undefined
  /** The same as before when nobody has touched the file since. */
  readonly stamp: string
}

/** A file that people edit while the robot runs. */
export interface SettingsFile {
  readonly path: string
  /**
   * Reads the file if it has changed since. A mistake in it, or damage, leaves the settings as they were: from the last
   * look, or from the copy of the last good ones beside it. Never rejects.
   */
  look(): Promise<SettingsLook>
  /** Writes a file without settings, for people to fill in, where there is none. Rejects when the disk refuses. */
  begin(): Promise<void>
}

const fileName = 'settings.json'
const bytesMax = 64 * 1024

/** The settings in a robot's state folder. */
export function settingsFileIn(folder: string): SettingsFile {
  const path = join(folder, fileName)
  const adapter = adapterAt(path)
  const low = new Low(adapter, emptyDocument)
  let last: SettingsLook = { settings: noSettings, problem: undefined, stamp: '' }
  return {
    path,
    async look() {
      const stamp = await stampOf(path)
      if (stamp === last.stamp) return last
      try {
        await low.read()
        last = { settings: settingsIn(low.data), problem: adapter.problem, stamp }
      } catch (error) {
        last = { ...last, problem: `settings: ${path}: ${messageOf(error)}`, stamp }
      }
      return last
    },
    async begin() {
      if ((await stampOf(path)) === absent) await low.write()
    },
  }
}

/** Reads and writes one document, whole or not at all, and keeps a copy of the last one that made sense. */
interface SettingsAdapter extends Adapter<SettingsDocument> {
  /** What was wrong with the file when it was read last. */
  readonly problem: string | undefined
}

function adapterAt(path: string): SettingsAdapter {
  const copy = `${path}.bak`
  let problem: string | undefined
  let good: SettingsDocument | undefined
  return {
    get problem() {
      return problem
    },
    async read() {
      problem = undefined
      const text = await textIn(path)
      if (text === undefined) return (good = emptyDocument)
      const read = readDocument(text)
      if (read.ok) {
        good = read.document
        await keepCopy(copy, text)
        return good
      }
      const before = good ?? (await documentIn(copy))
      const instead = before ? 'the last good ones are used' : 'none are used'
      problem = `settings: ${path}, ${read.problem}; ${instead}`
      return before ?? emptyDocument
    },
    write: (document) =>
      writeFileAtomic(path, `${JSON.stringify(document, undefined, 2)}\n`, { mode: 0o600 }),
  }
}

/** Without a copy the settings are as good as with one: a disk that is full takes the next. */
async function keepCopy(copy: string, text: string): Promise<void> {
  if ((await textIn(copy)) === text) return
  await writeFileAtomic(copy, text, { mode: 0o600 }).catch(() => {})
}

async function documentIn(path: string): Promise<SettingsDocument | undefined> {
  const text = await textIn(path)
  const read = text === undefined ? undefined : readDocument(text)
  return read?.ok ? read.document : undefined
}

async function textIn(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path)
    if (!(size <= bytesMax))
      throw new TypeError(`it has ${size} bytes, and ${bytesMax} are allowed`)
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}

const absent = 'absent'

async function stampOf(path: string): Promise<string> {
  try {
    const { ino, mtimeMs, size } = await stat(path)
    return `${ino} ${mtimeMs} ${size}`
  } catch (error) {
    return isAbsence(error) ? absent : 'unreadable'
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
