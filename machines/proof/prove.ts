import type { AnyStateMachine } from 'xstate'
import type { RobotInput } from '../robot.machine.ts'
import { type ChartProof, chartProof, type ExploredChart, exploreChart, stateOf } from './charts.ts'
import { chartBreaches } from './chart.rules.ts'
import { examplesFor } from './examples.ts'
import { wayTo } from './explore.ts'
import { type LivePaths, replay, type StandingClock } from './live.ts'
import type { Marked } from './marks.ts'
import { brokenChartRules, chartRules } from './robot.chart.ts'
import {
  exploreRobot,
  modelOf,
  type RootModel,
  type RootPlace,
  type RootStep,
  type RootVariant,
} from './robot.model.ts'
import { type Mutant, mutants } from './robot.mutants.ts'
import { brokenBy, type Kind, rules } from './robot.rules.ts'

/** What is proven. */
export interface Thesis {
  readonly input: RobotInput
  /** Every statechart of the robot, the root first. */
  readonly machines: readonly AnyStateMachine[]
  /** A new clock that stands still, for each living root. */
  readonly clock: () => StandingClock
}

/** A rule that does not hold, and the shortest way that was found to where it does not. */
export interface Breach {
  readonly says: string
  readonly way: string
}

/** What was explored, and what was found. */
export interface Proof {
  readonly states: number
  readonly edges: number
  readonly haltFailures: number
  readonly escapes: number
  readonly errorStates: number
  readonly machines: readonly ChartProof[]
  readonly mutants: readonly CaughtMutant[]
  readonly livePaths: LivePaths
  /** The rules, in words. */
  readonly rules: readonly string[]
  readonly breaches: readonly Breach[]
  /** Every rule holds, everything was visited, every mutant was caught and every living path agrees. */
  readonly holds: boolean
}

export interface CaughtMutant {
  readonly name: string
  /** The rule that caught it; undefined when none did. */
  readonly by: string | undefined
}

/**
 * Explores the root with its children abstracted, and each of its charts for itself; holds each step against the
 * rules, walks a living root along every shortest path, and looks whether the rules catch roots with a mistake in them.
 * Throws a TypeError when a chart listens to something that nobody has given an example of.
 */
export function prove({ input, machines, clock }: Thesis): Proof {
  const clean = { ...input, unclean: undefined }
  const model = modelOf(clean)
  const unclean: RootVariant = {
    input: { ...clean, unclean: 'the last run was killed' },
    wrongMax: 1,
  }
  const surveys = [survey(model, {}), survey(model, unclean)]
  const charts = machines.slice(1).map((machine) => exploredChart(model, machine, clean))
  const breaches = [
    ...surveys.flatMap((found) => found.breaches),
    ...surveys
      .slice(0, 1)
      .flatMap(({ marked }) =>
        brokenChartRules(marked).map(({ says, where }) => ({ says, way: where })),
      ),
    ...stuckIn(surveys),
    ...charts.flatMap(chartBreaches),
  ]
  const total = (kind: Kind) =>
    surveys.reduce((sum, { counts }) => sum + (counts.get(kind) ?? 0), 0)
  const paths = surveys.map(({ places, variant }) =>
    replay({ ...model, input: variant.input ?? clean }, places, clock),
  )
  const found = {
    states: surveys.reduce((sum, { places }) => sum + places.length, 0),
    edges: surveys.reduce((sum, { edges }) => sum + edges, 0),
    haltFailures: total('haltFailures'),
    escapes: total('escapes'),
    errorStates: total('errorStates'),
    machines: [
      ...rootProof(surveys),
      ...charts.map(({ marked, steps }) => chartProof(marked, visitedBy(steps))),
    ],
    mutants: mutants.map((mutant) => ({ name: mutant.name, by: caughtBy(model, mutant) })),
    livePaths: {
      replayed: paths.reduce((sum, { replayed }) => sum + replayed, 0),
      mismatches: paths.flatMap(({ mismatches }) => mismatches),
    },
    rules: [...rules, ...chartRules].map(({ says }) => says),
    breaches,
  }
  return { ...found, holds: isWhole(found) }
}

function isWhole({
  breaches,
  machines,
  mutants: seeded,
  livePaths,
}: Omit<Proof, 'holds'>): boolean {
  return (
    breaches.length === 0 &&
    machines.every(({ unvisited }) => unvisited.length === 0) &&
    seeded.every(({ by }) => by !== undefined) &&
    livePaths.mismatches.length === 0
  )
}

/** What one exploration of the root has found. */
interface Survey {
  readonly variant: RootVariant
  readonly marked: Marked
  readonly places: readonly RootPlace[]
  readonly edges: number
  readonly visited: ReadonlySet<string>
  /** The states that were left for another one that is not halted; halted itself, for any. */
  readonly left: ReadonlySet<string>
  readonly counts: ReadonlyMap<Kind, number>
  readonly breaches: readonly Breach[]
}

function survey(model: RootModel, variant: RootVariant): Survey {
  const { marked, steps } = exploreRobot(model, variant)
  const places: RootPlace[] = []
  const visited = new Set<string>()
  const left = new Set<string>()
  const counts = new Map<Kind, number>()
  const breaches = new Map<string, Breach>()
  let edges = 0
  for (const step of steps) {
    edges += 1
    if (step.discovers) places.push(step.to)
    for (const name of step.visits) visited.add(name)
    if (isLeft(step)) left.add(stateOf(step.from))
    for (const { says, kind } of brokenBy(step, model)) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
      if (!breaches.has(says)) breaches.set(says, { says, way: wayTo(step.to) })
    }
  }
  return { variant, marked, places, edges, visited, left, counts, breaches: [...breaches.values()] }
}

function isLeft({ from, to }: RootStep): boolean {
  return stateOf(to) !== stateOf(from) && (stateOf(to) !== 'halted' || stateOf(from) === 'halted')
}

/** The states from which there is nowhere to go but into a halt. */
function stuckIn(surveys: readonly Survey[]): readonly Breach[] {
  const left = new Set(surveys.flatMap((found) => [...found.left]))
  const active = surveys.flatMap(({ places }) =>
    places.filter(({ snapshot }) => snapshot.status === 'active').map(stateOf),
  )
  return [...new Set(active)]
    .filter((state) => !left.has(state))
    .map((state) => ({
      says: 'every state but off is left by something else than a halt',
      way: state,
    }))
}

function rootProof(surveys: readonly Survey[]): readonly ChartProof[] {
  const visited = new Set(surveys.flatMap((found) => [...found.visited]))
  return surveys.slice(0, 1).map(({ marked }) => chartProof(marked, visited))
}

function exploredChart(
  { explored }: RootModel,
  machine: AnyStateMachine,
  input: RobotInput,
): ExploredChart {
  const known = [...explored.values()].find(({ marked }) => marked.original === machine)
  return known ?? exploreChart(machine, input, examplesFor(input)[machine.id])
}

function visitedBy(steps: ExploredChart['steps']): ReadonlySet<string> {
  return new Set(steps.flatMap(({ visits }) => visits))
}

/** The first rule that a mutant breaks. A state or transition that nothing leads to gives one away, too. */
function caughtBy(model: RootModel, { machine }: Mutant): string | undefined {
  const { marked, steps } = exploreRobot(model, { machine, wrongMax: 1 })
  const [chartRule] = brokenChartRules(marked)
  const visited = new Set<string>()
  for (const step of steps) {
    const [broken] = brokenBy(step, model)
    if (broken) return broken.says
    for (const name of step.visits) visited.add(name)
  }
  const [unvisited] = marked.states.filter((name) => !visited.has(name))
  return chartRule?.says ?? (unvisited && `${unvisited} was not visited`)
}
