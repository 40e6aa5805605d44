import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  contentsBound,
  promptBound,
  promptFloor,
  replyFloor,
  type TokenCounter,
} from '../../../core/budget/bound.ts'
import { counterFor } from '../../../actors/tokenizer.ts'
import type { Question } from '../../../core/vocabulary/question.ts'

const exact = await counterFor('gpt-4o')
if (!exact) throw new TypeError('the encoding of gpt-4o is known')

function asking(contents: readonly string[], schema: object = {}): Question {
  return { id: 1, messages: contents.map((content) => ({ role: 'user', content })), schema }
}

describe('the bound of a prompt', () => {
  test('without a counter grows with every byte of messages and schema', () => {
    const bound = promptBound(asking(['hello']), undefined)
    expect(promptBound(asking(['hello!']), undefined)).toBe(bound + 1)
    expect(promptBound(asking(['hellö']), undefined)).toBe(bound + 1)
    expect(promptBound(asking(['hello'], { a: 1 }), undefined)).toBe(bound + '"a":1'.length)
    expect(promptBound(asking(['hello', '']), undefined)).toBe(bound + 16)
  })

  test('with a counter is what it counts, with room for a template and a schema that is written differently', () => {
    const words: TokenCounter = { count: (text) => text.split(' ').length }
    expect(promptBound(asking(['go to the door', 'now']), words)).toBe(4 + 1 + 64 + 2 * 16 + 2)
    expect(contentsBound(asking(['go to the door', 'now']), words)).toBe(5)
  })

  test('counts runs that would take a tokenizer long by their bytes', () => {
    const counted: string[] = []
    const spy: TokenCounter = {
      count(text) {
        counted.push(text)
        return 1
      },
    }
    const runs = ['a', '7', ' ', '!', 'ä', '/\n', 'a\u0301'].map((part) => part.repeat(600))
    for (const run of runs) {
      counted.length = 0
      expect(contentsBound(asking([`see ${run}: end`]), spy)).toBeGreaterThan(600)
      expect(counted.every((text) => text.length < 20)).toBe(true)
    }
    expect(contentsBound(asking(['a'.repeat(512)]), spy)).toBe(1)
  })

  test('is never below what the tokenizer counts for the whole, nor above the bytes', () => {
    const run = fc
      .tuple(fc.constantFrom('a', 'Ab', '0', ' ', '\n', '/', 'é', '中', '😀'), fc.nat(700))
      .map(([part, times]) => part.repeat(times))
    const text = fc
      .array(fc.oneof({ weight: 3, arbitrary: fc.string({ unit: 'grapheme' }) }, run), {
        maxLength: 6,
      })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.array(text, { maxLength: 3 }), (contents) => {
        const bound = contentsBound(asking(contents), exact)
        const tokens = contents.reduce((total, content) => total + exact.count(content), 0)
        return bound >= tokens && bound <= contentsBound(asking(contents), undefined)
      }),
      { numRuns: 200 },
    )
  })
})

describe('the least that an honest server counts', () => {
  test('is exact with a counter, but for blanks that templates cut off', () => {
    expect(promptFloor(asking(['  turn left at the door\n']), exact)).toBe(
      exact.count('turn left at the door'),
    )
    expect(replyFloor('{"kind":"stop"}', exact)).toBe(exact.count('{"kind":"stop"}'))
  })

  test('is the number of words without one, or where no count is exact', () => {
    expect(promptFloor(asking(["don't stop", 'drive 3 metres']), undefined)).toBe(5)
    expect(replyFloor('हिन्दी में', undefined)).toBe(2)
    expect(replyFloor('<|endoftext|> go on', exact)).toBe(3)
    expect(replyFloor(`go ${'!'.repeat(600)} on`, exact)).toBe(2)
    expect(replyFloor('', undefined)).toBe(0)
  })

  test('is never above the tokens', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.lorem())), (contents) => {
        const tokens = contents.reduce((total, content) => total + exact.count(content), 0)
        return (
          promptFloor(asking(contents), exact) <= tokens &&
          promptFloor(asking(contents), undefined) <= tokens
        )
      }),
      { numRuns: 500 },
    )
  })
})
