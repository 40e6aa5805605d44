import { z } from 'zod'
import { explainIssues } from '../vocabulary/explain.ts'
import type { NamedPlace } from '../vocabulary/place.ts'
import { parseLocated } from './located-json.ts'

/** What people write down for a robot and its brain. */
export interface Settings {
  readonly places: readonly NamedPlace[]
  readonly notes: readonly string[]
}

export const noSettings: Settings = Object.freeze({ places: [], notes: [] })

const metres = z
  .number({ error: 'a number of metres, at most 10000 either way' })
  .min(-10_000, { error: 'a number of metres, at most 10000 either way' })
  .max(10_000, { error: 'a number of metres, at most 10000 either way' })
const placesMax = 256
const frame = z.enum(['map', 'odom'], { error: 'map or odom' })
const text = 'a text of 1 to 300 characters'

/** The file as it is written. */
const documentSchema = z.strictObject({
  places: z
    .record(
      z.string().min(1).max(40, { error: 'a name of 1 to 40 characters' }),
      z.strictObject({ x: metres, y: metres, frame }),
    )
    .refine((places) => Object.keys(places).length <= placesMax, {
      error: `at most ${placesMax} places`,
    })
    .default({}),
  remember: z
    .array(z.string({ error: text }).min(1, { error: text }).max(300, { error: text }))
    .max(20, { error: 'at most 20 texts' })
    .default([]),
})

export type SettingsDocument = z.output<typeof documentSchema>

export const emptyDocument: SettingsDocument = { places: {}, remember: [] }

/** The document in a text, or what is wrong with it: the line, the field, and what is allowed. Never throws. */
export function readDocument(
  json: string,
):
  | { readonly ok: true; readonly document: SettingsDocument }
  | { readonly ok: false; readonly problem: string } {
  const located = parseLocated(json)
  if (!located.ok) return { ok: false, problem: `line ${located.line}: ${located.message}` }
  const { success, data, error } = documentSchema.safeParse(located.value)
  if (success) return { ok: true, document: data }
  const { issues } = error
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
  const strange = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const line = located.lineOf([...(issue?.path ?? []), ...strange])
  return { ok: false, problem: `line ${line}: ${explainIssues(issues, located.value)}` }
}

export function settingsIn({ places, remember }: SettingsDocument): Settings {
  return {
    places: Object.entries(places).map(([name, place]) => ({ name, ...place })),
    notes: remember,
  }
}
