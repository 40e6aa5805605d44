import { describe, expect, test } from 'vitest'
import { createActor } from 'xstate'
import type { Scene } from '../../core/vocabulary/scene.ts'
import type { Verdict } from '../../core/vocabulary/verdict.ts'
import { type Claim, kernelMachine } from '../../machines/kernel.machine.ts'

const rules = { limits: { linear: 0.3, angular: 1.5, linearBraking: 2, angularBraking: 12 } }

const clear: Scene = {
  footprintMetres: 0.12,
  obstacles: [],
  sectors: [{ facing: 0, halfAngle: Math.PI, whole: true }],
  stale: [],
  blindCreep: false,
}

const ahead = { type: 'drive', linear: 0.2, angular: 0, durationMs: 500 }

const claim: Claim = { source: 'agent', intent: ahead, epoch: 7, renewal: false }

function judging() {
  const kernel = createActor(kernelMachine, {
    input: { rules, grants: new Set(['drive']) },
  }).start()
  const verdicts: { claim: Claim; verdict: Verdict }[] = []
  kernel.on('kernel.verdict', ({ claim: judged, verdict }) => {
    verdicts.push({ claim: judged, verdict })
  })
  return {
    kernel,
    verdicts,
    /** The rule that refused, or `permitted`. */
    judge(asked: Claim, scene = clear): string {
      kernel.send({ type: 'kernel.judge', claim: asked, scene })
      const verdict = verdicts.at(-1)?.verdict
      if (!verdict) return 'no verdict'
      return verdict.permitted ? 'permitted' : verdict.rule
    },
    counts() {
      const { proposed, permitted, refused } = kernel.getSnapshot().context
      return { proposed, permitted, refused }
    },
  }
}

describe('the kernel', () => {
  test('begins locked, and refuses everybody', () => {
    const { judge } = judging()
    expect([judge(claim), judge({ ...claim, source: 'operator' })]).toEqual(['locked', 'locked'])
  })

  test('permits the agent while open, in the epoch in which it was opened', () => {
    const { kernel, judge } = judging()
    kernel.send({ type: 'kernel.open', epoch: 7 })
    expect(judge(claim)).toBe('permitted')
  })

  test.each([6, 8, Number.NaN])('drops a claim of epoch %s', (epoch) => {
    const { kernel, judge } = judging()
    kernel.send({ type: 'kernel.open', epoch: 7 })
    expect(judge({ ...claim, epoch })).toBe('epoch')
  })

  test('tells a person to take over first', () => {
    const { kernel, judge } = judging()
    kernel.send({ type: 'kernel.open', epoch: 7 })
    expect(judge({ ...claim, source: 'operator' })).toBe('override')
  })

  test('obeys the person alone once they have taken over; the agent may stop and wait', () => {
    const { kernel, judge } = judging()
    kernel.send({ type: 'kernel.override', epoch: 7 })
    expect([
      judge({ ...claim, source: 'operator' }),
      judge(claim),
      judge({ ...claim, intent: { type: 'stop' } }),
      judge({ ...claim, intent: { type: 'wait', durationMs: 100 } }),
    ]).toEqual(['permitted', 'override', 'permitted', 'permitted'])
  })

  test('holds a person to the hard limits too', () => {
    const { kernel, judge } = judging()
    kernel.send({ type: 'kernel.override', epoch: 7 })
    const fast = { ...ahead, linear: 0.31 }
    expect(judge({ ...claim, source: 'operator', intent: fast })).toBe('limits.linear')
  })

  test('is locked again from wherever it was', () => {
    for (const command of ['kernel.open', 'kernel.override'] as const) {
      const { kernel, judge } = judging()
      kernel.send({ type: command, epoch: 7 })
      kernel.send({ type: 'kernel.lock' })
      expect(judge(claim)).toBe('locked')
    }
  })

  test('judges by the rules that it was given last', () => {
    const { kernel, judge } = judging()
    kernel.send({ type: 'kernel.open', epoch: 7 })
    kernel.send({ type: 'kernel.restrict', rules: { ...rules, immovable: 'no deadman' } })
    expect(judge(claim)).toBe('deadman')
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, '0.2', null])(
    'never permits a speed of %s',
    (linear) => {
      const { kernel, judge } = judging()
      kernel.send({ type: 'kernel.open', epoch: 7 })
      expect(judge({ ...claim, intent: { ...ahead, linear } })).toBe('shape')
    },
  )

  test('sees the world: nothing moves by a stale sensor', () => {
    const { kernel, judge } = judging()
    kernel.send({ type: 'kernel.open', epoch: 7 })
    expect(judge(claim, { ...clear, stale: ['front'] })).toBe('stale')
  })

  test('gives exactly one verdict on each claim, and names the claim', () => {
    const { kernel, judge, verdicts } = judging()
    kernel.send({ type: 'kernel.open', epoch: 7 })
    judge(claim)
    const other = { ...claim, epoch: 1 }
    judge(other)
    expect(verdicts.map((given) => given.claim)).toEqual([claim, other])
    expect(verdicts[0]?.claim).toBe(claim)
  })

  test('a permitted verdict carries a copy of the intent that nobody can change', () => {
    const { kernel, judge, verdicts } = judging()
    kernel.send({ type: 'kernel.open', epoch: 7 })
    judge(claim)
    const verdict = verdicts[0]?.verdict
    expect(verdict).toEqual({ permitted: true, intent: ahead })
    expect(verdict?.permitted === true && Object.isFrozen(verdict.intent)).toBe(true)
  })

  test('counts first claims, and renewals not at all', () => {
    const { kernel, judge, counts } = judging()
    kernel.send({ type: 'kernel.open', epoch: 7 })
    judge(claim)
    judge({ ...claim, renewal: true })
    judge({ ...claim, epoch: 1 })
    expect(counts()).toEqual({ proposed: 2, permitted: 1, refused: 1 })
    judge({ ...claim, epoch: 1, renewal: true })
    expect(counts()).toEqual({ proposed: 2, permitted: 1, refused: 1 })
  })
})
