import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  blockersOf,
  climb,
  foot,
  type Hazard,
  holdMs,
  isAbove,
  type Ladder,
  type Moment,
  reasonsOf,
  rungs,
} from '../../../core/rules/failsafe.ts'

const button: Hazard = {
  name: 'stop button red',
  rung: 'halt',
  clears: 'byOperator',
  takeover: 'never',
}
const battery: Hazard = {
  name: 'battery low',
  rung: 'slow',
  clears: 'byItself',
  takeover: 'afterHold',
}
const lost: Hazard = { name: 'pose lost', rung: 'hold', clears: 'byOperator', takeover: 'bySwitch' }
const empty: Hazard = {
  name: 'battery empty',
  rung: 'halt',
  clears: 'byItself',
  takeover: 'afterHold',
}

function lived(...moments: readonly Partial<Moment>[]): Ladder {
  return moments.reduce<Ladder>(
    (ladder, moment) => climb(ladder, { nowMs: 0, hazards: [], isArmed: true, ...moment }),
    foot,
  )
}

describe('the worst cause wins', () => {
  test('whatever else there is, and the reasons are those of its rung', () => {
    const ladder = lived({ hazards: [battery, lost] }, { hazards: [battery, lost, button] })
    expect(ladder.rung).toBe('halt')
    expect(reasonsOf(ladder)).toEqual(['stop button red'])
    expect(reasonsOf(lived({ hazards: [battery, lost] }))).toEqual(['pose lost'])
    expect(reasonsOf(foot)).toEqual([])
  })

  test('in every mixture of hazards', () => {
    const hazard = fc.record({
      name: fc.string({ minLength: 1 }),
      rung: fc.constantFrom(...rungs),
      clears: fc.constantFrom('byItself', 'byOperator', 'never'),
      takeover: fc.constantFrom('bySwitch', 'never'),
    })
    const hazards = fc.uniqueArray(hazard, { selector: ({ name }) => name, maxLength: 8 })
    fc.assert(
      fc.property(hazards, (given) => {
        const { rung } = lived({ hazards: given, canReturn: true })
        expect(given.some((each) => isAbove(each.rung, rung))).toBe(false)
        expect(rung === 'none' || given.some((each) => each.rung === rung)).toBe(true)
      }),
    )
  })
})

describe('a cause is remembered', () => {
  test('for as long as it stands, when it clears by itself', () => {
    expect(lived({ hazards: [battery] }, {}).causes).toEqual([])
  })

  test('until a person acted after it was over', () => {
    const acted = lived({ hazards: [button] }, { hazards: [button], hasSwitched: true })
    expect(blockersOf(acted)).toEqual(['stop button red'])
    const over = lived({ hazards: [button] }, {}, { nowMs: 60_000 })
    expect(over.rung).toBe('halt')
    expect(blockersOf(over)).toEqual([])
    expect(lived({ hazards: [button] }, {}, { hasSwitched: true }).rung).toBe('none')
  })

  test('for good, when it never clears', () => {
    const broken = { ...button, clears: 'never' } as const
    const ladder = lived({ hazards: [broken] }, {}, { hasSwitched: true }, { isArmed: false })
    expect(ladder.rung).toBe('halt')
    expect(blockersOf(ladder)).toEqual(['stop button red'])
  })

  test('also of a robot that is not armed, to which only a halt matters', () => {
    expect(lived({ isArmed: false, hazards: [lost] }).rung).toBe('none')
    expect(lived({ isArmed: false, hazards: [lost, button] }).rung).toBe('halt')
  })
})

describe('holding before something stronger', () => {
  const at = (nowMs: number, ...hazards: readonly Hazard[]) => ({ nowMs, hazards })

  test('lasts five seconds, and then it acts', () => {
    const rungsAt = [0, holdMs - 1, holdMs].map((now) => lived(at(0, empty), at(now, empty)).rung)
    expect(rungsAt).toEqual(['hold', 'hold', 'halt'])
  })

  test('is not granted to what no person may override', () => {
    expect(lived(at(0, empty, button)).rung).toBe('halt')
    expect(lived(at(0, empty), at(10, empty, button)).rung).toBe('halt')
  })

  test('cannot be drawn out by a cause that toggles, however it toggles', () => {
    const half = fc.integer({ min: 20, max: 1000 })
    fc.assert(
      fc.property(half, half, (onMs, offMs) => {
        let ladder = foot
        let now = 0
        let heldMs = 0
        while (ladder.rung !== 'halt' && heldMs < 100_000) {
          ladder = climb(ladder, { ...at(now, empty), isArmed: true })
          now += onMs
          heldMs += onMs
          ladder = climb(ladder, { ...at(now, empty), isArmed: true })
          if (ladder.rung === 'halt') break
          ladder = climb(ladder, { ...at(now), isArmed: true })
          now += Math.min(offMs, onMs)
        }
        // Held for 5 s, and for a quarter of the time in which nothing was wrong.
        expect(heldMs).toBeLessThanOrEqual((holdMs * 4) / 3 + onMs)
      }),
    )
  })

  test('ends with a clock that cannot be believed', () => {
    expect(lived(at(1000, empty), at(999, empty)).rung).toBe('halt')
    expect(lived(at(1000, empty), at(NaN, empty)).rung).toBe('halt')
  })

  test('refuses the stick, and lets a person choose', () => {
    const held = at(0, empty)
    expect(lived(held, { ...at(10, empty), hasMoved: true })).toMatchObject({ rung: 'hold' })
    const chosen = lived(held, { ...at(10, empty), hasSwitched: true })
    expect(chosen).toMatchObject({ rung: 'warn', isTakenOver: true })
    expect(lived(held, at(10, empty), at(20, empty, button))).toMatchObject({ isTakenOver: false })
  })
})

test('a robot that knows no way home halts instead of returning', () => {
  const home: Hazard = { name: 'too far', rung: 'return', clears: 'byItself', takeover: 'never' }
  expect(lived({ hazards: [home] }).rung).toBe('halt')
  expect(lived({ hazards: [home], canReturn: true }).rung).toBe('return')
  expect(lived({ hazards: [home], canReturn: true, isReturning: true }).rung).toBe('warn')
})
