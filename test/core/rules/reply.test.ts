import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readReply, replyCharactersMax } from '../../../core/rules/reply.ts'
import { MechosError } from '../../../core/vocabulary/errors.ts'

const whole = '{"reason":"it is near","intent":{"type":"stop"}}'

function complaintAbout(text: string): string {
  try {
    readReply(text)
  } catch (error) {
    if (error instanceof MechosError && error.code === 'ERR_BRAIN_RUBBISH') return error.message
    throw error
  }
  return 'none'
}

describe('a reply', () => {
  test('is one JSON object with a reason and an intent', () => {
    expect(readReply(whole)).toEqual({ reason: 'it is near', intent: { type: 'stop' } })
    expect(readReply(`  ${whole}\n`)).toEqual({ reason: 'it is near', intent: { type: 'stop' } })
  })

  test('keeps an intent of any kind for the kernel to judge', () => {
    const { intent } = readReply('{"reason":"","intent":{"type":"drive","linear":1e39,"more":[1]}}')
    expect(intent).toEqual({ type: 'drive', linear: 1e39, more: [1] })
  })

  test('is rubbish when there is anything around it, and says why in one line', () => {
    const notOne = "the model's reply was not an intent: it is not one JSON object"
    for (const text of [
      '',
      'stop',
      `\`\`\`json\n${whole}\n\`\`\``,
      `${whole}${whole}`,
      `Sure! ${whole}`,
      whole.slice(0, -1),
    ]) {
      expect(complaintAbout(text)).toBe(notOne)
    }
    expect(complaintAbout('{"linear":1e39}')).toBe(
      "the model's reply was not an intent: linear: no such field",
    )
    expect(complaintAbout('{"intent":{"type":"stop"}}')).toMatch(/reason: missing; [^\n]*string/)
    expect(complaintAbout('{"reason":"x","intent":{}}')).toMatch(/intent\.type: missing/)
    expect(complaintAbout('{"reason":"x","intent":[]}')).toMatch(/intent/)
    expect(complaintAbout('{"reason":"x","intent":{"type":"stop"},"then":1}')).toMatch(
      /then: no such field/,
    )
    for (const text of ['null', '3', '[]', '"stop"']) expect(complaintAbout(text)).not.toBe('none')
  })

  test('is not read to its end when it is endless', () => {
    const long = JSON.stringify({
      reason: 'x'.repeat(replyCharactersMax),
      intent: { type: 'stop' },
    })
    expect(complaintAbout(long)).toBe(
      `the model's reply was not an intent: it has ${long.length} characters; 16384 are allowed`,
    )
  })

  test('has a reason of at most 500 characters', () => {
    const { reason } = readReply(
      JSON.stringify({ reason: 'x'.repeat(900), intent: { type: 'stop' } }),
    )
    expect(reason).toBe('x'.repeat(500))
  })

  test('never makes anything but a proposal or that one error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => complaintAbout(text).length > 0),
    )
  })
})
