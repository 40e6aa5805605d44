import { expect, test } from 'vitest'
import { createActor } from 'xstate'
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
  relays.send({ type: 'relays.set', relay: 'lamp', on: true })
  expect(switched).toEqual([])
  relays.send({ type: 'relays.permit' })
  relays.send({ type: 'relays.set', relay: 'lamp', on: true })
  expect(switched).toEqual(['lamp on'])
  relays.send({ type: 'relays.inhibit' })
  relays.send({ type: 'relays.set', relay: 'lamp', on: false })
  expect(switched).toEqual(['lamp on'])
})
