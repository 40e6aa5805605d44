import { getEventListeners, setMaxListeners } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Budget, type BudgetInput, createBudget } from '../../actors/budget.ts'
import { covers, sum } from '../../core/budget/amount.ts'
import type { Charge } from '../../core/budget/ledger.ts'
import { periods } from '../../core/budget/purse.ts'
import { MechosError } from '../../core/vocabulary/errors.ts'
import type { Amount, BudgetNote, Reservation } from '../../core/vocabulary/question.ts'
import { virtualClock } from '../../drivers/clock.ts'
import { randomStream } from '../../drivers/random.ts'
import { openLedgerStore } from '../../store/ledger.ts'
import { type LedgerDisk, ledgerDisk } from './ledger-disk.ts'

const none = { tokens: 0, nanoUsd: 0 }
const unlimited = { tokens: Infinity, nanoUsd: Infinity }
const never = new AbortController().signal
setMaxListeners(0, never)
const noon = Date.UTC(2026, 0, 30, 12)
const unsent: Charge = { kind: 'unsent' }
const unknown: Charge = { kind: 'unknown' }

function tokens(count: number): Amount {
  return { tokens: count, nanoUsd: 0 }
}

function limitOf(count: number): Amount {
  return { tokens: count, nanoUsd: Infinity }
}

function used(count: number): Charge {
  return { kind: 'used', amount: tokens(count) }
}

/** A prompt of `prompt` tokens at most, and a reply of `capTokensMin` to `capTokens`. */
function wish(prompt: number, capTokens = 100, capTokensMin = 50) {
  return { worst: (cap: number) => tokens(prompt + cap), capTokens, capTokensMin }
}

async function codeOf(refused: Promise<unknown>): Promise<string> {
  const error = await refused.catch((thrown: unknown) => thrown)
  return error instanceof MechosError ? error.code : `no refusal: ${JSON.stringify(error)}`
}

/** A robot that has 1000 tokens for a run, or as said, and runs on a computer whose clocks can be set. */
async function robot(change: Partial<BudgetInput> = {}, disk: LedgerDisk = ledgerDisk()) {
  const clock = virtualClock()
  const wall = { offsetMs: 0 }
  const budget = await createBudget({
    limits: { run: limitOf(1000), day: unlimited, month: unlimited },
    requestsPerMinute: Infinity,
    store: disk.open(),
    clock,
    calendar: () => ({
      wallMs: noon + clock.now() + wall.offsetMs,
      uptimeMs: clock.now(),
      bootId: 'one',
      isSynchronised: true,
    }),
    idPrefix: 'run-',
    ...change,
  })
  const notes: BudgetNote[] = []
  const unsubscribe = budget.onNote((note) => notes.push(note))
  return { budget, clock, wall, disk, notes, unsubscribe }
}

/** Whether it was served by now. */
async function isServed(reserved: Promise<Reservation>): Promise<boolean> {
  await turn()
  return Promise.race([reserved.then(() => true), turn().then(() => false)])
}

describe('a reservation', () => {
  test('is held and on the disk before anybody is told', async () => {
    const { budget, disk } = await robot()
    disk.holdsBack = true
    const reserved = budget.reserve(wish(500), never)
    expect([await isServed(reserved), budget.run.held.tokens]).toEqual([false, 600])
    disk.writeNext()
    expect(await reserved).toEqual({ id: 'run-1', worst: tokens(600), capTokens: 100 })
    expect(disk.kept()?.holds).toEqual(new Map([['run-1', tokens(600)]]))
  })

  test('is settled once, and what is left of it comes back', async () => {
    const { budget, disk } = await robot()
    const reservation = await budget.reserve(wish(500), never)
    expect(await budget.settle(reservation, used(150))).toEqual({ overbilled: false })
    expect(await budget.settle(reservation, unknown)).toEqual({ overbilled: false })
    const charged = { spent: tokens(150), assumed: none, debt: none, held: none }
    expect(budget.run).toEqual({ limit: limitOf(1000), ...charged })
    expect([budget.day, budget.month]).toEqual([
      { limit: unlimited, ...charged },
      { limit: unlimited, ...charged },
    ])
    expect(disk.log).toEqual(['books', 'hold run-1', 'books -run-1'])
  })

  test('that a server billed more for leaves a debt, which is told', async () => {
    const { budget } = await robot()
    const reservation = await budget.reserve(wish(100), never)
    expect(await budget.settle(reservation, used(201))).toEqual({ overbilled: true })
    expect(budget.run).toMatchObject({ spent: tokens(200), debt: tokens(1) })
    const other = await budget.reserve(wish(100), never)
    expect(await budget.settle(other, used(NaN))).toEqual({ overbilled: false })
    expect(budget.run.assumed).toEqual(tokens(200))
  })

  test('waits for what is held, and the first who came is served first', async () => {
    const { budget } = await robot()
    const first = await budget.reserve(wish(800), never)
    const second = budget.reserve(wish(100), never)
    const third = budget.reserve(wish(0, 20), never)
    expect([await isServed(second), await isServed(third)]).toEqual([false, false])
    await budget.settle(first, used(600))
    expect([(await second).id, (await third).id]).toEqual(['run-2', 'run-3'])
    expect(budget.run.held).toEqual(tokens(220))
  })

  test('shrinks to what is left only when nothing is held any more', async () => {
    const { budget } = await robot()
    const first = await budget.reserve(wish(700), never)
    const second = budget.reserve(wish(200), never)
    expect(await isServed(second)).toBe(false)
    await budget.settle(first, used(740))
    expect(await second).toEqual({ id: 'run-2', worst: tokens(260), capTokens: 60 })
  })

  test('is refused when not even all that is held would do', async () => {
    const { budget } = await robot()
    const first = await budget.reserve(wish(400), never)
    await expect(budget.reserve(wish(951), never)).rejects.toThrow(
      'the budget is exhausted: 1000 of 1000 tokens are left for this run, fewer than a call may take; a larger limit would lift that',
    )
    await budget.settle(first, unknown)
    expect(await codeOf(budget.reserve(wish(500), never))).toBe('ERR_BUDGET_EXHAUSTED')
  })

  test('of those who waited in vain is refused as well', async () => {
    const { budget } = await robot()
    const first = await budget.reserve(wish(800), never)
    const second = budget.reserve(wish(200), never)
    const third = budget.reserve(wish(20), never)
    await budget.settle(first, unknown)
    expect(await codeOf(second)).toBe('ERR_BUDGET_EXHAUSTED')
    expect((await third).capTokens).toBe(80)
  })

  test('for a cost that is no amount is a mistake, and stands in nobody else’s way', async () => {
    const { budget } = await robot()
    await expect(budget.reserve(wish(NaN), never)).rejects.toThrow(TypeError)
    expect((await budget.reserve(wish(100), never)).id).toBe('run-1')
  })

  test('is not waited for by more than a thousand', async () => {
    const { budget } = await robot()
    await budget.reserve(wish(900), never)
    const waiting = Array.from({ length: 1000 }, () => budget.reserve(wish(900), never))
    const ended = Promise.allSettled(waiting)
    expect(await codeOf(budget.reserve(wish(900), never))).toBe('ERR_BRAIN_SILENT')
    await budget.close()
    await ended
  })
})

describe('whoever is called away', () => {
  test('while he waits holds nothing, and those behind him move up', async () => {
    const { budget } = await robot()
    await budget.reserve(wish(400), never)
    const leaving = new AbortController()
    const second = budget.reserve(wish(700), leaving.signal)
    const third = budget.reserve(wish(100), never)
    expect(await isServed(third)).toBe(false)
    leaving.abort(new Error('another goal'))
    await expect(second).rejects.toThrow('another goal')
    expect((await third).id).toBe('run-2')
    expect(budget.run.held).toEqual(tokens(700))
  })

  test('while his hold is written leaves nothing held, on the disk neither', async () => {
    const { budget, disk } = await robot()
    disk.holdsBack = true
    const leaving = new AbortController()
    const reserved = budget.reserve(wish(400), leaving.signal)
    const refused = expect(reserved).rejects.toThrow('another goal')
    leaving.abort(new Error('another goal'))
    disk.writeNext()
    await turn()
    expect([disk.kept()?.holds.size, budget.run.held]).toEqual([1, none])
    disk.writeNext()
    await refused
    expect([disk.kept()?.holds.size, budget.run]).toEqual([
      0,
      { limit: limitOf(1000), spent: none, assumed: none, debt: none, held: none },
    ])
  })

  test('may be so by a signal that outlives many reservations, and remembers none', async () => {
    const { budget } = await robot()
    const { signal } = new AbortController()
    await budget.settle(await budget.reserve(wish(100), signal), used(150))
    await codeOf(budget.reserve(wish(1000), signal))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('before he came is not served', async () => {
    const { budget } = await robot()
    const gone = AbortSignal.abort(new Error('too late'))
    await expect(budget.reserve(wish(100), gone)).rejects.toThrow('too late')
    expect(budget.run.held).toEqual(none)
  })
})

describe('a full disk', () => {
  test('lets nothing be sent, and charges nothing for it', async () => {
    const { budget, disk } = await robot()
    disk.isFull = true
    expect(await codeOf(budget.reserve(wish(100), never))).toBe('ERR_BUDGET_UNKEPT')
    expect(budget.run).toMatchObject({ spent: none, assumed: none, held: none })
    expect(await codeOf(budget.reserve(wish(100), never))).toBe('ERR_BUDGET_UNKEPT')
    disk.isFull = false
    expect((await budget.reserve(wish(100), never)).id).toBe('run-2')
    expect(disk.log).toEqual(['books', 'books -run-1', 'hold run-2'])
  })

  test('at the end of a call leaves memory right, and nothing is reserved until it is written', async () => {
    const { budget, disk } = await robot()
    const reservation = await budget.reserve(wish(500), never)
    const waiting = budget.reserve(wish(500), never)
    disk.isFull = true
    const [settled, refused] = await Promise.all([
      codeOf(budget.settle(reservation, used(150))),
      codeOf(waiting),
    ])
    expect([settled, refused]).toEqual(['ERR_BUDGET_UNKEPT', 'ERR_BUDGET_UNKEPT'])
    expect(budget.run).toMatchObject({ spent: tokens(150), held: none })
    expect(await codeOf(budget.reserve(wish(100), never))).toBe('ERR_BUDGET_UNKEPT')
    disk.isFull = false
    await budget.reserve(wish(100), never)
    expect(disk.kept()?.books.charged.day.spent).toEqual(tokens(150))
    expect([...(disk.kept()?.holds.keys() ?? [])]).toEqual(['run-3'])
  })

  test('at the start is found out before anything is spent', async () => {
    const disk = ledgerDisk()
    disk.isFull = true
    expect(await codeOf(robot({}, disk))).toBe('ERR_BUDGET_UNKEPT')
  })
})

describe('requests per minute', () => {
  test('let a burst wait', async () => {
    const { budget, clock } = await robot({ requestsPerMinute: 2 })
    const served: number[] = []
    const calls = Array.from({ length: 4 }, async () => {
      const reservation = await budget.reserve(wish(0), never)
      served.push(clock.now())
      await budget.settle(reservation, used(10))
    })
    await clock.advance(29_999)
    expect(served).toEqual([0, 0])
    await clock.advance(30_001)
    await Promise.all(calls)
    expect(served).toEqual([0, 0, 30_000, 60_000])
  })

  test('are not used up by whoever is refused or called away', async () => {
    const { budget } = await robot({ requestsPerMinute: 1 })
    expect(await codeOf(budget.reserve(wish(2000), never))).toBe('ERR_BUDGET_EXHAUSTED')
    const gone = AbortSignal.abort(new Error('too late'))
    await expect(budget.reserve(wish(100), gone)).rejects.toThrow('too late')
    expect((await budget.reserve(wish(100), never)).id).toBe('run-1')
  })
})

describe('the note', () => {
  const exhausted = {
    level: 'exhausted',
    cause:
      'the budget is exhausted: 100 of 1000 tokens are left for this day, fewer than a call may take; a larger limit would lift that, or the next day, which begins at 00:00 UTC (it is 2026-01-30)',
  }
  const daily = { limits: { run: unlimited, day: limitOf(1000), month: unlimited } }

  test('is told each time it changes, and until nobody listens any more', async () => {
    const { budget, notes, unsubscribe } = await robot(daily)
    const reservation = await budget.reserve(wish(800), never)
    await budget.settle(reservation, unknown)
    expect(await codeOf(budget.reserve(wish(51), never))).toBe('ERR_BUDGET_EXHAUSTED')
    expect(await codeOf(budget.reserve(wish(51), never))).toBe('ERR_BUDGET_EXHAUSTED')
    expect(notes).toEqual([{ level: 'low', cause: undefined }, exhausted])
    expect(budget.note).toEqual(exhausted)
    unsubscribe()
  })

  test('is exhausted no longer than until the day turns, which is looked at each minute', async () => {
    const { budget, clock, notes } = await robot(daily)
    const reservation = await budget.reserve(wish(800), never)
    await budget.settle(reservation, unknown)
    await codeOf(budget.reserve(wish(51), never))
    notes.length = 0
    await clock.advance(12 * 3_600_000 - 1)
    expect(notes).toEqual([])
    await clock.advance(60_000)
    expect(notes).toEqual([{ level: 'ample', cause: undefined }])
    expect((await budget.reserve(wish(51), never)).id).toBe('run-2')
  })

  test('is exhausted from the start when it was at the end of the run before', async () => {
    const first = await robot(daily)
    await first.budget.settle(await first.budget.reserve(wish(800), never), unknown)
    await codeOf(first.budget.reserve(wish(51), never))
    await first.budget.close()
    const second = await robot({ ...daily, idPrefix: 'next-' }, first.disk)
    expect(second.budget.note).toEqual(exhausted)
    second.wall.offsetMs = 24 * 3_600_000
    await second.clock.advance(5_000)
    expect(second.notes).toEqual([{ level: 'ample', cause: undefined }])
  })

  test('is not told any more when it is closed', async () => {
    const { budget, clock, notes } = await robot(daily)
    await budget.settle(await budget.reserve(wish(800), never), unknown)
    await codeOf(budget.reserve(wish(51), never))
    notes.length = 0
    await budget.close()
    await clock.advance(24 * 3_600_000)
    expect(notes).toEqual([])
  })
})

describe('the next run', () => {
  const daily = { limits: { run: limitOf(1000), day: limitOf(1000), month: unlimited } }

  test('pays for the calls that the run before it did not live to settle, before it holds anything', async () => {
    const first = await robot(daily)
    await first.budget.reserve(wish(100), never)
    await first.budget.settle(await first.budget.reserve(wish(200), never), used(30))
    const second = await robot({ ...daily, idPrefix: 'next-' }, first.disk)
    expect(second.budget.day).toMatchObject({ spent: tokens(30), assumed: tokens(200) })
    expect(second.budget.run).toMatchObject({ spent: none, assumed: none })
    expect(first.disk.log.at(-1)).toBe('books -run-1')
    await second.budget.reserve(wish(100), never)
    expect([...(first.disk.kept()?.holds.keys() ?? [])]).toEqual(['next-1'])
  })

  test('and the one after it pays for them once', async () => {
    const { disk, budget } = await robot(daily)
    await budget.reserve(wish(100), never)
    for (let times = 0; times < 5; times++) {
      const next = await robot({ ...daily, idPrefix: `${times}-` }, disk)
      expect(next.budget.day.assumed).toEqual(tokens(200))
    }
  })

  test('goes on where an orderly end left what was under way', async () => {
    const { disk, budget } = await robot(daily)
    const reservation = await budget.reserve(wish(100), never)
    const waiting = codeOf(budget.reserve(wish(850), never))
    await budget.close()
    expect(await waiting).toBe('ERR_BUDGET_UNKEPT')
    expect(await codeOf(budget.reserve(wish(1), never))).toBe('ERR_BUDGET_UNKEPT')
    expect(disk.log.at(-1)).toBe('closed')
    expect(disk.kept()?.holds).toEqual(new Map([[reservation.id, tokens(200)]]))
  })
})

test('a budget goes on from a real disk', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mechos-budget-'))
  const limits = { run: unlimited, day: limitOf(1000), month: unlimited }
  const open = async (idPrefix: string) =>
    (await robot({ limits, idPrefix, store: await openLedgerStore(folder) })).budget
  const first = await open('first-')
  await first.settle(await first.reserve(wish(300), never), used(130))
  await first.reserve(wish(700), never)
  await first.close()
  const second = await open('second-')
  expect(second.day).toMatchObject({ spent: tokens(130), assumed: tokens(800), held: none })
  expect(await codeOf(second.reserve(wish(100), never))).toBe('ERR_BUDGET_EXHAUSTED')
  await second.close()
  const third = await open('third-')
  expect([third.note.level, third.day]).toEqual(['exhausted', second.day])
  await third.close()
  rmSync(folder, { recursive: true })
})

test.each([1, 2, 3, 4, 5])(
  'fifty clients at once neither starve nor overspend, and little is left at the end (seed %i)',
  async (seed) => {
    const limit = 20_000
    const { budget, clock } = await robot({
      limits: { run: limitOf(limit), day: unlimited, month: unlimited },
    })
    const random = randomStream(seed, 'server')
    let billed = 0
    let answered = 0
    const client = async () => {
      const answers = { mine: 0 }
      for (;;) {
        const reservation = await budget.reserve(wish(300, 400, 160), never)
        await new Promise<void>((resolve) => clock.setTimeout(resolve, random.between(20, 200)))
        const luck = random.uniform()
        if (luck < 0.15) {
          await budget.settle(reservation, unsent)
          continue
        }
        const bill = Math.floor(random.between(250, reservation.worst.tokens + 1))
        billed += bill
        answered += 1
        answers.mine += 1
        await budget.settle(reservation, luck < 0.25 ? unknown : used(bill))
      }
    }
    const clients = Array.from({ length: 50 }, async () => codeOf(client()))
    await clock.advance(60_000)
    expect(new Set(await Promise.all(clients))).toEqual(new Set(['ERR_BUDGET_EXHAUSTED']))
    const { spent, assumed } = budget.run
    expect(billed).toBeLessThanOrEqual(spent.tokens + assumed.tokens)
    expect(spent.tokens + assumed.tokens).toBeLessThanOrEqual(limit)
    // What is left is less than the least that a call may take.
    expect(limit - spent.tokens - assumed.tokens).toBeLessThan(460)
    expect(spent.tokens).toBeGreaterThan(0.9 * (limit - assumed.tokens))
    expect(answered).toBeGreaterThan(30)
  },
)

const share = fc.double({ min: 0, max: 1, noNaN: true })
const step = fc.oneof(
  fc.record({ act: fc.constant('reserve' as const), prompt: fc.integer({ min: 1, max: 300 }) }),
  fc.record({
    act: fc.constant('settle' as const),
    which: fc.nat(5),
    kind: fc.constantFrom('used' as const, 'unknown' as const, 'unsent' as const),
    share,
  }),
  fc.record({ act: fc.constant('write' as const), times: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ act: fc.constant('full' as const), isFull: fc.boolean() }),
  fc.record({ act: fc.constant('abort' as const) }),
  fc.record({ act: fc.constant('day' as const) }),
  fc.record({ act: fc.constant('crash' as const), share }),
)

test('no interleaving of calls, failures, days and deaths bills more than was charged, or charges more than a limit', async () => {
  const limits = fc.record({
    run: fc.integer({ min: 1, max: 1500 }).map(limitOf),
    day: fc.integer({ min: 1, max: 1500 }).map(limitOf),
    month: fc.integer({ min: 1, max: 2500 }).map(limitOf),
  })
  await fc.assert(
    fc.asyncProperty(limits, fc.array(step, { maxLength: 40 }), async (purses, steps) => {
      const disk = ledgerDisk()
      const calls: Reservation[] = []
      const billed = new Map<string, number>()
      let days = 0
      let runs = 0
      let leaving = new AbortController()
      const calendar = () => ({
        wallMs: noon + days * 86_400_000,
        uptimeMs: 0,
        bootId: 'one',
        isSynchronised: true,
      })
      const dayNow = () => new Date(calendar().wallMs).toISOString().slice(0, 10)
      const bill = (count: number) => {
        for (const key of [dayNow(), dayNow().slice(0, 7)]) {
          billed.set(key, (billed.get(key) ?? 0) + count)
        }
      }
      const open = async (): Promise<Budget> => {
        disk.holdsBack = false
        disk.isFull = false
        const budget = await createBudget({
          limits: purses,
          requestsPerMinute: Infinity,
          store: disk.open(),
          clock: virtualClock(),
          calendar,
          idPrefix: `${++runs}-`,
        })
        disk.holdsBack = true
        return budget
      }
      let budget = await open()
      for (const taken of steps) {
        switch (taken.act) {
          case 'reserve': {
            const { signal } = leaving
            const current = runs
            void budget.reserve(wish(taken.prompt), signal).then(
              // The request leaves at this very moment.
              (reservation) => current === runs && calls.push(reservation),
              () => {},
            )
            break
          }
          case 'settle': {
            const [call] = calls.splice(taken.which, 1)
            if (!call) break
            const cost = Math.max(1, Math.floor(call.worst.tokens * taken.share))
            if (taken.kind !== 'unsent') bill(cost)
            budget
              .settle(call, taken.kind === 'used' ? used(cost) : { kind: taken.kind })
              .catch(() => {})
            break
          }
          case 'write':
            for (let times = 0; times < taken.times; times++) disk.writeNext()
            break
          case 'full':
            disk.isFull = taken.isFull
            break
          case 'abort':
            leaving.abort(new Error('another goal'))
            leaving = new AbortController()
            break
          case 'day':
            days += 1
            break
          case 'crash':
            for (const call of calls.splice(0)) bill(Math.floor(call.worst.tokens * taken.share))
            budget = await open()
            break
        }
        await turn()
        for (const period of periods) {
          const { limit, spent, assumed, debt, held } = budget[period]
          if (!covers(limit, sum([spent, assumed, held]))) return false
          if (debt.tokens !== 0) return false
        }
        for (const [key, count] of billed) {
          const limit = key.length === 7 ? purses.month : purses.day
          if (!(count <= limit.tokens)) return false
        }
      }
      // Whoever starts now finds that all that was billed today and in this month was charged.
      for (const call of calls.splice(0)) bill(call.worst.tokens)
      budget = await open()
      const charged = (period: 'day' | 'month') =>
        sum([budget[period].spent, budget[period].assumed]).tokens
      return (
        charged('day') >= (billed.get(dayNow()) ?? 0) &&
        charged('month') >= (billed.get(dayNow().slice(0, 7)) ?? 0)
      )
    }),
    { numRuns: 400 },
  )
})
