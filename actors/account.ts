import type { SnapshotFrom } from 'xstate'
import { foot, reasonsOf } from '../core/rules/failsafe.ts'
import { poseOf, type World } from '../core/space/world.ts'
import type { Configuration } from '../core/vocabulary/configuration.ts'
import { describeIntent } from '../core/vocabulary/intent.ts'
import type {
  Delay,
  EnablingStatus,
  HaltReport,
  MemoryStatus,
  RecorderStatus,
  Report,
  Status,
} from '../core/vocabulary/status.ts'
import type { Verdict } from '../core/vocabulary/verdict.ts'
import type { Body, BodyFacts } from '../drivers/body.ts'
import type { agentMachine } from '../machines/agent.machine.ts'
import type { robotMachine } from '../machines/robot.machine.ts'
import type { Budget, Totals } from './budget.ts'
import type { Children } from './children.ts'

type AgentSnapshot = SnapshotFrom<typeof agentMachine>

/** The running parts that a robot's status and report are read from. Nothing here is kept for their sake alone. */
export interface Account {
  readonly configuration: Configuration
  readonly run: string
  readonly seed: number | undefined
  readonly brain: string
  readonly body: Body
  readonly facts: BodyFacts | undefined
  readonly world: World
  readonly root: SnapshotFrom<typeof robotMachine>
  /** Why the root takes no event any more, so that what it says of itself is worth nothing. */
  readonly lost: string | undefined
  readonly children: Children
  readonly sensors: Readonly<Record<string, string>>
  readonly halt: HaltReport | undefined
  readonly enabling: EnablingStatus | null
  /** Why a model may move nothing for want of a hand on the enabling device. */
  readonly unheld: string | undefined
  /** Undefined where no record is kept. */
  readonly recorder: RecorderStatus | undefined
  readonly memory: MemoryStatus | undefined
  /** Undefined where nothing is paid for. */
  readonly budget: Budget | undefined
}

/** A robot as it is now. */
export function statusOf(account: Account): Status {
  const { configuration, root, body, facts, world } = account
  const agent = account.children.agent()?.getSnapshot()
  const kernel = account.children.kernel()?.getSnapshot()
  const llm = account.children.llm()?.getSnapshot()
  const ladder = account.children.failsafe()?.getSnapshot().context.ladder ?? foot
  return {
    name: configuration.name,
    pid: process.pid,
    run: account.run,
    state: account.lost === undefined ? stateOf(root) : 'failed',
    causes: causesOf(account),
    epoch: root.context.epoch,
    body: body.kind,
    deadman: facts?.deadman ?? false,
    pose: configuration.body.wheels ? poseOf(world) : null,
    goal: root.context.goal ?? null,
    agent: {
      state: agent ? pathOf(agent.value) : 'absent',
      brain: account.brain,
      lastIntent: agent?.context.intent ? describeIntent(agent.context.intent) : null,
      lastVerdict: verdictLine(kernel?.context.lastVerdict),
    },
    question: questionIn(agent),
    sensors: account.sensors,
    battery: world.battery?.charge ?? null,
    failsafe: { rung: ladder.rung, reasons: reasonsOf(ladder) },
    budget: {
      state: llm ? llm.value.budget : 'absent',
      ...tokensOf(account.budget?.day),
      limit: configuration.budget.tokensPerDay,
      usd: { spent: usdOf(account.budget?.day), limit: configuration.budget.usdPerDay },
    },
    llm: {
      circuit: llm ? llm.value.circuit : 'absent',
      lastError: llm?.context.lastError ?? null,
      replies: llm?.context.replies ?? {},
    },
    halt: account.halt ?? null,
    enabling: account.enabling,
    recorder: account.recorder ?? null,
    memory: account.memory ?? null,
  }
}

/** What a run came to. `times` are the robot's seconds, the wall's, and how late the event loop was. */
export function reportOf(
  account: Account,
  times: { readonly seconds: number; readonly wallSeconds: number; readonly delay: Delay },
): Report {
  const { configuration, root, body, facts, world } = account
  const kernel = account.children.kernel()?.getSnapshot().context
  const truth = body.truth?.()
  const distance =
    truth?.distanceMetres ?? (configuration.body.wheels ? world.distanceMetres : null)
  const exit = account.lost === undefined ? exitOf(root) : 1
  return {
    run: account.run,
    seconds: times.seconds,
    wallSeconds: times.wallSeconds,
    seed: account.seed ?? null,
    goal: root.context.goal ?? null,
    state: account.lost === undefined ? stateOf(root) : 'failed',
    exit,
    causes: causesOf(account),
    body: body.kind,
    deadman: facts?.deadman ?? false,
    halt: account.halt ?? { evidence: 'none', ms: 0 },
    actuators: Object.fromEntries(
      body.outputs().map(({ name, output, safe }) => [name, { output, safe }]),
    ),
    distanceM: distance === null ? null : round(distance),
    collisions: truth?.collisions ?? null,
    intents: {
      proposed: kernel?.proposed ?? 0,
      permitted: kernel?.permitted ?? 0,
      refused: kernel?.refused ?? 0,
    },
    tokens: {
      limit: tightest(configuration),
      ...tokensOf(account.budget?.run),
      held: account.budget?.run.held.tokens ?? 0,
    },
    eventLoopDelayMs: times.delay,
    recordDir: account.recorder?.folder ?? null,
  }
}

/** What servers said that they used, and what was charged because nobody knows. */
function tokensOf(totals: Totals | undefined): { spent: number; assumed: number } {
  if (!totals) return { spent: 0, assumed: 0 }
  return {
    spent: totals.spent.tokens + totals.debt.tokens,
    assumed: totals.assumed.tokens,
  }
}

function usdOf(totals: Totals | undefined): number {
  if (!totals) return 0
  return round((totals.spent.nanoUsd + totals.debt.nanoUsd + totals.assumed.nanoUsd) / 1e9)
}

/** The most tokens that a run may use, by the narrowest of its budgets. */
function tightest({ budget }: Configuration): number {
  const { tokensPerRun, tokensPerDay, tokensPerMonth } = budget
  return Math.min(tokensPerDay, tokensPerRun ?? tokensPerDay, tokensPerMonth ?? tokensPerDay)
}

/** What a person is asked now. */
function questionIn(agent: AgentSnapshot | undefined): Status['question'] {
  const asked = agent?.hasTag('asking') === true ? agent.context.question : undefined
  if (!asked) return null
  const { id, kind, text, choices, modelSays } = asked
  return { id, kind, text, choices, modelSays }
}

/** The causes that an end as asked leaves behind. Any other means that a fault halted the robot. */
export const endCauses: readonly string[] = ['end of run', 'asked to halt']

function exitOf(root: SnapshotFrom<typeof robotMachine>): number {
  if (root.status === 'error') return 1
  return root.context.causes.every((cause) => endCauses.some((end) => cause.startsWith(end)))
    ? 0
    : 1
}

/** The root's state as a path: `active.autonomous`. A root that failed is `failed`: its gate has tripped. */
export function stateOf(root: SnapshotFrom<typeof robotMachine>): string {
  return root.status === 'error' ? 'failed' : pathOf(root.value)
}

/** Why it is halted, and why it stood still before: a brain that failed, or was refused again and again, or asks a person. */
export function causesOf(account: Account): readonly string[] {
  const { causes, notice } = account.root.context
  const agent = account.children.agent()?.getSnapshot()
  const isTold = agent?.hasTag('asking') || (agent?.context.setbacks ?? 0) >= standstillSetbacks
  const standstill = isTold ? agent?.context.standstill : undefined
  const unheld = account.root.matches({ active: 'holding' }) ? account.unheld : undefined
  const said = [...causes, account.lost, notice, unheld, standstill].filter(
    (text) => text !== undefined,
  )
  return [...new Set(said)]
}

/** So many setbacks in a row are not a passing refusal any more. */
const standstillSetbacks = 3

function verdictLine(verdict: Verdict | undefined): string | null {
  if (!verdict) return null
  return verdict.permitted ? 'permitted' : `refused: ${verdict.message}`
}

function pathOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return ''
  return Object.entries(value)
    .map(([key, inner]) => [key, pathOf(inner)].filter((part) => part !== '').join('.'))
    .join(' ')
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
