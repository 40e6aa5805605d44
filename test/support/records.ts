import { expect } from 'vitest'
import { z } from 'zod'
import type { Entry } from '../../core/record/entry.ts'
import { readRecord } from '../../store/record-reader.ts'
import type { Ended } from './mechos.ts'

const cameFrom = z.strictObject({
  events: z.int(),
  differences: z.int(),
  first: z
    .strictObject({
      entry: z.int(),
      atMs: z.number(),
      after: z.string(),
      recorded: z.string().nullable(),
      replayed: z.string().nullable(),
    })
    .nullable(),
  complete: z.boolean(),
  gap: z.string().nullable(),
  otherwise: z.array(z.object({ recorded: z.string(), otherwise: z.string() })).optional(),
  status: z.object({ state: z.string() }).optional(),
})

/** What `mechos replay --json` said. */
export function cameOf({ stdout }: Ended): z.infer<typeof cameFrom> {
  return cameFrom.parse(JSON.parse(stdout))
}

/** Expects that a replay of all these entries came to the same; `--json` it was asked for. */
export function expectNoDifference(ended: Ended, entries: readonly Entry[]): void {
  expect([ended.code, ended.stderr, cameOf(ended)]).toEqual([
    0,
    '',
    {
      events: entries.filter(({ kind }) => kind !== 'end').length,
      differences: 0,
      first: null,
      complete: true,
      gap: null,
    },
  ])
}

/** All entries of the record in a folder, whose chain is whole. */
export async function entriesOf(folder: string): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  for await (const entry of readRecord(folder)) entries.push(entry)
  return entries
}

/** How often the robot did this. */
export function outputsNamed(entries: readonly Entry[], name: string): number {
  return entries.filter((entry) => entry.kind === 'out' && entry.what === name).length
}
