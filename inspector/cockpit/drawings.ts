import { readdirSync, readFileSync } from 'node:fs'
import type { Drawing } from './protocol.ts'

/**
 * Every statechart as it was drawn before the robot was built, read once: nothing is laid out while it runs. Those of a
 * folder that is not there are none.
 */
export function readDrawings(folder = new URL('drawings/', import.meta.url)): readonly Drawing[] {
  return namesIn(folder).flatMap((file) => {
    const [, machine] = /^(.+)\.svg$/.exec(file) ?? []
    return machine === undefined
      ? []
      : [{ machine, svg: readFileSync(new URL(file, folder), 'utf8') }]
  })
}

function namesIn(folder: URL): readonly string[] {
  try {
    return readdirSync(folder).toSorted()
  } catch {
    return []
  }
}
