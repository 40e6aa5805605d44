import { describe, expect, test } from 'vitest'
import type { Evidence } from '../../../drivers/body.ts'
import { type Answers, makeAnswers } from '../../../drivers/guardian/answers.ts'
import { confirmMsMax } from '../../../drivers/guardian/line.ts'
import { countingClock } from './counting-clock.ts'

function found(answers: Answers, halt: number, evidence: Evidence) {
  answers.hear({ kind: 'evidence', halt, evidence })
}

describe('the evidence of a halt', () => {
  test('that is known already is told at once', async () => {
    const clock = countingClock()
    const answers = makeAnswers(clock)
    found(answers, 3, 'echoed')
    expect(await answers.evidenceOf(3)).toBe('echoed')
    expect(clock.running).toBe(0)
  })

  test('is the last finding on it', async () => {
    const answers = makeAnswers(countingClock())
    found(answers, 3, 'written')
    found(answers, 3, 'echoed')
    expect(await answers.evidenceOf(3)).toBe('echoed')
  })

  test('is waited for', async () => {
    const clock = countingClock()
    const answers = makeAnswers(clock)
    const evidence = answers.evidenceOf(4)
    await clock.advance(100)
    found(answers, 4, 'measured')
    expect(await evidence).toBe('measured')
    expect(clock.running).toBe(0)
  })

  test('is not that of another halt', async () => {
    const clock = countingClock()
    const answers = makeAnswers(clock)
    found(answers, 3, 'measured')
    const evidence = answers.evidenceOf(4)
    found(answers, 3, 'echoed')
    found(answers, 5, 'echoed')
    await clock.advance(confirmMsMax)
    expect(await evidence).toBe('none')
  })

  test('is none when nobody says any in time, not a moment before', async () => {
    const clock = countingClock()
    const answers = makeAnswers(clock)
    let told: Evidence | undefined
    const evidence = answers.evidenceOf(1).then((answer) => {
      told = answer
    })
    await clock.advance(confirmMsMax - 1)
    expect(told).toBeUndefined()
    await clock.advance(1)
    await evidence
    expect([told, clock.running]).toEqual(['none', 0])
  })

  test('before any halt there is none', async () => {
    const clock = countingClock()
    const evidence = makeAnswers(clock).evidenceOf(0)
    await clock.advance(confirmMsMax)
    expect(await evidence).toBe('none')
  })

  test('is told to all who ask', async () => {
    const answers = makeAnswers(countingClock())
    const asked = [answers.evidenceOf(2), answers.evidenceOf(2)]
    found(answers, 2, 'echoed')
    expect(await Promise.all(asked)).toEqual(['echoed', 'echoed'])
  })

  test('that is only written is not told before the board has had its time to answer', async () => {
    const clock = countingClock()
    const answers = makeAnswers(clock)
    const asked = [answers.evidenceOf(2), answers.evidenceOf(2)]
    found(answers, 2, 'written')
    await clock.advance(confirmMsMax)
    expect(await Promise.all(asked)).toEqual(['written', 'written'])
    const again = answers.evidenceOf(2)
    found(answers, 2, 'echoed')
    expect(await again).toBe('echoed')
  })
})
