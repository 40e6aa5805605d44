import { createActor, type EventFromLogic, type InspectionEvent } from 'xstate'
import type { Judgement } from './actors/deliberation.ts'
import type { Begin } from './core/record/entry.ts'
import { textOf } from './core/record/text.ts'
import { closedRules, rulesFor, slowedRules } from './core/rules/restrictions.ts'
import type { Rules } from './core/rules/gatekeeper.ts'
import { type Configuration, parseConfiguration } from './core/vocabulary/configuration.ts'
import { MechosError } from './core/vocabulary/errors.ts'
import { describeProposed } from './core/vocabulary/intent.ts'
import type { Verdict } from './core/vocabulary/verdict.ts'
import { virtualClock } from './drivers/clock.ts'
import { kernelMachine } from './machines/kernel.machine.ts'
import type { Place, ReplayOptions } from './replay.ts'

/** A decision that another rule would have made another one. */
export interface Otherwise extends Place {
  readonly claim: string
  readonly recorded: string
  readonly otherwise: string
  /** How often in a row. */
  times: number
}

/** What a kernel judges by, and nothing else can be asked about: the rest would have made it another run. */
const askable = ['limits', 'grants', 'approve', 'acceptNoDeadman', 'blindCreep']

/**
 * A second kernel beside that of a replay: it hears the same, claim by claim, and judges by a changed configuration. The
 * run itself goes on as it was: what is listed is what would have been decided of what was proposed then. Each change is
 * `limits.linear=0.3`. Throws ERR_USAGE for what no kernel judges by, ERR_CONFIGURATION for what may not be.
 */
export function whatIf(
  begin: Begin,
  changes: readonly string[],
): Required<Pick<ReplayOptions, 'onNote' | 'inspect'>> & { readonly found: readonly Otherwise[] } {
  const before = parseConfiguration(begin.configuration)
  const after = parseConfiguration(changes.reduce<unknown>(changed, begin.configuration))
  const kernel = createActor(kernelMachine, {
    // What expires is told by the kernel of the replay.
    clock: virtualClock(),
    input: { rules: closedRules(after), grants: new Set(after.grants) },
  })
  const given: Verdict[] = []
  const found: Otherwise[] = []
  kernel.on('kernel.verdict', ({ verdict }) => void given.push(verdict))
  kernel.start()
  return {
    found,
    inspect(inspected) {
      if (inspected.type !== '@xstate.event' || !isKernel(inspected)) return
      const { event } = inspected
      if (isHeard(event)) kernel.send(translated(event, before, after))
    },
    onNote(what, value, place) {
      if (what !== 'verdict' || !isJudgement(value)) return
      const otherwise = given.shift()
      if (!otherwise || textOf(otherwise) === textOf(value.verdict)) return
      const one = {
        claim: `${value.claim.source}: ${describeProposed(value.claim.intent)}`,
        recorded: verdictText(value.verdict),
        otherwise: verdictText(otherwise),
      }
      const last = found.at(-1)
      if (last && isSame(last, one)) last.times += 1
      else found.push({ ...place, ...one, times: 1 })
    },
  }
}

/** For people. */
export function otherwiseLine({ atMs, claim, otherwise, recorded, times }: Otherwise): string {
  const often = times === 1 ? '' : `, ${times} times`
  return `${(atMs / 1000).toFixed(3)} s, ${claim}: ${recorded}; it would have been ${otherwise}${often}`
}

type KernelEvent = EventFromLogic<typeof kernelMachine>

function isKernel({ actorRef }: InspectionEvent): boolean {
  return 'id' in actorRef && actorRef.id === 'kernel'
}

function isHeard(event: { readonly type: string }): event is KernelEvent {
  return event.type.startsWith('kernel.') || event.type === 'approval.expired'
}

function isJudgement(value: unknown): value is Judgement {
  return typeof value === 'object' && value !== null && 'claim' in value && 'verdict' in value
}

function translated(event: KernelEvent, before: Configuration, after: Configuration): KernelEvent {
  if (event.type === 'kernel.restrict') {
    return { ...event, rules: rulesLike(event.rules, before, after) }
  }
  if (event.type !== 'kernel.judge') return event
  return { ...event, scene: { ...event.scene, blindCreep: after.blindCreep } }
}

/** The rules that were given, found again among those that there can be, made of the other configuration. */
function rulesLike(given: Rules, before: Configuration, after: Configuration): Rules {
  const text = textOf(given)
  for (const simulated of [true, false]) {
    for (const deadman of [true, false]) {
      const [was, is] = [before, after].map((each) => rulesFor(each, { simulated, deadman }))
      if (!was || !is) continue
      if (textOf(was) === text) return is
      if (textOf(slowedRules(was)) === text) return slowedRules(is)
    }
  }
  return given
}

function verdictText(verdict: Verdict): string {
  return verdict.permitted ? 'permitted' : `refused: ${verdict.message}`
}

function isSame(
  one: Pick<Otherwise, 'claim' | 'recorded' | 'otherwise'>,
  other: Pick<Otherwise, 'claim' | 'recorded' | 'otherwise'>,
): boolean {
  return (
    one.claim === other.claim &&
    one.recorded === other.recorded &&
    one.otherwise === other.otherwise
  )
}

function changed(configuration: unknown, change: string): unknown {
  const [, path = '', text = ''] = /^([\w.]+)=(.+)$/s.exec(change) ?? []
  const keys = path.split('.')
  if (!askable.includes(keys[0] ?? '')) {
    throw new MechosError(
      'ERR_USAGE',
      `what-if: ${change} is not allowed; NAME=VALUE of what the kernel judges by: ${askable.join(', ')}, as in limits.linear=0.3`,
    )
  }
  return withValue(configuration, keys, valueIn(text))
}

function withValue(whole: unknown, [key, ...keys]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value
  const part: unknown = typeof whole === 'object' && whole !== null ? Reflect.get(whole, key) : {}
  const fields = typeof whole === 'object' && whole !== null ? whole : {}
  return { ...fields, [key]: withValue(part, keys, value) }
}

function valueIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A list as people write it.
    return text.split(',')
  }
}
