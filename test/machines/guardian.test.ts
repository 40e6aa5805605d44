import { expect, test } from 'vitest'
import { createActor, type EventObject, fromCallback } from 'xstate'
import { virtualClock } from '../../drivers/clock.ts'
import { guardianMachine } from '../../machines/guardian.machine.ts'

function watched() {
  const clock = virtualClock()
  const machine = guardianMachine.provide({
    actors: { watchGuardian: fromCallback<EventObject, undefined>(() => undefined) },
  })
  const guardian = createActor(machine, { clock }).start()
  return { clock, guardian, state: () => guardian.getSnapshot() }
}

test('a body without a guardian needs none', () => {
  const { state } = watched()
  expect([state().value, state().hasTag('present')]).toEqual(['absent', true])
})

test('it is present while it guards, and a trip is a fault until it is cleared', () => {
  const { guardian, state } = watched()
  guardian.send({ type: 'guardian.starting' })
  expect(state().hasTag('present')).toBe(false)
  guardian.send({ type: 'guardian.guarding' })
  expect(state().hasTag('present')).toBe(true)
  guardian.send({ type: 'guardian.tripped', cause: 'silence' })
  expect([state().hasTag('fault'), state().context.cause]).toEqual([true, 'silence'])
  guardian.send({ type: 'guardian.guarding' })
  expect(state().value).toBe('tripped')
  guardian.send({ type: 'guardian.clear' })
  expect([state().value, state().context.cause]).toEqual(['guarding', undefined])
})

test('one that does not start in time is lost, and so is one that dies', async () => {
  const { clock, guardian, state } = watched()
  guardian.send({ type: 'guardian.starting' })
  await clock.advance(15_000)
  expect([state().value, state().hasTag('fault')]).toEqual(['lost', true])
  guardian.send({ type: 'guardian.starting' })
  guardian.send({ type: 'guardian.guarding' })
  guardian.send({ type: 'guardian.lost', cause: 'it died' })
  guardian.send({ type: 'guardian.clear' })
  expect([state().value, state().context.cause]).toEqual(['lost', 'it died'])
})
