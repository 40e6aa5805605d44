import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { adapt } from '../../actors/adaptation.ts'
import { createProfiles, type Profile } from '../../actors/profile.ts'

const first = createProfiles().of({ url: '', model: 'm' })
const openai = (message: string, param: string | null, code: string | null = null) =>
  JSON.stringify({ error: { message, type: 'invalid_request_error', param, code } })

/** What servers answer when they do not take a field, and what is sent to them from then on. */
const refusals: Record<string, [Profile, string, Partial<Profile>]> = {
  'the old cap': [
    first,
    openai(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      'max_tokens',
      'unsupported_parameter',
    ),
    { capField: 'max_completion_tokens', refused: ['max_tokens'] },
  ],
  'the new cap': [
    { ...first, capField: 'max_completion_tokens' },
    openai('Unrecognized request argument supplied: max_completion_tokens', null),
    { capField: 'max_tokens', refused: ['max_completion_tokens'] },
  ],
  'the new cap, in a list': [
    { ...first, capField: 'max_completion_tokens' },
    '{"detail":[{"type":"extra_forbidden","loc":["body","max_completion_tokens"],"msg":"Extra inputs are not permitted"}]}',
    { capField: 'max_tokens', refused: ['max_completion_tokens'] },
  ],
  'a schema': [
    first,
    openai(
      "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
      'response_format',
    ),
    { format: 'json_object', refused: ['json_schema'] },
  ],
  'a schema, in other words': [
    first,
    '{"error":"This model does not support response format `json_schema`"}',
    { format: 'json_object', refused: ['json_schema'] },
  ],
  'this very schema': [
    first,
    openai(
      "Invalid schema for response_format 'reply': 'oneOf' is not permitted",
      'response_format',
    ),
    { format: 'json_object', refused: ['json_schema'] },
  ],
  'any format': [
    { ...first, format: 'json_object', refused: ['json_schema'] },
    '{"error":{"message":"response_format is unavailable"}}',
    { format: 'none', refused: ['json_schema', 'json_object'] },
  ],
  'JSON without its name in the messages': [
    { ...first, format: 'json_object' },
    openai(
      "'messages' must contain the word 'json' to use 'response_format' of type 'json_object'.",
      'messages',
    ),
    { format: 'none', refused: ['json_object'] },
  ],
  'usage in a stream': [
    first,
    '{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"]}]}}',
    { usageInStream: false, refused: ['stream_options'] },
  ],
  'a stream': [
    first,
    openai(
      'Your organization must be verified to stream this model.',
      'stream',
      'unsupported_value',
    ),
    { stream: false, refused: ['stream'] },
  ],
}

describe('what a server refuses is not sent to it again', () => {
  test.each(Object.entries(refusals))('%s', (_, [profile, body, changes]) => {
    for (const status of [400, 404, 422]) {
      const adapted = adapt(profile, { status, body })
      expect(adapted?.profile).toEqual({ ...profile, ...changes })
      expect(adapted?.word).toBe(changes.refused?.at(-1))
    }
  })

  test.each(Object.entries(refusals))('%s, but only where it is refused', (_, [profile, body]) => {
    for (const status of [200, 401, 429, 500]) {
      expect(adapt(profile, { status, body })).toBe(undefined)
    }
  })

  test.each(Object.entries(refusals))('%s, and not twice', (_, [profile, body, changes]) => {
    const refused = [...profile.refused, ...(changes.refused ?? [])]
    expect(adapt({ ...profile, refused }, { status: 400, body })).toBe(undefined)
  })
})

describe('nothing is changed', () => {
  test.each([
    ['for another reason', openai('The model `m` does not exist', null, 'model_not_found')],
    ['for a field that is not sent', openai('Unsupported parameter: tools', 'tools')],
    [
      'for a prompt that is too long',
      openai("This model's maximum context length is 8192", 'messages'),
    ],
    [
      'for a cap that is too large',
      openai('max_tokens is too large: 9999. This model supports at most 4096', 'max_tokens'),
    ],
    [
      'for another field, in an echo of what was sent',
      '{"detail":[{"loc":["body","user"],"msg":"unknown","input":{"max_tokens":9,"note":"\'stream\'"}}]}',
    ],
    ['for words that only contain those of a field', '{"error":"unknown upstream_options"}'],
    ['for no words', ''],
    ['for no JSON', '<html>unknown'],
  ])('%s', (_, body) => {
    expect(adapt(first, { status: 400, body })).toBe(undefined)
  })

  test('when neither cap is taken: there is always one', () => {
    const body = 'unsupported: max_tokens, max_completion_tokens'
    const other = adapt(first, { status: 400, body })
    expect(other?.profile.capField).toBe('max_completion_tokens')
    expect(other && adapt(other.profile, { status: 400, body })).toBe(undefined)
    const narrow = openai('unsupported_parameter', 'max_completion_tokens')
    expect(other && adapt(other.profile, { status: 400, body: narrow })).toBe(undefined)
  })
})

test('whatever a server refuses, and however often, it comes to an end', () => {
  const words = fc.constantFrom(
    'max_tokens',
    'max_completion_tokens',
    'response_format',
    'json_schema',
    'json_object',
    'stream_options',
    "'stream'",
    'unsupported',
    'unknown',
  )
  const bodies = fc.array(
    fc.array(words).map((text) => text.join(' ')),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(bodies, (said) => {
      let profile = first
      let changes = 0
      for (const body of said) {
        const adapted = adapt(profile, { status: 400, body })
        if (!adapted) continue
        changes += 1
        expect(adapted.profile).not.toEqual(profile)
        profile = adapted.profile
      }
      expect(changes).toBeLessThanOrEqual(5)
      expect(profile.capField).toMatch(/^max_(completion_)?tokens$/)
    }),
  )
})
