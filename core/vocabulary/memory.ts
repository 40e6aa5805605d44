import { z } from 'zod'
import { placeSchema } from './place.ts'

/** The longest of what a memory holds, in characters and in pieces. */
export const memoryMax = {
  note: 500,
  goal: 200,
  reason: 200,
  line: 200,
  boxes: 3,
  blind: 8,
} as const

const finite = z.number()
const id = z.int().min(1)
const line = z.string().max(memoryMax.line)
const box = z.strictObject({ xMin: finite, xMax: finite, yMin: finite, yMax: finite })

/** Where something was. `odom` begins anew with each run: it tells nothing of the places of another one. */
const spot = z.strictObject({
  frame: z.enum(['odom', 'map']),
  x: finite,
  y: finite,
  heading: finite,
})

const common = { id, wallMs: finite, run: z.string().max(200), at: spot }

/** One turn of the loop: what was seen, intended and judged, and how it ended. */
const episode = z.strictObject({
  kind: z.literal('episode'),
  ...common,
  goal: z.string().max(memoryMax.goal),
  /** The nearest obstacles in `base_link`; a battery that nobody measures is null. */
  seen: z.strictObject({
    boxes: z.array(box).max(memoryMax.boxes),
    battery: finite.nullable(),
    blind: z.array(line).max(memoryMax.blind),
  }),
  intended: line,
  reason: z.string().max(memoryMax.reason),
  judged: line,
  ended: line,
})

/** What a model, or a person, asked to be remembered. */
const note = z.strictObject({
  kind: z.literal('note'),
  ...common,
  text: z.string().min(1).max(memoryMax.note),
})

/** Something that a robot remembers, as it is kept. `wallMs` are milliseconds since 1970. */
export const memorySchema = z.discriminatedUnion('kind', [episode, note])

export type Memory = z.infer<typeof memorySchema>
export type Episode = z.infer<typeof episode>
export type Note = z.infer<typeof note>
export type Spot = z.infer<typeof spot>

/** A memory before it has a number: that is given when it is kept. */
export type Draft = Omit<Episode, 'id'> | Omit<Note, 'id'>

/** How many memories are on the disk. */
export interface Tally {
  readonly episodes: number
  readonly notes: number
}

export function tallyOf(memories: readonly { readonly memory: Memory }[]): Tally {
  const notes = memories.filter(({ memory }) => memory.kind === 'note').length
  return { episodes: memories.length - notes, notes }
}

const recalled = z.strictObject({
  text: z.string(),
  age: z.string(),
  place: spot.optional(),
  /** For people, who may want to look it up or wonder why it came up: no brain is told. */
  id: id.optional(),
  score: finite.optional(),
})

/** A memory as a brain is told it: when, in words; and where, if that says something in the frames of today. */
export type Recalled = z.infer<typeof recalled>

/** All that a brain is told beside what is seen: what is remembered, and what people wrote down. */
export const recollectionSchema = z.strictObject({
  memories: z.array(recalled).readonly(),
  canRemember: z.boolean(),
  places: z.array(placeSchema).readonly(),
  notes: z.array(z.string()).readonly(),
})

export type Recollection = z.infer<typeof recollectionSchema>

/** A memory as people are shown it. `score` is there where it was looked for. */
export const rememberedSchema = z.object({
  id,
  kind: z.enum(['episode', 'note']),
  wallMs: finite,
  text: z.string(),
  at: spot,
  score: finite.optional(),
})

export type Remembered = z.infer<typeof rememberedSchema>

/** What is searched by, and what people read: a note in its words, an episode in one line. */
export function textOf(memory: Draft): string {
  if (memory.kind === 'note') return memory.text
  const { ended, goal, intended, judged, reason, seen } = memory
  const outcome = judged === ended ? judged : `${judged}; ${ended}`
  return [
    goal === '' ? '' : `goal ${JSON.stringify(goal)}: `,
    intended,
    reason === '' ? '' : ` (${reason})`,
    `: ${outcome}`,
    surroundingsOf(seen),
  ].join('')
}

function surroundingsOf({ battery, blind, boxes: [nearest] }: Episode['seen']): string {
  return [
    nearest && `an obstacle ${whereIs(nearest)}`,
    battery !== null && battery < lowCharge && `battery ${Math.round(battery * 100)} %`,
    blind.length > 0 && `blind: ${blind.join(', ')}`,
  ]
    .filter((part) => typeof part === 'string')
    .map((part) => `; ${part}`)
    .join('')
}

/** What is worth a word. */
const lowCharge = 0.3

/** Coarse, so that one scene reads the same twice. */
function whereIs({ xMin, xMax, yMin, yMax }: z.infer<typeof box>): string {
  const ahead = xMin > 0 ? 'ahead' : xMax < 0 ? 'behind' : ''
  const aside = yMin > 0 ? 'left' : yMax < 0 ? 'right' : ''
  return [ahead, aside].filter((word) => word !== '').join(' ') || 'all around'
}

/** An age for people and models: `just now`, `12 min`, `5 h`, `3 d`. What is not known to be past is `just now`. */
export function ageText(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (!(minutes >= 1)) return 'just now'
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`
}
