import { join } from 'node:path'
import { z } from 'zod'
import { parseConfiguration } from '../../../core/vocabulary/configuration.ts'
import { messageOf } from '../../../core/vocabulary/errors.ts'
import { wallClock } from '../../../drivers/clock.ts'
import { demoRover } from '../../../drivers/simulated/rover.ts'
import { createRobot } from '../../../robot.ts'
import { type FlightRecord, flightRecordIn } from '../../../store/flight-record.ts'
import { type LedgerStore, openLedgerStore } from '../../../store/ledger.ts'
import { type MemoryStore, memoryStoreAt } from '../../../store/memories.ts'
import { memoryDigest, recordChange } from './contents.ts'
import { type Change, canonical, type Note } from './notes.ts'

/**
 * One life of a robot that is killed again and again: opens the stores that its forerunner left, drives by a model, and
 * says of everything that it keeps that it is about to, and that it was told that it is kept. Takes what it needs from
 * its argument.
 */
const needs = z.strictObject({
  url: z.string(),
  folder: z.string(),
  run: z.string(),
  seed: z.int(),
})
const { url, folder, run, seed } = needs.parse(JSON.parse(process.argv[2] ?? ''))
// Whoever started it is gone when its standard input ends.
process.stdin.resume().on('end', () => process.exit(1))

say({ note: 'opening' })
const clock = wallClock()
const configuration = parseConfiguration({
  ...demoRover,
  goal: 'explore',
  brains: [{ url, model: 'm' }],
  budget: { tokensPerDay: 1_000_000_000, requestsPerMinute: 6_000 },
})
const ledger = await opened('ledger', openLedgerStore(join(folder, 'ledger')))
const robot = createRobot(configuration, {
  clock,
  run,
  seed,
  ledger: tellingLedger(ledger),
  memory: tellingMemories(memoryStoreAt(join(folder, 'memories'))),
  record: tellingRecord(
    flightRecordIn(join(folder, 'records', run), configuration.record, clock.now),
  ),
})
await opened('robot', robot.start())

/** Standard output is a pipe, and written to before this returns. */
function say(note: Note): void {
  process.stdout.write(`${JSON.stringify(note)}\n`)
}

async function opened<Result>(what: string, opening: Promise<Result>): Promise<Result> {
  const result = await told(opening)
  say({ note: 'opened', what })
  return result
}

async function told<Result>(acting: Promise<Result>): Promise<Result> {
  try {
    return await acting
  } catch (error) {
    say({ note: 'failed', cause: messageOf(error) })
    throw error
  }
}

async function kept(change: Change, keep: () => Promise<void>): Promise<void> {
  say({ note: 'will', change })
  await told(keep())
  say({ note: 'acknowledged', of: change.of })
}

function tellingLedger(store: LedgerStore): LedgerStore {
  return {
    kept: store.kept,
    keepHold: (id, worst, books) =>
      kept({ of: 'ledger', books: canonical(books), hold: [id, canonical(worst)], ended: [] }, () =>
        store.keepHold(id, worst, books),
      ),
    keepBooks: (books, ended) =>
      kept({ of: 'ledger', books: canonical(books), ended: [...ended] }, () =>
        store.keepBooks(books, ended),
      ),
    close: () => store.close(),
  }
}

function tellingMemories(store: MemoryStore): MemoryStore {
  return {
    async open() {
      const found = await opened('memories', store.open())
      if (found.loss !== undefined) say({ note: 'failed', cause: found.loss })
      return found
    },
    write(change) {
      const keep = change.keep.map((one): [number, string] => [one.memory.id, memoryDigest(one)])
      return kept({ of: 'memories', keep, forget: [...change.forget] }, () => store.write(change))
    },
    close: () => store.close(),
  }
}

function tellingRecord(store: FlightRecord): FlightRecord {
  return {
    ...store,
    open: (note) => opened('record', store.open(note)),
    append: (texts, options) => kept(recordChange(texts), () => store.append(texts, options)),
  }
}
