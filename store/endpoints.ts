import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'

/** What was learnt of the endpoints of models, from one run to the next: which fields they take, and no word of what was said. */
export interface EndpointNotes {
  /** As it was kept last; an empty object where nothing was, or nothing that can be read. */
  readonly before: unknown
  /** Keeps all that is known now, in place of what was kept. What the disk refuses is learnt again by the next run. */
  keep(all: Readonly<Record<string, unknown>>): void
}

/** The notes in a robot's state folder. `onFault` hears of what could not be kept. */
export function endpointNotesIn(folder: string, onFault: (error: unknown) => void): EndpointNotes {
  const path = join(folder, 'endpoints.json')
  let keeping: Promise<void> = Promise.resolve()
  return {
    before: readNotes(path),
    keep(all) {
      const text = `${JSON.stringify(all, undefined, 2)}\n`
      keeping = keeping.then(() => writeFileAtomic(path, text, { mode: 0o600 })).catch(onFault)
    },
  }
}

function readNotes(path: string): unknown {
  try {
    const notes: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return notes
  } catch {
    // Not there yet, or damaged: either way there is nothing to go by.
    return {}
  }
}
