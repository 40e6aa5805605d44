import { asksModels } from '../core/vocabulary/configuration.ts'
import { isAbove } from '../core/rules/failsafe.ts'
import { isStill } from '../core/vocabulary/geometry.ts'
import type { Totals } from './budget.ts'
import type { Refusal } from '../core/vocabulary/verdict.ts'
import type { Condition, Why } from '../core/vocabulary/why.ts'
import type { MotionGate } from '../drivers/gate.ts'
import type { WayCommand, WayStep } from '../machines/way.ts'
import { type Account, causesOf, stateOf } from './account.ts'
import type { Reflex } from './reflex.ts'

/** What there is to ask. */
export interface Questioned {
  readonly account: Account
  readonly gate: Pick<MotionGate, 'isOpen' | 'isTripped' | 'causes' | 'beatAgeMs'>
  /** The longest that a beat may be ago, in ms. */
  readonly beatLimitMs: number
  readonly reflex: Pick<Reflex, 'commanded' | 'leaseAgeMs'>
  readonly way: readonly WayStep[] | null
}

/** Why a robot does not move and why it stopped, read from its live charts. */
export function whyOf(questioned: Questioned): Why {
  const { account, gate, reflex, way } = questioned
  const { name } = account.configuration
  const told = way && way.map((step) => tellStep(step, name))
  const next = told?.map((step) => ('command' in step ? step.command : null)).find(Boolean) ?? null
  return {
    name,
    state: stateOf(account.root),
    moves: gate.isOpen && !isStill(reflex.commanded),
    stopped: { causes: causesOfStop(questioned) },
    conditions: conditionsOf(questioned, next).map((condition) =>
      way === null ? hopeless(condition) : condition,
    ),
    way: told,
  }
}

function conditionsOf(questioned: Questioned, next: string | null): readonly Condition[] {
  const { account } = questioned
  return [
    ...gateConditions(questioned, next),
    ...leaseCondition(questioned, next),
    ...kernelConditions(account, next),
    ...refusalConditions(account, next),
    ...failsafeConditions(account, next),
    ...linkConditions(account, next),
    ...absentConditions(questioned, next),
    ...sensorConditions(account),
    ...brainConditions(account),
  ]
}

/** Where no way leads to motion, there is nothing that a person could lift. */
function hopeless(condition: Condition): Condition {
  return condition.isMet ? condition : { ...condition, liftedBy: 'nobody', command: null }
}

function causesOfStop({ account, gate }: Questioned): readonly string[] {
  return [...new Set([...causesOf(account), ...(gate.isTripped ? gate.causes : [])])]
}

function tellStep(step: WayStep, name: string): { command: string } | { waitFor: string } {
  switch (step.type) {
    case 'command':
      return { command: tellCommand(step.command, name) }
    case 'restart':
      return { waitFor: `${step.child} is started again, which it is by itself` }
    case 'change':
      return { waitFor: tellChange(step) }
  }
}

function tellCommand(command: WayCommand, name: string): string {
  switch (command.type) {
    case 'robot.arm':
      return `mechos arm ${name} --epoch ${command.epoch}`
    case 'robot.reset':
    case 'robot.resume':
    case 'robot.halt':
      return `mechos ${command.type.slice('robot.'.length)} ${name}`
    case 'robot.takeOver':
      return `${command.type}, from a program that drives ${name} by hand`
  }
}

function tellChange({ child, tags, through }: Extract<WayStep, { type: 'change' }>): string {
  const ends = through.flatMap((event) => {
    const [, what] = /^(.*) is over$/.exec(event) ?? []
    return what === undefined ? [] : `this is over: ${what}`
  })
  const rest = through.some((event) => event.startsWith('xstate.after.'))
  if (child === 'failsafe') {
    return [...ends, ...(rest ? ['it has held for long enough'] : [])].join(', and ')
  }
  return `the ${child} is ${tags.join(' and ')}`
}

function gateConditions(
  { gate, beatLimitMs }: Questioned,
  next: string | null,
): readonly Condition[] {
  const age = Number.isFinite(gate.beatAgeMs) ? Math.round(gate.beatAgeMs) : null
  const tripped = gate.isTripped ? `shut: ${gate.causes.join('; ')}` : 'shut'
  return [
    {
      what: 'motion gate',
      isMet: gate.isOpen,
      value: gate.isOpen ? 'open' : tripped,
      limit: 'open',
      liftedBy: 'operator',
      command: gate.isOpen ? null : next,
    },
    {
      what: 'heartbeat age in ms',
      isMet: age !== null && age <= beatLimitMs,
      value: age,
      limit: beatLimitMs,
      liftedBy: 'itself',
      command: null,
    },
  ]
}

function leaseCondition(
  { account, reflex, way }: Questioned,
  next: string | null,
): readonly Condition[] {
  const age = reflex.leaseAgeMs
  const isAgents = way?.length === 0 && !account.root.matches({ active: 'manual' })
  return [
    {
      what: 'command lease age in ms',
      isMet: age !== undefined,
      value: age === undefined ? 'no command' : Math.round(age),
      limit: account.configuration.leaseMs,
      liftedBy: isAgents ? 'itself' : 'operator',
      command: age === undefined ? next : null,
    },
  ]
}

function kernelConditions({ children, root }: Account, next: string | null): readonly Condition[] {
  const kernel = children.kernel()?.getSnapshot()
  const state = kernel?.value ?? 'absent'
  const isOpen = state === 'open' || state === 'overridden'
  const { epoch } = root.context
  const isPresent = kernel?.context.epoch === epoch
  return [
    {
      what: 'kernel',
      isMet: isOpen,
      value: state === 'overridden' ? 'overridden: a person drives, and the agent may not' : state,
      limit: 'open',
      liftedBy: 'operator',
      command: isOpen ? null : next,
    },
    {
      what: 'epoch of the kernel',
      isMet: isPresent,
      value: kernel?.context.epoch ?? null,
      limit: epoch,
      liftedBy: 'operator',
      command: isPresent ? null : next,
    },
  ]
}

/** The last verdict, where it was a refusal that may still stand in the way. */
function refusalConditions({ children }: Account, next: string | null): readonly Condition[] {
  const verdict = children.kernel()?.getSnapshot().context.lastVerdict
  // That nobody may command is said of the kernel already.
  if (!verdict || verdict.permitted || verdict.rule === 'locked') return []
  return [
    {
      what: `kernel rule ${verdict.rule}: ${verdict.message}`,
      isMet: false,
      value: plain(verdict.value),
      limit: plain(verdict.limit),
      ...lifting(verdict, next),
    },
  ]
}

function byOwner(what: string): Pick<Condition, 'liftedBy' | 'command'> {
  return {
    liftedBy: 'owner of the configuration',
    command: `${what} in the configuration, then mechos run`,
  }
}

function lifting(
  { rule, limit }: Refusal,
  next: string | null,
): Pick<Condition, 'liftedBy' | 'command'> {
  if (rule.startsWith('limits.')) return byOwner(rule)
  switch (rule) {
    case 'capability':
      return byOwner('grants')
    case 'deadman':
      return byOwner('acceptNoDeadman: true')
    case 'unseen':
      return limit === 0 ? byOwner('blindCreep: true') : { liftedBy: 'itself', command: null }
    case 'stale':
      return { liftedBy: 'hardware', command: null }
    case 'override':
    case 'rest':
      return { liftedBy: 'operator', command: next }
    default:
      // A way that is occupied, a word that is no intent, an old epoch: the next proposal may do better.
      return { liftedBy: 'itself', command: null }
  }
}

function failsafeConditions({ children }: Account, next: string | null): readonly Condition[] {
  const ladder = children.failsafe()?.getSnapshot().context.ladder
  const causes = ladder?.causes.filter(({ rung }) => isAbove(rung, 'none')) ?? []
  return causes.map(({ name, rung, stands, clears }): Condition => {
    const isLasting = !stands && clears === 'never'
    return {
      what: `failsafe: ${name}`,
      isMet: !isAbove(rung, 'slow'),
      value: stands ? `${rung}, still so` : `${rung}, over`,
      limit: 'over, and seen by a person',
      liftedBy: isLasting ? 'nobody' : stands ? 'hardware' : 'operator',
      command: isLasting || stands ? null : next,
    }
  })
}

function linkConditions({ children, root }: Account, next: string | null): readonly Condition[] {
  const { linked, guarded } = root.context
  const board = children.board()?.getSnapshot()
  const cause = board?.context.cause
  return [
    ...(linked
      ? []
      : [
          {
            what: 'board',
            isMet: false,
            value: [board?.value ?? 'absent', cause].filter(Boolean).join(': '),
            limit: 'ready',
            liftedBy: 'hardware',
            command: null,
          },
        ]),
    ...(guarded
      ? []
      : [
          {
            what: 'guardian',
            isMet: false,
            value: 'not there',
            limit: 'guarding',
            liftedBy: 'hardware',
            command: next,
          },
        ]),
  ]
}

function absentConditions({ account, way }: Questioned, next: string | null): readonly Condition[] {
  return account.root.context.absent.map((child): Condition => {
    const isAwaited = way?.some((step) => step.type === 'restart' && step.child === child) === true
    // Its ledger would begin anew: it is never started a second time.
    const isLost = child === 'llm'
    return {
      what: child,
      isMet: false,
      value: 'failed',
      limit: 'running',
      liftedBy: isAwaited ? 'itself' : isLost ? 'owner of the configuration' : 'operator',
      command: isAwaited ? null : isLost ? 'end this run, then mechos run' : next,
    }
  })
}

function sensorConditions({ children, sensors }: Account): readonly Condition[] {
  const stale = children.perception()?.getSnapshot().context.stale ?? []
  return stale.map((name) => ({
    what: `sensor ${name}`,
    isMet: false,
    value: sensors[name] ?? 'absent',
    limit: 'live',
    liftedBy: 'hardware',
    command: null,
  }))
}

function brainConditions({
  brain,
  budget,
  children,
  configuration,
}: Account): readonly Condition[] {
  const agent = children.agent()?.getSnapshot()
  const llm = children.llm()?.getSnapshot()
  const isModel = asksModels(configuration)
  const { standstill, setbacks = 0 } = agent?.context ?? {}
  const owner = 'owner of the configuration'
  const asked = agent?.hasTag('asking') === true ? agent.context.question : undefined
  return [
    ...(asked
      ? [
          {
            what: `question ${asked.id}`,
            isMet: false,
            value: asked.text,
            limit: asked.kind === 'approval' ? 'yes or no' : 'an answer',
            liftedBy: 'operator' as const,
            command: `mechos answer ${asked.kind === 'approval' ? 'yes' : 'TEXT'} --id ${asked.id}`,
          },
        ]
      : []),
    ...(standstill === undefined || asked
      ? []
      : [
          {
            what: `brain ${brain}: setbacks in a row`,
            isMet: false,
            value: `${setbacks}: ${standstill}`,
            limit: 0,
            liftedBy: isModel && llm?.context.lastError !== undefined ? owner : 'itself',
            command: null,
          },
        ]),
    ...(isModel && llm?.value.budget === 'exhausted'
      ? [
          {
            what: 'budget of the day, in tokens',
            isMet: false,
            value: [chargedTokens(budget?.day), llm.context.budget.cause]
              .filter(Boolean)
              .join(': '),
            limit: configuration.budget.tokensPerDay,
            liftedBy: owner,
            command:
              'mechos run with a larger limit: --budget-tokens N, or budget in its configuration',
          },
        ]
      : []),
    ...(isModel && llm && llm.value.circuit !== 'closed'
      ? [
          {
            what: 'circuit to the model',
            isMet: false,
            value: [llm.value.circuit, llm.context.lastError].filter(Boolean).join(': '),
            limit: 'closed',
            liftedBy: 'itself',
            command: null,
          },
        ]
      : []),
  ]
}

function chargedTokens(totals: Totals | undefined): number {
  return totals ? totals.spent.tokens + totals.debt.tokens + totals.assumed.tokens : 0
}

function plain(value: unknown): string | number | null {
  return typeof value === 'string' || typeof value === 'number'
    ? value
    : (JSON.stringify(value) ?? null)
}
