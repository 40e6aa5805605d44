import { describe, expect, test } from 'vitest'
import { createActor, fromPromise, SimulatedClock } from 'xstate'
import { memoryMachine, type Written } from '../../machines/memory.machine.ts'

/** A promise that the test settles. */
interface Held<T> {
  resolve(value: T): void
  reject(error: Error): void
}

/** The chart with a disk in the hands of the test. */
function chart() {
  const clock = new SimulatedClock()
  const held: Record<string, Held<never>[]> = { open: [], write: [], close: [] }
  const hold = <T>(name: string) =>
    fromPromise<T, void>(
      () =>
        new Promise<T>((resolve, reject) => {
          held[name]?.push({ resolve, reject })
        }),
    )
  const actor = createActor(
    memoryMachine.provide({
      actors: {
        openMemories: hold('open'),
        writeMemories: hold<Written>('write'),
        mendMemories: hold<Written>('write'),
        closeMemories: hold<void>('close'),
      },
    }),
    { clock },
  )
  actor.start()
  const settle = async (name: string, how: (held: Held<never>) => void) => {
    const one = held[name]?.shift()
    if (!one) throw new TypeError(`nobody asked for ${name}`)
    how(one)
    await Promise.resolve()
    await Promise.resolve()
  }
  return {
    actor,
    clock,
    note: (isUrgent = false) => actor.send({ type: 'memory.noted', isUrgent }),
    close: () => actor.send({ type: 'memory.close' }),
    opened: () => settle('open', ({ resolve }) => resolve({ episodes: 2, notes: 1 } as never)),
    wrote: (left = 0) =>
      settle('write', ({ resolve }) =>
        resolve({ tally: { episodes: 3, notes: 1 }, left } as never),
      ),
    failed: (name: string) => settle(name, ({ reject }) => reject(new Error('the disk is full'))),
    closed: () => settle('close', ({ resolve }) => resolve(undefined as never)),
    asked: () => Object.entries(held).flatMap(([name, all]) => all.map(() => name)),
    get state() {
      return actor.getSnapshot().value
    },
    get context() {
      return actor.getSnapshot().context
    },
  }
}

async function ready() {
  const memory = chart()
  await memory.opened()
  return memory
}

describe('memory', () => {
  test('opens, and says what there is', async () => {
    const memory = await ready()
    expect([memory.state, memory.context.tally]).toEqual([
      { ready: 'idle' },
      { episodes: 2, notes: 1 },
    ])
    expect(memory.actor.getSnapshot().hasTag('keeping')).toBe(true)
  })

  test('gathers for a second, and writes once', async () => {
    const memory = await ready()
    memory.note()
    memory.clock.increment(600)
    memory.note()
    memory.clock.increment(399)
    expect([memory.state, memory.asked()]).toEqual([{ ready: 'gathering' }, []])
    memory.clock.increment(1)
    expect([memory.state, memory.asked()]).toEqual([{ ready: 'writing' }, ['write']])
    await memory.wrote()
    expect([memory.state, memory.context.tally]).toEqual([
      { ready: 'idle' },
      { episodes: 3, notes: 1 },
    ])
  })

  test('writes at once what is urgent, also when it is gathering', async () => {
    const memory = await ready()
    memory.note()
    memory.note(true)
    expect(memory.asked()).toEqual(['write'])
  })

  test('forgets nothing that is noted while it writes, and nothing that a write leaves', async () => {
    const memory = await ready()
    memory.note(true)
    memory.note()
    await memory.wrote()
    expect(memory.state).toEqual({ ready: 'gathering' })
    memory.clock.increment(1_000)
    await memory.wrote(4)
    expect([memory.state, memory.asked()]).toEqual([{ ready: 'writing' }, ['write']])
    memory.note(true)
    await memory.wrote()
    expect([memory.state, memory.asked()]).toEqual([{ ready: 'writing' }, ['write']])
  })

  test('keeps what is noted before it is open', async () => {
    const memory = chart()
    memory.note(true)
    expect(memory.asked()).toEqual(['open'])
    await memory.opened()
    expect(memory.asked()).toEqual(['write'])
  })

  test('is degraded when the disk refuses, and tries again every five seconds', async () => {
    const memory = await ready()
    memory.note(true)
    await memory.failed('write')
    expect([memory.state, memory.context.fault]).toEqual([
      { degraded: 'resting' },
      'the disk is full',
    ])
    expect(memory.actor.getSnapshot().hasTag('keeping')).toBe(false)
    memory.note(true)
    memory.clock.increment(4_999)
    expect(memory.asked()).toEqual([])
    memory.clock.increment(1)
    expect(memory.state).toEqual({ degraded: 'mending' })
    await memory.failed('write')
    expect(memory.state).toEqual({ degraded: 'resting' })
    memory.clock.increment(5_000)
    await memory.wrote()
    expect([memory.state, memory.context.fault]).toEqual([{ ready: 'idle' }, undefined])
  })

  test('is degraded when it cannot be opened, or the disk does not answer', async () => {
    const refused = chart()
    await refused.failed('open')
    expect(refused.state).toEqual({ degraded: 'resting' })

    const silent = chart()
    silent.clock.increment(30_000)
    expect([silent.state, silent.context.fault]).toEqual([
      { degraded: 'resting' },
      'memory: the disk does not answer',
    ])

    const stuck = await ready()
    stuck.note(true)
    stuck.clock.increment(10_000)
    expect(stuck.state).toEqual({ degraded: 'resting' })
    stuck.clock.increment(5_000)
    expect(stuck.state).toEqual({ degraded: 'mending' })
    stuck.clock.increment(10_000)
    expect(stuck.state).toEqual({ degraded: 'resting' })
  })

  test('is closed once the last of it is written, and does not wait for ever', async () => {
    const memory = await ready()
    memory.note()
    memory.close()
    expect([memory.state, memory.asked()]).toEqual(['closing', ['close']])
    await memory.closed()
    expect(memory.state).toBe('closed')

    const stuck = chart()
    stuck.close()
    stuck.clock.increment(2_000)
    expect([stuck.state, stuck.actor.getSnapshot().status]).toEqual(['closed', 'done'])

    const failing = await ready()
    failing.close()
    await failing.failed('close')
    expect(failing.state).toBe('closed')
  })
})
