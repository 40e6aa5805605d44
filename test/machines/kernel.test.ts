import { describe, expect, test } from 'vitest'
import { createActor } from 'xstate'
import type { Rules } from '../../core/rules/gatekeeper.ts'
import type { Scene } from '../../core/vocabulary/scene.ts'
import type { Verdict } from '../../core/vocabulary/verdict.ts'
import { virtualClock } from '../../drivers/clock.ts'
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

function judging(given: Rules = rules) {
  const clock = virtualClock()
  const kernel = createActor(kernelMachine, {
    clock,
    input: { rules: given, grants: new Set(['drive', 'relay:lamp']) },
  }).start()
  const verdicts: { claim: Claim; verdict: Verdict }[] = []
  kernel.on('kernel.verdict', ({ claim: judged, verdict }) => {
    verdicts.push({ claim: judged, verdict })
  })
  return {
    clock,
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

describe('a kernel that nobody holds the enabling device for', () => {
  const unheld: Rules = { ...rules, unheld: 'nobody holds the enabling device' }

  test('permits an agent nothing that moves or switches, renewals neither', () => {
    const { kernel, judge } = judging(unheld)
    kernel.send({ type: 'kernel.open', epoch: 7 })
    expect(judge(claim)).toBe('enabling')
    expect(judge({ ...claim, renewal: true })).toBe('enabling')
    expect(judge({ ...claim, intent: { type: 'setRelay', relay: 'lamp', on: true } })).toBe(
      'enabling',
    )
    expect(judge({ ...claim, intent: { type: 'stop' } })).toBe('permitted')
    kernel.send({ type: 'kernel.restrict', rules })
    expect(judge(claim)).toBe('permitted')
    kernel.send({ type: 'kernel.restrict', rules: unheld })
    expect(judge({ ...claim, renewal: true })).toBe('enabling')
  })

  test('lets a person drive by hand, who holds the stick', () => {
    const { kernel, judge } = judging(unheld)
    kernel.send({ type: 'kernel.override', epoch: 7 })
    expect(judge({ ...claim, source: 'operator' })).toBe('permitted')
  })
})

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

describe('a kernel that must have drives approved', () => {
  const approve = { ...rules, approve: ['drive'] }
  function open() {
    const rig = judging(approve)
    rig.kernel.send({ type: 'kernel.open', epoch: 7 })
    return {
      ...rig,
      askedId: () => rig.verdicts.at(-1)?.verdict.asks?.id,
      yes: (id: number) => rig.kernel.send({ type: 'kernel.approve', id }),
    }
  }

  test('permits one after the yes to it, and its renewals, and then asks again', () => {
    const { askedId, judge, yes } = open()
    expect([judge(claim), askedId()]).toEqual(['approval', 1])
    yes(1)
    expect(judge(claim)).toBe('permitted')
    expect(judge({ ...claim, renewal: true })).toBe('permitted')
    expect(judge({ ...claim, intent: { ...ahead, linear: 0.1 }, renewal: true })).toBe('approval')
    expect(judge({ ...claim, renewal: true })).toBe('permitted')
    expect([judge(claim), askedId()]).toEqual(['approval', 2])
    expect(judge({ ...claim, renewal: true })).toBe('approval')
  })

  test('asks about nothing that is refused anyway', () => {
    const { askedId, judge, kernel } = open()
    const near = { ...clear, obstacles: [{ x: 0.2, y: 0 }] }
    expect([judge(claim, near), askedId()]).toEqual(['path', undefined])
    expect(judge({ ...claim, intent: { ...ahead, linear: 9 } })).toBe('limits.linear')
    expect([judge({ ...claim, epoch: 6 }), askedId()]).toEqual(['epoch', undefined])
    kernel.send({ type: 'kernel.override', epoch: 7 })
    expect([judge(claim), askedId()]).toEqual(['override', undefined])
    expect(judge({ ...claim, source: 'operator' })).toBe('permitted')
    kernel.send({ type: 'kernel.lock' })
    expect([judge(claim), askedId()]).toEqual(['locked', undefined])
  })

  test('judges anew after the yes: it lifts no other rule', () => {
    const { judge, yes } = open()
    judge(claim)
    yes(1)
    expect(judge(claim, { ...clear, obstacles: [{ x: 0.2, y: 0 }] })).toBe('path')
    expect(judge(claim)).toBe('approval')
  })

  test('takes a yes for no other intent, question or epoch', () => {
    const { judge, kernel, yes } = open()
    judge(claim)
    yes(2)
    expect(judge(claim)).toBe('approval')
    yes(1)
    expect(judge(claim)).toBe('approval')
    yes(3)
    expect(judge({ ...claim, intent: { ...ahead, linear: 0.21 } })).toBe('approval')
    yes(4)
    kernel.send({ type: 'kernel.open', epoch: 8 })
    expect(judge({ ...claim, epoch: 8 })).toBe('approval')
  })

  test.each([
    { type: 'kernel.lock' },
    { type: 'kernel.open', epoch: 7 },
    { type: 'kernel.override', epoch: 7 },
  ] as const)('forgets question and yes at $type', (command) => {
    for (const isGiven of [false, true]) {
      const { judge, kernel, yes } = open()
      judge(claim)
      if (isGiven) yes(1)
      kernel.send(command)
      kernel.send({ type: 'kernel.open', epoch: 7 })
      yes(1)
      expect(judge(claim)).toBe('approval')
    }
  })

  test('takes no yes before it is open', () => {
    const { judge, kernel, yes } = open()
    judge(claim)
    kernel.send({ type: 'kernel.lock' })
    yes(1)
    expect(kernel.getSnapshot().context.approval).toBeUndefined()
  })

  test('waits 10 s for the yes, and 10 s for the claim after it', async () => {
    const { clock, judge, yes } = open()
    judge(claim)
    await clock.advance(10_000)
    yes(1)
    expect(judge(claim)).toBe('approval')
    await clock.advance(9_999)
    yes(2)
    await clock.advance(9_999)
    expect(judge(claim)).toBe('permitted')
    judge(claim)
    yes(3)
    await clock.advance(10_000)
    expect(judge(claim)).toBe('approval')
  })

  test('leaves a question open while others claim, or claim too late', () => {
    const { judge, yes } = open()
    judge(claim)
    judge({ ...claim, source: 'operator' })
    judge({ ...claim, epoch: 6 })
    yes(1)
    expect(judge(claim)).toBe('permitted')
  })
})

describe('questions to a person', () => {
  const ask = { type: 'askHuman', question: 'where?', choices: [] }

  test('are permitted to every agent, and numbered, each anew', () => {
    const { judge, kernel, verdicts } = judging()
    kernel.send({ type: 'kernel.open', epoch: 7 })
    kernel.send({ type: 'kernel.number', above: 412_000 })
    expect([judge({ ...claim, intent: ask }), judge({ ...claim, intent: ask })]).toEqual([
      'permitted',
      'permitted',
    ])
    expect(verdicts.map(({ verdict }) => verdict.asks?.id)).toEqual([412_001, 412_002])
    kernel.send({ type: 'kernel.number', above: 100_000 })
    judge({ ...claim, intent: ask })
    expect(verdicts.at(-1)?.verdict.asks).toEqual({ id: 412_003, text: 'where?', choices: [] })
  })

  test('are asked by nobody but the agent', () => {
    const { judge, kernel, verdicts } = judging()
    judge({ ...claim, intent: ask })
    kernel.send({ type: 'kernel.override', epoch: 7 })
    judge({ ...claim, intent: ask })
    judge({ ...claim, intent: ask, source: 'operator' })
    expect(verdicts.map(({ verdict }) => verdict.asks)).toEqual([undefined, undefined, undefined])
  })
})
