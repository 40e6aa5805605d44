import { expect, test } from 'vitest'
import { createActor } from 'xstate'
import { virtualClock } from '../../drivers/clock.ts'
import { recorderMachine } from '../../machines/recorder.machine.ts'
import { held } from './held.ts'

function opening() {
  const clock = virtualClock()
  const openRecord = held<void>()
  const closeRecord = held<void>()
  const done: string[] = []
  const note = (name: string) => () => void done.push(name)
  const recorder = createActor(
    recorderMachine.provide({
      actors: { openRecord: openRecord.logic, closeRecord: closeRecord.logic },
      actions: {
        shedTelemetry: note('shed'),
        keepTelemetry: note('keep'),
        keepBlackBox: note('freeze'),
        releaseBlackBox: note('thaw'),
        dropWaiting: note('drop'),
      },
    }),
    { clock },
  ).start()
  const state = () => recorder.getSnapshot().value
  return { clock, closeRecord, done, openRecord, recorder, state }
}

test('the recorder keeps what there is from the first moment on', async () => {
  const { openRecord, recorder, state } = opening()
  expect([state(), recorder.getSnapshot().hasTag('keeping')]).toEqual(['opening', true])
  await openRecord.last().resolve()
  expect([state(), recorder.getSnapshot().hasTag('keeping')]).toEqual(['recording', true])
})

test('it sheds while there is too much, and no longer', async () => {
  const { done, openRecord, recorder, state } = opening()
  await openRecord.last().resolve()
  recorder.send({ type: 'recorder.crowded' })
  expect([state(), done]).toEqual(['shedding', ['shed']])
  recorder.send({ type: 'recorder.relieved' })
  expect([state(), done]).toEqual(['recording', ['shed', 'keep']])
})

test('it is frozen while the robot is halted, and sheds then, too', async () => {
  const { done, openRecord, recorder, state } = opening()
  await openRecord.last().resolve()
  recorder.send({ type: 'recorder.freeze' })
  recorder.send({ type: 'recorder.crowded' })
  expect([state(), done]).toEqual(['frozen', ['freeze', 'shed']])
  recorder.send({ type: 'recorder.thaw' })
  expect([state(), done]).toEqual(['recording', ['freeze', 'shed', 'thaw', 'keep']])
})

test('a record that cannot be opened, or not in time, is closed and says why', async () => {
  const refused = opening()
  await refused.openRecord.last().reject(new Error('the disk is full'))
  expect([refused.state(), refused.recorder.getSnapshot().context.cause, refused.done]).toEqual([
    'closed',
    'the disk is full',
    ['drop'],
  ])
  const late = opening()
  await late.clock.advance(10_000)
  expect([late.state(), late.recorder.getSnapshot().context.cause]).toEqual([
    'closed',
    'the record did not open in time',
  ])
})

test('a write that fails closes it, wherever it is', async () => {
  const { done, openRecord, recorder, state } = opening()
  await openRecord.last().resolve()
  recorder.send({ type: 'recorder.freeze' })
  recorder.send({ type: 'recorder.failed', cause: 'no room' })
  expect([state(), recorder.getSnapshot().context.cause, done.at(-1)]).toEqual([
    'closed',
    'no room',
    'drop',
  ])
})

test('it closes when what waited is written, and after 5 s without', async () => {
  const well = opening()
  await well.openRecord.last().resolve()
  well.recorder.send({ type: 'recorder.close' })
  expect(well.state()).toBe('closing')
  await well.closeRecord.last().resolve()
  expect([well.state(), well.recorder.getSnapshot().context.cause]).toEqual(['closed', undefined])
  const stuck = opening()
  stuck.recorder.send({ type: 'recorder.close' })
  await stuck.clock.advance(5_000)
  expect([stuck.state(), stuck.recorder.getSnapshot().context.cause]).toEqual([
    'closed',
    'the record did not close in time',
  ])
})
