import { describe, expect, test } from 'vitest'
import { createProfiles, type Profile } from '../../actors/profile.ts'

const first: Profile = {
  capField: 'max_tokens',
  format: 'json_schema',
  stream: true,
  usageInStream: true,
  capEnforced: true,
  refused: [],
}
const served = { url: 'http://127.0.0.1:8080/v1', model: 'm' }

describe('a profile', () => {
  test('is the common denominator while nothing is known', () => {
    expect(createProfiles().of(served)).toEqual(first)
  })

  test.each([
    ['o1', 'max_completion_tokens'],
    ['o3-mini', 'max_completion_tokens'],
    ['o4-mini-2025-04-16', 'max_completion_tokens'],
    ['gpt-5', 'max_completion_tokens'],
    ['gpt-5.5', 'max_completion_tokens'],
    ['gpt-6-rosalind', 'max_completion_tokens'],
    ['openai/gpt-5-mini', 'max_completion_tokens'],
    ['router/openai/o3', 'max_completion_tokens'],
    ['gpt-4o', 'max_tokens'],
    ['gpt-4.1-mini', 'max_tokens'],
    ['gpt-oss-20b', 'max_tokens'],
    ['o1a', 'max_tokens'],
    ['qwen3:8b', 'max_tokens'],
    ['not-gpt-5', 'max_tokens'],
    ['yolo1', 'max_tokens'],
  ])('of %s begins with %s', (model, capField) => {
    expect(createProfiles().of({ ...served, model })).toEqual({ ...first, capField })
  })

  test('is remembered for its model at its address, and for no other', () => {
    const profiles = createProfiles()
    const learnt: Profile = { ...first, stream: false, refused: ['stream'] }
    profiles.learn(served, learnt)
    expect(profiles.of({ ...served })).toEqual(learnt)
    expect(profiles.of({ ...served, model: 'n' })).toEqual(first)
    expect(profiles.of({ ...served, url: 'http://127.0.0.1:8081/v1' })).toEqual(first)
  })

  test('outlives a run as JSON, but for what was refused, which gets another chance', () => {
    const kept: string[] = []
    const before = createProfiles(undefined, (all) => kept.push(JSON.stringify(all)))
    before.learn(served, { ...first, capField: 'max_completion_tokens', refused: ['max_tokens'] })
    before.learn({ ...served, model: 'n' }, { ...first, capEnforced: false })
    expect(kept).toHaveLength(2)
    const after = createProfiles(JSON.parse(kept[1] ?? ''))
    expect(after.of(served)).toEqual({ ...first, capField: 'max_completion_tokens' })
    expect(after.of({ ...served, model: 'n' })).toEqual({ ...first, capEnforced: false })
  })

  test.each([null, 7, 'text', [], { 'm at http://127.0.0.1:8080/v1': { capField: 'none' } }])(
    'that was kept as %j is learnt anew',
    (kept) => {
      expect(createProfiles(kept).of(served)).toEqual(first)
    },
  )
})
