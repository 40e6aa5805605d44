import { expect, test } from 'vitest'
import { createActor, fromPromise } from 'xstate'
import { virtualClock } from '../../drivers/clock.ts'
import { cockpitMachine } from '../../machines/cockpit.machine.ts'

const address = 'http://127.0.0.1:7077'

function aCockpit(bind: () => Promise<string>) {
  const clock = virtualClock()
  const unbound: string[] = []
  const machine = cockpitMachine.provide({
    actors: { bindCockpit: fromPromise(bind) },
    actions: { unbindCockpit: () => unbound.push('unbound') },
  })
  const cockpit = createActor(machine, { clock }).start()
  return { clock, cockpit, unbound, now: () => cockpit.getSnapshot() }
}

test('it knows where it is, who is there and who drives, and forgets all of it with its port', async () => {
  const { clock, cockpit, unbound, now } = aCockpit(async () => address)
  expect(now().value).toBe('binding')
  await clock.advance(0)
  cockpit.send({ type: 'cockpit.seated', seats: { pages: 3, isDriven: true } })
  cockpit.send({ type: 'cockpit.faulted', cause: 'the hub is broken' })
  expect([now().value, now().hasTag('open'), now().context]).toEqual([
    'serving',
    true,
    { address, fault: 'the hub is broken', pages: 3, isDriven: true },
  ])
  cockpit.send({ type: 'cockpit.lost', cause: 'the port is gone' })
  expect([now().value, now().context, unbound]).toEqual([
    'degraded',
    { address: undefined, fault: 'the port is gone', pages: 0, isDriven: false },
    ['unbound'],
  ])
})

test('one that cannot be reached tries again every five seconds', async () => {
  let tries = 0
  const { clock, now } = aCockpit(async () => {
    tries += 1
    if (tries < 3) throw new Error('the port is taken')
    return address
  })
  await clock.advance(0)
  expect([now().value, now().context.fault]).toEqual(['degraded', 'the port is taken'])
  await clock.advance(9_999)
  expect([now().value, tries]).toEqual(['degraded', 2])
  await clock.advance(1)
  expect([now().value, now().context]).toEqual([
    'serving',
    { address, fault: undefined, pages: 0, isDriven: false },
  ])
})

test('a port that is not had in two seconds counts as not had, and its closing ends it for good', async () => {
  const { clock, cockpit, now } = aCockpit(() => new Promise(() => {}))
  await clock.advance(2_000)
  expect([now().value, now().context.fault]).toEqual(['degraded', 'its port was not had in time'])
  cockpit.send({ type: 'cockpit.close' })
  await clock.advance(10_000)
  expect([now().value, now().status]).toEqual(['closed', 'done'])
})
