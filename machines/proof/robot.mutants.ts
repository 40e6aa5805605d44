import { type AnyStateMachine, createMachine } from 'xstate'
import { robotMachine } from '../robot.machine.ts'

const root: AnyStateMachine = robotMachine

/** A root with one mistake in it. */
export interface Mutant {
  readonly name: string
  readonly machine: AnyStateMachine
}

/** A part of the literal that is taken out. */
const nothing = Symbol('nothing')

// Written in pieces, since a wildcard must not be written at all.
const wildcard = String.fromCodePoint(0x2a)

const halted = ['states', 'halted'] as const
const active = ['states', 'active'] as const
const stateOf = (name: string) => [...active, 'states', name] as const

const always = () => true

/** Mistakes that a tired person could make. Each must be caught by a rule. */
export const mutants: readonly Mutant[] = [
  mutant('manual swallows the halt', [...stateOf('manual'), 'on'], { 'robot.halt': {} }),
  mutant('a wildcard in active shadows the halt', [...active, 'on', wildcard], {}),
  mutant('only a linked robot halts', ['on', 'robot.halt', 'guard'], 'isLinked'),
  mutant('a halt has no cause', ['on', 'robot.halt', 'actions'], []),
  mutant('a halt leads to standby', ['on', 'robot.halt', 'target'], '.standby'),
  mutant('halted does not trip the gate', [...halted, 'entry'], ['raiseEpoch', ...calming()]),
  mutant(
    'halted trips the gate last',
    [...halted, 'entry'],
    ['stampBeat', 'raiseEpoch', ...calming(), trip()],
  ),
  mutant('a halt raises no epoch', [...halted, 'entry'], [trip(), ...calming()]),
  mutant('halted leaves the wheels alone', [...halted, 'entry'], [trip(), 'raiseEpoch']),
  mutant('halted ends when the board is there', [...halted, 'always'], {
    guard: 'isLinked',
    target: 'standby',
  }),
  mutant('halted ends by itself after a while', [...halted, 'after'], {
    bootLimit: { target: 'standby' },
  }),
  mutant('arming leaves halted', [...halted, 'on', 'robot.arm'], { target: 'active' }),
  mutant('a reset arms', [...halted, 'on', 'robot.reset', 'target'], 'active'),
  mutant('a reset needs no board', [...halted, 'on', 'robot.reset', 'guard'], nothing),
  mutant('any epoch arms', ['states', 'standby', 'on', 'robot.arm', 'guard'], 'isLinked'),
  mutant('arming begins to move', [...active, 'initial'], 'autonomous'),
  mutant('holding does not inhibit', [...stateOf('holding'), 'entry'], ['lockKernel']),
  mutant('holding counts as motion', [...stateOf('holding'), 'tags'], ['motion']),
  mutant('autonomous has lost its tag', [...stateOf('autonomous'), 'tags'], []),
  mutant('an exit throws', [...stateOf('autonomous'), 'exit'], ['pauseAgent', 'explode'], {
    actions: {
      explode() {
        throw new Error('it exploded')
      },
    },
  }),
  mutant('an action is misspelt', [...stateOf('holding'), 'exit'], 'lockKernell'),
  mutant('the kernel may fail', ['on', 'xstate.error.actor.kernel'], nothing),
  mutant('a failed motion chart is forgotten', ['on', 'xstate.error.actor.motion'], {}),
  mutant('wheels that are stuck are forgotten', ['on', 'xstate.done.actor.motion'], nothing),
  mutant('a lost board is shrugged off', ['on', 'xstate.snapshot.board'], []),
  mutant('an exhausted child is ignored', [...active, 'on', 'child.exhausted'], nothing),
  mutant('it can be switched off while it moves', [...active, 'on', 'robot.shutdown'], {
    target: 'off',
  }),
  mutant('a reset needs no halt', [...active, 'on', 'robot.reset'], { target: 'standby' }),
  mutant('a beat begins motion', [...stateOf('holding'), 'on', 'robot.beat'], {
    target: 'autonomous',
  }),
  mutant('it drives with perception gone', [], {}, { guards: { canBeDriven: always } }),
  mutant('children are restarted for ever', [], {}, { guards: { mayRestart: always } }),
  mutant('the loss of the board is not remembered', [], {}, { actions: { noteUnlinked() {} } }),
  mutant('the missing are not missed', [], {}, { actions: { noteAbsent() {} } }),
  mutant('booting waits for ever', ['states', 'booting', 'after'], nothing),
  mutant('there is a state that nobody reaches', ['states', 'forgotten'], { tags: ['safe'] }),
  mutant('there is a state that nobody leaves', ['states', 'standby', 'on', 'robot.pause'], {
    target: 'off',
  }),
]

function trip() {
  return {
    type: 'tripGate',
    params: ({ context }: { context: { causes: unknown } }) => ({ causes: context.causes }),
  }
}

function calming() {
  return ['lockKernel', 'inhibitMotion', 'inhibitRelays', 'pauseAgent']
}

/** The root with the part at `path` of its literal replaced, and with other implementations. */
function mutant(
  name: string,
  path: readonly string[],
  value: unknown,
  implementations: Partial<AnyStateMachine['implementations']> = {},
): Mutant {
  const config: AnyStateMachine['config'] =
    path.length > 0 ? { ...changed(root.config, path, value) } : root.config
  const { actions, guards } = root.implementations
  return {
    name,
    machine: createMachine(config, {
      ...root.implementations,
      actions: { ...actions, ...implementations.actions },
      guards: { ...guards, ...implementations.guards },
    }),
  }
}

function changed(node: unknown, [key, ...rest]: readonly string[], value: unknown): object {
  if (typeof node !== 'object' || node === null || key === undefined) {
    throw new TypeError('a mutant must change something that is there')
  }
  const entries = Object.entries(node)
  if (rest.length === 0 && value === nothing) {
    if (!(key in node)) throw new TypeError(`a mutant must change something that is there: ${key}`)
    return Object.fromEntries(entries.filter(([name]) => name !== key))
  }
  const inner: unknown = entries.find(([name]) => name === key)?.[1]
  return { ...node, [key]: rest.length === 0 ? value : changed(inner, rest, value) }
}
