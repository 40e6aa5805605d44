import { describe, expect, test } from 'vitest'
import { wallClock } from '../../drivers/clock.ts'
import type { ImageReading, LidarReading } from '../../core/vocabulary/reading.ts'
import { waitingEntries } from '../../robot/waiting-entries.ts'
import type { FlightRecord } from '../../store/flight-record.ts'
import { benchWith } from '../support/hand-made-body.ts'
import { keptRecord } from '../support/kept-record.ts'

const later = (milliseconds: number) =>
  new Promise((resolve) => wallClock().setTimeout(() => resolve(undefined), milliseconds))

describe('a record that fails', () => {
  const failing: readonly (readonly [string, Partial<FlightRecord>, string])[] = [
    [
      'to be opened',
      { open: () => Promise.reject(new Error('no such disk')) },
      'recorder: no such disk',
    ],
    [
      'to be written',
      { append: () => Promise.reject(new Error('the disk is full')) },
      'recorder: the disk is full',
    ],
  ]
  test.each(failing)('%s is told, and the robot drives on', async (_, fault, line) => {
    const warned: string[] = []
    const { body, clock, drive, robot } = benchWith({
      record: { ...keptRecord(), ...fault },
      log: { info() {}, warn: (_fields, message) => void warned.push(message), error() {} },
    })
    await drive()
    await later(150)
    await clock.advance(5_000)
    expect(warned).toEqual([line])
    expect(robot.snapshot()).toMatchObject({
      state: 'active.autonomous',
      recorder: { state: 'closed', cause: line.replace('recorder: ', ''), waiting: 0 },
    })
    expect(Math.hypot(body.at.x, body.at.y)).toBeGreaterThan(0.3)
    expect(await robot.stop()).toMatchObject({ exit: 0 })
  })

  test('to answer keeps the robot from nothing', async () => {
    const { body, clock, drive, robot } = benchWith({
      record: { ...keptRecord(), append: () => new Promise(() => {}) },
    })
    await drive()
    await later(150)
    await clock.advance(5_000)
    expect(robot.snapshot().recorder).toMatchObject({ state: 'recording', cause: null })
    expect(Math.hypot(body.at.x, body.at.y)).toBeGreaterThan(0.3)
    await robot.halt()
    expect(body.isArmed).toBe(false)
    expect(await robot.stop()).toMatchObject({ exit: 0 })
  })
})

test('at a halt the last minutes are frozen and written through to the disk, until a reset', async () => {
  const said: string[] = []
  const record = keptRecord()
  const { clock, drive, robot } = benchWith({
    record: {
      ...record,
      append(texts, options) {
        if (options.sync) said.push('sync')
        return record.append(texts, options)
      },
      freeze: () => void said.push('freeze'),
      thaw: () => void said.push('thaw'),
    },
  })
  await drive()
  await later(150)
  await clock.advance(500)
  void robot.halt('enough')
  expect(robot.snapshot().recorder?.state).toBe('frozen')
  await later(250)
  expect(said).toEqual(['freeze', 'sync'])
  robot.send({ type: 'robot.reset' })
  expect(robot.snapshot().recorder?.state).toBe('recording')
  expect(said).toEqual(['freeze', 'sync', 'thaw'])
  await robot.stop()
})

describe('entries that wait to be written', () => {
  const all = (waiting: ReturnType<typeof waitingEntries>) => {
    const texts: string[] = []
    while (waiting.length > 0) texts.push(...waiting.slice(() => 0))
    return texts
  }

  test('are no more than fit, and what is lost is a gap in them', () => {
    const waiting = waitingEntries(false)
    for (let value = 0; value < 100_010; value++) waiting.add({ kind: 'out', what: 'x', value })
    expect(waiting.length).toBe(100_000)
    const first = all(waiting)
    expect(first.at(-1)).toBe('{"kind":"out","what":"x","value":99999}')
    waiting.add({ kind: 'out', what: 'x', value: 'after' })
    expect(all(waiting)).toEqual([
      '{"kind":"gap","cause":"10 entries were lost: the disk is too slow"}',
      '{"kind":"out","what":"x","value":"after"}',
    ])
  })

  test('are what they were when they came, though their value is changed afterwards', () => {
    const waiting = waitingEntries(false)
    const value = { linear: 1 }
    waiting.add({ kind: 'out', what: 'proposal', value })
    value.linear = 2
    expect(all(waiting)).toEqual(['{"kind":"out","what":"proposal","value":{"linear":1}}'])
  })

  test('that hold themselves are a gap', () => {
    const waiting = waitingEntries(false)
    const value: { self?: unknown } = {}
    value.self = value
    waiting.add({ kind: 'out', what: 'proposal', value })
    expect(all(waiting)).toEqual([
      expect.stringMatching(/^\{"kind":"gap","cause":"an entry could not be written: .*circular/),
    ])
  })

  const picture: ImageReading = {
    kind: 'image',
    name: 'eye',
    stampMs: 1,
    pixelFormat: 'rgb8',
    width: 1,
    height: 1,
    data: Uint8Array.of(1, 2, 3),
  }
  const entry = { kind: 'in', door: 'camera.eye', atMs: 1, wallMs: 2, value: picture } as const

  test('keep the pixels of pictures only where that was asked for, and not while there is too much', () => {
    const hashing = waitingEntries(false)
    hashing.add(entry)
    expect(all(hashing)[0]).toContain(
      '"data":{"bytes":3,"sha256":"A5BYxvLAy0ksUzsKTRTvd8wPeKvMztUofYShogEc-4E"}',
    )
    const waiting = waitingEntries(true)
    waiting.add(entry)
    expect(all(waiting)[0]).toContain('"data":{"$":"bytes","is":"AQID"}')
    waiting.shedPictures(true)
    waiting.add(entry)
    expect(all(waiting)[0]).toContain('"data":{"bytes":3,"sha256":""}')
    expect(waiting.shed).toBe(1)
  })

  test('are made text a few milliseconds at a time', () => {
    const waiting = waitingEntries(false)
    const scan: LidarReading = {
      kind: 'lidar',
      stampMs: 1,
      firstAngle: 0,
      angleStep: 1,
      reachMetres: 6,
      ranges: [1, Infinity],
    }
    for (let count = 0; count < 10; count++) {
      waiting.add({ kind: 'nested', door: 'reading', during: 'step:1', value: scan })
    }
    let nowMs = 0
    expect(waiting.slice(() => (nowMs += 1)).length).toBe(3)
    expect(waiting.length).toBe(7)
  })
})
