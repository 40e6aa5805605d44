import { describe, expect, test } from 'vitest'
import { type Actor, createActor } from 'xstate'
import { STILL } from '../../core/vocabulary/geometry.ts'
import { type VirtualClock, virtualClock } from '../../drivers/clock.ts'
import { motionMachine } from '../../machines/motion.machine.ts'

const ahead = { linear: 0.2, angular: 0 }
const drive = { type: 'motion.drive', twist: ahead, leaseMs: 500 } as const

const input = { stopLimitMs: 3_000 }

interface Rig {
  readonly clock: VirtualClock
  readonly motion: Actor<typeof motionMachine>
}

function permitted(): Rig {
  const clock = virtualClock()
  const motion = createActor(motionMachine, { clock, input }).start()
  motion.send({ type: 'motion.permit' })
  return { clock, motion }
}

function stateOf({ motion }: Rig) {
  const { value, context } = motion.getSnapshot()
  return { value, target: context.target }
}

describe('motion', () => {
  test('begins inhibited, and a permit begins still', () => {
    const motion = createActor(motionMachine, { input }).start()
    expect(motion.getSnapshot().value).toBe('inhibited')
    motion.send({ type: 'motion.permit' })
    expect(motion.getSnapshot().value).toBe('still')
  })

  test('drops every command while inhibited', () => {
    const motion = createActor(motionMachine, { input }).start()
    motion.send(drive)
    motion.send({ type: 'motion.stop' })
    motion.send({ type: 'motion.settled' })
    const { value, context } = motion.getSnapshot()
    expect({ value, context }).toEqual({
      value: 'inhibited',
      context: { target: STILL, leaseMs: 0, ...input },
    })
  })

  test('moves when it is told to', () => {
    const rig = permitted()
    rig.motion.send(drive)
    expect(stateOf(rig)).toEqual({ value: 'moving', target: ahead })
  })

  test('silence stops: after its lease it is stopping, with nowhere to go', async () => {
    const rig = permitted()
    rig.motion.send(drive)
    await rig.clock.advance(499)
    expect(stateOf(rig)).toEqual({ value: 'moving', target: ahead })
    await rig.clock.advance(1)
    expect(stateOf(rig)).toEqual({ value: 'stopping', target: STILL })
  })

  test('stopping becomes still once the wheels have settled', () => {
    const rig = permitted()
    rig.motion.send(drive)
    rig.motion.send({ type: 'motion.stop' })
    expect(stateOf(rig)).toEqual({ value: 'stopping', target: STILL })
    rig.motion.send({ type: 'motion.settled' })
    expect(stateOf(rig)).toEqual({ value: 'still', target: STILL })
  })

  test('renewals keep it moving, each with its own lease', async () => {
    const rig = permitted()
    rig.motion.send(drive)
    for (let renewals = 0; renewals < 10; renewals++) {
      await rig.clock.advance(499)
      rig.motion.send(drive)
    }
    expect(stateOf(rig)).toEqual({ value: 'moving', target: ahead })
    rig.motion.send({ ...drive, leaseMs: 50 })
    await rig.clock.advance(50)
    expect(stateOf(rig)).toEqual({ value: 'stopping', target: STILL })
  })

  test('a new command while stopping moves on', () => {
    const rig = permitted()
    rig.motion.send(drive)
    rig.motion.send({ type: 'motion.stop' })
    rig.motion.send({ ...drive, twist: { linear: 0, angular: 1 } })
    expect(stateOf(rig)).toEqual({ value: 'moving', target: { linear: 0, angular: 1 } })
  })

  test('an inhibit drops whatever it was doing, and the lease of then never comes back', async () => {
    const rig = permitted()
    rig.motion.send(drive)
    rig.motion.send({ type: 'motion.inhibit' })
    expect(stateOf(rig)).toEqual({ value: 'inhibited', target: STILL })
    rig.motion.send({ type: 'motion.permit' })
    expect(stateOf(rig)).toEqual({ value: 'still', target: STILL })
    await rig.clock.advance(1_000)
    expect(stateOf(rig)).toEqual({ value: 'still', target: STILL })
  })

  test('wheels that do not settle within the stop limit are stuck, and that is final', async () => {
    const rig = permitted()
    rig.motion.send(drive)
    rig.motion.send({ type: 'motion.stop' })
    await rig.clock.advance(2_999)
    expect(stateOf(rig)).toEqual({ value: 'stopping', target: STILL })
    await rig.clock.advance(1)
    expect(stateOf(rig)).toEqual({ value: 'stuck', target: STILL })
    expect(rig.motion.getSnapshot().status).toBe('done')
  })

  test('only what ramps is tagged so', () => {
    const rig = permitted()
    const isRamping = () => rig.motion.getSnapshot().hasTag('ramping')
    expect(isRamping()).toBe(false)
    rig.motion.send(drive)
    expect(isRamping()).toBe(true)
    rig.motion.send({ type: 'motion.stop' })
    expect(isRamping()).toBe(true)
    rig.motion.send({ type: 'motion.settled' })
    expect(isRamping()).toBe(false)
  })
})
