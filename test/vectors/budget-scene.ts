import { createActor, type EventFromLogic, fromPromise } from 'xstate'
import { z } from 'zod'
import { watchBudget } from '../../actors/budget-watch.ts'
import { type Budget, createBudget } from '../../actors/budget.ts'
import { reserveFor, settleWith } from '../../actors/spending.ts'
import type { Tariff } from '../../actors/tariff.ts'
import type { Attempt, Completion, Question } from '../../core/vocabulary/question.ts'
import { type VirtualClock, virtualClock } from '../../drivers/clock.ts'
import { llmMachine } from '../../machines/llm.machine.ts'
import { memoryLedgerStore } from '../../store/ledger.ts'

/**
 * Plays, for `openai-budget.ts`, calls that are made at once, each by an `llm` chart of its own, on one budget of which
 * `spent` tokens are spent; each uses the worst that it was afforded. Afterwards each chart is sent the events of `afterwards`
 * and asked once more. Reads what to play from its argument, and prints what came of it as JSON.
 */
const played = z.strictObject({
  limit: z.number(),
  spent: z.number(),
  calls: z.array(z.strictObject({ promptTokens: z.number(), capTokens: z.number() })),
  afterwards: z.array(z.looseObject({ type: z.string() })),
})
const play = played.parse(JSON.parse(process.argv[2] ?? ''))
/** What is sent may be what no chart was ever meant to be sent. */
const event = z.custom<EventFromLogic<typeof llmMachine>>()

const answerMs = 100
const unlimited = { tokens: Infinity, nanoUsd: Infinity }
const clock = virtualClock()
const budget = await createBudget({
  limits: {
    run: { tokens: play.limit, nanoUsd: Infinity },
    day: unlimited,
    month: unlimited,
  },
  requestsPerMinute: Infinity,
  store: memoryLedgerStore(),
  calendar: () => ({ wallMs: 0, uptimeMs: clock.now(), bootId: 'scene', isSynchronised: true }),
  clock,
  idPrefix: 'scene-',
})
await spend(budget, play.spent)

const seen = { sent: 0, atOnce: 0, atOnceMax: 0 }
const refused: string[] = []
const charts = play.calls.map((call) => chartOf(call, clock))
for (const chart of charts) chart.send({ type: 'llm.ask', question: questionOf(1) })
await clock.advance(answerMs / 2)
const leftTokens = play.limit - budget.run.spent.tokens
const refusedWhileHeld = refused.length
await clock.advance(answerMs * play.calls.length)
for (const chart of charts) {
  for (const each of play.afterwards) chart.send(event.parse(each))
  if (play.afterwards.length > 0) chart.send({ type: 'llm.ask', question: questionOf(2) })
}
await clock.advance(answerMs * play.calls.length)

process.stdout.write(
  `${JSON.stringify({
    sent: seen.sent,
    atOnceMax: seen.atOnceMax,
    refusedWhileHeld,
    refused,
    level: budget.note.level,
    charts: charts.map((chart) => chart.getSnapshot().value.budget),
    leftTokens,
    chargedTokens: budget.run.spent.tokens + budget.run.assumed.tokens + budget.run.debt.tokens,
    events: llmMachine.events,
  })}\n`,
)
process.exit()

async function spend({ reserve, settle }: Budget, tokens: number) {
  if (tokens === 0) return
  const amount = { tokens, nanoUsd: 0 }
  const wish = { worst: () => amount, capTokens: 1, capTokensMin: 1 }
  await settle(await reserve(wish, new AbortController().signal), { kind: 'used', amount })
}

function chartOf(
  { promptTokens, capTokens }: { promptTokens: number; capTokens: number },
  on: VirtualClock,
) {
  const tariff: Tariff = {
    worst: (_, cap) => ({ tokens: promptTokens + cap, nanoUsd: 0 }),
    chargeOf: (attempt) => ({
      kind: 'used',
      amount: tariff.worst(attempt.question, attempt.capTokens),
    }),
  }
  const complete = fromPromise<Completion, Attempt>(async () => {
    seen.sent += 1
    seen.atOnce += 1
    seen.atOnceMax = Math.max(seen.atOnceMax, seen.atOnce)
    await new Promise<void>((resolve) => on.setTimeout(resolve, answerMs))
    seen.atOnce -= 1
    return { content: '', finish: 'stop', usage: undefined }
  })
  const chart = createActor(
    llmMachine.provide({
      actors: {
        watchBudget: watchBudget(() => budget),
        reserve: reserveFor(budget, [tariff]),
        complete,
        settle: settleWith(budget, [tariff]),
      },
    }),
    { clock: on, input: { endpoints: [{ capTokens, deadlineMs: 60_000 }] } },
  )
  chart.on('llm.failed', ({ code }) => refused.push(code))
  return chart.start()
}

function questionOf(id: number): Question {
  return { id, messages: [{ role: 'user', content: 'What now?' }], schema: {} }
}
