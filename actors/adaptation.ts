import { z } from 'zod'
import type { Profile, Word } from './profile.ts'

/**
 * What to send instead to a server that answered with 400, 404 or 422 and named what it would not take; undefined when
 * it named nothing that was sent, or nothing that there is another way for. A cap is exchanged, never dropped. What was
 * refused is not tried again, so that this ends.
 */
export function adapt(
  profile: Profile,
  { status, body }: { readonly status: number; readonly body: string },
): { readonly profile: Profile; readonly word: Word } | undefined {
  if (![400, 404, 422].includes(status)) return undefined
  const word = refusedWord(profile, body)
  if (!word || profile.refused.includes(word)) return undefined
  const refused = [...profile.refused, word]
  const changes = instead(word, refused)
  return changes && { profile: { ...profile, ...changes, refused }, word }
}

function refusedWord(profile: Profile, body: string): Word | undefined {
  const sent = sentWords(profile)
  const param = paramOf(body)
  const isMeant = (word: Word) =>
    names[word].test(`'${param}'`) && (!isPrecious(word) || unsupported.test(body))
  // Where a parameter is named, other words may be an echo of the request.
  const isMentioned = (word: Word) =>
    names[word].test(body) && (!isPrecious(word) || (param === '' && unsupported.test(body)))
  return sent.find(isMeant) ?? sent.find(isMentioned)
}

/** Of these a server may also mean that the value is wrong, which is no reason to do without. */
function isPrecious(word: Word): boolean {
  return word === 'max_tokens' || word === 'max_completion_tokens' || word === 'stream'
}

function sentWords({ capField, format, stream, usageInStream }: Profile): readonly Word[] {
  return [
    capField,
    ...(format === 'none' ? [] : [format]),
    ...(stream && usageInStream ? ['stream_options' as const] : []),
    ...(stream ? ['stream' as const] : []),
  ]
}

function instead(word: Word, refused: readonly Word[]): Partial<Profile> | undefined {
  switch (word) {
    case 'max_tokens':
    case 'max_completion_tokens': {
      const capField = word === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'
      return refused.includes(capField) ? undefined : { capField }
    }
    case 'json_schema':
      return { format: refused.includes('json_object') ? 'none' : 'json_object' }
    case 'json_object':
      return { format: 'none' }
    case 'stream_options':
      return { usageInStream: false }
    case 'stream':
      return { stream: false }
  }
}

/** How servers name what they were sent. */
const names: Readonly<Record<Word, RegExp>> = {
  max_tokens: /\bmax_tokens\b/,
  max_completion_tokens: /\bmax_completion_tokens\b/,
  json_schema: /response[_ ]format|json_schema/i,
  json_object: /response[_ ]format|json_object/i,
  stream_options: /\b(stream_options|include_usage)\b/,
  stream: /['"`]stream['"`]|\bstreaming\b/,
}

const unsupported =
  /unsupported|not support|n't support|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed|extra_forbidden/i

const errorSchema = z.object({
  error: z.object({ param: z.string() }).optional().catch(undefined),
  detail: z
    .array(z.object({ loc: z.array(z.union([z.string(), z.number()])) }))
    .optional()
    .catch(undefined),
})

/** The parameter that an error is about, in the form of OpenAI or of a check against a schema; empty when it names none. */
function paramOf(body: string): string {
  try {
    const { error, detail } = errorSchema.parse(JSON.parse(body))
    return error?.param ?? String(detail?.[0]?.loc.at(-1) ?? '')
  } catch {
    return ''
  }
}
