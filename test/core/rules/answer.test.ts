import { describe, expect, test } from 'vitest'
import { readAnswer } from '../../../core/rules/answer.ts'
import type { Inquiry } from '../../../core/vocabulary/inquiry.ts'

const free: Inquiry = {
  id: 5,
  kind: 'question',
  text: 'where to?',
  choices: [],
  modelSays: '',
  askedAtEpoch: 2,
}
const choosing: Inquiry = { ...free, choices: ['Left', 'to the right', '1'] }
const approval: Inquiry = { ...free, kind: 'approval', choices: ['yes', 'no'] }
const refusal = (message: string) => ({ ok: false, message })

describe("a person's answer", () => {
  test('is to the question that is open, by its number', () => {
    expect(readAnswer(undefined, { id: 5, text: 'x' })).toEqual(refusal('answer: nothing is asked'))
    for (const id of [3, 6, NaN]) {
      expect(readAnswer(free, { id, text: 'x' })).toEqual(
        refusal(`answer: question ${id} is not open; the open one is 5`),
      )
    }
  })

  test('is anything of 1 to 500 characters where there is no choice', () => {
    expect(readAnswer(free, { id: 5, text: ' home, "now"\n' })).toEqual({
      ok: true,
      text: 'home, "now"',
    })
    expect(readAnswer(free, { id: 5, text: 'x'.repeat(500) }).ok).toBe(true)
    for (const text of ['', ' ', 'x'.repeat(501)]) {
      expect(readAnswer(free, { id: 5, text })).toEqual(
        refusal(expect.stringMatching(/^answer: .* is not allowed; 1 to 500 characters$/)),
      )
    }
  })

  test('is one of the choices, or the number of one', () => {
    const chosen = ['left', ' TO THE RIGHT', '2', '3', '1'].map((text) =>
      readAnswer(choosing, { id: 5, text }),
    )
    // A choice that is itself a number is meant before the number of another.
    expect(chosen.map((read) => read.ok && read.text)).toEqual([
      'Left',
      'to the right',
      'to the right',
      '1',
      '1',
    ])
    for (const text of ['up', '0', '4', '-1', '1.0', '']) {
      expect(readAnswer(choosing, { id: 5, text })).toMatchObject({
        message: expect.stringMatching(/is not allowed; one of "Left", "to the right", "1"$/),
      })
    }
  })

  test('approves by yes and by nothing else', () => {
    expect(readAnswer(approval, { id: 5, text: 'YES ' })).toEqual({ ok: true, text: 'yes' })
    expect(readAnswer(approval, { id: 5, text: 'no' })).toEqual({ ok: true, text: 'no' })
    for (const text of ['y', '1', 'ok', 'yes please', 'yes\u0000']) {
      expect(readAnswer(approval, { id: 5, text }).ok).toBe(false)
    }
  })
})
