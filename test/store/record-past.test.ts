import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Begin, Entry } from '../../core/record/entry.ts'
import { textOf } from '../../core/record/text.ts'
import { type FlightRecord, flightRecordIn, recordLimits } from '../../store/flight-record.ts'
import type { RecordPast } from '../../store/record-past.ts'
import { readRecord } from '../../store/record-reader.ts'

let root: string
let folder: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mechos-record-'))
  folder = join(root, 'records', 'one')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const begin: Begin = {
  kind: 'begin',
  version: 1,
  name: 'rover',
  atMs: 0,
  wallMs: 0,
  configuration: {},
  body: { kind: 'custom', has: [] },
  cameras: [],
}

/** So many ticks of 20 ms, each with a place and as much as is to be kept beside it. */
function ticks(count: number, from = 0, size = 0): readonly string[] {
  const padding = 'x'.repeat(size)
  return Array.from({ length: count }, (_, index): readonly Entry[] => {
    const atMs = (from + index + 1) * 20
    return [
      { kind: 'timer', timer: 3, delayMs: 20, atMs, wallMs: 0 },
      { kind: 'out', what: 'pose', value: { x: atMs, y: 0, heading: 0 } },
      { kind: 'out', what: 'other', value: padding },
    ]
  })
    .flat()
    .map(textOf)
}

async function opened(
  limits = recordLimits,
): Promise<{ readonly record: FlightRecord; readonly past: RecordPast }> {
  const record = flightRecordIn(folder, limits, () => 0)
  await record.open({ run: 'one', name: 'rover', wallMs: 0 })
  await record.append([textOf(begin)], { sync: false })
  if (!record.past) throw new TypeError('it cannot be looked at')
  return { record, past: record.past }
}

test('a moment is found while the record is being written, and what comes meanwhile changes nothing of it', async () => {
  const { record, past } = await opened()
  await record.append(ticks(5_000), { sync: false })
  const moments = [1, 20, 999, 1_000, 50_000, 99_999, 100_000]
  const finding = Promise.all(moments.map((atMs) => past.at(atMs)))
  await record.append(ticks(1_000, 5_000), { sync: false })
  const found = await finding
  expect(found.map((state) => [state.atMs, state.pose?.x])).toEqual([
    [0, undefined],
    [20, 20],
    [980, 980],
    [1_000, 1_000],
    [50_000, 50_000],
    [99_980, 99_980],
    [100_000, 100_000],
  ])
  expect(past.reach?.toMs).toBe(120_000)
  await record.close()
  // Looking at it has left it as it was.
  let entries = 0
  for await (const entry of readRecord(folder)) entries += entry.kind === 'gap' ? 0 : 1
  expect(entries).toBe(18_001)
})

test('what the cap has taken is no past any more, and the rest of it is', async () => {
  const { record, past } = await opened({ maxBytes: 5_000_000, maxHours: 4 })
  for (let from = 0; from < 5_000; from += 100) {
    // oxlint-disable-next-line no-await-in-loop -- as a recorder does
    await record.append(ticks(100, from, 2_000), { sync: false })
  }
  const { fromMs = 0, toMs } = past.reach ?? {}
  expect(fromMs).toBeGreaterThan(20_000)
  expect(toMs).toBe(100_000)
  const middle = Math.round((fromMs + 100_000) / 40) * 20
  expect((await past.at(middle)).pose?.x).toBe(middle)
  // Before it there is nothing: the nearest moment is shown.
  const before = await past.at(0)
  expect(before.atMs).toBeGreaterThanOrEqual(fromMs)
  await record.close()
})

test('whoever has gone away is not looked for on, and of a record that is closed nothing is read', async () => {
  const { record, past } = await opened()
  await record.append(ticks(5_000), { sync: false })
  const calledOff = new AbortController()
  const looking = past.at(50_000, calledOff.signal)
  calledOff.abort()
  await expect(looking).rejects.toThrow(/abort/i)
  // Closed in the middle of it, it ends either way.
  await Promise.all([Promise.allSettled([past.at(50_000)]), record.close()])
  await expect(past.at(50_000)).rejects.toThrow()
})
