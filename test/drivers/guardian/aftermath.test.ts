import { describe, expect, test } from 'vitest'
import type { Evidence } from '../../../drivers/body.ts'
import { type Aftermath, makeAftermath } from '../../../drivers/guardian/aftermath.ts'
import { type CountingClock, countingClock } from './counting-clock.ts'

interface Rig {
  readonly aftermath: Aftermath
  readonly clock: CountingClock
  readonly found: Evidence[]
  readonly steps: number[]
  readonly rewrittenAtMs: number[]
  /** What the board answers, and when. */
  answer: { readonly evidence: Evidence | undefined; readonly afterMs: number }
  hasLeft: boolean
}

function rig(): Rig {
  const clock = countingClock()
  const found: Evidence[] = []
  const steps: number[] = []
  const rewrittenAtMs: number[] = []
  const remedies = {
    clock,
    sound(limitMs: number) {
      const { evidence, afterMs } = made.answer
      return new Promise<Evidence | undefined>((resolve) => {
        clock.setTimeout(() => resolve(evidence), Math.min(limitMs, afterMs))
      })
    },
    rewrite: () => rewrittenAtMs.push(clock.now()),
    hasLeft: () => made.hasLeft,
    escalate: (step: number) => steps.push(step),
    found: (evidence: Evidence) => found.push(evidence),
  }
  const made: Rig = {
    aftermath: makeAftermath(remedies),
    clock,
    found,
    steps,
    rewrittenAtMs,
    answer: { evidence: undefined, afterMs: Infinity },
    hasLeft: true,
  }
  return made
}

describe('what is done after a halt', () => {
  test('nothing before one', async () => {
    const { aftermath, clock, found } = rig()
    await clock.advance(1_000)
    expect([aftermath.evidence, found, clock.running]).toEqual(['none', [], 0])
  })

  test('keeps its pace, however fast or late the refusals of the board are', async () => {
    for (const afterMs of [0, 30, Infinity]) {
      const made = rig()
      made.answer = { evidence: undefined, afterMs }
      made.aftermath.begin()
      // oxlint-disable-next-line no-await-in-loop -- one board after the other
      await made.clock.advance(550)
      expect([afterMs, made.rewrittenAtMs]).toEqual([afterMs, [100, 200, 300, 400, 500]])
    }
  })

  test('grows stronger every 300 ms without an answer', async () => {
    const { aftermath, clock, steps } = rig()
    aftermath.begin()
    await clock.advance(299)
    expect(steps).toEqual([])
    await clock.advance(1_000)
    expect(steps).toEqual([1, 2, 3, 4])
  })

  test('starts again from the weakest means after an answer', async () => {
    const made = rig()
    const { aftermath, clock, steps } = made
    aftermath.begin()
    await clock.advance(350)
    made.answer = { evidence: 'echoed', afterMs: 5 }
    await clock.advance(100)
    made.answer = { evidence: undefined, afterMs: Infinity }
    await clock.advance(1_250)
    expect(steps).toEqual([1])
    await clock.advance(100)
    expect(steps).toEqual([1, 1])
  })

  test('what was found is forgotten with the next halt', async () => {
    const made = rig()
    const { aftermath, clock, found } = made
    made.answer = { evidence: 'measured', afterMs: 5 }
    aftermath.begin()
    await clock.advance(50)
    expect(aftermath.evidence).toBe('measured')
    aftermath.begin()
    expect(aftermath.evidence).toBe('none')
    await clock.advance(50)
    expect(found).toEqual(['measured', 'measured'])
  })

  test('an answer to the halt before is not taken for one to this', async () => {
    const made = rig()
    const { aftermath, clock, found } = made
    made.answer = { evidence: 'measured', afterMs: 40 }
    aftermath.begin()
    await clock.advance(20)
    made.answer = { evidence: undefined, afterMs: Infinity }
    aftermath.begin()
    await clock.advance(150)
    expect(found).toEqual([])
  })

  test('it ends at once, and leaves no timer of its own', async () => {
    const { aftermath, clock, found, rewrittenAtMs } = rig()
    aftermath.begin()
    await clock.advance(90)
    aftermath.end()
    expect(clock.running).toBe(0)
    await clock.advance(1_000)
    expect([found, rewrittenAtMs]).toEqual([[], []])
  })

  test('a halt whose bytes have not left is not called written', async () => {
    const made = rig()
    made.hasLeft = false
    made.aftermath.begin()
    await made.clock.advance(500)
    expect(made.found).toEqual([])
    made.hasLeft = true
    await made.clock.advance(100)
    expect(made.found).toEqual(['written'])
  })
})
