import type { AnyStateMachine } from 'xstate'
import { isRequired } from '../required.ts'
import {
  backoffMs,
  type ChildName,
  childNames,
  irreplaceable,
  policies,
  restartPeriodMs,
} from '../supervision.ts'
import { canEnd, isWildcard } from './charts.ts'
import { listOf, literalOf, type Marked, type Site } from './marks.ts'
import { chartOf } from './robot.model.ts'
import { movers, restarts } from './movers.ts'
import { detailOf } from './step.ts'

/** Something that the literal itself must say, since no number of steps could show it. */
export interface ChartRule {
  readonly says: string
  /** Where it is broken; undefined when it is not. */
  breach(chart: Marked): string | undefined
}

/** What holds of the root as it is written, and of the policies beside it. */
export const chartRules: readonly ChartRule[] = [
  {
    says: 'no event is caught by a wildcard',
    breach: ({ transitions }) => transitions.find(({ event }) => isWildcard(event))?.name,
  },
  {
    says: 'every action, guard, delay and actor has a name, and is there',
    breach: ({ original: machine, transitions }) =>
      statesOf(machine).flatMap(missingIn(machine))[0] ??
      transitions.find(({ literal }) => isNameless(literal, machine))?.name,
  },
  {
    says: 'robot.halt is answered by the root alone, in one way, on no condition',
    breach: ({ original: machine, transitions }) => {
      const halts = transitions.filter(({ event }) => event === 'robot.halt')
      const isOne = halts.length === 1 && halts.every((site) => isUnconditional(site, machine))
      return isOne ? undefined : (halts.at(-1)?.name ?? 'nobody listens to robot.halt')
    },
  },
  {
    says: 'the failure and the end of whoever moves the robot are answered by the root alone, on no condition',
    breach: ({ original: machine, transitions }) =>
      movers.flatMap((child) =>
        endsOf(machine, child).flatMap((type) => {
          const sites = transitions.filter(({ event }) => event === type)
          const isOne = sites.length === 1 && sites.every((site) => isUnconditional(site, machine))
          return isOne ? [] : (sites.at(-1)?.name ?? `nobody listens to ${type}`)
        }),
      )[0],
  },
  {
    says: 'the first thing that halted does is to trip the gate',
    breach: ({ original: machine }) => {
      const [first] = listOf(machine.config.states?.['halted']?.entry)
      return nameOf(first) === 'tripGate' ? undefined : `it is ${nameOf(first)}`
    },
  },
  {
    says: 'halted is left on request only: by no timer, by no condition that comes true, by no actor of its own',
    breach: ({ original: machine }) =>
      ['always', 'after', 'invoke', 'onDone', 'states', 'exit'].find(
        (key) => key in literalOf(machine.config.states?.['halted']),
      ),
  },
  {
    says: 'the gate, the body and the beat are in the hands of the composition root',
    breach: ({ original: machine }) =>
      ['tripGate', 'armBody', 'stampBeat'].find(
        (name) => !isRequired(machine.implementations.actions[name]),
      ),
  },
  {
    says: 'whoever moves the robot is never started again while it is not halted',
    breach: () =>
      movers.find(
        (child) => policies[child].lastResort !== 'halt' || policies[child].restartsMax !== 0,
      ),
  },
  {
    says: 'nobody is started again more than five times a minute, nor at once, and the model never',
    breach: () =>
      childNames.find((child) => !isFew(policies[child].restartsMax)) ??
      (restartPeriodMs === restarts.periodMs ? undefined : 'restartPeriodMs') ??
      ([1, 2, 3, 4, 5, 10, 100].every(isPatient) ? undefined : 'backoffMs') ??
      (irreplaceable === 'llm' && policies.llm.restartsMax === 0 ? undefined : 'llm'),
  },
]

/** The chart rules that a root breaks, each with the place. */
export function brokenChartRules(chart: Marked): readonly { says: string; where: string }[] {
  return chartRules.flatMap(({ says, breach }) => {
    const where = breach(chart)
    return where === undefined ? [] : [{ says, where }]
  })
}

function endsOf(machine: AnyStateMachine, child: ChildName): readonly string[] {
  const chart = chartOf(machine, child)
  const isEndless = chart !== undefined && !canEnd(chart)
  return [`xstate.error.actor.${child}`, ...(isEndless ? [] : [`xstate.done.actor.${child}`])]
}

function isUnconditional({ state, literal }: Site, { id }: AnyStateMachine): boolean {
  return (
    state === id &&
    literal['guard'] === undefined &&
    ['.halted', `#${id}.halted`].includes(String(literal['target']))
  )
}

type StateNode = AnyStateMachine['root']

function statesOf({ root }: AnyStateMachine): readonly StateNode[] {
  const within = (node: StateNode): readonly StateNode[] => [
    node,
    ...Object.values(node.states).flatMap(within),
  ]
  return within(root)
}

function missingIn(machine: AnyStateMachine) {
  return ({ id, config }: StateNode): readonly string[] => {
    const { actions, actors, delays } = machine.implementations
    return [
      ...[...listOf(config.entry), ...listOf(config.exit)].flatMap((action) =>
        isThere(action, actions) ? [] : `${id}: ${nameOf(action)}`,
      ),
      ...listOf(config.invoke).flatMap((invoked) =>
        isThere(detailOf(invoked, 'src'), actors) ? [] : `${id}: ${nameOf(invoked)}`,
      ),
      ...Object.keys(config.after ?? {}).flatMap((delay) =>
        isThere(delay, delays) ? [] : `${id}: after ${delay}`,
      ),
    ]
  }
}

function isNameless(literal: Site['literal'], { implementations }: AnyStateMachine): boolean {
  const { actions, guards } = implementations
  const isGuarded = (guard: unknown): boolean => {
    const inner = detailOf(guard, 'guards')
    return Array.isArray(inner) ? inner.every(isGuarded) : isThere(guard, guards)
  }
  return (
    !listOf(literal['actions']).every((action) => isThere(action, actions)) ||
    (literal['guard'] !== undefined && !isGuarded(literal['guard']))
  )
}

function isThere(source: unknown, known: object): boolean {
  const name = typeof source === 'string' ? source : detailOf(source, 'type')
  return typeof source !== 'function' && typeof name === 'string' && Object.hasOwn(known, name)
}

function nameOf(source: unknown): string {
  const name = typeof source === 'string' ? source : detailOf(source, 'type')
  return typeof name === 'string' ? name : 'something without a name'
}

function isFew(count: number): boolean {
  return Number.isInteger(count) && count >= 0 && count <= restarts.max
}

function isPatient(failures: number): boolean {
  const [now, next] = [backoffMs(failures), backoffMs(failures + 1)]
  return now >= restarts.backoffMinMs && next >= now && next <= restarts.backoffMaxMs
}
