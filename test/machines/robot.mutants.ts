import { type AnyStateMachine, createMachine } from 'xstate'
import { robotMachine } from '../../machines/robot.machine.ts'

const root: AnyStateMachine = robotMachine

/** A root with one mistake in it. */
export interface Mutant {
  readonly name: string
  readonly machine: AnyStateMachine
}

/** Mistakes that a tired person could make. Each must be caught by a rule. */
export const mutants: readonly Mutant[] = [
  mutant('manual swallows the halt', 'states.active.states.manual.on', { 'robot.halt': {} }),
  mutant('a wildcard in active shadows the halt', 'states.active.on.*', {}),
  mutant('only a linked robot halts', 'on.robot\\.halt.guard', 'isLinked'),
  mutant('a halt has no cause', 'on.robot\\.halt.actions', []),
  mutant('halted does not trip the gate', 'states.halted.entry', ['raiseEpoch']),
  mutant('a halt raises no epoch', 'states.halted.entry', [
    { type: 'tripGate', params: { causes: [] } },
  ]),
  mutant('arming leaves halted', 'states.halted.on.robot\\.arm', { target: 'active' }),
  mutant('a reset arms', 'states.halted.on.robot\\.reset.target', 'active'),
  mutant('any epoch arms', 'states.standby.on.robot\\.arm.guard', 'isLinked'),
  mutant('arming begins to move', 'states.active.initial', 'autonomous'),
  mutant('holding does not inhibit', 'states.active.states.holding.entry', ['lockKernel']),
  mutant('the kernel may fail', 'on.xstate\\.error\\.actor\\.kernel', undefined),
  mutant('a failed motion chart is forgotten', 'on.xstate\\.error\\.actor\\.motion', {}),
  mutant('a lost board is shrugged off', 'on.xstate\\.snapshot\\.board', []),
  mutant('an exhausted child is ignored', 'states.active.on.child\\.exhausted', undefined),
  mutant('it can be switched off while it moves', 'states.active.on.robot\\.shutdown', {
    target: 'off',
  }),
]

/** The root with the part at `path` of its literal replaced; a dot inside a key is written `\.`. */
function mutant(name: string, path: string, value: unknown): Mutant {
  const keys = path.split(/(?<!\\)\./).map((key) => key.replaceAll('\\.', '.'))
  const config: AnyStateMachine['config'] = { ...entriesWith(root.config, keys, value) }
  return { name, machine: createMachine(config, root.implementations) }
}

function entriesWith(node: unknown, [key, ...rest]: readonly string[], value: unknown): object {
  if (typeof node !== 'object' || node === null || key === undefined) {
    throw new TypeError('a mutant must change something that is there')
  }
  const inner: unknown = Object.entries(node).find(([name]) => name === key)?.[1]
  return { ...node, [key]: rest.length === 0 ? value : entriesWith(inner, rest, value) }
}
