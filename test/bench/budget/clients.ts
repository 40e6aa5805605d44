import { type ActorRefFrom, createActor } from 'xstate'
import { watchBudget } from '../../../actors/budget-watch.ts'
import type { Budget } from '../../../actors/budget.ts'
import { complete, type Endpoint, replyBytesMax } from '../../../actors/chat.ts'
import { createProfiles } from '../../../actors/profile.ts'
import { reserveFor, settleWith } from '../../../actors/spending.ts'
import { createTariff } from '../../../actors/tariff.ts'
import { counterFor } from '../../../actors/tokenizer.ts'
import { free } from '../../../core/budget/price.ts'
import type { Reply } from '../../../core/rules/reply.ts'
import type { Question } from '../../../core/vocabulary/question.ts'
import type { Clock } from '../../../drivers/clock.ts'
import { httpsTransport } from '../../../drivers/https.ts'
import type { Random } from '../../../drivers/random.ts'
import { llmMachine, retryMsOf } from '../../../machines/llm.machine.ts'

/** Clients that share one budget. */
export interface Clients {
  readonly count: number
  readonly budget: Budget
  /** Where they ask. */
  readonly url: string
  readonly clock: Clock
  readonly random: Random
  /** Called when they have begun. */
  onBegun?(): void
}

/** Its tokenizer is known. */
const model = 'gpt-4o-mini'
const capTokens = 180
/** Below the server's slowest answers. The second half of the clients gives a whole call no longer than that. */
const attemptMs = 860
const callMs = 10_000
/** After a call that came to nothing. */
const pauseMs = { min: 5, max: 25 }
/** By then the budget has long been spent. */
const patienceMs = 60_000

/**
 * Has each client ask again and again, as a robot does, until the budget is exhausted and all calls have ended.
 * Resolves to the first words of the reasons of all replies that were acted upon. Rejects when that takes more than a
 * minute.
 */
export async function spendAll(clients: Clients): Promise<readonly string[]> {
  const { budget, clock } = clients
  const tariffs = [createTariff({ counter: await counterFor(model), price: free })]
  const endpoint: Endpoint = {
    url: clients.url,
    model,
    key: undefined,
    transport: httpsTransport({ clock, deadlineMs: attemptMs, bodyBytesMax: replyBytesMax }),
  }
  const machine = llmMachine.provide({
    actors: {
      watchBudget: watchBudget(() => budget),
      reserve: reserveFor(budget, tariffs),
      complete: complete([endpoint], createProfiles(), () => 0),
      settle: settleWith(budget, tariffs),
    },
    delays: { retryDelay: ({ context }) => retryMsOf(context, clients.random.uniform()) },
  })
  const charts = Array.from({ length: clients.count }, (_, index) => {
    const deadlineMs = index < clients.count / 2 ? callMs : attemptMs
    return createActor(machine, {
      clock,
      input: { endpoints: [{ capTokens, deadlineMs }] },
    }).start()
  })
  const endMs = clock.now() + patienceMs
  const acted = Promise.all(charts.map((chart, index) => live(chart, index, clients, endMs)))
  clients.onBegun?.()
  try {
    return (await acted).flat()
  } finally {
    for (const chart of charts) chart.stop()
  }
}

type Llm = ActorRefFrom<typeof llmMachine>

/** Asks one question after the other while there is a budget. */
async function live(
  chart: Llm,
  client: number,
  { budget, clock, random }: Clients,
  endMs: number,
): Promise<readonly string[]> {
  const acted: string[] = []
  for (let id = 1; budget.note.level !== 'exhausted'; id++) {
    if (!(clock.now() < endMs)) {
      throw new Error(`the budget is not spent: ${chart.getSnapshot().context.lastError}`)
    }
    // oxlint-disable-next-line no-await-in-loop -- a robot has one question at a time
    const reply = await askOnce(chart, questionOf(id, client))
    if (reply?.outcome === 'intent') acted.push(reply.proposal.reason.split(' ')[0] ?? '')
    // oxlint-disable-next-line no-await-in-loop -- as above
    else await pause(clock, random.between(pauseMs.min, pauseMs.max))
  }
  return acted
}

/** Undefined where the call failed. */
function askOnce(chart: Llm, question: Question): Promise<Reply | undefined> {
  return new Promise((resolve) => {
    const subscriptions = [
      chart.on('llm.answered', ({ reply }) => end(reply)),
      chart.on('llm.failed', () => end(undefined)),
    ]
    const end = (reply: Reply | undefined) => {
      for (const subscription of subscriptions) subscription.unsubscribe()
      resolve(reply)
    }
    chart.send({ type: 'llm.ask', question })
  })
}

function pause(clock: Clock, milliseconds: number): Promise<void> {
  return new Promise((resolve) => clock.setTimeout(resolve, milliseconds))
}

/** Much shorter than what a robot asks: so there are many calls to a limit, and little is left of it at the end. */
function questionOf(id: number, client: number): Question {
  return {
    id,
    messages: [
      { role: 'system', content: 'You steer a small robot. Answer with a reason and an intent.' },
      { role: 'user', content: `Robot ${client} stands still, question ${id}.` },
    ],
    schema,
  }
}

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['reason', 'intent'],
  properties: {
    reason: { type: 'string' },
    intent: {
      type: 'object',
      additionalProperties: false,
      required: ['type'],
      properties: { type: { type: 'string', enum: ['stop'] } },
    },
  },
}
