// The build starts from index.ts and would not find declarations that nothing imports.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference path="./level.d.ts" />
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { Level } from 'level'

/** Damaged folders that are kept; the last of them makes room for the next. */
const backupsMax = 9

/** Whether a database has lost the file that names its others. LevelDB takes it for a new one then, and deletes them. */
export async function isHeadless(folder: string): Promise<boolean> {
  const names = await readdir(folder)
  return !names.includes('CURRENT') && names.some((name) => /\.(ldb|sst|log)$/.test(name))
}

/** Copies a database, which must be closed, to a folder beside it, whose path it resolves to. */
export async function putAside(folder: string): Promise<string> {
  const all = Array.from({ length: backupsMax }, (_, at) => `${folder}.damaged-${at + 1}`)
  const backup = all.find((path) => !existsSync(path)) ?? `${folder}.damaged-${backupsMax}`
  await rm(backup, { recursive: true, force: true })
  await cp(folder, backup, { recursive: true })
  return backup
}

/** Mends a database as far as LevelDB can. False when that is not at all. */
export async function mended(folder: string): Promise<boolean> {
  try {
    await Level.repair(folder)
    return true
  } catch {
    // What is left of it is what was put aside.
    return false
  }
}

export async function emptied(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { mode: 0o700 })
}
