import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../../../core/vocabulary/errors.ts'
import { type Random, randomStream } from '../../../drivers/random.ts'
import { type Contents, ledgerIn, memoriesIn, textsIn } from './contents.ts'
import { type Note, noteSchema, type StoreName, storeNames } from './notes.ts'
import { type Loss, lossOf, lostOf, recordLossOf, type Said, worthOf } from './verdict.ts'

/** A robot that is killed so often, each time at a moment of its own. */
export interface Mortal {
  readonly url: string
  readonly kills: number
  /** From the same seed come the same moments. */
  readonly seed: number
  /** At most so long after it begins to open its stores; every other time as soon as it writes after that. */
  readonly lifeMsMax: number
}

/** What came of it, of all kills together. */
export interface Lives {
  readonly kills: number
  /** Ledger entries, memories and decisions: how many were acknowledged, and how many of them were not found again. */
  readonly acknowledged: Readonly<Record<StoreName, number>>
  readonly lost: Readonly<Record<StoreName, number>>
  /** Batches that were found to have been made in part. */
  readonly torn: number
  /** Kills in which something was being written. */
  readonly underWay: number
  /** Robots that did not come up again, and stores that could not be opened, and why. */
  readonly faults: readonly string[]
}

/** For so long that write is waited for. */
const writeMsMax = 1_500
/** Who has not opened everything by then does not come up again. */
const openMsMax = 30_000

const none = { ledger: 0, memories: 0, record: 0 }
const noLives: Lives = {
  kills: 0,
  acknowledged: none,
  lost: none,
  torn: 0,
  underWay: 0,
  faults: [],
}

/**
 * Kills with SIGKILL, looks into a copy of what is left, and starts again on that itself, until it was killed so often; then
 * starts once more, to see that it still opens.
 */
export async function killAgainAndAgain({ kills, lifeMsMax, seed, url }: Mortal): Promise<Lives> {
  const folder = mkdtempSync(join(tmpdir(), 'mechos-crash-'))
  const random = randomStream(seed, 'kills')
  let stores: Stores = { ledger: new Map(), memories: new Map() }
  let lives = noLives
  try {
    for (let life = 0; life <= kills; life++) {
      const run = `life-${life}`
      const isLast = life === kills
      const moment = isLast ? 'opened' : momentOf(random, life, lifeMsMax)
      // oxlint-disable-next-line no-await-in-loop -- one life after the other
      const lived = await live(JSON.stringify({ url, folder, run, seed: life }), moment)
      // oxlint-disable-next-line no-await-in-loop -- as above
      const found = await lookInto(folder, run, stores, lived)
      stores = found.stores
      lives = {
        kills: lives.kills + (isLast ? 0 : 1),
        acknowledged: sumOf(lives.acknowledged, worthsOf(lived)),
        lost: sumOf(lives.lost, found.lost),
        torn: lives.torn + found.torn,
        underWay: lives.underWay + (isUnderWay(lived) ? 1 : 0),
        faults: [
          ...lives.faults,
          ...[...lived.faults, ...found.faults].map((why) => `${run}: ${why}`),
        ],
      }
      rmSync(join(folder, 'records', run), { recursive: true, force: true })
    }
    return lives
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export function together(one: Lives, other: Lives): Lives {
  return {
    kills: one.kills + other.kills,
    acknowledged: sumOf(one.acknowledged, other.acknowledged),
    lost: sumOf(one.lost, other.lost),
    torn: one.torn + other.torn,
    underWay: one.underWay + other.underWay,
    faults: [...one.faults, ...other.faults],
  }
}

type Counts = Lives['lost']

function sumOf(one: Counts, other: Counts): Counts {
  return {
    ledger: one.ledger + other.ledger,
    memories: one.memories + other.memories,
    record: one.record + other.record,
  }
}

/** When a robot is killed: so many ms after it began to open its stores, and then perhaps with its next write. */
interface Moment {
  readonly afterMs: number
  readonly inWriting: StoreName | undefined
}

function momentOf(random: Random, life: number, lifeMsMax: number): Moment {
  const afterMs = random.between(0, lifeMsMax)
  const name = storeNames[Math.floor(random.uniform() * storeNames.length)]
  return { afterMs, inWriting: life % 2 === 1 ? name : undefined }
}

interface Lived {
  readonly said: Readonly<Record<StoreName, Said>>
  /** What should not have happened in it. */
  readonly faults: readonly string[]
}

/** Lives until that moment; or until it has opened everything, drives, and has written something of that. */
async function live(words: string, moment: Moment | 'opened'): Promise<Lived> {
  const path = fileURLToPath(new URL('./life.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', path, words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const gone = once(child, 'close')
  const over = new AbortController()
  const listener = listenTo(moment, over.signal, () => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => {
    const text: unknown = JSON.parse(line)
    listener.hear(noteSchema.parse(text))
  })
  const read = once(lines, 'close')
  await Promise.all([gone, read])
  over.abort()
  const isKilled = child.signalCode === 'SIGKILL'
  const ended = isKilled ? [] : [`it ended by itself, with ${child.exitCode}`]
  return { said: listener.said, faults: [...listener.faults, ...ended] }
}

function listenTo(moment: Moment | 'opened', signal: AbortSignal, kill: () => void) {
  const said = { ledger: nothingSaid(), memories: nothingSaid(), record: nothingSaid() }
  const faults: string[] = []
  const open = new Set<string>()
  let isDue = false
  const after = (ms: number, act: () => void) =>
    void delay(ms, undefined, { signal }).then(act, ignore)
  const dead = () => {
    faults.push(`it hung when it had opened ${[...open].join(', ') || 'nothing'}`)
    kill()
  }
  const due = ({ inWriting }: Moment) => {
    isDue = true
    // A robot whose computer was too busy has halted, and has nothing more to remember.
    after(inWriting === undefined ? 0 : writeMsMax, kill)
  }
  const isAllThere = () => open.size === storeNames.length + 1 && said.record.acknowledged > 0
  after(openMsMax, dead)
  return {
    said,
    faults,
    hear(note: Note) {
      if (note.note === 'opening' && moment !== 'opened') after(moment.afterMs, () => due(moment))
      if (note.note === 'opened') open.add(note.what)
      if (note.note === 'failed') faults.push(note.cause)
      if (note.note === 'will') {
        said[note.change.of].changes.push(note.change)
        if (moment !== 'opened' && isDue && note.change.of === moment.inWriting) kill()
      }
      if (note.note === 'acknowledged') said[note.of].acknowledged += 1
      if (moment === 'opened' && isAllThere()) kill()
    },
  }
}

function nothingSaid(): { changes: Said['changes'][number][]; acknowledged: number } {
  return { changes: [], acknowledged: 0 }
}

function isUnderWay({ said }: Lived): boolean {
  return storeNames.some((name) => said[name].changes.length > said[name].acknowledged)
}

function worthsOf({ said }: Lived): Counts {
  const worth = ({ acknowledged, changes }: Said) =>
    changes.slice(0, acknowledged).reduce((sum, change) => sum + worthOf(change), 0)
  return {
    ledger: worth(said.ledger),
    memories: worth(said.memories),
    record: worth(said.record),
  }
}

/** The stores that one life leaves to the next. */
interface Stores {
  readonly ledger: Contents
  readonly memories: Contents
}

/** Looks into a copy: the next life is to open what was left by the one that was killed. */
async function lookInto(folder: string, run: string, before: Stores, { said }: Lived) {
  const copy = mkdtempSync(join(tmpdir(), 'mechos-crash-copy-'))
  const faults: string[] = []
  const look = async <Found>(opening: Promise<Found>): Promise<Found | undefined> => {
    try {
      return await opening
    } catch (error) {
      faults.push(messageOf(error))
      return undefined
    }
  }
  try {
    cpSync(folder, copy, { recursive: true })
    const ledger = await look(ledgerIn(copy))
    const memories = await look(memoriesIn(copy))
    const texts = await look(textsIn(copy, run))
    const losses: Record<StoreName, Loss> = {
      ledger: ledger ? lossOf(before.ledger, said.ledger, ledger) : unreadable(said.ledger),
      memories: memories
        ? lossOf(before.memories, said.memories, memories)
        : unreadable(said.memories),
      record: texts ? recordLossOf(said.record, texts) : unreadable(said.record),
    }
    return {
      stores: { ledger: ledger ?? before.ledger, memories: memories ?? before.memories },
      lost: {
        ledger: losses.ledger.lost,
        memories: losses.memories.lost,
        record: losses.record.lost,
      },
      torn: storeNames.filter((name) => losses[name].isTorn).length,
      faults,
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function unreadable(said: Said): Loss {
  return { lost: lostOf(said, 0), isTorn: false }
}

function ignore(): void {}
