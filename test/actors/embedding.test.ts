import { describe, expect, test } from 'vitest'
import { type Budget, createBudget } from '../../actors/budget.ts'
import { createEmbedder } from '../../actors/embedding.ts'
import { createEmbeddings } from '../../actors/embeddings.ts'
import { createTariff } from '../../actors/tariff.ts'
import type { Embedded, Entry } from '../../core/memory/recall.ts'
import { ExchangeError } from '../../core/vocabulary/exchange.ts'
import { Secret } from '../../core/vocabulary/secret.ts'
import { virtualClock } from '../../drivers/clock.ts'
import type { Posting } from '../../drivers/https.ts'
import { memoryLedgerStore } from '../../store/ledger.ts'
import { entryOf, happening, noonMs, noteOf } from '../support/memories.ts'

const signal = new AbortController().signal

function answering(vectors: readonly unknown[], usage: object | null = { prompt_tokens: 9 }) {
  // Backwards, since nothing says that they come in order.
  const data = vectors.map((embedding, index) => ({ index, embedding })).toReversed()
  return () => new Response(JSON.stringify({ data, ...(usage && { usage }) }))
}

/** An embedder whose server is in the hands of the test, and what it was asked. */
async function rig(tokens = 10_000) {
  const clock = virtualClock()
  const limit = { tokens, nanoUsd: Infinity }
  const budget: Budget = await createBudget({
    limits: { run: limit, day: limit, month: limit },
    requestsPerMinute: Infinity,
    store: memoryLedgerStore(),
    calendar: () => ({ wallMs: noonMs, uptimeMs: 0, bootId: 'one', isSynchronised: true }),
    clock,
    idPrefix: 'test',
  })
  const asked: Posting[] = []
  const server = { respond: (): Response => new Response('', { status: 500 }) }
  const embedder = createEmbedder({
    endpoint: {
      url: 'https://example.org/v1/',
      model: 'm',
      key: new Secret('sk-1'),
      transport: async (posting) => {
        asked.push(posting)
        return server.respond()
      },
    },
    tariff: createTariff({
      counter: undefined,
      price: { inputNanoUsdPerToken: 20, outputNanoUsdPerToken: 0 },
    }),
    budget,
    wallMs: () => noonMs,
  })
  return { budget, clock, asked, server, embedder }
}

const spentIn = ({ day: { spent, assumed, held } }: Budget) => [
  spent.tokens,
  assumed.tokens > 0,
  held.tokens,
]

describe('vectors of an endpoint', () => {
  test('are asked for as numbers, and cost what the server says', async () => {
    const { asked, budget, embedder, server } = await rig()
    server.respond = answering([
      [3, 4],
      [0, 2],
    ])
    expect(await embedder.embed(['the dock', 'a door'], signal)).toEqual([
      { name: 'm at https://example.org/v1/', vector: Float32Array.from([0.6, 0.8]) },
      { name: 'm at https://example.org/v1/', vector: Float32Array.from([0, 1]) },
    ])
    expect(asked).toEqual([
      {
        url: 'https://example.org/v1/embeddings',
        headers: expect.objectContaining({ authorization: 'Bearer sk-1' }),
        body: '{"model":"m","input":["the dock","a door"],"encoding_format":"float"}',
      },
    ])
    expect(spentIn(budget)).toEqual([9, false, 0])
    expect(budget.day.spent.nanoUsd).toBe(180)
  })

  test('that are none, or of other dimensions than the first, are refused', async () => {
    const { embedder, server } = await rig()
    server.respond = () =>
      new Response(
        '{"data":[{"index":0,"embedding":[1,0]},{"index":1,"embedding":[1e999,0]},{"index":2,"embedding":[0,0]},{"index":3,"embedding":[1,0,0]}],"usage":{"prompt_tokens":9}}',
      )
    const vectors = await embedder.embed(['a', 'b', 'c', 'd'], signal)
    expect(vectors.map((one) => one?.vector)).toEqual([
      Float32Array.from([1, 0]),
      undefined,
      undefined,
      undefined,
    ])
    server.respond = answering([[1, 0, 0]])
    expect(await embedder.embed(['e'], signal)).toEqual([undefined])
  })

  const faults: Record<string, { respond: () => Response; code: string; assumed: boolean }> = {
    refuses: {
      respond: () => new Response('{}', { status: 401 }),
      code: 'ERR_BRAIN_REFUSED',
      assumed: false,
    },
    fails: {
      respond: () => new Response('{}', { status: 500 }),
      code: 'ERR_BRAIN_REFUSED',
      assumed: true,
    },
    'is not there': {
      respond: () => {
        throw new ExchangeError('refused', false)
      },
      code: 'ERR_BRAIN_UNREACHABLE',
      assumed: false,
    },
    'breaks off': {
      respond: () => {
        throw new ExchangeError('broken', true)
      },
      code: 'ERR_BRAIN_UNREACHABLE',
      assumed: true,
    },
    'answers rubbish': {
      respond: () => new Response('<html>'),
      code: 'ERR_BRAIN_RUBBISH',
      assumed: true,
    },
    'leaves one out': { respond: answering([[1]]), code: 'ERR_BRAIN_RUBBISH', assumed: false },
  }
  for (const [title, { respond, code, assumed }] of Object.entries(faults)) {
    test(`are settled when the server ${title}`, async () => {
      const { budget, embedder, server } = await rig()
      server.respond = respond
      await expect(embedder.embed(['a', 'b'], signal)).rejects.toMatchObject({ code })
      const [spent, isAssumed, held] = spentIn(budget)
      expect([isAssumed, held]).toEqual([assumed, 0])
      expect(spent).toBe(title === 'leaves one out' ? 9 : 0)
    })
  }

  test('without a bill are charged at their worst, and never more than there is', async () => {
    const { asked, budget, embedder, server } = await rig(200)
    server.respond = answering([[1]], null)
    await embedder.embed(['the dock'], signal)
    expect(spentIn(budget)).toEqual([0, true, 0])
    await expect(embedder.embed(['x'.repeat(300)], signal)).rejects.toMatchObject({
      code: 'ERR_BUDGET_EXHAUSTED',
    })
    expect(asked.length).toBe(1)
  })
})

/** Lets every promise that is settled go on. */
const settled = async () => {
  for (let at = 0; at < 50; at++) {
    // oxlint-disable-next-line no-await-in-loop -- turn after turn
    await Promise.resolve()
  }
}

function keeping(entries: readonly Entry[]) {
  const clock = virtualClock()
  const asked: string[][] = []
  const taken: [number, Embedded][] = []
  const said: string[] = []
  const state = { entries, isAmple: true, fault: undefined as Error | undefined }
  const name = 'm'
  const embeddings = createEmbeddings({
    embedder: {
      name,
      async embed(texts) {
        asked.push([...texts])
        if (state.fault) throw state.fault
        return texts.map((text) =>
          text === 'rubbish' ? undefined : { name, vector: Float32Array.from([text.length]) },
        )
      },
    },
    clock,
    run: 'rover-1',
    entries: () => state.entries,
    take: (vectors) => taken.push(...vectors),
    isAmple: () => state.isAmple,
    tell: (line) => said.push(line),
  })
  return { asked, clock, embeddings, said, state, taken }
}

describe('the vectors that a memory wants', () => {
  test('are asked for once for each text that is looked for', async () => {
    const { asked, embeddings } = keeping([])
    const both = await Promise.all([embeddings.vectorOf('dock'), embeddings.vectorOf('dock')])
    expect([...both, await embeddings.vectorOf('dock')]).toEqual(
      Array.from({ length: 3 }, () => ({ name: 'm', vector: Float32Array.from([4]) })),
    )
    expect(asked).toEqual([['dock']])
  })

  test('are given to notes at once, and never asked for again where they are none', async () => {
    const notes = [noteOf(1, 'dock'), noteOf(2, 'rubbish')].map((memory) => entryOf(memory))
    const { asked, embeddings, taken } = keeping(notes)
    embeddings.noteEntries()
    embeddings.noteEntries()
    await settled()
    embeddings.noteEntries()
    await settled()
    expect(asked).toEqual([['rubbish', 'dock']])
    expect(taken).toEqual([[1, { name: 'm', vector: Float32Array.from([4]) }]])
  })

  test('are given to a few of the episodes of this run each minute, while there is money', async () => {
    const episodes = Array.from({ length: 20 }, (_, at) =>
      entryOf(
        happening(at + 1, { intended: `turn ${at % 10}`, run: at < 5 ? 'before' : 'rover-1' }),
      ),
    )
    const { asked, clock, embeddings, state, taken } = keeping(episodes)
    const look = async () => {
      embeddings.noteEntries()
      await settled()
    }
    await look()
    expect(asked).toEqual([])
    await clock.advance(60_000)
    state.isAmple = false
    await look()
    expect(asked).toEqual([])
    state.isAmple = true
    await look()
    await look()
    expect(asked.map((texts) => texts.length)).toEqual([8])
    // Those that read the same share a vector; none is of the run before.
    expect(taken.map(([id]) => id).toSorted((a, b) => a - b)).toEqual([
      6, 7, 8, 9, 10, 13, 14, 15, 16, 17, 18, 19, 20,
    ])
  })

  test('are left alone for a minute after a failure, which is told once', async () => {
    const { asked, clock, embeddings, said, state } = keeping([])
    state.fault = new Error('nobody answers')
    expect(await embeddings.vectorOf('dock')).toBe(undefined)
    expect(await embeddings.vectorOf('dock')).toBe(undefined)
    expect(asked.length).toBe(1)
    await clock.advance(60_001)
    expect(await embeddings.vectorOf('dock')).toBe(undefined)
    expect([asked.length, said]).toEqual([
      2,
      ['memory: nobody answers. Memories are found by their words'],
    ])
    state.fault = undefined
    await clock.advance(60_001)
    expect(await embeddings.vectorOf('dock')).toBeDefined()
    embeddings.close()
    expect(await embeddings.vectorOf('door')).toBe(undefined)
  })
})
