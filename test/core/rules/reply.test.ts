import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readReply, replyCharactersMax, replyOutcomes } from '../../../core/rules/reply.ts'
import type { Finish } from '../../../core/vocabulary/question.ts'

const whole = '{"reason":"it is near","intent":{"type":"stop"}}'
const proposed = { reason: 'it is near', intent: { type: 'stop' } }

const read = (content: string, finish: Finish = 'stop') =>
  readReply({ content, finish, usage: undefined })
const messageOf = (content: string) => {
  const reply = read(content)
  return reply.outcome === 'intent' ? 'none' : reply.message
}

describe('a reply', () => {
  test('is one JSON object with a reason and an intent', () => {
    expect(read(whole)).toEqual({ outcome: 'intent', proposal: proposed })
    expect(read(`  ${whole}\n`)).toEqual({ outcome: 'intent', proposal: proposed })
  })

  test('keeps an intent of any kind for the kernel to judge', () => {
    const intent = { type: 'drive', linear: 1e39, more: [1] }
    expect(read(JSON.stringify({ reason: '', intent }))).toEqual({
      outcome: 'intent',
      proposal: { reason: '', intent },
    })
  })

  const finishes = [
    ['length', 'truncated'],
    ['content_filter', 'filtered'],
    ['refusal', 'refused'],
    ['tool_calls', 'toolCall'],
    ['oversized', 'oversized'],
    ['missing', 'missing'],
  ] as const
  test.each(finishes)('that ended with %s never acts, and counts as %s', (finish, outcome) => {
    expect(read(whole, finish)).toEqual({
      outcome,
      message: `the model's reply is not whole: ${finish}`,
    })
  })

  const rubbish: readonly [outcome: string, text: string, why: string][] = [
    ['missing', '', 'it is empty'],
    ['missing', ' \n', 'it is empty'],
    [
      'fenced',
      `\`\`\`json\n${whole}\n\`\`\``,
      'it is not one JSON object, but fenced: send it without ```',
    ],
    ['fenced', `${whole}\n\`\`\``, 'it is not one JSON object, but fenced: send it without ```'],
    ['doubled', whole + whole, 'it is not one JSON object, but several'],
    ['doubled', `${whole}\n\n${whole}`, 'it is not one JSON object, but several'],
    ['doubled', `${whole}, ${whole}, ${whole}`, 'it is not one JSON object, but several'],
    ['doubled', `[${whole}]`, 'it is not one JSON object, but a list'],
    ['doubled', '[]', 'it is not one JSON object, but a list'],
    ['notJson', 'stop', 'it is not one JSON object'],
    ['notJson', `Sure! ${whole}`, 'it is not one JSON object'],
    ['notJson', whole.slice(0, -1), 'it is not one JSON object'],
    ['notJson', `${whole}${whole.slice(0, -1)}`, 'it is not one JSON object'],
    ['notJson', '{"reason":"} {","intent":', 'it is not one JSON object'],
    ['schema', '{"linear":1e39}', 'linear: no such field'],
    ['schema', `${whole.slice(0, -1)},"then":1}`, 'then: no such field'],
    ['schema', `${whole.slice(0, -1)},"__proto__":{"a":1}}`, '__proto__: no such field'],
    [
      'schema',
      '{"reason":"","intent":{"type":"stop","__proto__":{}}}',
      'intent.__proto__: no such field',
    ],
    [
      'schema',
      '{"reason":"","intent":{"type":"drive","linear":1e999}}',
      'intent.linear: Infinity is not allowed; expected a finite number',
    ],
    [
      'schema',
      '{"reason":"","intent":{"type":"x","at":[1,[-1e999]]}}',
      'intent.at.1.0: -Infinity is not allowed; expected a finite number',
    ],
    ['schema', '{"intent":{"type":"stop"}}', 'reason: missing; expected string'],
    ['schema', '{"reason":"x","intent":{}}', 'intent.type: missing; expected string'],
    ['schema', '{"reason":"x","intent":[]}', 'intent: [] is not allowed; expected object'],
    ['schema', 'null', 'it is not one JSON object'],
    ['schema', '"stop"', 'it is not one JSON object'],
    ['schema', '{"a\\nb":1}', 'a b: no such field'],
  ]
  test.each(rubbish)('that is %s is no proposal: %s', (outcome, text, why) => {
    expect(read(text)).toEqual({
      outcome,
      message: `the model's reply was not an intent: ${why}`,
    })
  })

  test('may hold what looks like a fence, or like another object, within a text', () => {
    const reason = '``` } {"a":1} {'
    expect(read(JSON.stringify({ ...proposed, reason }))).toMatchObject({
      outcome: 'intent',
      proposal: { reason },
    })
  })

  test('is not read to its end when it is endless', () => {
    const long = JSON.stringify({
      reason: 'x'.repeat(replyCharactersMax),
      intent: { type: 'stop' },
    })
    expect(read(long)).toEqual({
      outcome: 'oversized',
      message: `the model's reply was not an intent: it has ${long.length} characters; 16384 are allowed`,
    })
  })

  test('may be nested as deeply as its size allows', () => {
    const deep = `{"reason":"","intent":{"type":"x","a":${'['.repeat(8_000)}${']'.repeat(8_000)}}}`
    expect(read(deep).outcome).toBe('intent')
  })

  test('has a reason of at most 500 characters', () => {
    const long = JSON.stringify({ reason: 'x'.repeat(900), intent: { type: 'stop' } })
    expect(read(long)).toMatchObject({ proposal: { reason: 'x'.repeat(500) } })
  })

  test('whatever it is, it is a proposal or exactly one counted rejection, in one line', () => {
    const part = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom(whole, '```', '{', '}', '[', ']', ',', '1e999', '"__proto__"', ' ', '\n'),
    )
    const text = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''))
    const finish = fc.constantFrom('stop' as const, ...finishes.map(([name]) => name))
    fc.assert(
      fc.property(text, finish, (content, end) => {
        const reply = read(content, end)
        expect(replyOutcomes.filter((outcome) => outcome === reply.outcome)).toHaveLength(1)
        if (reply.outcome !== 'intent') {
          expect(reply.message).not.toMatch(/\p{Cc}/u)
          expect(reply.message.length).toBeLessThan(400)
          return
        }
        expect(end).toBe('stop')
        expect(JSON.parse(content)).toMatchObject(reply.proposal)
        expect(Object.keys(reply.proposal)).toEqual(['reason', 'intent'])
      }),
      { numRuns: 2_000 },
    )
  })

  test('each rejection is told in words of its own', () => {
    expect(new Set(rubbish.map(([, text]) => messageOf(text))).size).toBeGreaterThan(12)
  })
})
