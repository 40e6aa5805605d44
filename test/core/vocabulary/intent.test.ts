import { describe, expect, test } from 'vitest'
import { describeIntent, intentSchema, replySchemaFor } from '../../../core/vocabulary/intent.ts'

const drive = { type: 'drive', linear: 0.2, angular: -0.5, durationMs: 500 } as const

describe('an intent', () => {
  test('is told in a few words', () => {
    const intents = [
      drive,
      { type: 'wait', durationMs: 50 },
      { type: 'stop' },
      { type: 'setRelay', relay: 'lamp', on: true },
      { type: 'setRelay', relay: 'lamp', on: false },
    ] as const
    expect(intents.map(describeIntent)).toEqual([
      'drive 0.20 m/s -0.50 rad/s',
      'wait 50 ms',
      'stop',
      'lamp on',
      'lamp off',
    ])
  })

  test('has all of its fields and no others, each a finite number', () => {
    expect(intentSchema.safeParse(drive).success).toBe(true)
    for (const odd of [
      { ...drive, linear: NaN },
      { ...drive, angular: Infinity },
      { ...drive, durationMs: 49 },
      { ...drive, durationMs: 5001 },
      { ...drive, z: 1 },
      { type: 'drive' },
      { type: 'stop', now: true },
    ]) {
      expect(intentSchema.safeParse(odd).success).toBe(false)
    }
  })
})

describe("a reply's schema", () => {
  const accepts = (schema: ReturnType<typeof replySchemaFor>, intent: object) =>
    schema.safeParse({ reason: 'why', intent }).success

  test('holds the intents that this robot can carry out, and no others', () => {
    const lamp = { type: 'setRelay', relay: 'lamp', on: true }
    const everything = replySchemaFor({ drive: true, relays: ['lamp', 'horn'] })
    expect([drive, lamp, { type: 'stop' }].map((intent) => accepts(everything, intent))).toEqual([
      true,
      true,
      true,
    ])
    expect(accepts(everything, { ...lamp, relay: 'laser' })).toBe(false)

    const nothing = replySchemaFor({ drive: false, relays: [] })
    expect([drive, lamp, { type: 'stop' }].map((intent) => accepts(nothing, intent))).toEqual([
      false,
      false,
      true,
    ])
  })
})
