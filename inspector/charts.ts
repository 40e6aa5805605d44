import type { AnyStateMachine } from 'xstate'
import { agentMachine } from '../machines/agent.machine.ts'
import { boardMachine } from '../machines/board.machine.ts'
import { cockpitMachine } from '../machines/cockpit.machine.ts'
import { enablingMachine } from '../machines/enabling.machine.ts'
import { failsafeMachine } from '../machines/failsafe.machine.ts'
import { guardianMachine } from '../machines/guardian.machine.ts'
import { kernelMachine } from '../machines/kernel.machine.ts'
import { llmMachine } from '../machines/llm.machine.ts'
import { memoryMachine } from '../machines/memory.machine.ts'
import { motionMachine } from '../machines/motion.machine.ts'
import { perceptionMachine } from '../machines/perception.machine.ts'
import { recorderMachine } from '../machines/recorder.machine.ts'
import { relaysMachine } from '../machines/relays.machine.ts'
import { robotMachine } from '../machines/robot.machine.ts'
import { sensorMachine } from '../machines/sensor.machine.ts'
import { toMermaid } from './chart.ts'
import { type Outline, outlineOf } from './outline.ts'

/** Every statechart of a robot, the root first. A test looks that none of `machines/` is missing. */
export const machines: readonly AnyStateMachine[] = [
  robotMachine,
  failsafeMachine,
  enablingMachine,
  guardianMachine,
  boardMachine,
  kernelMachine,
  motionMachine,
  relaysMachine,
  perceptionMachine,
  sensorMachine,
  agentMachine,
  llmMachine,
  recorderMachine,
  memoryMachine,
  cockpitMachine,
]

/** A page of `docs/charts/`. */
export interface ChartPage {
  readonly file: string
  readonly text: string
}

/** The pages that `npm run charts` writes: one for each machine, and `README.md`, which lists them. */
export function chartPages(all: readonly AnyStateMachine[] = machines): readonly ChartPage[] {
  return [
    { file: 'README.md', text: indexOf(all) },
    ...all.map((machine) => ({ file: `${machine.id}.md`, text: pageOf(machine) })),
  ]
}

const origin =
  'Drawn from the machine that runs, by `npm run charts`. A test fails when this page is stale.'

function indexOf(all: readonly AnyStateMachine[]): string {
  const rows = all.map((machine) => {
    const states = outlineOf(machine).states.map(({ key }) => key)
    return [`[${machine.id}](${machine.id}.md)`, states.join(', ')]
  })
  return lines('# The statecharts', '', origin, '', ...table(['machine', 'states'], rows))
}

function pageOf(machine: AnyStateMachine): string {
  const states = statesOf(outlineOf(machine))
  const events = new Set(
    states.flatMap(({ reactions }) => reactions.map(({ event }) => event)).filter(isEvent),
  )
  const rows = states.map(({ id, tags, invokes }) => [id, tags.join(', '), invokes.join(', ')])
  return lines(
    `# ${machine.id}`,
    '',
    origin,
    '',
    '```mermaid',
    toMermaid(machine).trimEnd(),
    '```',
    '',
    '## States',
    '',
    ...table(['state', 'tags', 'invokes'], rows),
    '',
    '## Events',
    '',
    ...[...events].toSorted().map((event) => `- \`${event}\``),
  )
}

function statesOf(state: Outline): readonly Outline[] {
  return [state, ...state.states.flatMap(statesOf)]
}

/** False for what needs nobody to say it. */
function isEvent(event: string): boolean {
  return event !== 'always' && !event.startsWith('after ')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`)
}

function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`
}
