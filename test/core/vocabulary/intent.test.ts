import { describe, expect, test } from 'vitest'
import {
  describeIntent,
  describeProposed,
  type Intent,
  intentSchema,
  replyJsonSchema,
  replySchemaFor,
} from '../../../core/vocabulary/intent.ts'

const drive = { type: 'drive', linear: 0.2, angular: -0.5, durationMs: 500 } as const
const ask: Intent = { type: 'askHuman', question: 'left\nor right?', choices: ['left', 'right'] }

describe('an intent', () => {
  test('is told in a few words', () => {
    const intents = [
      drive,
      { type: 'wait', durationMs: 50 },
      { type: 'stop' },
      { type: 'setRelay', relay: 'lamp', on: true },
      { type: 'setRelay', relay: 'lamp', on: false },
      ask,
    ] as const
    expect(intents.map(describeIntent)).toEqual([
      'drive 0.20 m/s -0.50 rad/s',
      'wait 50 ms',
      'stop',
      'lamp on',
      'lamp off',
      'ask "left\\nor right?"',
    ])
  })

  test('is told somehow, whatever it is', () => {
    const round: Record<string, unknown> = {}
    round['self'] = round
    expect([undefined, null, 3n, round, { type: 'fly' }].map(describeProposed)).toEqual([
      'undefined',
      'null',
      'bigint',
      'object',
      '{"type":"fly"}',
    ])
    expect(describeProposed('x'.repeat(900))).toHaveLength(200)
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

  test('asks a person no more than fits', () => {
    const most = { ...ask, question: 'x'.repeat(300), choices: Array(6).fill('y'.repeat(60)) }
    for (const asking of [ask, { ...ask, choices: [] }, most]) {
      expect(intentSchema.safeParse(asking).success).toBe(true)
    }
    for (const odd of [
      { ...ask, question: '' },
      { ...ask, question: 'x'.repeat(301) },
      { ...ask, choices: Array(7).fill('y') },
      { ...ask, choices: ['y'.repeat(61)] },
      { ...ask, choices: [''] },
      { type: 'askHuman', question: 'x' },
    ]) {
      expect(intentSchema.safeParse(odd).success).toBe(false)
    }
  })
})

test('to remember is a text that is not too long', () => {
  const note = (text: string) => intentSchema.safeParse({ type: 'remember', text }).success
  expect(['x', 'x'.repeat(500), '', 'x'.repeat(501)].map(note)).toEqual([true, true, false, false])
  expect(describeIntent({ type: 'remember', text: 'a\nb' })).toBe('remember "a\\nb"')
})

describe("a reply's schema", () => {
  const everything = { canDrive: true, relays: ['lamp', 'horn'] }
  const nothing = { canDrive: false, relays: [] }
  const accepts = (can: typeof everything, intent: object) =>
    replySchemaFor(can).safeParse({ reason: 'why', intent }).success

  test('holds the intents that this robot can carry out, and no others', () => {
    const lamp = { type: 'setRelay', relay: 'lamp', on: true }
    const intents = [drive, lamp, { type: 'stop' }, ask]
    expect(intents.map((intent) => accepts(everything, intent))).toEqual([true, true, true, true])
    expect(accepts(everything, { ...lamp, relay: 'laser' })).toBe(false)
    expect(intents.map((intent) => accepts(nothing, intent))).toEqual([false, false, true, true])
    const note = { type: 'remember', text: 'the dock is here' }
    const may = [
      everything,
      { ...everything, canRemember: false },
      { ...nothing, canRemember: true },
    ]
    expect(may.map((can) => accepts(can, note))).toEqual([false, false, true])
  })

  test("is sent as OpenAI's strict mode takes it", () => {
    const closed = { type: 'object', additionalProperties: false }
    const type = (name: string) => ({ type: 'string', const: name })
    const durationMs = { type: 'integer', minimum: 50, maximum: 5000 }
    expect(replyJsonSchema({ canDrive: true, relays: ['lamp'] })).toEqual({
      ...closed,
      required: ['reason', 'intent'],
      properties: {
        reason: { type: 'string' },
        intent: {
          anyOf: [
            { ...closed, required: ['type'], properties: { type: type('stop') } },
            {
              ...closed,
              required: ['type', 'durationMs'],
              properties: { type: type('wait'), durationMs },
            },
            {
              ...closed,
              required: ['type', 'question', 'choices'],
              properties: {
                type: type('askHuman'),
                question: { type: 'string' },
                choices: {
                  type: 'array',
                  items: { type: 'string' },
                  maxItems: 6,
                  description: 'empty for a free answer',
                },
              },
            },
            {
              ...closed,
              required: ['type', 'linear', 'angular', 'durationMs'],
              properties: {
                type: type('drive'),
                linear: { type: 'number', description: 'm/s, positive forward' },
                angular: { type: 'number', description: 'rad/s, positive to the left' },
                durationMs,
              },
            },
            {
              ...closed,
              required: ['type', 'relay', 'on'],
              properties: {
                type: type('setRelay'),
                relay: { type: 'string', enum: ['lamp'] },
                on: { type: 'boolean' },
              },
            },
          ],
        },
      },
    })
    expect(JSON.stringify(replyJsonSchema(nothing))).not.toMatch(/drive|setRelay/)
  })
})
