import { hash } from 'node:crypto'
import { z } from 'zod'

/** In the folder of a run: the entries, and a note that can be read without opening them. */
export const entriesName = 'entries'
export const runNoteName = 'run.json'

/** What a run is called, whose it is, and when it began, in ms since 1970. */
export const runNoteSchema = z.strictObject({
  run: z.string(),
  name: z.string(),
  wallMs: z.number(),
})
export type RunNote = z.infer<typeof runNoteSchema>

/** Keys sort as their numbers do. */
export function entryKey(number: number): string {
  return `e${String(number).padStart(12, '0')}`
}

/** Where it is said which entries were dropped because of the cap, and the hash that the next one is chained to. */
export const droppedKey = 'dropped'
export const droppedSchema = z.strictObject({
  from: z.int(),
  to: z.int(),
  hash: z.string(),
})

export function hashOf(text: string): string {
  return hash('sha256', text, 'base64url')
}
