import { describe, expect, test } from 'vitest'
import { virtualClock } from '../../drivers/clock.ts'
import { createEnabling, waitMsMax } from '../../robot/enabling.ts'

function handOn() {
  const clock = virtualClock()
  const told: string[] = []
  const enabling = createEnabling({
    clock,
    changed: () => told.push(enabling.cause === undefined ? 'held' : 'released'),
    resume: () => told.push('resume'),
    failed: (cause) => told.push(cause),
  })
  const take = () => {
    enabling.hold('thumb', false)
    enabling.hold('thumb', true)
  }
  return { clock, enabling, take, told }
}

describe('a hand on the enabling device', () => {
  test('lets a robot go on that drove itself when it was let go', () => {
    const { enabling, take, told } = handOn()
    take()
    expect(told).toEqual(['held'])
    enabling.follow('active.autonomous')
    enabling.hold('thumb', false)
    enabling.follow('active.holding')
    take()
    expect(told).toEqual(['held', 'released', 'held', 'resume'])
  })

  test('does so within a minute, and not after a pause, a drive by hand or a halt', async () => {
    for (const end of ['a minute', 'pause', 'active.manual', 'halted', 'standby']) {
      const { clock, enabling, take, told } = handOn()
      enabling.follow('active.holding')
      enabling.wait()
      if (end === 'pause') enabling.stay()
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      else if (end === 'a minute') await clock.advance(waitMsMax + 1)
      else enabling.follow(end)
      enabling.follow('active.holding')
      take()
      expect([end, told]).toEqual([end, ['held']])
    }
    const { clock, enabling, take, told } = handOn()
    enabling.wait()
    await clock.advance(waitMsMax - 1)
    take()
    expect(told).toEqual(['held', 'resume'])
  })

  test('is none when the chart goes deaf: what nobody has said for long is not so', async () => {
    const { clock, enabling, take } = handOn()
    take()
    expect(enabling.cause).toBe(undefined)
    enabling.chart?.system.inspect(({ type }) => {
      if (type === '@xstate.snapshot') throw new Error('a bad observer')
    })
    expect(() => enabling.hold('thumb', true)).not.toThrow()
    await clock.advance(401)
    expect(enabling.cause).toMatch(/^(nobody holds|the enabling device has failed)/)
  })

  test('is none once it has failed, which halts the robot', () => {
    const { enabling, take, told } = handOn()
    take()
    enabling.fail('it does not answer')
    enabling.fail('it does not answer')
    take()
    expect(enabling.cause).toMatch(/has failed/)
    expect(enabling.status).toMatchObject({ state: 'failed' })
    expect(told).toEqual([
      'held',
      'released',
      'the enabling device has failed; start the program again: it does not answer',
    ])
  })

  test('may be a contact, whose release counts however late it comes, and whose press only when it is of now', () => {
    const { enabling } = handOn()
    const hear = (closed: boolean, stampMs: number) =>
      enabling.hear({ kind: 'contact', name: 'enabling', closed, stampMs }, 1_000)
    hear(false, 1_000)
    for (const stampMs of [799, 1_201, 1e9, Number.NaN]) {
      hear(true, stampMs)
      expect([stampMs, enabling.status?.state]).toEqual([stampMs, 'released'])
    }
    hear(true, 900)
    expect(enabling.status).toEqual({ state: 'held', device: 'enabling' })
    hear(false, 0)
    expect(enabling.status?.state).toBe('released')
  })
})
