import { z } from 'zod'

/** What is sent to an endpoint and may be refused by it, in the words of the requests. */
export type Word =
  | 'max_tokens'
  | 'max_completion_tokens'
  | 'json_schema'
  | 'json_object'
  | 'stream'
  | 'stream_options'

const kept = z.object({
  /** The field that bounds a reply. There is always one. */
  capField: z.enum(['max_tokens', 'max_completion_tokens']),
  format: z.enum(['json_schema', 'json_object', 'none']),
  stream: z.boolean(),
  /** Whether a stream is asked to tell its usage. */
  usageInStream: z.boolean(),
  /** False once it billed more for a reply than its cap allowed. */
  capEnforced: z.boolean(),
})

/** What an endpoint takes, as far as is known. `refused` is what it would not take since this program began. */
export type Profile = z.infer<typeof kept> & { readonly refused: readonly Word[] }

/** A model at an address. */
export interface Served {
  readonly url: string
  readonly model: string
}

/** What is known of every endpoint. */
export interface Profiles {
  of(served: Served): Profile
  learn(served: Served, profile: Profile): void
}

/**
 * Remembers what endpoints take. `before` is what `onLearnt` was told last, perhaps by another run: it is plain JSON, of
 * which whatever cannot be read is learnt anew.
 */
export function createProfiles(
  before: unknown = {},
  onLearnt?: (all: Readonly<Record<string, unknown>>) => void,
): Profiles {
  const known = new Map<string, Profile>()
  for (const [key, value] of Object.entries(
    z.record(z.string(), z.unknown()).catch({}).parse(before),
  )) {
    const parsed = kept.safeParse(value)
    if (parsed.success) known.set(key, { ...parsed.data, refused: [] })
  }
  return {
    of: (served) => known.get(keyOf(served)) ?? firstGuess(served.model),
    learn(served, profile) {
      known.set(keyOf(served), profile)
      onLearnt?.(Object.fromEntries([...known].map(([key, value]) => [key, kept.parse(value)])))
    },
  }
}

function keyOf({ url, model }: Served): string {
  return `${model} at ${url}`
}

/** Models that think before they answer, wherever they are served, count that in their own field. */
const thinkers = /^([\w.-]+\/)*(o[134](-|$)|gpt-[56])/i

function firstGuess(model: string): Profile {
  return {
    capField: thinkers.test(model) ? 'max_completion_tokens' : 'max_tokens',
    format: 'json_schema',
    stream: true,
    usageInStream: true,
    capEnforced: true,
    refused: [],
  }
}
