import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createActor, type EventObject, fromCallback } from 'xstate'
import { MechosError } from '../../core/vocabulary/errors.ts'
import type {
  Attempt,
  AttemptFailure,
  BudgetNote,
  Completion,
  Question,
  Reservation,
  Settlement,
} from '../../core/vocabulary/question.ts'
import { virtualClock } from '../../drivers/clock.ts'
import { type Bill, llmMachine, type Wish } from '../../machines/llm.machine.ts'
import { held } from './held.ts'

const question: Question = {
  id: 1,
  messages: [{ role: 'user', content: 'What now?' }],
  schema: {},
}
const whole = '{"reason":"why not","intent":{"type":"stop"}}'
const good: Completion = {
  content: whole,
  finish: 'stop',
  usage: { promptTokens: 30, completionTokens: 10 },
}
const busy: AttemptFailure = {
  code: 'ERR_BRAIN_REFUSED',
  message: 'the server answered 503',
  outcome: { kind: 'unknown' },
  retryable: true,
}
const denied: AttemptFailure = {
  code: 'ERR_BRAIN_REFUSED',
  message: 'the server answered 401',
  outcome: { kind: 'unsent' },
  retryable: false,
}
const reservation: Reservation = {
  id: 'run-1',
  worst: { tokens: 200, nanoUsd: 0 },
  capTokens: 90,
}
const exhausted: BudgetNote = { level: 'exhausted', cause: 'nothing is left; wait for tomorrow' }

/** An llm whose ledger, server and disk do what a test says, when it says so. */
function asking(endpoints = 1) {
  const clock = virtualClock()
  const reserve = held<Reservation, Wish>()
  const complete = held<Completion, Attempt>()
  const settle = held<Settlement, Bill>()
  const notes: { tell(note: BudgetNote): void }[] = []
  const watchBudget = fromCallback<EventObject, undefined>(({ sendBack }) => {
    notes.push({ tell: (note) => sendBack({ type: 'budget.noted', note }) })
  })
  const llm = createActor(
    llmMachine.provide({
      actors: {
        watchBudget,
        reserve: reserve.logic,
        complete: complete.logic,
        settle: settle.logic,
      },
    }),
    {
      clock,
      input: {
        endpoints: Array.from({ length: endpoints }, () => ({ capTokens: 100, deadlineMs: 1_000 })),
      },
    },
  )
  const said: unknown[] = []
  llm.on('llm.answered', ({ id, reply }) => said.push([id, reply.outcome]))
  llm.on('llm.failed', ({ id, code }) => said.push([id, code]))
  llm.start()
  let lastId = 0
  const rig = {
    clock,
    llm,
    reserve,
    complete,
    settle,
    said,
    ask() {
      llm.send({ type: 'llm.ask', question: { ...question, id: ++lastId } })
      return lastId
    },
    abort: (id = lastId) => llm.send({ type: 'llm.abort', id }),
    tell: (note: BudgetNote) => notes.at(-1)?.tell(note),
    value() {
      const { call, ...others } = llm.getSnapshot().value
      return { ...others, call: typeof call === 'string' ? call : call.asking }
    },
    /** Asks, and has the ledger afford it. */
    async call() {
      const id = rig.ask()
      await reserve.last().resolve(reservation)
      return id
    },
    async settled(overbilled = false) {
      await settle.last().resolve({ overbilled })
    },
    /** A call to its end, well or not. */
    async answered(completion = good) {
      await rig.call()
      await complete.last().resolve(completion)
      await rig.settled()
    },
    async failed(failure = denied) {
      await rig.call()
      await complete.last().reject(failure)
      await rig.settled()
    },
    /** The retry, or the next endpoint, gets as far as its server. */
    async afforded() {
      await reserve.last().resolve(reservation)
    },
  }
  return rig
}

describe('a call', () => {
  test('is sent only once the ledger has kept its worst, under the cap that it afforded', async () => {
    const { ask, reserve, complete, value } = asking()
    ask()
    expect([value().call, complete.calls.length]).toEqual(['reserving', 0])
    expect(reserve.last().input).toEqual({ question, endpoint: 0, capTokens: 100 })
    await reserve.last().resolve(reservation)
    expect([value().call, complete.calls.length]).toEqual(['calling', 1])
    expect(complete.last().input).toEqual({ question, endpoint: 0, capTokens: 90 })
  })

  test('is settled by what came back before anybody hears of it', async () => {
    const { call, complete, settle, settled, said, value } = asking()
    const id = await call()
    await complete.last().resolve(good)
    expect([value().call, said]).toEqual(['settling', []])
    expect(settle.last().input).toEqual({
      reservation,
      attempt: { question, endpoint: 0, capTokens: 90 },
      outcome: { kind: 'used', completion: good },
    })
    await settled()
    expect([value().call, said]).toEqual(['idle', [[id, 'intent']]])
  })

  test.each([
    ['ERR_BUDGET_EXHAUSTED', 'the budget of the day is exhausted'],
    ['ERR_BUDGET_UNKEPT', 'the disk is full'],
  ] as const)('that the ledger refuses with %s is never sent', async (code, message) => {
    const { ask, reserve, complete, settle, said, llm, value } = asking()
    const id = ask()
    await reserve.last().reject(new MechosError(code, message))
    expect([complete.calls.length, settle.calls.length]).toEqual([0, 0])
    expect([value(), said]).toEqual([
      { budget: 'ample', circuit: 'closed', call: 'idle' },
      [[id, code]],
    ])
    expect(llm.getSnapshot().context.lastError).toBe(message)
  })

  test('that fails is settled by what is known of its bill', async () => {
    const { failed, settle, call, complete } = asking()
    await failed(denied)
    expect(settle.last().input.outcome).toEqual({ kind: 'unsent' })
    await call()
    await complete.last().reject(new Error('the connection broke'))
    expect(settle.last().input.outcome).toEqual({ kind: 'unknown' })
  })

  test('is retried once, after half a second, with a reservation of its own', async () => {
    const { clock, call, complete, reserve, settled, afforded, value, said } = asking()
    const id = await call()
    await complete.last().reject(busy)
    await settled()
    expect(value().call).toBe('retrying')
    await clock.advance(499)
    expect(reserve.calls.length).toBe(1)
    await clock.advance(1)
    expect([reserve.calls.length, complete.calls.length]).toEqual([2, 1])
    await afforded()
    await complete.last().reject(busy)
    await settled()
    expect([value().call, said]).toEqual(['idle', [[id, 'ERR_BRAIN_REFUSED']]])
    await clock.advance(60_000)
    expect(reserve.calls.length).toBe(2)
  })

  test('waits as long as its server asks, where that is within the deadline', async () => {
    const { clock, failed, reserve, value } = asking()
    await failed({ ...busy, retryAfterMs: 800 })
    await clock.advance(799)
    expect([value().call, reserve.calls.length]).toEqual(['retrying', 1])
    await clock.advance(1)
    expect(reserve.calls.length).toBe(2)
  })

  test('whose server asks for more than the deadline fails, and the server is left alone for so long', async () => {
    const { clock, failed, value, said, reserve, ask } = asking()
    await failed({ ...busy, retryAfterMs: 30_000 })
    expect([value().call, value().circuit]).toEqual(['idle', 'open'])
    ask()
    await clock.advance(29_999)
    expect([value().circuit, reserve.calls.length]).toEqual(['open', 1])
    await clock.advance(1)
    expect([value().circuit, said]).toEqual([
      'probing',
      [
        [1, 'ERR_BRAIN_REFUSED'],
        [2, 'ERR_BRAIN_UNREACHABLE'],
      ],
    ])
  })

  test('whose server asks to be left alone for days is asked again after five minutes', async () => {
    const { clock, failed, value } = asking()
    await failed({ ...busy, retryAfterMs: 5_000_000_000 })
    await clock.advance(299_999)
    expect(value().circuit).toBe('open')
    await clock.advance(1)
    expect(value().circuit).toBe('probing')
  })

  test('is asked again at once without the field that its server does not take, a few times', async () => {
    const { failed, complete, afforded, settled, said, value } = asking()
    const adapted: AttemptFailure = { ...denied, adapted: true }
    await failed(adapted)
    for (let more = 0; more < 4; more++) {
      expect(value().call).toBe('reserving')
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      await afforded()
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      await complete.last().reject(adapted)
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      await settled()
    }
    expect([complete.calls.length, said]).toEqual([5, [[1, 'ERR_BRAIN_REFUSED']]])
  })

  test('ends at its deadline, is charged at its worst, and its late answer is dropped', async () => {
    const { clock, call, complete, settle, settled, value, said } = asking()
    const id = await call()
    await clock.advance(1_000)
    expect([complete.last().signal.aborted, value().call]).toEqual([true, 'settling'])
    expect(settle.last().input.outcome).toEqual({ kind: 'unknown' })
    await complete.last().resolve(good)
    await settled()
    expect([said, settle.calls.length]).toEqual([[[id, 'ERR_BRAIN_SILENT']], 1])
  })

  test('that the budget lets wait for too long is given up, and nothing was sent', async () => {
    const { clock, ask, reserve, complete, settle, said } = asking()
    const id = ask()
    await clock.advance(1_000)
    expect(reserve.last().signal.aborted).toBe(true)
    expect([complete.calls.length, settle.calls.length, said]).toEqual([
      0,
      0,
      [[id, 'ERR_BUDGET_EXHAUSTED']],
    ])
  })

  test('whose deadline comes while it waits for its retry says what the first attempt failed of', async () => {
    const { clock, call, complete, settled, said, llm } = asking()
    await call()
    await clock.advance(600)
    await complete.last().reject({ ...busy, retryAfterMs: 900 })
    await settled()
    await clock.advance(400)
    expect([said, llm.getSnapshot().context.lastError]).toEqual([
      [[1, 'ERR_BRAIN_REFUSED']],
      'the server answered 503',
    ])
  })

  test('that is settled while its deadline comes is settled to its end, and answers', async () => {
    const { clock, call, complete, settle, settled, said } = asking()
    const id = await call()
    await complete.last().resolve(good)
    await clock.advance(1_000)
    expect(settle.last().signal.aborted).toBe(false)
    await settled()
    expect(said).toEqual([[id, 'intent']])
  })

  test('whose deadline came while it was settled is not tried again', async () => {
    const { clock, call, complete, settled, said, reserve } = asking()
    const id = await call()
    await complete.last().reject(busy)
    await clock.advance(1_000)
    await settled()
    await clock.advance(60_000)
    expect([reserve.calls.length, said]).toEqual([1, [[id, 'ERR_BRAIN_REFUSED']]])
  })

  test('whose settlement the disk does not take in 5 s is not acted on', async () => {
    const { clock, call, complete, said } = asking()
    const id = await call()
    await complete.last().resolve(good)
    await clock.advance(5_000)
    expect(said).toEqual([[id, 'ERR_BUDGET_UNKEPT']])
  })

  test('counts each kind of reply by itself, and none of them against its server', async () => {
    const { answered, llm, value } = asking()
    const contents = [
      whole,
      'Sure!',
      `\`\`\`json\n${whole}\n\`\`\``,
      `${whole}${whole}`,
      '{}',
      '[]',
    ]
    for (const content of contents) {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await answered({ ...good, content })
    }
    await answered({ ...good, finish: 'length' })
    expect(llm.getSnapshot().context.replies).toEqual({
      intent: 1,
      notJson: 1,
      fenced: 1,
      doubled: 2,
      schema: 1,
      truncated: 1,
    })
    expect(value().circuit).toBe('closed')
  })
})

describe('a question that is withdrawn', () => {
  test('while it is called is charged at its worst', async () => {
    const { call, abort, complete, settle, settled, said, value } = asking()
    const id = await call()
    abort()
    expect([complete.last().signal.aborted, value().call]).toEqual([true, 'settling'])
    expect(settle.last().input.outcome).toEqual({ kind: 'unknown' })
    await settled()
    expect([said, value().circuit]).toEqual([[[id, 'ERR_BRAIN_SILENT']], 'closed'])
  })

  test('while it waits for the ledger costs nothing', async () => {
    const { ask, abort, reserve, settle, value } = asking()
    ask()
    abort()
    expect([reserve.last().signal.aborted, settle.calls.length, value().call]).toEqual([
      true,
      0,
      'idle',
    ])
  })

  test('while it is settled is settled to its end, and its answer is dropped', async () => {
    const { call, abort, complete, settle, settled, said } = asking()
    const id = await call()
    await complete.last().resolve(good)
    abort()
    expect(settle.last().signal.aborted).toBe(false)
    await settled()
    expect(said).toEqual([[id, 'ERR_BRAIN_SILENT']])
  })

  test('makes room for the next one as soon as it is settled', async () => {
    const { call, ask, abort, settled, said, reserve, value } = asking()
    await call()
    abort()
    const next = ask()
    expect([value().call, reserve.calls.length]).toEqual(['settling', 1])
    await settled()
    expect([value().call, reserve.last().input.question.id]).toEqual(['reserving', next])
    expect(said).toEqual([[1, 'ERR_BRAIN_SILENT']])
  })

  test('before its turn has come is never asked', async () => {
    const { call, ask, abort, settled, reserve, value } = asking()
    await call()
    abort()
    ask()
    abort()
    await settled()
    expect([value().call, reserve.calls.length]).toEqual(['idle', 1])
  })

  test('too late withdraws no other', async () => {
    const { answered, call, abort, value } = asking()
    await answered()
    await call()
    abort(1)
    expect(value().call).toBe('calling')
  })
})

test('a second question is refused while the first is asked', async () => {
  const { call, ask, said } = asking()
  await call()
  const second = ask()
  expect(said).toEqual([[second, 'ERR_BRAIN_SILENT']])
})

describe('the budget', () => {
  test('is what the ledger says', () => {
    const { tell, value } = asking()
    const levels = (['low', 'ample', 'exhausted', 'ample', 'low'] as const).map((level) => {
      tell({ level, cause: undefined })
      return value().budget
    })
    expect(levels).toEqual(['low', 'ample', 'exhausted', 'ample', 'low'])
  })

  test('lets nothing be reserved while it is exhausted, and says what would lift that', async () => {
    const { tell, ask, said, reserve, complete, llm, clock } = asking()
    tell(exhausted)
    const id = ask()
    await clock.advance(60_000)
    expect([reserve.calls.length, complete.calls.length, said]).toEqual([
      0,
      0,
      [[id, 'ERR_BUDGET_EXHAUSTED']],
    ])
    expect(llm.getSnapshot().context.lastError).toBe('nothing is left; wait for tomorrow')
  })

  test('that is exhausted is not held against the server, and lets calls through again once it is renewed', async () => {
    const { tell, ask, answered, said, value } = asking()
    tell(exhausted)
    for (let calls = 0; calls < 9; calls++) ask()
    tell({ level: 'ample', cause: undefined })
    await answered()
    expect([value().circuit, said.at(-1)]).toEqual(['closed', [10, 'intent']])
  })

  test('that nobody can watch any more counts as exhausted', async () => {
    const watchBudget = fromCallback<EventObject, undefined>(() => {
      throw new Error('not this one')
    })
    const llm = createActor(llmMachine.provide({ actors: { watchBudget } }), {
      input: { endpoints: [] },
    }).start()
    await turn()
    expect([llm.getSnapshot().value.budget, llm.getSnapshot().context.budget.cause]).toEqual([
      'exhausted',
      'nobody watches the budget: not this one',
    ])
  })

  test('that a server overdraws trips its circuit, and the reply is not acted on', async () => {
    const { call, complete, settled, said, value, llm } = asking()
    const id = await call()
    await complete.last().resolve(good)
    await settled(true)
    expect([said, value().circuit]).toEqual([[[id, 'ERR_BRAIN_REFUSED']], 'open'])
    expect(llm.getSnapshot().context.lastError).toMatch(/billed more than .* debt/)
  })
})

describe('the circuit', () => {
  async function opened(endpoints = 1) {
    const rig = asking(endpoints)
    for (let failures = 0; failures < 5; failures++) {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await rig.failed()
    }
    return rig
  }

  test('opens after five failed calls in a row, and not before', async () => {
    const { failed, answered, value } = asking()
    for (let failures = 0; failures < 4; failures++) {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await failed()
    }
    await answered()
    await failed()
    expect(value().circuit).toBe('closed')
    const { value: then } = await opened()
    expect(then().circuit).toBe('open')
  })

  test('asks nothing while it is open, and tries one call after ten seconds', async () => {
    const { ask, clock, value, said, reserve, failed, answered } = await opened()
    const id = ask()
    expect([reserve.calls.length, said.at(-1)]).toEqual([5, [id, 'ERR_BRAIN_UNREACHABLE']])
    await clock.advance(10_000)
    expect(value().circuit).toBe('probing')
    await failed()
    expect(value().circuit).toBe('open')
    await clock.advance(10_000)
    await answered()
    expect(value().circuit).toBe('closed')
  })

  test('opens for a server whose replies never end', async () => {
    const { answered, said, value } = asking()
    for (let calls = 0; calls < 5; calls++) {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await answered({ content: '', finish: 'oversized', usage: undefined })
    }
    expect([value().circuit, said[0]]).toEqual(['open', [1, 'oversized']])
  })

  test('is not moved by withdrawn questions', async () => {
    const { call, abort, settled, value } = asking()
    for (let calls = 0; calls < 9; calls++) {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await call()
      abort()
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await settled()
    }
    expect(value().circuit).toBe('closed')
  })
})

describe('a list of endpoints', () => {
  test('hands a question that one of them fails on to the next, with a deadline of its own', async () => {
    const { clock, failed, afforded, complete, settled, reserve, said } = asking(2)
    await failed()
    expect([said, reserve.last().input.endpoint]).toEqual([[], 1])
    await clock.advance(999)
    await afforded()
    await complete.last().resolve(good)
    await settled()
    expect(said).toEqual([[1, 'intent']])
  })

  test('is asked from its beginning with every new question', async () => {
    const { failed, afforded, complete, settled, ask, reserve } = asking(2)
    await failed()
    await afforded()
    await complete.last().resolve(good)
    await settled()
    ask()
    expect(reserve.last().input.endpoint).toBe(0)
  })

  test('fails with what its last one failed of', async () => {
    const { failed, afforded, complete, settled, said, llm } = asking(2)
    await failed()
    await afforded()
    await complete.last().reject({ ...denied, code: 'ERR_BRAIN_SILENT', message: 'no word' })
    await settled()
    expect([said, llm.getSnapshot().context.lastError]).toEqual([
      [[1, 'ERR_BRAIN_SILENT']],
      'no word',
    ])
  })

  test('passes over one that failed often, and comes back to it after its rest', async () => {
    const { clock, failed, afforded, complete, settled, ask, abort, reserve, value } = asking(2)
    for (let failures = 0; failures < 5; failures++) {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await failed()
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await afforded()
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await complete.last().resolve(good)
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await settled()
    }
    ask()
    expect([value().circuit, reserve.last().input.endpoint]).toEqual(['open', 1])
    abort()
    await clock.advance(10_000)
    ask()
    expect([value().circuit, reserve.last().input.endpoint]).toEqual(['probing', 0])
  })

  test('goes on to one that may be cheaper when the budget refuses, and holds it against nobody', async () => {
    const { ask, reserve, afforded, complete, settled, said, value } = asking(2)
    for (let questions = 0; questions < 9; questions++) {
      ask()
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await reserve.last().reject(new MechosError('ERR_BUDGET_EXHAUSTED', 'nothing is left'))
      expect(reserve.last().input.endpoint).toBe(1)
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await afforded()
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await complete.last().resolve(good)
      // oxlint-disable-next-line no-await-in-loop -- one call after the other
      await settled()
    }
    expect([said.length, said.at(-1), value().circuit]).toEqual([9, [9, 'intent'], 'closed'])
  })

  test('does not go on for a ledger that cannot be kept', async () => {
    const { ask, reserve, said } = asking(2)
    ask()
    await reserve.last().reject(new MechosError('ERR_BUDGET_UNKEPT', 'the disk is full'))
    expect([reserve.calls.length, said]).toEqual([1, [[1, 'ERR_BUDGET_UNKEPT']]])
  })

  test('lets each of them rest for itself, and takes each back', async () => {
    const { clock, failed, afforded, complete, settled, ask, abort, reserve, value } = asking(2)
    await failed()
    await afforded()
    await complete.last().reject({ ...busy, retryAfterMs: 20_000 })
    await settled()
    const second = async () => {
      await failed()
      const { endpoint } = reserve.last().input
      abort()
      return endpoint
    }
    // The first is well enough, the second is left alone: nobody else is there to be asked.
    expect([await second(), value().circuit]).toEqual([0, 'closed'])
    await clock.advance(20_000)
    expect(await second()).toBe(1)
    ask()
    expect(reserve.last().input.endpoint).toBe(0)
  })

  test('is not asked on for a question that was withdrawn while it was overbilled', async () => {
    const { call, abort, complete, settled, said, reserve, value } = asking(2)
    const id = await call()
    await complete.last().resolve(good)
    abort()
    await settled(true)
    expect([reserve.calls.length, said, value()]).toEqual([
      1,
      [[id, 'ERR_BRAIN_SILENT']],
      { budget: 'ample', circuit: 'open', call: 'idle' },
    ])
  })
})
