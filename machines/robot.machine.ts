import { and, assign, raise, sendTo, setup, type SnapshotFrom } from 'xstate'
import { agentMachine } from './agent.machine.ts'
import { boardMachine } from './board.machine.ts'
import { kernelMachine } from './kernel.machine.ts'
import { llmMachine } from './llm.machine.ts'
import { motionMachine } from './motion.machine.ts'
import { perceptionMachine, type WatchedSensor } from './perception.machine.ts'
import { relaysMachine } from './relays.machine.ts'
import { requiredAction } from './required.ts'
import { backoffMs, type ChildName, childNames, policies, restartPeriodMs } from './supervision.ts'
import type { Rules } from '../core/rules/gatekeeper.ts'

/** What the root hands to its children when it starts them. */
export interface RobotInput {
  /** Why this run must begin halted, or undefined when the last one ended well. */
  readonly unclean: string | undefined
  readonly goal: string | undefined
  readonly rules: Rules
  readonly grants: ReadonlySet<string>
  readonly sensors: readonly WatchedSensor[]
  readonly model: {
    readonly limitTokens: number
    readonly capTokens: number
    readonly deadlineMs: number
  }
}

export interface RobotContext {
  readonly input: RobotInput
  /** Raised by every halt and every arm; whatever was asked for in an older one is void. */
  readonly epoch: number
  /** Why the robot is halted, oldest first; empty when it is not. */
  readonly causes: readonly string[]
  readonly failures: Readonly<Partial<Record<ChildName, number>>>
  /** Children that are not running, to be started by the next `startAbsent`. */
  readonly absent: readonly ChildName[]
  /** The body is open and has been seen to obey a halt. */
  readonly linked: boolean
  readonly goal: string | undefined
  readonly notice: string | undefined
}

/** What a person, or a program in a person's name, may tell the robot. */
export type RobotCommand =
  | { readonly type: 'robot.halt'; readonly cause: string }
  | { readonly type: 'robot.reset' }
  | { readonly type: 'robot.arm'; readonly epoch: number }
  | { readonly type: 'robot.goal'; readonly text: string }
  | { readonly type: 'robot.resume' }
  | { readonly type: 'robot.pause' }
  | { readonly type: 'robot.takeOver' }
  | { readonly type: 'robot.release' }
  | { readonly type: 'robot.shutdown' }

type ChildFact =
  | { readonly type: 'robot.beat'; readonly stampMs: number }
  | { readonly type: 'child.restart'; readonly child: ChildName }
  | { readonly type: 'child.forgiven'; readonly child: ChildName }
  | { readonly type: 'child.exhausted'; readonly child: ChildName }
  | {
      readonly type: `xstate.error.actor.${ChildName}`
      readonly error: unknown
    }
  | { readonly type: 'xstate.snapshot.board'; readonly snapshot: SnapshotFrom<typeof boardMachine> }

const causesMax = 16

const base = setup({
  types: {
    context: {} as RobotContext,
    input: {} as RobotInput,
    events: {} as RobotCommand | ChildFact,
    tags: {} as 'motion' | 'safe',
  },
  actors: {
    agent: agentMachine,
    board: boardMachine,
    kernel: kernelMachine,
    llm: llmMachine,
    motion: motionMachine,
    perception: perceptionMachine,
    relays: relaysMachine,
  },
})

const robotSetup = base.extend({
  actions: {
    tripGate: requiredAction<{ causes: readonly string[] }>('tripGate'),
    armBody: requiredAction<{ epoch: number }>('armBody'),
    stampBeat: requiredAction<{ stampMs: number }>('stampBeat'),
    noteCause: assign({
      causes: ({ context }, params: { cause: string }) =>
        [...context.causes.filter((cause) => cause !== params.cause), params.cause].slice(
          -causesMax,
        ),
    }),
    noteGoal: assign({ goal: (_, params: { text: string }) => params.text }),
    noteLinked: assign({ linked: true }),
    noteUnlinked: assign({ linked: false }),
    clearCauses: assign({ causes: [], notice: undefined }),
    noteNotice: assign({ notice: (_, params: { notice: string }) => params.notice }),
    raiseEpoch: assign({ epoch: ({ context }) => context.epoch + 1 }),
    noteFailure: assign({
      failures: ({ context }, params: { child: ChildName }) => ({
        ...context.failures,
        [params.child]: (context.failures[params.child] ?? 0) + 1,
      }),
    }),
    forgiveFailure: assign({
      failures: ({ context }, params: { child: ChildName }) => ({
        ...context.failures,
        [params.child]: Math.max(0, (context.failures[params.child] ?? 0) - 1),
      }),
    }),
    scheduleForgiveness: raise(
      (_, params: { child: ChildName }) => ({ type: 'child.forgiven' as const, ...params }),
      { delay: restartPeriodMs },
    ),
    scheduleRestart: raise(
      (_, params: { child: ChildName }) => ({ type: 'child.restart' as const, ...params }),
      { delay: ({ context }, params) => backoffMs(context.failures[params.child] ?? 1) },
    ),
    giveUpOn: raise((_, params: { child: ChildName }) => ({
      type: 'child.exhausted' as const,
      ...params,
    })),
    noteAbsent: assign({
      absent: ({ context }, params: { child: ChildName }) => [
        ...context.absent.filter((child) => child !== params.child),
        params.child,
      ],
    }),
    startAbsent: base.enqueueActions(({ context, enqueue }) => {
      const { input } = context
      for (const child of context.absent) {
        const identity = { id: child, systemId: child }
        enqueue.stopChild(child)
        switch (child) {
          case 'board':
            enqueue.spawnChild(child, { ...identity, syncSnapshot: true })
            break
          case 'kernel':
          case 'perception':
            enqueue.spawnChild(child, { ...identity, input })
            break
          case 'agent':
            enqueue.spawnChild(child, { ...identity, input: { goal: context.goal } })
            break
          case 'llm':
            enqueue.spawnChild(child, { ...identity, input: input.model })
            break
          case 'motion':
          case 'relays':
            enqueue.spawnChild(child, identity)
            break
        }
      }
      enqueue.assign({ absent: [] })
    }),
    closeBoard: sendTo(({ system }) => system.get('board'), { type: 'board.close' }),
    lockKernel: sendTo(({ system }) => system.get('kernel'), { type: 'kernel.lock' }),
    openKernel: sendTo(
      ({ system }) => system.get('kernel'),
      ({ context }) => ({ type: 'kernel.open', epoch: context.epoch }),
    ),
    overrideKernel: sendTo(
      ({ system }) => system.get('kernel'),
      ({ context }) => ({ type: 'kernel.override', epoch: context.epoch }),
    ),
    inhibitMotion: sendTo(({ system }) => system.get('motion'), { type: 'motion.inhibit' }),
    permitMotion: sendTo(({ system }) => system.get('motion'), { type: 'motion.permit' }),
    inhibitRelays: sendTo(({ system }) => system.get('relays'), { type: 'relays.inhibit' }),
    permitRelays: sendTo(({ system }) => system.get('relays'), { type: 'relays.permit' }),
    pauseAgent: sendTo(({ system }) => system.get('agent'), { type: 'agent.pause' }),
    resumeAgent: sendTo(
      ({ system }) => system.get('agent'),
      ({ context }) => ({ type: 'agent.resume', epoch: context.epoch }),
    ),
    passGoal: sendTo(
      ({ system }) => system.get('agent'),
      (_, params: { text: string }) => ({ type: 'agent.goal', text: params.text }),
    ),
  },
  guards: {
    isUnclean: ({ context }) => context.input.unclean !== undefined,
    isBoardReady: (_, params: { board: SnapshotFrom<typeof boardMachine> }) =>
      params.board.hasTag('ready'),
    isBoardLost: (_, params: { board: SnapshotFrom<typeof boardMachine> }) =>
      params.board.hasTag('lost'),
    isLinkBroken: ({ context }, params: { board: SnapshotFrom<typeof boardMachine> }) =>
      context.linked && params.board.hasTag('lost'),
    isLinked: ({ context }) => context.linked,
    canArm: ({ context }, params: { epoch: number }) =>
      context.linked && context.absent.length === 0 && params.epoch === context.epoch,
    mayRestart: ({ context }, params: { child: ChildName }) =>
      (context.failures[params.child] ?? 0) < policies[params.child].restartsMax,
  },
  delays: {
    bootLimit: 20_000,
  },
})

function onFailureOf(child: ChildName) {
  return policies[child].lastResort === 'halt' ? vital(child) : forgivable(child)
}

/** A child whose failure halts the robot. */
function vital(child: ChildName) {
  return {
    target: '.halted',
    actions: [
      { type: 'noteAbsent', params: { child } },
      { type: 'noteCause', params: { cause: `${child} failed` } },
    ],
  } as const
}

/** A child that is started again, later and later, until its policy is used up. The robot stands still without it. */
function forgivable(child: ChildName) {
  const remember = [
    { type: 'noteFailure', params: { child } },
    { type: 'scheduleForgiveness', params: { child } },
  ] as const
  return [
    {
      guard: { type: 'mayRestart', params: { child } },
      actions: [...remember, { type: 'scheduleRestart', params: { child } }],
    },
    {
      actions: [
        ...remember,
        { type: 'noteAbsent', params: { child } },
        { type: 'giveUpOn', params: { child } },
      ],
    },
  ] as const
}

/**
 * The root. From every state but `off`, `robot.halt` leads to `halted`, which trips the motion gate as it is entered,
 * is left by nothing but a person's `robot.reset`, and then only to `standby`. Motion is possible in the states tagged
 * `motion` and nowhere else. Children fail by the policies of `supervision.ts`, never silently.
 */
export const robotMachine = robotSetup.createMachine({
  id: 'robot',
  context: ({ input }) => ({
    input,
    epoch: 1,
    causes: [],
    failures: {},
    absent: childNames,
    linked: false,
    goal: input.goal,
    notice: undefined,
  }),
  entry: 'startAbsent',
  initial: 'booting',
  on: {
    'robot.halt': {
      target: '.halted',
      actions: { type: 'noteCause', params: ({ event }) => event },
    },
    'robot.beat': { actions: { type: 'stampBeat', params: ({ event }) => event } },
    'robot.goal': {
      actions: [
        { type: 'noteGoal', params: ({ event }) => event },
        { type: 'passGoal', params: ({ event }) => event },
      ],
    },
    'child.restart': {
      actions: [{ type: 'noteAbsent', params: ({ event }) => event }, 'startAbsent'],
    },
    'child.forgiven': { actions: { type: 'forgiveFailure', params: ({ event }) => event } },
    'xstate.snapshot.board': [
      {
        guard: { type: 'isLinkBroken', params: ({ event }) => ({ board: event.snapshot }) },
        target: '.halted',
        actions: [
          'noteUnlinked',
          {
            type: 'noteCause',
            params: ({ event }) => ({
              cause: event.snapshot.context.cause ?? 'the board was lost',
            }),
          },
        ],
      },
      {
        guard: { type: 'isBoardReady', params: ({ event }) => ({ board: event.snapshot }) },
        actions: 'noteLinked',
      },
    ],
    'xstate.error.actor.board': onFailureOf('board'),
    'xstate.error.actor.kernel': onFailureOf('kernel'),
    'xstate.error.actor.motion': onFailureOf('motion'),
    'xstate.error.actor.relays': onFailureOf('relays'),
    'xstate.error.actor.perception': onFailureOf('perception'),
    'xstate.error.actor.llm': onFailureOf('llm'),
    'xstate.error.actor.agent': onFailureOf('agent'),
  },
  states: {
    booting: {
      tags: ['safe'],
      always: [
        {
          guard: and(['isUnclean', 'isLinked']),
          target: 'halted',
          actions: {
            type: 'noteCause',
            params: ({ context }) => ({ cause: context.input.unclean ?? 'unclean end' }),
          },
        },
        { guard: 'isLinked', target: 'standby' },
      ],
      on: {
        'xstate.snapshot.board': [
          {
            guard: { type: 'isBoardLost', params: ({ event }) => ({ board: event.snapshot }) },
            target: 'halted',
            actions: {
              type: 'noteCause',
              params: ({ event }) => ({
                cause: event.snapshot.context.cause ?? 'the board was lost',
              }),
            },
          },
          {
            guard: { type: 'isBoardReady', params: ({ event }) => ({ board: event.snapshot }) },
            actions: 'noteLinked',
          },
        ],
      },
      after: {
        bootLimit: {
          target: 'halted',
          actions: { type: 'noteCause', params: { cause: 'the body did not open in time' } },
        },
      },
    },
    standby: {
      tags: ['safe'],
      entry: ['lockKernel', 'inhibitMotion', 'inhibitRelays', 'pauseAgent'],
      on: {
        'robot.arm': {
          guard: { type: 'canArm', params: ({ event }) => event },
          target: 'active',
          actions: 'raiseEpoch',
        },
      },
    },
    active: {
      entry: { type: 'armBody', params: ({ context }) => ({ epoch: context.epoch }) },
      initial: 'holding',
      on: {
        'robot.pause': { target: '.holding' },
        'child.exhausted': {
          target: '.holding',
          actions: {
            type: 'noteNotice',
            params: ({ event }) => ({ notice: `${event.child} failed too often` }),
          },
        },
      },
      states: {
        autonomous: {
          tags: ['motion'],
          entry: ['openKernel', 'permitMotion', 'permitRelays', 'resumeAgent'],
          exit: 'pauseAgent',
          on: {
            'robot.takeOver': { target: 'manual' },
            'child.restart': {
              actions: [
                { type: 'noteAbsent', params: ({ event }) => event },
                'startAbsent',
                'resumeAgent',
              ],
            },
          },
        },
        manual: {
          tags: ['motion'],
          entry: ['overrideKernel', 'permitMotion', 'permitRelays'],
          on: {
            'robot.release': { target: 'holding' },
          },
        },
        holding: {
          tags: ['safe'],
          entry: ['lockKernel', 'inhibitMotion', 'inhibitRelays'],
          on: {
            'robot.resume': { target: 'autonomous' },
            'robot.takeOver': { target: 'manual' },
            'robot.goal': {
              target: 'autonomous',
              actions: [
                { type: 'noteGoal', params: ({ event }) => event },
                { type: 'passGoal', params: ({ event }) => event },
              ],
            },
          },
        },
      },
    },
    halted: {
      tags: ['safe'],
      entry: [
        { type: 'tripGate', params: ({ context }) => ({ causes: context.causes }) },
        'raiseEpoch',
        'lockKernel',
        'inhibitMotion',
        'inhibitRelays',
        'pauseAgent',
      ],
      on: {
        'robot.reset': {
          guard: 'isLinked',
          target: 'standby',
          actions: ['clearCauses', 'startAbsent'],
        },
        'robot.shutdown': { target: 'off' },
      },
    },
    off: { type: 'final', entry: 'closeBoard' },
  },
})
