import { expect, test } from 'vitest'
import { attended } from '../../actors/attended.ts'
import { virtualClock } from '../../drivers/clock.ts'
import { stageBody } from './stage.ts'

const broken = new Error('broken')

test('a body that cannot halt is let go of, and hears no beat until it is open again', async () => {
  let beats = 0
  const made = Object.assign(stageBody(virtualClock()), { beat: () => void beats++ })
  const body = attended(made, () => undefined)
  await body.open()
  body.arm()
  body.beat?.()
  made.faults.halt = () => {
    throw broken
  }
  expect(() => body.halt()).toThrow(broken)
  body.beat?.()
  expect([made.isOpen, beats]).toEqual([false, 1])
  delete made.faults.halt
  await body.open()
  body.beat?.()
  expect([made.isOpen, beats]).toEqual([true, 2])
})

test('a driver that is asynchronous against its contract is told of when it rejects', async () => {
  const causes: string[] = []
  const late = (name: string) => () => Promise.reject(new Error(name))
  const made = Object.assign(stageBody(virtualClock()), {
    arm: late('arm'),
    write: late('write'),
    halt: late('halt'),
    step: late('step'),
    beat: late('beat'),
  })
  const body = attended(made, (cause) => causes.push(cause))
  body.arm()
  body.write({ kind: 'wheels', left: 0, right: 0 })
  body.step?.(20)
  body.beat?.()
  body.halt()
  await Promise.resolve()
  await Promise.resolve()
  expect(causes).toEqual(['arm', 'write', 'step', 'beat', 'halt'])
})
