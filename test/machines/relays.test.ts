import { expect, test } from 'vitest'
import { createActor } from 'xstate'
import { virtualClock } from '../../drivers/clock.ts'
import { relaysMachine } from '../../machines/relays.machine.ts'

test('relays are switched while permitted, and at no other time', () => {
  const switched: string[] = []
  const machine = relaysMachine.provide({
    actions: {
      switchRelay: (_, { relay, on }) => {
        switched.push(`${relay} ${on ? 'on' : 'off'}`)
      },
    },
  })
  const relays = createActor(machine).start()
  relays.send({ type: 'relays.set', relay: 'lamp', on: true, leaseMs: 1_000 })
  expect(switched).toEqual([])
  relays.send({ type: 'relays.permit' })
  relays.send({ type: 'relays.set', relay: 'lamp', on: true, leaseMs: 1_000 })
  expect(switched).toEqual(['lamp on'])
  relays.send({ type: 'relays.inhibit' })
  relays.send({ type: 'relays.set', relay: 'lamp', on: false, leaseMs: 1_000 })
  expect(switched).toEqual(['lamp on'])
})

test('what is neither set nor renewed within its lease goes back, once', async () => {
  const clock = virtualClock()
  const done: string[] = []
  const machine = relaysMachine.provide({
    actions: {
      switchRelay: (_, { relay, on }) => {
        done.push(`${relay} ${on ? 'on' : 'off'}`)
      },
      releaseRelays: () => {
        done.push('released')
      },
    },
  })
  const relays = createActor(machine, { clock }).start()
  relays.send({ type: 'relays.permit' })
  relays.send({ type: 'relays.renew' })
  await clock.advance(10_000)
  expect(done).toEqual([])
  relays.send({ type: 'relays.set', relay: 'lamp', on: true, leaseMs: 1_000 })
  for (let renewals = 0; renewals < 5; renewals++) {
    // oxlint-disable-next-line no-await-in-loop -- one renewal after the other
    await clock.advance(900)
    relays.send({ type: 'relays.renew' })
  }
  expect(done).toEqual(['lamp on'])
  await clock.advance(1_000)
  expect(done).toEqual(['lamp on', 'released'])
  await clock.advance(10_000)
  expect(done).toEqual(['lamp on', 'released'])
})
