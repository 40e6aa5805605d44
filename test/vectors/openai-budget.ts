import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { hear } from '../../actors/completion.ts'
import { chargeFor } from './charge.ts'
import { near, same, strictly } from './binding.ts'

const call = { prompt_estimate: z.int().positive(), max_completion_tokens: z.int().positive() }
const purse = { budget: z.int().positive(), spent: z.int().min(0) }
const said = { name: z.string(), expect: z.string() }
const anyCase = z.union([
  z.strictObject({ ...said, ...purse, ...call }),
  z.strictObject({ ...said, ...purse, calls: z.array(z.strictObject(call)).min(2) }),
  z.strictObject({ ...said, ...purse }),
  z.strictObject({ ...said, usage: z.record(z.string(), z.number()) }),
  z.strictObject(said),
])
type Case = z.output<typeof anyCase>

/** What the budget's cases expect, in the words of the file. Words that nobody has bound fail. */
export const checkBudget = strictly(anyCase, (item) => {
  const { expect } = item
  if ('usage' in item) {
    return expect === 'treated as missing; the reservation stands'
      ? usageIsMissing(item.usage)
      : unbound(expect)
  }
  if (expect === 'a budget reset event from the LLM actor is refused') return resetsNothing()
  if (!('budget' in item)) return unbound(expect)
  if (expect === 'exhausted') return isExhausted(item)
  const [, least] = /^state exhausted \(or \w+ lowered to (\d+)\), no request$/.exec(expect) ?? []
  if (least !== undefined) return [...isExhausted(item), ...couldBeLoweredTo(item, Number(least))]
  const [, sent, refused] = /^(\w+) (?:is|are) sent, (\w+) is refused$/.exec(expect) ?? []
  if (sent !== undefined && refused !== undefined) return areServed(item, sent, refused)
  return unbound(expect)
})

type Purse = Extract<Case, { budget: number }>

function unbound(expect: string): string[] {
  return [`nobody has bound "${expect}"`]
}

/** Nothing is sent, and the budget and the chart say why; without a call of its own, for the smallest that there is. */
function isExhausted(item: Purse): string[] {
  const { sent, refused, level, charts } = played({ ...item, afterwards: [] })
  const each = (word: string) => callsOf(item).map(() => word)
  return [
    ...near('requests', sent, 0, 0),
    ...same('refusals', refused.join(', '), each('ERR_BUDGET_EXHAUSTED').join(', ')),
    ...same('the budget', level, 'exhausted'),
    ...same('the charts', charts.join(', '), each('exhausted').join(', ')),
  ]
}

/** What a prompt leaves of what is left. */
function couldBeLoweredTo(item: Purse, tokens: number): string[] {
  const { leftTokens } = played({ ...item, afterwards: [] })
  const [first] = callsOf(item)
  return near('tokens for a reply', leftTokens - (first?.promptTokens ?? NaN), tokens, 0)
}

/** What cannot be held yet waits for what may come back; when it does not, it is refused. */
function areServed(item: Purse, sent: string, refused: string): string[] {
  const got = played({ ...item, afterwards: [] })
  return [
    ...same('calls sent', numbers[got.sent] ?? 'many', sent),
    ...same('calls refused', numbers[got.refused.length] ?? 'many', refused),
    ...near('refused while another one may give back', got.refusedWhileHeld, 0, 0),
    ...near('calls at once', got.atOnceMax, fitting(item), 0),
    ...same('within the budget', got.chargedTokens <= item.budget, true),
  ]
}

/** How many of the calls can be held at their worst, in their order. */
function fitting(item: Purse): number {
  let left = item.budget - item.spent
  return callsOf(item).filter(({ promptTokens, capTokens }) => {
    left -= promptTokens + capTokens
    return left >= 0
  }).length
}

const numbers = ['none', 'one', 'two', 'three']

/** Whatever is missing of the report, or is no count in it, the whole of what was held is charged. */
function usageIsMissing(usage: Readonly<Record<string, number>>): string[] {
  const values = Object.values(usage)
  const bad = [...values, Number.NaN, -Infinity].filter((value) => !(value >= 0))
  const reports = [
    usage,
    ...bad.flatMap((value) => [
      { prompt_tokens: value, completion_tokens: 12 },
      { prompt_tokens: 9, completion_tokens: value },
    ]),
  ]
  const shown = same('a report that is no count', bad.length > 2, true)
  return [...shown, ...reports.flatMap((report) => standsFor(report))]
}

function standsFor(usage: object): string[] {
  const message = { content: '{}' }
  const heard = hear({ choices: [{ message, finish_reason: 'stop' }], usage })
  if (!heard) return ['the answer is not understood']
  const { charged, worst } = chargeFor(heard)
  return near(`charged for ${Object.entries(usage).join(' ')}`, charged, worst, 0)
}

/**
 * The one event on the budget tells what it has come to. One that would reset it is not known, and nothing that is sent
 * lets a request through, not even a note that nobody wrote: the ledger itself hears no events.
 */
function resetsNothing(): string[] {
  const spent = { budget: 1_000, spent: 1_000 }
  const reset = played({ ...spent, afterwards: [{ type: 'budget.reset' }, { type: 'llm.reset' }] })
  const note = { level: 'ample' }
  const forged = played({ ...spent, afterwards: [{ type: 'budget.noted', note }] })
  const events = reset.events.filter((event) =>
    /^(?!xstate\.).*(budget|reset|refill|ledger)/i.test(event),
  )
  return [
    ...same('events on the budget', events.join(', '), 'budget.noted'),
    ...same('the charts after a reset', reset.charts.join(', '), 'exhausted'),
    ...[reset, forged].flatMap(({ sent, refused, level, chargedTokens }) => [
      ...near('requests', sent, 0, 0),
      ...near('refusals', refused.length, 2, 0),
      ...same('the budget', level, 'exhausted'),
      ...near('charged', chargedTokens, spent.spent, 0),
    ]),
  ]
}

const outcome = z.strictObject({
  sent: z.number(),
  atOnceMax: z.number(),
  refusedWhileHeld: z.number(),
  refused: z.array(z.string()),
  level: z.string(),
  charts: z.array(z.string()),
  leftTokens: z.number(),
  chargedTokens: z.number(),
  events: z.array(z.string()),
})
const outcomes = new Map<string, z.output<typeof outcome>>()

interface Play {
  readonly budget: number
  readonly spent: number
  readonly afterwards: readonly object[]
}

/** The scene of a case, played in a process of its own, since the budget answers later than a case is judged. */
function played(item: Play): z.output<typeof outcome> {
  const { budget, spent, afterwards } = item
  const words = JSON.stringify({ limit: budget, spent, calls: callsOf(item), afterwards })
  const known = outcomes.get(words)
  if (known) return known
  const path = fileURLToPath(new URL('./budget-scene.ts', import.meta.url))
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const line = ['--import', 'tsx', path, words]
  const { stdout, stderr } = spawnSync(process.execPath, line, { cwd, encoding: 'utf8' })
  if (stdout === '') throw new Error(stderr)
  const read = outcome.parse(JSON.parse(stdout))
  outcomes.set(words, read)
  return read
}

const smallest = { promptTokens: 1, capTokens: 1 }

function callsOf(item: object): readonly (typeof smallest)[] {
  const one = z.looseObject(call).safeParse(item)
  const several = z.looseObject({ calls: z.array(z.looseObject(call)) }).safeParse(item)
  const calls = several.data?.calls ?? (one.success ? [one.data] : [])
  if (calls.length === 0) return [smallest]
  return calls.map((each) => ({
    promptTokens: each.prompt_estimate,
    capTokens: each.max_completion_tokens,
  }))
}
