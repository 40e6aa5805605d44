import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { completionOf, hear, type Heard, isOversized } from '../../actors/completion.ts'
import { replyCharactersMax } from '../../core/rules/reply.ts'

const usage = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 }
const answer = (message: object, finish_reason: unknown = 'stop', more: object = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }],
  usage,
  ...more,
})
const chunk = (delta: object, finish_reason: unknown = null, more: object = {}) => ({
  choices: [{ index: 0, delta, finish_reason }],
  usage: null,
  ...more,
})

function whole(body: unknown) {
  const heard = hear(body)
  return heard && completionOf(heard)
}

function streamed(...chunks: unknown[]): Heard | undefined {
  let heard: Heard | undefined
  for (const piece of chunks) heard = hear(piece, heard)
  return heard
}

describe('an answer', () => {
  test('is a text, why it ended, and what was used', () => {
    expect(whole(answer({ content: '{}' }))).toEqual({
      content: '{}',
      finish: 'stop',
      usage: { promptTokens: 9, completionTokens: 12 },
    })
  })

  test.each([
    ['stop', 'stop'],
    ['length', 'length'],
    ['content_filter', 'content_filter'],
    ['tool_calls', 'tool_calls'],
    ['function_call', 'tool_calls'],
    ['end_turn', 'missing'],
    ['STOP', 'missing'],
    ['constructor', 'missing'],
    ['', 'missing'],
    [null, 'missing'],
    [1, 'missing'],
  ])('that ended with %j ended with %s', (said, finish) => {
    expect(whole(answer({ content: '{}' }, said))).toMatchObject({ content: '{}', finish })
  })

  test.each([
    ['a refusal', { content: '{}', refusal: 'no' }, 'refusal', 'no'],
    ['a call', { content: '{}', tool_calls: [{ id: '1' }] }, 'tool_calls', '{}'],
    ['a call of old', { content: null, function_call: { name: 'drive' } }, 'tool_calls', ''],
  ])('with %s is not passed off as a whole one', (_, message, finish, content) => {
    expect(whole(answer(message))).toMatchObject({ finish, content })
    expect(completionOf(streamed(chunk(message), chunk({}, 'stop')) ?? fail())).toMatchObject({
      finish,
      content,
    })
  })

  test('without calls makes none', () => {
    const none = { content: '{}', tool_calls: [], function_call: null, refusal: null }
    expect(whole(answer(none))).toMatchObject({ finish: 'stop' })
  })

  test('that is longer than anybody would read is cut, and still has its bill', () => {
    const exact = answer({ content: 'x'.repeat(replyCharactersMax) })
    expect(whole(exact)).toMatchObject({ finish: 'stop' })
    expect(whole(answer({ content: 'x'.repeat(replyCharactersMax + 1) }))).toEqual({
      content: 'x'.repeat(replyCharactersMax),
      finish: 'oversized',
      usage: { promptTokens: 9, completionTokens: 12 },
    })
  })

  test.each([
    ['nothing at all', {}],
    ['no choice', { choices: [] }],
    ['another choice alone', { choices: [{ index: 1, message: { content: '{}' } }] }],
    ['something else', { linear: 1 }],
    ['a text in parts', answer({ content: [{ type: 'text' }] }, null)],
  ])('of %s has no text and no end', (_, body) => {
    expect(whole(body)).toMatchObject({ content: '', finish: 'missing' })
  })

  test.each([null, [], 'text', 7, true, { choices: 7 }, { choices: [7] }])('is not %j', (body) => {
    expect(hear(body)).toBe(undefined)
  })

  test('that is an error says so', () => {
    expect(hear({ error: { message: 'overloaded' } })).toMatchObject({ hasFailed: true })
    expect(hear(answer({ content: '{}' }, 'stop', { error: null }))).toMatchObject({
      hasFailed: false,
    })
  })
})

describe('what was used', () => {
  test.each([
    ['both numbers', usage, { promptTokens: 9, completionTokens: 12 }],
    [
      'no total',
      { prompt_tokens: 9, completion_tokens: 12 },
      { promptTokens: 9, completionTokens: 12 },
    ],
    [
      'reasoning in the total alone',
      { prompt_tokens: 9, completion_tokens: 12, total_tokens: 121 },
      { promptTokens: 9, completionTokens: 112 },
    ],
    [
      'a total below its parts',
      { prompt_tokens: 9, completion_tokens: 12, total_tokens: 1 },
      { promptTokens: 9, completionTokens: 12 },
    ],
    [
      'numbers that cannot be: they are for the budget to judge',
      { prompt_tokens: -5, completion_tokens: 0.5 },
      { promptTokens: -5, completionTokens: 0.5 },
    ],
    ['nothing', null, undefined],
    ['words', { prompt_tokens: '9', completion_tokens: '12' }, undefined],
    ['a total alone', { total_tokens: 21 }, undefined],
    ['no number', { prompt_tokens: Number.NaN, completion_tokens: 12 }, undefined],
    ['no end', { prompt_tokens: 9, completion_tokens: Number.POSITIVE_INFINITY }, undefined],
  ])('is told by %s', (_, said, told) => {
    expect(whole(answer({ content: '' }, 'stop', { usage: said }))?.usage).toEqual(told)
  })
})

describe('a stream', () => {
  test('adds up to an answer, of the last usage that was told', () => {
    const heard = streamed(
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: '{"a"' }, null, { usage: { prompt_tokens: 9, completion_tokens: 1 } }),
      { choices: [{ index: 1, delta: { content: 'other' }, finish_reason: 'length' }] },
      chunk({ content: ':1}' }),
      chunk({}, 'stop'),
      { choices: [], usage },
    )
    expect(heard && completionOf(heard)).toEqual({
      content: '{"a":1}',
      finish: 'stop',
      usage: { promptTokens: 9, completionTokens: 12 },
    })
  })

  test('has no end before it says so', () => {
    expect(streamed(chunk({ content: 'x' }, ''), chunk({}))?.finish).toBe(undefined)
    expect(streamed(chunk({ content: 'x' }), chunk({}, 'eos'))?.finish).toBe('eos')
  })

  test('comes to what the whole answer would, however it is cut', () => {
    const texts = fc.array(fc.string({ maxLength: 6000 }), { maxLength: 6 })
    fc.assert(
      fc.property(texts, fc.array(fc.string({ maxLength: 9 })), (contents, refusals) => {
        const chunks = [
          ...contents.map((content) => chunk({ content })),
          ...refusals.map((refusal) => chunk({ refusal })),
          chunk({}, 'stop'),
          { choices: [], usage },
        ]
        const message = { content: contents.join(''), refusal: refusals.join('') }
        expect(streamed(...chunks)).toEqual(hear(answer(message)))
      }),
    )
  })

  test('is known to be too long as soon as it is', () => {
    const half = chunk({ content: 'x'.repeat(replyCharactersMax / 2) })
    const lengths = [[half], [half, half], [half, half, chunk({ refusal: 'x' })]]
    expect(lengths.map((chunks) => isOversized(streamed(...chunks) ?? fail()))).toEqual([
      false,
      false,
      true,
    ])
  })
})

test('whatever a server sends, it is heard or it is not', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (body, message) => {
      for (const sent of [
        body,
        { choices: [body] },
        answer({ content: message }, body, { usage: body }),
      ]) {
        const heard = hear(sent)
        if (heard)
          expect(completionOf(heard).content.length).toBeLessThanOrEqual(replyCharactersMax)
      }
    }),
  )
})

function fail(): never {
  throw new Error('nothing was heard')
}
