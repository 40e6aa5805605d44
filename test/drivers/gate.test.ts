import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ActuatorCommand } from '../../drivers/body.ts'
import { type Actuators, beatLimitMs, MotionGate } from '../../drivers/gate.ts'

const wheels: ActuatorCommand = { kind: 'wheels', left: 1, right: 1 }

/** A gate before actuators that note what reaches them, on a clock that is set by hand. */
function gateAt(startMs = 1_000) {
  const time = { nowMs: startMs }
  const calls: string[] = []
  /** When the body was told that the robot's loop is alive. */
  const beats: number[] = []
  const faults: { arm?: () => void; halt?: () => void; write?: () => void } = {}
  const actuators: Actuators = {
    arm() {
      calls.push('arm')
      faults.arm?.()
    },
    write() {
      calls.push('write')
      faults.write?.()
    },
    halt() {
      calls.push('halt')
      faults.halt?.()
    },
    beat: () => void beats.push(time.nowMs),
  }
  const clock = { now: () => time.nowMs, setTimeout: () => 0, clearTimeout: () => {} }
  return { gate: new MotionGate(actuators, clock), calls, beats, faults, time }
}

/** The same, open in epoch 2. */
function openGate() {
  const rig = gateAt()
  rig.gate.beat(1_000)
  rig.gate.allow(2)
  expect(rig.gate.isOpen).toBe(true)
  rig.calls.length = 0
  return rig
}

function broken(): never {
  throw new Error('broken')
}

describe('a motion gate', () => {
  test('counts how often it was opened, and not how often that was asked for', () => {
    const { gate } = gateAt()
    gate.allow(2)
    expect(gate.openings).toBe(0)
    gate.beat(1_000)
    gate.allow(2)
    gate.allow(2)
    expect(gate.openings).toBe(1)
    gate.shut()
    gate.allow(2)
    gate.trip('enough')
    gate.allow(2)
    gate.allow(3)
    expect(gate.openings).toBe(3)
  })

  test('is shut from the first, and lets nothing by', () => {
    const { gate, calls } = gateAt()
    expect(gate.isOpen).toBe(false)
    expect(() => gate.write(wheels)).toThrow('the motion gate is shut')
    expect([calls, gate.refused, gate.causes]).toEqual([[], 1, []])
  })

  test('opens on an epoch and a beat, and arms the body as it does', () => {
    const { gate, calls } = gateAt()
    gate.allow(1)
    expect([gate.isOpen, calls]).toEqual([false, []])
    gate.beat(1_000)
    gate.allow(1)
    gate.allow(1)
    gate.write(wheels)
    expect([gate.isOpen, calls]).toEqual([true, ['arm', 'write']])
  })

  test('believes no beat from the future, and none twice', () => {
    const { gate, time } = gateAt()
    for (const stampMs of [1_000.1, 5_000, Infinity, NaN]) gate.beat(stampMs)
    gate.allow(1)
    expect(gate.isOpen).toBe(false)
    gate.beat(900)
    time.nowMs = 900 + beatLimitMs
    gate.beat(600)
    gate.allow(1)
    expect(gate.isOpen).toBe(true)
  })

  test('hands each beat that it believes on to the body, open or shut, and no other', () => {
    const { gate, beats, time } = openGate()
    expect(beats).toEqual([1_000])
    for (const stampMs of [1_000, 900, 1_000.1, Infinity, NaN]) gate.beat(stampMs)
    expect(beats).toEqual([1_000])
    time.nowMs = 1_020
    gate.beat(1_020)
    gate.trip('enough')
    time.nowMs = 1_040
    gate.beat(1_040)
    expect(beats).toEqual([1_000, 1_020, 1_040])
  })

  test('invents no beat: time, writes and looks bring the body none', () => {
    const { gate, beats, time } = openGate()
    beats.length = 0
    gate.write(wheels)
    time.nowMs += beatLimitMs + 1
    gate.watch()
    gate.allow(3)
    expect(beats).toEqual([])
  })

  test('needs no body that hears beats', () => {
    const body: Actuators = { arm: () => {}, write: () => {}, halt: () => {} }
    const clock = { now: () => 1_000, setTimeout: () => 0, clearTimeout: () => {} }
    const gate = new MotionGate(body, clock)
    gate.beat(1_000)
    gate.allow(1)
    expect(gate.isOpen).toBe(true)
  })

  test('lets nothing by as soon as the beats have stopped, whether anybody looks or not', () => {
    const { gate, calls, time } = openGate()
    time.nowMs += beatLimitMs
    gate.write(wheels)
    time.nowMs += 1
    expect(() => gate.write(wheels)).toThrow('the motion gate is shut')
    expect(calls).toEqual(['write'])
  })

  test('trips when it is looked at and the beats have stopped', () => {
    const { gate, calls, time } = openGate()
    gate.watch()
    expect(gate.isOpen).toBe(true)
    time.nowMs += beatLimitMs + 1
    gate.watch()
    expect([gate.isOpen, calls]).toEqual([false, ['halt']])
    expect(gate.causes).toEqual(["the robot's heart stopped for more than 300 ms"])
    gate.beat(time.nowMs)
    gate.allow(2)
    expect(gate.isOpen).toBe(false)
  })

  test('latches the epoch in which it tripped, and all before it', () => {
    const { gate, calls } = openGate()
    gate.trip('enough')
    expect([gate.isOpen, gate.causes, calls]).toEqual([false, ['enough'], ['halt']])
    for (const epoch of [-1, 0, 1, 2, NaN]) gate.allow(epoch)
    expect([gate.isOpen, calls]).toEqual([false, ['halt']])
    gate.allow(3)
    expect(gate.isOpen).toBe(true)
  })

  test('may be told a later epoch to latch, and never unlatches an earlier one', () => {
    const { gate } = openGate()
    gate.trip('enough', 5)
    gate.trip('again', 1)
    for (const epoch of [3, 4, 5]) gate.allow(epoch)
    expect(gate.isOpen).toBe(false)
    gate.allow(6)
    expect(gate.isOpen).toBe(true)
  })

  test('never goes back to an earlier epoch', () => {
    const { gate } = openGate()
    gate.allow(5)
    gate.shut()
    for (const epoch of [2, 3, 4]) gate.allow(epoch)
    expect(gate.isOpen).toBe(false)
    gate.allow(5)
    expect(gate.isOpen).toBe(true)
  })

  test('can be shut without a latch', () => {
    const { gate, calls } = openGate()
    gate.shut()
    expect([gate.isOpen, calls]).toEqual([false, ['halt']])
    gate.allow(2)
    expect([gate.isOpen, calls]).toEqual([true, ['halt', 'arm']])
  })

  test('trips when the body cannot be armed', () => {
    const { gate, faults, calls } = gateAt()
    faults.arm = broken
    gate.beat(1_000)
    expect(() => gate.allow(1)).toThrow('broken')
    expect([gate.isOpen, gate.causes, calls]).toEqual([false, ['broken'], ['arm', 'halt']])
    delete faults.arm
    gate.allow(1)
    expect(gate.isOpen).toBe(false)
  })

  test('is shut also when halting the body throws', () => {
    const { gate, faults } = openGate()
    faults.halt = broken
    expect(() => gate.trip('enough')).not.toThrow()
    expect(() => gate.shut()).not.toThrow()
    expect(gate.isOpen).toBe(false)
    expect(gate.causes.slice(0, 2)).toEqual(['enough', 'halting the body failed: broken'])
  })

  test("passes on what the body throws at a write, and stays the caller's to trip", () => {
    const { gate, faults } = openGate()
    faults.write = broken
    expect(() => gate.write(wheels)).toThrow('broken')
  })
})

test('whatever happens in whatever order, no write reaches a body but between an arm and the next halt', () => {
  const step = fc.oneof(
    fc.record({ act: fc.constantFrom('write', 'watch', 'shut', 'trip', 'beat') }),
    fc.record({ act: fc.constant('allow' as const), epoch: fc.integer({ min: 0, max: 6 }) }),
    fc.record({
      act: fc.constant('pass' as const),
      milliseconds: fc.integer({ min: 0, max: 400 }),
    }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { gate, calls, time } = gateAt()
      let lastBeatMs = -Infinity
      let trippedEpoch = 0
      let openEpoch = 0
      for (const each of steps) {
        const seen = calls.length
        const wasOpen = gate.isOpen
        switch (each.act) {
          case 'write':
            try {
              gate.write(wheels)
            } catch {
              // Refused, as the calls show.
            }
            break
          case 'allow':
            gate.allow(each.epoch)
            if (calls.slice(seen).includes('arm')) openEpoch = each.epoch
            break
          case 'pass':
            time.nowMs += each.milliseconds
            break
          case 'beat':
            gate.beat(time.nowMs)
            lastBeatMs = time.nowMs
            break
          case 'trip':
            gate.trip('enough')
            trippedEpoch = Math.max(trippedEpoch, openEpoch)
            break
          case 'shut':
            gate.shut()
            break
          case 'watch':
            gate.watch()
        }
        if (each.act === 'watch' && wasOpen && !gate.isOpen)
          trippedEpoch = Math.max(trippedEpoch, openEpoch)
        if (gate.isOpen && !(openEpoch > trippedEpoch)) return false
        const isBeating = time.nowMs - lastBeatMs <= beatLimitMs
        if (calls.slice(seen).includes('write') && !(wasOpen && isBeating)) return false
      }
      let isArmed = false
      return calls.every((call) => {
        if (call === 'write') return isArmed
        isArmed = call === 'arm'
        return true
      })
    }),
    { numRuns: 3_000 },
  )
})
