import { describe, expect, test } from 'vitest'
import { createActor } from 'xstate'
import { promptBound } from '../../core/budget/bound.ts'
import { heldTokens, remainingTokens } from '../../core/budget/ledger.ts'
import { virtualClock } from '../../drivers/clock.ts'
import {
  type Attempt,
  type AttemptFailure,
  type Completion,
  llmMachine,
  type Question,
} from '../../machines/llm.machine.ts'
import { held } from './held.ts'

const messages = [{ role: 'user', content: 'What now?' }] as const
const schema = {}
const capTokens = 100
const worst = promptBound(messages, schema) + capTokens

const good: Completion = { content: '{}', usedTokens: 40, finish: 'stop' }
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

function asking(limitTokens = 100_000) {
  const clock = virtualClock()
  const complete = held<Completion, Attempt>()
  const llm = createActor(llmMachine.provide({ actors: { complete: complete.logic } }), {
    clock,
    input: { limitTokens, capTokens, deadlineMs: 1_000 },
  })
  const said: unknown[] = []
  llm.on('llm.answered', ({ id, completion }) => said.push([id, completion.content]))
  llm.on('llm.failed', ({ id, code }) => said.push([id, code]))
  llm.start()
  let lastId = 0
  const ask = (extra: Partial<Question> = {}) => {
    const question: Question = { id: ++lastId, messages, schema, ...extra }
    llm.send({ type: 'llm.ask', question })
    return question.id
  }
  return {
    clock,
    llm,
    complete,
    said,
    ask,
    value: () => {
      const { call, ...others } = llm.getSnapshot().value
      return { ...others, call: typeof call === 'string' ? call : call.asking }
    },
    ledger: () => llm.getSnapshot().context.ledger,
    async fail(failure: AttemptFailure = denied) {
      ask()
      await complete.last().reject(failure)
    },
  }
}

describe('a call', () => {
  test('is made only with its worst case held, and settles with what was used', async () => {
    const { ask, ledger, value, complete, said } = asking()
    const id = ask()
    expect([value().call, heldTokens(ledger())]).toEqual(['calling', worst])
    expect(complete.last().input).toEqual({ id, messages, schema, capTokens })
    await complete.last().resolve(good)
    expect([value().call, ledger().spent, ledger().assumed, heldTokens(ledger())]).toEqual([
      'idle',
      40,
      0,
      0,
    ])
    expect(said).toEqual([[id, '{}']])
  })

  test('that nobody can afford is not made, and says so', () => {
    const { ask, complete, said, ledger } = asking(worst - 1)
    const id = ask()
    expect([complete.calls.length, heldTokens(ledger())]).toEqual([0, 0])
    expect(said).toEqual([[id, 'ERR_BUDGET_EXHAUSTED']])
  })

  test.each([undefined, 0, -5, 1.5, Number.NaN])(
    'whose server says it used %s is charged at its worst',
    async (usedTokens) => {
      const { ask, complete, ledger } = asking()
      ask()
      await complete.last().resolve({ ...good, usedTokens })
      expect([ledger().spent, ledger().assumed]).toEqual([0, worst])
    },
  )

  test('of which nobody knows what became is charged at its worst', async () => {
    const { ask, complete, ledger, said } = asking()
    const id = ask()
    await complete.last().reject(new Error('the connection broke'))
    expect([ledger().spent, ledger().assumed, said]).toEqual([
      0,
      worst,
      [[id, 'ERR_BRAIN_UNREACHABLE']],
    ])
  })

  test('that was never sent costs nothing', async () => {
    const { fail, ledger } = asking()
    await fail(denied)
    expect(remainingTokens(ledger())).toBe(100_000)
  })

  test('is retried once, after half a second, with a reservation of its own', async () => {
    const { clock, ask, complete, ledger, value, said } = asking()
    const id = ask()
    await complete.last().reject(busy)
    expect([value().call, ledger().assumed, heldTokens(ledger())]).toEqual(['retrying', worst, 0])
    await clock.advance(499)
    expect(complete.calls.length).toBe(1)
    await clock.advance(1)
    expect([complete.calls.length, heldTokens(ledger())]).toEqual([2, worst])
    await complete.last().reject(busy)
    expect([value().call, ledger().assumed, said]).toEqual([
      'idle',
      2 * worst,
      [[id, 'ERR_BRAIN_REFUSED']],
    ])
    await clock.advance(60_000)
    expect(complete.calls.length).toBe(2)
  })

  test('whose retry cannot be afforded fails', async () => {
    const { clock, ask, complete, said } = asking(2 * worst - 1)
    const id = ask()
    await complete.last().reject(busy)
    await clock.advance(500)
    expect([complete.calls.length, said]).toEqual([1, [[id, 'ERR_BUDGET_EXHAUSTED']]])
  })

  test('that is refused is not retried', async () => {
    const { clock, fail, complete } = asking()
    await fail(denied)
    await clock.advance(60_000)
    expect(complete.calls.length).toBe(1)
  })

  test('ends at its deadline, is charged at its worst, and its late answer is dropped', async () => {
    const { clock, ask, complete, ledger, value, said } = asking()
    const id = ask()
    await clock.advance(1_000)
    expect(complete.last().signal.aborted).toBe(true)
    expect([value().call, ledger().assumed]).toEqual(['idle', worst])
    await complete.last().resolve(good)
    expect([said, ledger().spent]).toEqual([[[id, 'ERR_BRAIN_SILENT']], 0])
  })

  test('can be aborted: it is charged at its worst and its answer is dropped', async () => {
    const { llm, ask, complete, ledger, value, said } = asking()
    const id = ask()
    llm.send({ type: 'llm.abort' })
    expect(complete.last().signal.aborted).toBe(true)
    await complete.last().resolve(good)
    expect([value().call, ledger().assumed, ledger().spent, said]).toEqual([
      'idle',
      worst,
      0,
      [[id, 'ERR_BRAIN_SILENT']],
    ])
  })

  test('can be aborted between two attempts', async () => {
    const { clock, llm, ask, complete, said } = asking()
    const id = ask()
    await complete.last().reject(busy)
    llm.send({ type: 'llm.abort' })
    await clock.advance(60_000)
    expect([complete.calls.length, said]).toEqual([1, [[id, 'ERR_BRAIN_SILENT']]])
  })

  test('has one deadline, its retry included', async () => {
    const { clock, ask, said } = asking()
    ask()
    await clock.advance(1_000)
    expect(said).toHaveLength(1)
  })

  test('that is asked for while another is under way is answered too', async () => {
    const { ask, complete, said } = asking()
    ask()
    ask()
    await complete.last().resolve(good)
    expect(said).toHaveLength(2)
  })
})

describe('the circuit', () => {
  test('opens after five failed calls in a row, and then asks nobody', async () => {
    const { fail, ask, value, complete, said } = asking()
    for (let failures = 0; failures < 4; failures++) await fail()
    expect(value().circuit).toBe('closed')
    await fail()
    expect(value().circuit).toBe('open')
    const id = ask()
    expect([complete.calls.length, said.at(-1)]).toEqual([5, [id, 'ERR_BRAIN_UNREACHABLE']])
  })

  test('stays closed while calls succeed in between', async () => {
    const { fail, ask, complete, value } = asking()
    for (let failures = 0; failures < 4; failures++) await fail()
    ask()
    await complete.last().resolve(good)
    for (let failures = 0; failures < 4; failures++) await fail()
    expect(value().circuit).toBe('closed')
  })

  test('lets one call through after ten seconds, and closes when that succeeds', async () => {
    const { clock, fail, ask, complete, value } = asking()
    for (let failures = 0; failures < 5; failures++) await fail()
    await clock.advance(10_000)
    expect(value().circuit).toBe('probing')
    ask()
    await complete.last().resolve(good)
    expect(value().circuit).toBe('closed')
  })

  test('opens again when the probe fails', async () => {
    const { clock, fail, value } = asking()
    for (let failures = 0; failures < 5; failures++) await fail()
    await clock.advance(10_000)
    await fail()
    expect(value().circuit).toBe('open')
  })

  test('probes again after a probe has failed', async () => {
    const { clock, fail, value } = asking()
    for (let failures = 0; failures < 5; failures++) await fail()
    await clock.advance(10_000)
    await fail()
    await clock.advance(10_000)
    expect(value().circuit).toBe('probing')
  })

  test('does not mind calls that were aborted', async () => {
    const { llm, ask, value } = asking()
    for (let aborts = 0; aborts < 5; aborts++) {
      ask()
      llm.send({ type: 'llm.abort' })
    }
    expect(value().circuit).toBe('closed')
  })
})

describe('the budget', () => {
  test('is ample, then low, then exhausted, and exhausted for good', async () => {
    const { ask, complete, value, ledger } = asking(10 * worst)
    const states: string[] = []
    for (let calls = 0; calls < 10; calls++) {
      ask()
      await complete.last().resolve({ ...good, usedTokens: worst })
      states.push(value().budget)
    }
    expect(states).toEqual([...Array.from({ length: 8 }, () => 'ample'), 'low', 'exhausted'])
    ask()
    expect([complete.calls.length, remainingTokens(ledger())]).toEqual([10, 0])
  })

  test('is never overspent, whatever becomes of the calls', async () => {
    const { clock, ask, complete, ledger } = asking(5 * worst + 1)
    for (let calls = 0; calls < 20; calls++) {
      ask()
      const { spent, assumed, limit } = ledger()
      expect(spent + assumed + heldTokens(ledger())).toBeLessThanOrEqual(limit)
      await complete.last().reject(busy)
      await clock.advance(500)
      await complete.last().reject(busy)
      await clock.advance(20_000)
    }
    expect(complete.calls.length).toBe(5)
  })

  test('shows the debt when a server bills more than was held', async () => {
    const { ask, complete, ledger } = asking(2 * worst)
    ask()
    await complete.last().resolve({ ...good, usedTokens: 3 * worst })
    expect([ledger().spent, remainingTokens(ledger())]).toEqual([3 * worst, 0])
    ask()
    expect(complete.calls.length).toBe(1)
  })

  test('that is exhausted pays for no smaller call either', async () => {
    const { ask, complete, value } = asking(10 * worst)
    for (let calls = 0; calls < 9; calls++) {
      ask()
      await complete.last().resolve({ ...good, usedTokens: worst })
    }
    ask({ messages: [{ role: 'user', content: 'x'.repeat(worst) }] })
    expect(value().budget).toBe('exhausted')
    ask({ messages: [] })
    expect(complete.calls.length).toBe(9)
  })

  test('that never sufficed for a call is not called ample', () => {
    const { ask, value } = asking(worst - 1)
    ask()
    expect(value().budget).not.toBe('ample')
  })
})
