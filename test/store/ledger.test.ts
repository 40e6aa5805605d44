import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Books } from '../../core/budget/books.ts'
import { MechosError } from '../../core/vocabulary/errors.ts'
import { type LedgerStore, memoryLedgerStore, openLedgerStore } from '../../store/ledger.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mechos-ledger-'))
  path = join(folder, 'rover', 'budget')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function booksAt(spent: number): Books {
  const none = { tokens: 0, nanoUsd: 0 }
  const charged = { spent: { tokens: spent, nanoUsd: 7 * spent }, assumed: none, debt: none }
  return {
    calendar: {
      day: '2026-01-30',
      bootId: 'one',
      anchorMs: 1.5,
      anchorUptimeMs: 2.5,
      seenMs: 3.5,
    },
    charged: { day: charged, month: charged },
    wanted: undefined,
  }
}

const worst = { tokens: 700, nanoUsd: 900 }

/** Opens the store, does something, and closes it again. Resolves to what it found when it was opened. */
async function during(act: (store: LedgerStore) => Promise<unknown>) {
  const store = await openLedgerStore(path)
  await act(store)
  await store.close()
  return store.kept
}

const look = () => during(async () => {})

async function refusal(of: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await of.catch((thrown: unknown) => thrown)
  if (!(error instanceof MechosError)) throw new TypeError('it was not refused')
  return { code: error.code, message: error.message }
}

describe('the ledger on the disk', () => {
  test('is empty at first, and nobody else can look into its folder', async () => {
    expect(await look()).toBe(undefined)
    expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  test('keeps books and holds, and forgets the holds that ended', async () => {
    await during(async (store) => {
      await store.keepHold('a', worst, booksAt(1))
      await store.keepHold('b', worst, booksAt(2))
      await store.keepBooks(booksAt(3), ['a', 'z'])
    })
    expect(await look()).toEqual({ books: booksAt(3), holds: new Map([['b', worst]]) })
    await during((store) => store.keepBooks({ ...booksAt(4), wanted: worst }, ['b']))
    expect(await look()).toEqual({ books: { ...booksAt(4), wanted: worst }, holds: new Map() })
  })

  test('keeps what was asked last, though nobody waited', async () => {
    await during(async (store) => {
      const writes = Array.from({ length: 50 }, (_, at) => [
        store.keepHold(`hold-${at}`, worst, booksAt(2 * at)),
        store.keepBooks(booksAt(2 * at + 1), [`hold-${at - 1}`]),
      ])
      void Promise.all(writes.flat())
    })
    expect(await look()).toEqual({ books: booksAt(99), holds: new Map([['hold-49', worst]]) })
  })

  test('resolves in the order in which it was asked', async () => {
    const order: number[] = []
    await during((store) =>
      Promise.all(
        Array.from({ length: 20 }, (_, at) =>
          store.keepBooks(booksAt(at), []).then(() => order.push(at)),
        ),
      ),
    )
    expect(order).toEqual(Array.from({ length: 20 }, (_, at) => at))
  })

  test('belongs to one process', async () => {
    await during(async () => {
      expect(await refusal(openLedgerStore(path))).toEqual({
        code: 'ERR_BUDGET_UNKEPT',
        message: `budget: ${path} is in use by another process; halt that robot, or give this one another --state`,
      })
    })
  })

  test('refuses a file in the place of its folder', async () => {
    path = join(folder, 'file')
    writeFileSync(path, '')
    const { code, message } = await refusal(openLedgerStore(path))
    expect(code).toBe('ERR_BUDGET_UNKEPT')
    expect(message).toMatch(`budget: ${path} cannot be used: EEXIST`)
  })

  const unreadable = () => `budget: ${path} cannot be read: it is damaged, or of another version`

  test('refuses a database that is damaged', async () => {
    await during((store) => store.keepBooks(booksAt(1), []))
    for (const name of readdirSync(path).filter((file) => file.startsWith('MANIFEST'))) {
      truncateSync(join(path, name), 3)
    }
    const { code, message } = await refusal(openLedgerStore(path))
    expect(code).toBe('ERR_BUDGET_UNKEPT')
    expect(message).toMatch(unreadable())
  })

  test.each([
    ['another version', 'version', 2],
    ['books with a number that is none', 'books', { ...booksAt(0.5) }],
    ['books without a day', 'books', { ...booksAt(1), calendar: undefined }],
    ['no books at all', 'books', undefined],
    ['a hold that gives something back', 'hold:a', { tokens: -5, nanoUsd: 0 }],
  ])('refuses %s', async (_, key, value) => {
    await during((store) => store.keepHold('a', worst, booksAt(1)))
    const database = new Level<string, unknown>(path, { valueEncoding: 'json' })
    await (value === undefined ? database.del(key) : database.put(key, value))
    await database.close()
    const { code, message } = await refusal(openLedgerStore(path))
    expect(code).toBe('ERR_BUDGET_UNKEPT')
    expect(message).toMatch(unreadable())
  })

  test('keeps nothing once it is closed', async () => {
    const store = await openLedgerStore(path)
    await store.close()
    expect((await refusal(store.keepBooks(booksAt(1), []))).code).toBe('ERR_BUDGET_UNKEPT')
    expect(await look()).toBe(undefined)
  })
})

const canLimit = spawnSync('prlimit', ['--version']).status === 0

test.runIf(canLimit)('a disk that was full is written to again when there is room', () => {
  const script = join(folder, 'full.mts')
  writeFileSync(
    script,
    `import { execFileSync } from 'node:child_process'
    import { readdirSync, statSync } from 'node:fs'
    import { openLedgerStore } from '${join(process.cwd(), 'store/ledger.ts')}'
    const books = ${JSON.stringify(booksAt(1))}
    const worst = ${JSON.stringify(worst)}
    const path = ${JSON.stringify(path)}
    const limit = (bytes) =>
      execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=' + bytes + ':unlimited'])
    process.on('SIGXFSZ', () => {})
    const store = await openLedgerStore(path)
    const tries = []
    const attempt = (id) =>
      store.keepHold(id, worst, books).then(() => tries.push('kept'), ({ code }) => tries.push(code))
    await attempt('before')
    const log = readdirSync(path).find((name) => name.endsWith('.log'))
    // Room for a part of the next write.
    limit(statSync(path + '/' + log).size + 30)
    await attempt('during')
    limit('unlimited')
    await attempt('after')
    await store.close()
    const { kept, close } = await openLedgerStore(path)
    await close()
    console.log(JSON.stringify({ tries, holds: [...kept.holds.keys()].sort() }))`,
  )
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script], {
    encoding: 'utf8',
  })
  expect([JSON.parse(stdout || 'null'), stderr]).toEqual([
    { tries: ['kept', 'ERR_BUDGET_UNKEPT', 'kept'], holds: ['after', 'before'] },
    '',
  ])
})

test('a ledger in memory keeps nothing, and refuses nothing', async () => {
  const store = memoryLedgerStore()
  await store.keepHold('a', worst, booksAt(1))
  await store.keepBooks(booksAt(2), ['a'])
  await store.close()
  expect(store.kept).toBe(undefined)
})
