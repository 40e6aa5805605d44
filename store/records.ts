import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { MechosError } from '../core/vocabulary/errors.ts'
import { type RunNote, runNoteName, runNoteSchema } from './record-layout.ts'

/** The record of a run, and where it is. */
export interface KeptRecord extends RunNote {
  readonly folder: string
}

/** Where a robot that keeps its state in `state` keeps its records. */
export function recordsFolder(state: string): string {
  return join(state, 'records')
}

/** The records in a folder of records, oldest first. What is no record is passed over. */
export function recordsIn(folder: string): readonly KeptRecord[] {
  return namesIn(folder)
    .flatMap((name) => recordAt(join(folder, name)) ?? [])
    .toSorted((one, other) => one.wallMs - other.wallMs)
}

/** The record in this very folder, if there is one. */
export function recordAt(folder: string): KeptRecord | undefined {
  try {
    const note: unknown = JSON.parse(readFileSync(join(folder, runNoteName), 'utf8'))
    return { ...runNoteSchema.parse(note), folder }
  } catch {
    return undefined
  }
}

/**
 * The record that is meant by a folder, by the name of a run, or by that of a robot: then its last one. Looks in the state
 * folder that is given, or in all of the state root. Throws ERR_USAGE, saying what there is, when it finds none.
 */
export function findRecord(
  word: string,
  where: { readonly state: string | undefined; readonly stateRoot: string },
): KeptRecord {
  const direct = recordAt(word)
  if (direct) return direct
  const states =
    where.state === undefined
      ? namesIn(where.stateRoot).map((name) => join(where.stateRoot, name))
      : [where.state]
  const all = states.flatMap((state) => recordsIn(recordsFolder(state)))
  const found =
    all.find(({ run }) => run === word) ??
    all.toSorted((one, other) => one.wallMs - other.wallMs).findLast(({ name }) => name === word)
  if (found) return found
  const known = all.slice(-knownMax).map(({ run }) => run)
  const allowed = known.length > 0 ? `such as ${known.join(', ')}` : 'and there is none yet'
  throw new MechosError(
    'ERR_USAGE',
    `run: ${word} is not allowed; a folder of a record, a run or a robot that has one, ${allowed}`,
  )
}

/** So many runs are named to whoever looks for another one. */
const knownMax = 5

/** How much room a folder takes, in bytes. */
export function bytesIn(folder: string): number {
  return namesIn(folder).reduce((sum, name) => sum + bytesAt(join(folder, name)), 0)
}

function bytesAt(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) return 0
  return found.isDirectory() ? bytesIn(path) : found.size
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
