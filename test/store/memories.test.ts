import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MechosError } from '../../core/vocabulary/errors.ts'
import { type MemoryStore, memoryStoreAt, volatileMemoryStore } from '../../store/memories.ts'
import type { Change } from '../../store/memory-records.ts'
import { openRunDirectory } from '../../store/run-directory.ts'
import { happening, keptOf, noteOf } from '../support/memories.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mechos-memories-'))
  path = join(folder, 'rover', 'memories')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const dock = keptOf(noteOf(1, 'the dock is by the red door'))
const turn = keptOf(happening(2))
const both: Change = {
  keep: [dock, turn],
  forget: [],
  lastId: 2,
  tally: { episodes: 1, notes: 1 },
}

/** Opens the store, does something, and closes it again. Resolves to what it found when it was opened. */
async function during(act: (store: MemoryStore) => Promise<unknown> = async () => {}) {
  const store = memoryStoreAt(path)
  const opened = await store.open()
  await act(store)
  await store.close()
  return opened
}

async function refusal(of: Promise<unknown>): Promise<string> {
  const error = await of.catch((thrown: unknown) => thrown)
  if (!(error instanceof MechosError)) throw new TypeError(`it was not refused: ${String(error)}`)
  expect(error.code).toBe('ERR_MEMORY_UNKEPT')
  return error.message
}

describe('memories on the disk', () => {
  test('are none at first, and nobody else can look into their folder', async () => {
    expect(await during()).toEqual({ kept: [], lastId: 0, loss: undefined })
    expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  test('come back with their vectors, in order, and a number is not given twice', async () => {
    await during((store) => store.write(both))
    expect(await during()).toEqual({ kept: [dock, turn], lastId: 2, loss: undefined })
    await during((store) =>
      store.write({ keep: [], forget: [2], lastId: 2, tally: { episodes: 0, notes: 1 } }),
    )
    expect(await during()).toEqual({ kept: [dock], lastId: 2, loss: undefined })
  })

  test('can be read again while they are open, and not written once they are closed', async () => {
    const store = memoryStoreAt(path)
    await store.open()
    await store.write(both)
    expect((await store.open()).kept).toEqual([dock, turn])
    await store.close()
    expect(await refusal(store.write(both))).toMatch('it was closed')
  })

  test('are not written before they were read', async () => {
    const store = memoryStoreAt(path)
    expect(await refusal(store.write(both))).toMatch('it was not read yet')
    await store.open()
    await store.write(both)
    await store.close()
    expect((await during()).kept).toEqual([dock, turn])
  })

  test('belong to one process, and whoever comes second is told whose they are', async () => {
    const directory = openRunDirectory(join(folder, 'rover'), { name: 'rover', simulated: true })
    await during(async () => {
      expect(await refusal(memoryStoreAt(path).open())).toBe(
        `memory: ${path} is in use by rover, process ${process.pid}; halt that robot, or give this one another --state`,
      )
    })
    directory.release()
  })

  test('of another version are left alone', async () => {
    await during((store) => store.write(both))
    const database = new Level(path)
    await database.put('meta', JSON.stringify({ version: 2, lastId: 2, episodes: 1, notes: 1 }))
    await database.close()
    expect(await refusal(memoryStoreAt(path).open())).toMatch(
      'it is of version 2, and this program reads 1',
    )
    expect(readdirSync(join(folder, 'rover'))).toEqual(['memories'])
  })
})

describe('damaged memories are put aside, mended, and told of', () => {
  const many = Array.from({ length: 400 }, (_, at) => keptOf(noteOf(at + 1, `note ${at + 1}`)))
  const lost = (how: RegExp, count: string) =>
    new RegExp(
      `^memory: ${path} was damaged \\(.*${how.source}.*\\); ${count} memories are lost, \\d+ are there; the folder as it was is ${path}\\.damaged-1$`,
    )
  const fill = () =>
    during((store) =>
      store.write({ keep: many, forget: [], lastId: 400, tally: { episodes: 0, notes: 400 } }),
    )

  test('when bits of them have rotted', async () => {
    await fill()
    // Moves them from the log to a table.
    await during()
    const database = new Level(path)
    await database.open()
    await database.close()
    for (const name of readdirSync(path).filter((file) => /\.(ldb|log)$/.test(file))) {
      const bytes = readFileSync(join(path, name))
      for (let at = 3_000; at < Math.min(bytes.length, 3_200); at++) {
        bytes[at] = (bytes[at] ?? 0) ^ 0xff
      }
      writeFileSync(join(path, name), bytes)
    }
    const { kept, lastId, loss } = await during()
    expect(loss).toMatch(lost(/./, '(some|\\d+ of 400)'))
    expect(kept.length).toBeLessThan(400)
    expect(lastId).toBeLessThanOrEqual(400)
    expect(kept).toEqual(many.filter(({ memory }) => kept.some((k) => k.memory.id === memory.id)))
    expect(statSync(`${path}.damaged-1`).isDirectory()).toBe(true)
    // It says so once: what there is now is sound, and can be written to.
    await during((store) => store.write(both))
  })

  test('when their table of contents is cut short', async () => {
    await fill()
    for (const name of readdirSync(path).filter((file) => file.startsWith('MANIFEST'))) {
      truncateSync(join(path, name), 3)
    }
    const { kept, loss } = await during()
    expect(loss).toMatch(lost(/./, '(some|0 of 400)'))
    expect(kept).toEqual(many)
  })

  test('when their table of contents is gone, which LevelDB takes for an empty folder', async () => {
    await fill()
    rmSync(join(path, 'CURRENT'))
    const { kept, loss } = await during()
    expect(loss).toMatch(lost(/table of contents is missing/, '0 of 400'))
    expect(kept).toEqual(many)
  })

  test('when one of them makes no sense', async () => {
    await during((store) => store.write(both))
    const database = new Level(path)
    await database.sublevel('memory').put('000000000002', '{"memory":{"kind":"dream"}}')
    await database.close()
    const { kept, lastId, loss } = await during()
    expect(loss).toMatch(lost(/memory 000000000002 makes no sense/, '1 of 2'))
    expect([kept, lastId]).toEqual([[dock], 2])
  })

  test('when nothing can be mended: they begin anew', async () => {
    await fill()
    for (const name of readdirSync(path)) writeFileSync(join(path, name), 'rubbish')
    const { kept, loss } = await during((store) => store.write(both))
    expect([kept, loss]).toEqual([[], expect.stringMatching(lost(/./, 'some'))])
    expect((await during()).kept).toEqual([dock, turn])
  })
})

/** A script that opens the store in a process of its own. */
function scriptIn(name: string, body: string): string {
  const script = join(folder, name)
  writeFileSync(
    script,
    `import { memoryStoreAt } from '${join(process.cwd(), 'store/memories.ts')}'
    import { keptOf, noteOf } from '${join(process.cwd(), 'test/support/memories.ts')}'
    const store = memoryStoreAt(${JSON.stringify(path)})
    ${body}`,
  )
  return script
}

const tsx = ['--import', 'tsx']

test('whatever was acknowledged is there after kill -9', { timeout: 120_000 }, async () => {
  const script = scriptIn(
    'killed.mts',
    `const { kept, lastId } = await store.open()
    let id = lastId
    for (;;) {
      const change = [1, 2, 3].map(() => keptOf(noteOf(++id, 'note ' + id)))
      await store.write({ keep: change, forget: [], lastId: id, tally: { episodes: 0, notes: id } })
      process.stdout.write(id + ' ')
    }`,
  )
  const acknowledged: number[] = []
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, [...tsx, script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    child.stdout.setEncoding('utf8')
    let said = ''
    child.stdout.on('data', (text: string) => {
      said += text
      if (said.length > 200) child.kill('SIGKILL')
    })
    // oxlint-disable-next-line no-await-in-loop -- one process after the other has the folder
    await once(child, 'close')
    acknowledged.push(Number(said.split(' ').at(-2)))
    // oxlint-disable-next-line no-await-in-loop -- as above
    const { kept, lastId, loss } = await during()
    expect(loss).toBe(undefined)
    expect(lastId).toBeGreaterThanOrEqual(acknowledged.at(-1) ?? Number.POSITIVE_INFINITY)
    // Whole batches, and none is missing.
    expect(kept.map(({ memory }) => memory.id)).toEqual(
      Array.from({ length: lastId }, (_, at) => at + 1),
    )
    expect(lastId % 3).toBe(0)
  }
  expect(acknowledged.toSorted((a, b) => a - b)).toEqual(acknowledged)
})

const canLimit = spawnSync('prlimit', ['--version']).status === 0

test.runIf(canLimit)('a disk that was full is written to again when there is room', () => {
  const script = scriptIn(
    'full.mts',
    `import { execFileSync } from 'node:child_process'
    import { readdirSync, statSync } from 'node:fs'
    const path = ${JSON.stringify(path)}
    const limit = (bytes) =>
      execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=' + bytes + ':unlimited'])
    process.on('SIGXFSZ', () => {})
    await store.open()
    const tries = []
    const attempt = (id) =>
      store
        .write({ keep: [keptOf(noteOf(id, 'note'))], forget: [], lastId: id, tally: { episodes: 0, notes: id === 3 ? 2 : 1 } })
        .then(() => tries.push('kept'), ({ code }) => tries.push(code))
    await attempt(1)
    const log = readdirSync(path).find((name) => name.endsWith('.log'))
    // Room for a part of the next write.
    limit(statSync(path + '/' + log).size + 30)
    await attempt(2)
    limit('unlimited')
    await attempt(3)
    const { kept, loss } = await store.open()
    await store.close()
    console.log(JSON.stringify({ tries, ids: kept.map(({ memory }) => memory.id), loss }))`,
  )
  const { stdout, stderr } = spawnSync(process.execPath, [...tsx, script], { encoding: 'utf8' })
  expect([JSON.parse(stdout || 'null'), stderr]).toEqual([
    { tries: ['kept', 'ERR_MEMORY_UNKEPT', 'kept'], ids: [1, 3] },
    '',
  ])
})

test('a memory of this process alone keeps nothing, and refuses nothing', async () => {
  const store = volatileMemoryStore()
  await store.write(both)
  expect(await store.open()).toEqual({ kept: [], lastId: 0, loss: undefined })
  await store.close()
})
