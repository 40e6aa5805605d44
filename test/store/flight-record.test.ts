import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Link } from '../../core/record/chain.ts'
import type { Begin, Entry } from '../../core/record/entry.ts'
import { textOf } from '../../core/record/text.ts'
import { MechosError } from '../../core/vocabulary/errors.ts'
import { flightRecordIn, recordLimits } from '../../store/flight-record.ts'
import { entriesName, entryKey } from '../../store/record-layout.ts'
import { readRecord } from '../../store/record-reader.ts'
import { findRecord, recordsIn } from '../../store/records.ts'
import { chainedAnew, tamper } from '../support/tampering.ts'

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
  run: 'one',
  name: 'rover',
  atMs: 0,
  wallMs: 1_000,
  configuration: { name: 'rover' },
  body: { kind: 'custom', has: [] },
  cameras: [],
}

const outputs = (count: number, from = 0, size = 1): readonly Entry[] =>
  Array.from({ length: count }, (_, index) => ({
    kind: 'out',
    what: 'write',
    value: [from + index, 'x'.repeat(size)],
  }))

async function keep(
  entries: readonly Entry[],
  { in: where = folder, limits = recordLimits, run = 'one', wallMs = 1_000 } = {},
): Promise<void> {
  const record = flightRecordIn(where, limits, () => 0)
  await record.open({ run, name: 'rover', wallMs })
  for (const entry of entries) await record.append([textOf(entry)], { sync: false })
  await record.close()
}

async function read(where = folder): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  for await (const entry of readRecord(where)) entries.push(entry)
  return entries
}

async function refusal(of: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await of.catch((thrown: unknown) => thrown)
  if (!(error instanceof MechosError)) throw new TypeError('it was not refused')
  return { code: error.code, message: error.message }
}

describe('a flight record', () => {
  test('gives back what was kept, in its order, and is nobody elses to read', async () => {
    const entries = [begin, ...outputs(1_000), { kind: 'end', shed: 0 } as const]
    await keep(entries)
    expect(await read()).toEqual(entries)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  })

  test('in which a byte was changed is refused, and the entry named', async () => {
    await keep([begin, ...outputs(9)])
    await tamper(folder, changed)
    expect(await refusal(read())).toEqual({
      code: 'ERR_RECORD_BROKEN',
      message: `record: ${folder}: entry 4 is not the one that was written: its hash is wrong`,
    })
  })

  test('of which an entry is missing is refused, and the entry named', async () => {
    await keep([begin, ...outputs(9)])
    const database = new Level(join(folder, entriesName))
    await database.del(entryKey(6))
    await database.close()
    expect(await refusal(read())).toEqual({
      code: 'ERR_RECORD_BROKEN',
      message: `record: ${folder}: entry 6 is missing`,
    })
  })

  test('whose chain was made anew is read: then the replay has to tell', async () => {
    await keep([begin, ...outputs(9)])
    await tamper(folder, (links) => chainedAnew(changed(links)))
    const entries = await read()
    expect(entries[4]).toEqual({ kind: 'out', what: 'write', value: [4, 'x'] })
    expect(entries.length).toBe(10)
  })

  test('that holds something else than entries is refused', async () => {
    const record = flightRecordIn(folder, recordLimits, () => 0)
    await record.open({ run: 'one', name: 'rover', wallMs: 0 })
    await record.append(['{"kind":"cat"}'], { sync: true })
    await record.close()
    expect(await refusal(read())).toEqual({
      code: 'ERR_RECORD_BROKEN',
      message: `record: ${folder}: entry 0 is no entry`,
    })
  })

  test('of a robot that is running is not read', async () => {
    const record = flightRecordIn(folder, recordLimits, () => 0)
    await record.open({ run: 'one', name: 'rover', wallMs: 0 })
    expect((await refusal(read())).message).toBe(
      `record: ${folder} is still being written: its robot is running`,
    )
    await record.close()
  })
})

describe('a cap', () => {
  const limits = { maxBytes: 5_000_000, maxHours: 4 }

  test('takes the oldest entries first, and the record says which are gone', async () => {
    await keep([begin, ...outputs(100, 0, 100_000)], { limits })
    const [first, gap, ...rest] = await read()
    expect(first).toEqual(begin)
    expect(gap).toEqual({
      kind: 'gap',
      cause: expect.stringMatching(
        /^entries 1 to \d+ were dropped: the record had reached its cap$/,
      ),
    })
    const last = rest.at(-1)
    expect(last?.kind === 'out' && last.value).toEqual([99, expect.any(String)])
    expect(rest.length).toBeGreaterThan(30)
    expect(rest.length).toBeLessThanOrEqual(60)
  })

  test('takes older runs first', async () => {
    const records = join(root, 'records')
    for (const [index, run] of ['a', 'b', 'c'].entries()) {
      await keep([begin, ...outputs(30, 0, 100_000).map(incompressible)], {
        in: join(records, run),
        run,
        wallMs: index,
      })
    }
    await keep([begin, ...outputs(10, 0, 100_000)], {
      limits,
      run: 'd',
      wallMs: 9,
      in: join(records, 'd'),
    })
    expect(recordsIn(records).map(({ run }) => run)).toEqual(['c', 'd'])
    expect((await read(join(records, 'd'))).length).toBe(11)
  })

  test('takes what is too old, by the clock', async () => {
    let nowMs = 0
    const record = flightRecordIn(folder, { ...limits, maxHours: 1 }, () => nowMs)
    await record.open({ run: 'one', name: 'rover', wallMs: 0 })
    await record.append([textOf(begin)], { sync: false })
    for (const entry of outputs(40, 0, 300_000)) {
      nowMs += 600_000
      await record.append([textOf(entry)], { sync: false })
    }
    await record.close()
    const entries = await read()
    expect(entries[1]?.kind).toBe('gap')
    expect(entries.length).toBeLessThan(15)
  })

  test('takes nothing of the last minutes while the robot is halted: what comes then is not kept, and that is said', async () => {
    let nowMs = 0
    const record = flightRecordIn(folder, limits, () => nowMs)
    await record.open({ run: 'one', name: 'rover', wallMs: 0 })
    await record.append([textOf(begin)], { sync: false })
    const append = async (entries: readonly Entry[]) => {
      for (const entry of entries) {
        nowMs += 1_000
        await record.append([textOf(entry)], { sync: false })
      }
    }
    await append(outputs(40, 0, 100_000))
    record.freeze()
    await append(outputs(40, 40, 100_000))
    await record.close()
    const entries = await read()
    const values = entries.flatMap((entry) => (entry.kind === 'out' ? [firstOf(entry.value)] : []))
    expect(values).toContain(0)
    expect(values).toContain(39)
    expect(values).not.toContain(79)
    expect(entries.at(-1)).toEqual({
      kind: 'gap',
      cause: expect.stringMatching(
        /^\d+ entries were not kept: the record was full, and frozen by a halt$/,
      ),
    })
  })
})

test('a record is found by its folder, its run, or its robot', async () => {
  const state = join(root, 'rover')
  const where = { state: undefined, stateRoot: root }
  await keep([begin], { in: join(state, 'records', 'a'), run: 'a', wallMs: 2 })
  await keep([begin], { in: join(state, 'records', 'b'), run: 'b', wallMs: 1 })
  expect(findRecord('b', where).run).toBe('b')
  expect(findRecord('rover', where).run).toBe('a')
  expect(findRecord(join(state, 'records', 'b'), where).run).toBe('b')
  expect(findRecord('a', { state, stateRoot: '/nowhere' }).run).toBe('a')
  expect(() => findRecord('cat', where)).toThrow(
    'run: cat is not allowed; a folder of a record, a run or a robot that has one, such as b, a',
  )
})

test('what was kept when its process was killed is there, and nothing else', async () => {
  const script = `
    import { flightRecordIn, recordLimits } from '${join(process.cwd(), 'store/flight-record.ts')}'
    const record = flightRecordIn(process.argv[1], recordLimits, () => 0)
    await record.open({ run: 'one', name: 'rover', wallMs: 0 })
    await record.append(['${textOf(begin)}'], { sync: false })
    for (let number = 1; ; number += 5) {
      const texts = [0, 1, 2, 3, 4].map((index) =>
        JSON.stringify({ kind: 'out', what: 'write', value: number + index }))
      await record.append(texts, { sync: number % 100 === 1 })
      process.stdout.write(number + 4 + '\\n')
    }`
  for (let kill = 0; kill < 4; kill++) {
    const path = join(root, 'records', `kill-${kill}`)
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script, path],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.split('\n').length > 30 + kill * 200) child.kill('SIGKILL')
    })
    await once(child, 'close')
    const acknowledged = Number(said.split('\n').at(-2))
    expect(acknowledged).toBeGreaterThan(100)
    const entries = await read(path)
    const values = entries.slice(1).map((entry) => entry.kind === 'out' && entry.value)
    expect(values).toEqual(Array.from({ length: values.length }, (_, index) => index + 1))
    expect(values.length).toBeGreaterThanOrEqual(acknowledged)
    expect(values.length % 5).toBe(0)
  }
})

test('a folder that cannot be written to is said', async () => {
  const file = join(root, 'file')
  writeFileSync(file, '')
  const path = join(file, 'one')
  const record = flightRecordIn(path, recordLimits, () => 0)
  const { code, message } = await refusal(record.open({ run: 'one', name: 'rover', wallMs: 0 }))
  expect(code).toBe('ERR_RECORD_UNKEPT')
  expect(message).toMatch(/^record: .*\/file\/one does not keep what is written: ENOTDIR/)
})

/** LevelDB packs what repeats itself; a disk does not care how often a letter is in a text. */
function incompressible(entry: Entry, index: number): Entry {
  let state = index + 1
  const letters = Array.from({ length: 100_000 }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return String.fromCharCode(33 + ((state >>> 16) % 90))
  })
  return entry.kind === 'out' ? { ...entry, value: [index, letters.join('')] } : entry
}

/** One digit of entry 4. */
function changed(links: readonly Link[]): readonly Link[] {
  return links.map((link, number) =>
    number === 4 ? { ...link, text: link.text.replace('[3,', '[4,') } : link,
  )
}

function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined
}
