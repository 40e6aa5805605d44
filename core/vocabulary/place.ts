import { z } from 'zod'

/** A place that people gave a name, in metres. `odom` begins anew with each run, where the robot then stands. */
export const placeSchema = z.strictObject({
  name: z.string(),
  x: z.number(),
  y: z.number(),
  frame: z.enum(['map', 'odom']),
})

export type NamedPlace = z.infer<typeof placeSchema>

/** So few places are always told; of more, those whose names are spoken of. */
const fewPlaces = 8

/** The places that a brain is to be told of when `text` is what it is about. At most `count`. */
export function placesFor(
  places: readonly NamedPlace[],
  text: string,
  count: number,
): readonly NamedPlace[] {
  if (places.length <= fewPlaces) return places.slice(0, count)
  const words = folded(text)
  return places.filter(({ name }) => words.includes(folded(name))).slice(0, count)
}

/** Words between single blanks, so that `dock` is not found in `docket`. */
function folded(text: string): string {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  return ` ${words.join(' ')} `
}
