import { describe, expect, test } from 'vitest'
import { createActor } from 'xstate'
import { virtualClock } from '../../drivers/clock.ts'
import { enablingMachine } from '../../machines/enabling.machine.ts'

function device() {
  const clock = virtualClock()
  const actor = createActor(enablingMachine, { clock }).start()
  const say = (type: 'enabling.press' | 'enabling.release', name = 'thumb') =>
    actor.send({ type, device: name })
  return {
    press: (name?: string) => say('enabling.press', name),
    release: (name?: string) => say('enabling.release', name),
    forget: () => actor.send({ type: 'enabling.forget' }),
    /** Lets time pass; a hand that holds says so every 50 ms. */
    pass: async (ms: number, hand?: string) => {
      for (let passed = 0; passed < ms; passed += 50) {
        // oxlint-disable-next-line no-await-in-loop -- one moment after the other
        await clock.advance(50)
        if (hand !== undefined) say('enabling.press', hand)
      }
    },
    advance: (ms: number) => clock.advance(ms),
    get state() {
      const { value } = actor.getSnapshot()
      return typeof value === 'string' ? value : 'held'
    },
    get isEnabled() {
      return actor.getSnapshot().hasTag('enabled')
    },
  }
}

describe('an enabling device', () => {
  test('is held from a press after a release on', async () => {
    const hand = device()
    expect([hand.state, hand.isEnabled]).toEqual(['released', false])
    hand.release()
    hand.press()
    expect([hand.state, hand.isEnabled]).toEqual(['held', true])
    hand.release()
    expect([hand.state, hand.isEnabled]).toEqual(['released', false])
    hand.press()
    expect(hand.state).toBe('held')
  })

  test('that was pressed when it was first heard of is nobody’s hand', async () => {
    const hand = device()
    await hand.pass(5_000, 'thumb')
    expect(hand.state).toBe('released')
  })

  test('that says nothing for 0.2 s counts as let go, and has to be let go before it counts again', async () => {
    const hand = device()
    hand.release()
    hand.press()
    await hand.advance(199)
    expect(hand.state).toBe('held')
    hand.press()
    await hand.advance(199)
    expect(hand.state).toBe('held')
    await hand.advance(1)
    expect(hand.state).toBe('released')
    await hand.pass(1_000, 'thumb')
    expect(hand.state).toBe('released')
    hand.release()
    hand.press()
    expect(hand.state).toBe('held')
  })

  test('that is held for ten minutes counts as taped down', async () => {
    const hand = device()
    hand.release()
    hand.press()
    await hand.pass(599_950, 'thumb')
    expect(hand.state).toBe('held')
    await hand.pass(50, 'thumb')
    expect([hand.state, hand.isEnabled]).toEqual(['taped', false])
    await hand.pass(1_000, 'thumb')
    expect(hand.state).toBe('taped')
    hand.release()
    expect(hand.state).toBe('released')
    hand.press()
    expect(hand.state).toBe('held')
  })

  test('counts for whoever took hold first, and nobody else keeps it held', async () => {
    const hand = device()
    for (const name of ['thumb', 'pedal']) hand.release(name)
    hand.press('thumb')
    hand.press('pedal')
    hand.release('pedal')
    expect(hand.state).toBe('held')
    await hand.pass(150, 'pedal')
    await hand.advance(50)
    expect(hand.state).toBe('released')
    // Pressed all the while that the thumb was there, the pedal says nothing new.
    await hand.pass(500, 'pedal')
    expect(hand.state).toBe('released')
    hand.release('pedal')
    hand.press('pedal')
    expect(hand.state).toBe('held')
  })

  test('that is held while all is forgotten has to be let go first', async () => {
    const hand = device()
    hand.release()
    hand.press()
    hand.forget()
    expect(hand.state).toBe('released')
    hand.press()
    expect(hand.state).toBe('released')
    hand.release()
    hand.forget()
    hand.press()
    expect(hand.state).toBe('released')
  })
})
