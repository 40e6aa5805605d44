import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { createMemoryBook } from './actors/memory-book.ts'
import { listed, sought } from './core/memory/listing.ts'
import { MechosError } from './core/vocabulary/errors.ts'
import { ageText, type Remembered, rememberedSchema } from './core/vocabulary/memory.ts'
import { type NamedPlace, placeSchema } from './core/vocabulary/place.ts'
import { unixMs, wallClock } from './drivers/clock.ts'
import { askRobot } from './inspector/control-client.ts'
import { lineBytesMax, type Request, type Response } from './inspector/control-words.ts'
import { printable } from './inspector/terminal.ts'
import type { RobotMemory } from './robot/contract.ts'
import { memoriesFolder, memoryStoreAt } from './store/memories.ts'
import { runningRobots } from './store/registry.ts'
import { type Owner, ownerOf } from './store/run-directory.ts'
import { settingsFileIn } from './store/settings.ts'

/** Whose memory is looked into, and how what is found is printed. */
export interface MemoryOptions {
  readonly stateRoot: string
  readonly name: string | undefined
  readonly state: string | undefined
  /** The robot that is meant where none runs, and none is named. */
  readonly usualName: string
  readonly json: boolean
  print(line: string): void
}

export type MemoryRequest = Extract<Request, { verb: 'recall' | 'memories' | 'forget' }>

/** Answers what is asked of a memory, in no more than a line has room for. */
export async function answerAboutMemory(
  memory: Desk | undefined,
  request: MemoryRequest,
): Promise<Response> {
  if (!memory) return { ok: false, message: 'memory: this robot remembers nothing' }
  switch (request.verb) {
    case 'recall':
      return { ok: true, result: { memories: await memory.query(request.text) } }
    case 'memories':
      return { ok: true, result: pageOf(memory, request.before) }
    case 'forget':
      return { ok: true, result: { forgotten: await memory.forget(request.ids) } }
  }
}

/** Prints the memories that fit these words best. */
export async function queryMemory(text: string, options: MemoryOptions): Promise<number> {
  const { memories } = await withMemory(options, (ask) => ask({ verb: 'recall', text }, found))
  if (options.json) options.print(JSON.stringify({ memories }))
  else if (memories.length === 0) options.print('nothing that is remembered is like that')
  else for (const memory of memories) options.print(lineOf(memory))
  return 0
}

/** Prints all that is remembered, the youngest first, below what people wrote down. */
export async function listMemory(options: MemoryOptions): Promise<number> {
  const all = await withMemory(options, everything)
  if (options.json) {
    options.print(JSON.stringify(all))
    return 0
  }
  for (const place of all.places) options.print(placeLine(place))
  for (const note of all.notes) options.print(`told: ${printable(note)}`)
  for (const memory of all.memories) options.print(lineOf(memory))
  if (all.memories.length === 0) options.print('nothing is remembered')
  return 0
}

/** Forgets the memories of these numbers, or all, and says how many there were. 2 when there was none. */
export async function forgetMemory(
  ids: readonly number[] | 'all',
  options: MemoryOptions,
): Promise<number> {
  const { forgotten } = await withMemory(options, (ask) =>
    ask({ verb: 'forget', ids: ids === 'all' ? ids : [...ids] }, gone),
  )
  const said = forgotten === 1 ? '1 memory' : `${forgotten} memories`
  options.print(options.json ? JSON.stringify({ forgotten }) : `forgot ${said}`)
  return forgotten > 0 || ids === 'all' ? 0 : 2
}

type Desk = Pick<RobotMemory, 'query' | 'list' | 'settings' | 'forget'>
type Ask = <Result>(request: MemoryRequest, schema: z.ZodType<Result>) => Promise<Result>

const found = z.object({ memories: z.array(rememberedSchema) })
const gone = z.object({ forgotten: z.int() })
const page = z.object({
  memories: z.array(rememberedSchema),
  places: z.array(placeSchema),
  notes: z.array(z.string()),
  more: z.boolean(),
})

/** Bytes of memories in one answer: beside them there is room for places and notes at their longest. */
const pageBytesMax = lineBytesMax / 4

function pageOf({ list, settings }: Desk, before = Number.POSITIVE_INFINITY) {
  const all = list().filter(({ id }) => id < before)
  let bytes = 0
  const fitting = all.findIndex((memory) => {
    bytes += Buffer.byteLength(JSON.stringify(memory))
    return bytes > pageBytesMax
  })
  const memories = fitting < 0 ? all : all.slice(0, Math.max(1, fitting))
  return { memories, ...settings, more: memories.length < all.length }
}

async function everything(ask: Ask) {
  const memories: Remembered[] = []
  for (;;) {
    const before = memories.at(-1)?.id
    const request = { verb: 'memories' as const, ...(before !== undefined && { before }) }
    // oxlint-disable-next-line no-await-in-loop -- each page begins where the one before it ends
    const { more, notes, places, memories: next } = await ask(request, page)
    memories.push(...next)
    if (!more) return { memories, places, notes }
  }
}

/** How long a robot may take to answer, in ms: it may be about to write. */
const answerMs = 5_000

/** Asks the robot that runs, since the memory is its own; where none runs, the state folder. */
async function withMemory<Result>(
  options: MemoryOptions,
  act: (ask: Ask) => Promise<Result>,
): Promise<Result> {
  const robot = robotFor(options)
  if (robot) {
    return act(async (request, schema) =>
      resultIn(await askRobot(robot.socket, request, answerMs), schema),
    )
  }
  const folder = options.state ?? join(options.stateRoot, options.name ?? options.usualName)
  const [desk, close] = await deskIn(resolve(folder))
  try {
    return await act(async (request, schema) =>
      resultIn(await answerAboutMemory(desk, request), schema),
    )
  } finally {
    await close()
  }
}

function resultIn<Result>(response: Response, schema: z.ZodType<Result>): Result {
  if (!response.ok) throw new MechosError('ERR_MEMORY_UNKEPT', response.message)
  return schema.parse(response.result)
}

function robotFor({ name, state, stateRoot }: MemoryOptions): Owner | undefined {
  if (state !== undefined) return ownerOf(state)
  const running = runningRobots(stateRoot)
  const meant = running.filter((robot) => name === undefined || robot.name === name)
  if (meant.length < 2) return meant[0]
  const names = meant.map((robot) => robot.name).join(', ')
  throw new MechosError(
    'ERR_USAGE',
    `name: missing; several robots are running (${names}): say --name NAME or --state DIR`,
  )
}

/** The memory of a robot that does not run. */
async function deskIn(folder: string): Promise<readonly [Desk, () => Promise<void>]> {
  const path = memoriesFolder(folder)
  if (!existsSync(path)) {
    throw new MechosError('ERR_USAGE', `state: ${folder} has no memories; no robot ran there`)
  }
  const book = createMemoryBook(memoryStoreAt(path), wallClock(), unixMs)
  const { loss } = await book.open()
  if (loss !== undefined) process.stderr.write(`${loss}\n`)
  const { problem, settings } = await settingsFileIn(folder).look()
  if (problem !== undefined) process.stderr.write(`${problem}\n`)
  const desk: Desk = {
    query: async (text) => sought(book.entries, text, unixMs()),
    list: () => listed(book.entries),
    settings,
    async forget(ids) {
      const forgotten = book.forget(
        ids === 'all' ? book.entries.map(({ memory: { id } }) => id) : ids,
      )
      let { left } = await book.write()
      // oxlint-disable-next-line no-await-in-loop -- a part at a time
      while (left > 0) left = (await book.write()).left
      return forgotten
    },
  }
  return [desk, () => book.close()]
}

function lineOf({ id, kind, score, text, wallMs }: Remembered): string {
  const age = ageText(unixMs() - wallMs)
  const likeness = score === undefined ? '' : `  ${score.toFixed(2)}`
  return `${String(id).padStart(6)}  ${kind.padEnd(7)}  ${age.padStart(8)}${likeness}  ${printable(text)}`
}

function placeLine({ frame, name, x, y }: NamedPlace): string {
  return `place: ${printable(name)} at x ${x} m, y ${y} m in ${frame}`
}
