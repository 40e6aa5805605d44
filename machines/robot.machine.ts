import { and, assign, raise, sendTo, setup, type SnapshotFrom } from 'xstate'
import { agentMachine } from './agent.machine.ts'
import { boardMachine } from './board.machine.ts'
import { failsafeMachine } from './failsafe.machine.ts'
import { guardianMachine } from './guardian.machine.ts'
import { kernelMachine } from './kernel.machine.ts'
import { type EndpointLimits, llmMachine } from './llm.machine.ts'
import { motionMachine } from './motion.machine.ts'
import { perceptionMachine, type WatchedSensor } from './perception.machine.ts'
import { relaysMachine } from './relays.machine.ts'
import { requiredAction } from './required.ts'
import {
  backoffMs,
  type ChildName,
  childNames,
  guidingChildren,
  irreplaceable,
  policies,
  restartPeriodMs,
  vitalChildren,
} from './supervision.ts'
import { reasonsOf } from '../core/rules/failsafe.ts'
import type { Rules } from '../core/rules/gatekeeper.ts'

/** What the root hands to its children when it starts them. */
export interface RobotInput {
  /** Why this run must begin halted, or undefined when the last one ended well. */
  readonly unclean: string | undefined
  readonly goal: string | undefined
  readonly rules: Rules
  readonly grants: ReadonlySet<string>
  readonly sensors: readonly WatchedSensor[]
  readonly motion: { readonly stopLimitMs: number }
  readonly model: { readonly endpoints: readonly EndpointLimits[] }
}

export interface RobotContext {
  readonly input: RobotInput
  /** Raised by every halt and every arm; whatever was asked for in an older one is void. */
  readonly epoch: number
  /** Why the robot is halted, oldest first; empty when it is not. */
  readonly causes: readonly string[]
  readonly failures: Readonly<Partial<Record<ChildName, number>>>
  /** Children that are not running. */
  readonly absent: readonly ChildName[]
  /** Those of them that `startDue` is to start. */
  readonly due: readonly ChildName[]
  /** The body is open and has been seen to obey a halt. */
  readonly linked: boolean
  /** Whoever holds the body's ports can be relied on to halt it, or it needs nobody. */
  readonly guarded: boolean
  readonly caution: Caution
  readonly goal: string | undefined
  readonly notice: string | undefined
}

/**
 * What the failsafe has to say: nothing, that a person has to say when to go on, that the agent may not even then, that
 * the robot is to be halted, or that it must not even be reset.
 */
export type Caution = 'clear' | 'held' | 'insisting' | 'fault' | 'blocked'

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
  | { readonly type: 'xstate.done.actor.motion'; readonly output: unknown }
  | { readonly type: 'xstate.snapshot.board'; readonly snapshot: SnapshotFrom<typeof boardMachine> }
  | {
      readonly type: 'xstate.snapshot.guardian'
      readonly snapshot: SnapshotFrom<typeof guardianMachine>
    }
  | {
      readonly type: 'xstate.snapshot.failsafe'
      readonly snapshot: SnapshotFrom<typeof failsafeMachine>
    }

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
    failsafe: failsafeMachine,
    guardian: guardianMachine,
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
      causes: ({ context }, params: { cause: string }) => withCause(context.causes, params.cause),
    }),
    noteGoal: assign({ goal: (_, params: { text: string }) => params.text }),
    noteLinked: assign({ linked: true }),
    noteUnlinked: assign({ linked: false }),
    noteCaution: assign({
      caution: (_, params: { failsafe: SnapshotFrom<typeof failsafeMachine> }) =>
        cautionOf(params.failsafe),
    }),
    noteHazards: assign({
      causes: ({ context }, params: { failsafe: SnapshotFrom<typeof failsafeMachine> }) =>
        reasonsOf(params.failsafe.context.ladder).reduce(withCause, context.causes),
    }),
    noteGuardian: assign({
      guarded: (_, params: { guardian: SnapshotFrom<typeof guardianMachine> }) =>
        params.guardian.hasTag('present'),
    }),
    noteUnguarded: assign({ guarded: false }),
    clearCauses: assign({ causes: [], notice: undefined }),
    forgetNotice: assign({ notice: undefined }),
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
    callFor: assign({
      due: ({ context }, params: { children: readonly ChildName[] }) =>
        context.absent.filter((child) => params.children.includes(child)),
    }),
    startDue: base.enqueueActions(({ context, enqueue }) => {
      const { input } = context
      for (const child of context.due) {
        const identity = { id: child, systemId: child }
        enqueue.stopChild(child)
        switch (child) {
          case 'guardian':
          case 'failsafe':
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
            enqueue.spawnChild(child, { ...identity, input: input.motion })
            break
          case 'relays':
            enqueue.spawnChild(child, identity)
            break
        }
      }
      enqueue.assign({
        absent: context.absent.filter((child) => !context.due.includes(child)),
        due: [],
      })
    }),
    clearGuardian: sendTo(({ system }) => system.get('guardian'), { type: 'guardian.clear' }),
    tellFailsafeChosen: sendTo(({ system }) => system.get('failsafe'), { type: 'failsafe.chosen' }),
    tellFailsafeReleased: sendTo(({ system }) => system.get('failsafe'), {
      type: 'failsafe.released',
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
    isGuardianAtFault: (_, params: { guardian: SnapshotFrom<typeof guardianMachine> }) =>
      params.guardian.hasTag('fault'),
    isGuardianMissing: (_, params: { guardian: SnapshotFrom<typeof guardianMachine> }) =>
      !params.guardian.hasTag('present'),
    isFailsafeAtFault: (_, params: { failsafe: SnapshotFrom<typeof failsafeMachine> }) =>
      params.failsafe.hasTag('fault'),
    isFailsafeHolding: (_, params: { failsafe: SnapshotFrom<typeof failsafeMachine> }) =>
      params.failsafe.hasTag('held'),
    isLinked: ({ context }) => context.linked,
    /** Whoever's chart has failed is started again by the reset itself. */
    canReset: ({ context }) =>
      (context.linked || context.absent.includes('board')) &&
      (context.guarded || context.absent.includes('guardian')) &&
      (context.caution !== 'blocked' || context.absent.includes('failsafe')),
    canArm: ({ context }, params: { epoch: number }) =>
      isSound(context) && hasAll(vitalChildren, context) && params.epoch === context.epoch,
    canBeDriven: ({ context }) => isSound(context) && hasAll(guidingChildren, context),
    canDriveItself: ({ context }) =>
      isSound(context) &&
      context.caution !== 'insisting' &&
      hasAll([...guidingChildren, 'agent'], context),
    mayRestart: ({ context }, params: { child: ChildName }) =>
      (context.failures[params.child] ?? 0) < policies[params.child].restartsMax,
  },
  delays: {
    bootLimit: 20_000,
  },
})

/** Whom a reset starts again. */
const replaceable = childNames.filter((child) => child !== irreplaceable)

/** Its body is there, and whoever halts it in need, and nothing asks for a halt. */
function isSound({ linked, guarded, caution }: RobotContext): boolean {
  return linked && guarded && caution !== 'fault' && caution !== 'blocked'
}

/** The first cause is the one that people ask for: what follows it is forgotten before it. */
function withCause(causes: readonly string[], cause: string): readonly string[] {
  const older = causes.slice(1).slice(2 - causesMax)
  return [...new Set([...causes.slice(0, 1), ...older, cause])]
}

function hasAll(children: readonly ChildName[], context: RobotContext): boolean {
  return !children.some((child) => context.absent.includes(child))
}

function onFailureOf(child: ChildName) {
  return policies[child].lastResort === 'halt' ? vital(child) : forgivable(child)
}

/** A child whose failure halts the robot. */
function vital(child: ChildName) {
  return {
    target: '.halted',
    actions: [
      { type: 'noteAbsent', params: { child } },
      ...(child === 'board' ? (['noteUnlinked'] as const) : []),
      ...(child === 'guardian' ? (['noteUnguarded'] as const) : []),
      { type: 'noteCause', params: { cause: `${child} failed` } },
    ],
  } as const
}

/** A child that is started again, later and later, until its policy is used up. The robot stands still without it. */
function forgivable(child: ChildName, target?: '.holding') {
  const where = target ? { target } : {}
  const remember = [
    { type: 'noteAbsent', params: { child } },
    { type: 'noteFailure', params: { child } },
    { type: 'scheduleForgiveness', params: { child } },
  ] as const
  const giveUp = {
    ...where,
    actions: [...remember, { type: 'giveUpOn', params: { child } }],
  } as const
  // Where nobody is ever started again there is nothing to decide.
  if (policies[child].restartsMax === 0) return [giveUp] as const
  return [
    {
      ...where,
      guard: { type: 'mayRestart', params: { child } },
      actions: [...remember, { type: 'scheduleRestart', params: { child } }],
    },
    giveUp,
  ] as const
}

interface FailsafeNews {
  readonly event: { readonly snapshot: SnapshotFrom<typeof failsafeMachine> }
}

function failsafeIn({ event }: FailsafeNews) {
  return { failsafe: event.snapshot }
}

function failsafeReason({ event }: FailsafeNews): { notice: string } {
  return { notice: reasonsOf(event.snapshot.context.ladder).join('; ') }
}

function cautionOf(failsafe: SnapshotFrom<typeof failsafeMachine>): Caution {
  const tags = ['blocked', 'fault', 'insisting', 'held'] as const
  return tags.find((tag) => failsafe.hasTag(tag)) ?? 'clear'
}

interface GuardianNews {
  readonly event: { readonly snapshot: SnapshotFrom<typeof guardianMachine> }
}

function guardianIn({ event }: GuardianNews) {
  return { guardian: event.snapshot }
}

function guardianFault({ event }: GuardianNews): { cause: string } {
  return { cause: event.snapshot.context.cause ?? 'the guardian was lost' }
}

function causeOf(board: SnapshotFrom<typeof boardMachine>): string {
  return board.context.cause ?? 'the board was lost'
}

/**
 * The root. From every state but `off`, `robot.halt` leads to `halted`, which trips the motion gate as it is entered,
 * is left by nothing but a person's `robot.reset`, and then only to `standby`. Motion is possible in the states tagged
 * `motion` and nowhere else. Children fail by the policies of `supervision.ts`, never silently.
 */
export const robotMachine = robotSetup.createMachine({
  id: 'robot',
  // A chart that goes round in circles fails, instead of holding up the process that it is to halt.
  options: { maxIterations: 1_000 },
  context: ({ input }) => ({
    input,
    epoch: 1,
    causes: input.unclean === undefined ? [] : [input.unclean],
    failures: {},
    absent: childNames,
    due: [],
    linked: false,
    guarded: true,
    caution: 'clear',
    goal: input.goal,
    notice: undefined,
  }),
  entry: [{ type: 'callFor', params: { children: childNames } }, 'startDue'],
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
      actions: [
        { type: 'callFor', params: ({ event }) => ({ children: [event.child] }) },
        'startDue',
      ],
    },
    'child.forgiven': { actions: { type: 'forgiveFailure', params: ({ event }) => event } },
    'xstate.snapshot.board': [
      {
        guard: { type: 'isBoardLost', params: ({ event }) => ({ board: event.snapshot }) },
        target: '.halted',
        actions: [
          'noteUnlinked',
          { type: 'noteCause', params: ({ event }) => ({ cause: causeOf(event.snapshot) }) },
        ],
      },
      {
        guard: { type: 'isBoardReady', params: ({ event }) => ({ board: event.snapshot }) },
        actions: 'noteLinked',
      },
    ],
    'xstate.snapshot.guardian': [
      {
        guard: { type: 'isGuardianAtFault', params: guardianIn },
        target: '.halted',
        actions: [
          { type: 'noteGuardian', params: guardianIn },
          { type: 'noteCause', params: guardianFault },
        ],
      },
      { actions: { type: 'noteGuardian', params: guardianIn } },
    ],
    'xstate.snapshot.failsafe': [
      {
        guard: { type: 'isFailsafeAtFault', params: failsafeIn },
        target: '.halted',
        actions: [
          { type: 'noteCaution', params: failsafeIn },
          { type: 'noteHazards', params: failsafeIn },
        ],
      },
      { actions: { type: 'noteCaution', params: failsafeIn } },
    ],
    'xstate.error.actor.failsafe': onFailureOf('failsafe'),
    'xstate.error.actor.guardian': onFailureOf('guardian'),
    'xstate.error.actor.board': onFailureOf('board'),
    'xstate.error.actor.kernel': onFailureOf('kernel'),
    'xstate.error.actor.motion': onFailureOf('motion'),
    'xstate.done.actor.motion': onFailureOf('motion'),
    'xstate.error.actor.relays': onFailureOf('relays'),
    'xstate.error.actor.perception': onFailureOf('perception'),
    'xstate.error.actor.llm': onFailureOf('llm'),
    'xstate.error.actor.agent': onFailureOf('agent'),
  },
  states: {
    booting: {
      tags: ['safe'],
      always: [
        { guard: and(['isUnclean', 'isLinked']), target: 'halted' },
        { guard: 'isLinked', target: 'standby' },
      ],
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
        'xstate.snapshot.guardian': {
          guard: { type: 'isGuardianMissing', params: guardianIn },
          target: 'halted',
          actions: [
            { type: 'noteGuardian', params: guardianIn },
            { type: 'noteCause', params: guardianFault },
          ],
        },
        'xstate.error.actor.perception': forgivable('perception', '.holding'),
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
          entry: [
            'forgetNotice',
            'tellFailsafeChosen',
            'openKernel',
            'permitMotion',
            'permitRelays',
            'resumeAgent',
          ],
          exit: 'pauseAgent',
          on: {
            'robot.takeOver': { guard: 'canBeDriven', target: 'manual' },
            'xstate.snapshot.failsafe': {
              guard: { type: 'isFailsafeHolding', params: failsafeIn },
              target: 'holding',
              actions: [
                { type: 'noteCaution', params: failsafeIn },
                { type: 'noteNotice', params: failsafeReason },
              ],
            },
            'child.restart': {
              actions: [
                { type: 'callFor', params: ({ event }) => ({ children: [event.child] }) },
                'startDue',
                'resumeAgent',
              ],
            },
          },
        },
        manual: {
          tags: ['motion'],
          entry: [
            'forgetNotice',
            'tellFailsafeChosen',
            'overrideKernel',
            'permitMotion',
            'permitRelays',
          ],
          exit: 'tellFailsafeReleased',
          on: {
            'robot.release': { target: 'holding' },
            'xstate.snapshot.failsafe': {
              guard: { type: 'isFailsafeHolding', params: failsafeIn },
              target: 'holding',
              actions: [
                { type: 'noteCaution', params: failsafeIn },
                { type: 'noteNotice', params: failsafeReason },
              ],
            },
          },
        },
        holding: {
          tags: ['safe'],
          entry: ['lockKernel', 'inhibitMotion', 'inhibitRelays'],
          on: {
            'robot.resume': { guard: 'canDriveItself', target: 'autonomous' },
            'robot.takeOver': { guard: 'canBeDriven', target: 'manual' },
            'robot.goal': {
              guard: 'canDriveItself',
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
          guard: 'canReset',
          target: 'standby',
          actions: [
            'clearCauses',
            'clearGuardian',
            'tellFailsafeChosen',
            { type: 'callFor', params: { children: replaceable } },
            'startDue',
          ],
        },
        'robot.shutdown': { target: 'off' },
        // It is halted already: who comes and goes is noted, not answered.
        'xstate.snapshot.failsafe': [
          {
            guard: { type: 'isFailsafeAtFault', params: failsafeIn },
            actions: [
              { type: 'noteCaution', params: failsafeIn },
              { type: 'noteHazards', params: failsafeIn },
            ],
          },
          { actions: { type: 'noteCaution', params: failsafeIn } },
        ],
        'xstate.snapshot.guardian': [
          {
            guard: { type: 'isGuardianAtFault', params: guardianIn },
            actions: [
              { type: 'noteGuardian', params: guardianIn },
              { type: 'noteCause', params: guardianFault },
            ],
          },
          { actions: { type: 'noteGuardian', params: guardianIn } },
        ],
        'xstate.snapshot.board': [
          {
            guard: { type: 'isBoardLost', params: ({ event }) => ({ board: event.snapshot }) },
            actions: [
              'noteUnlinked',
              { type: 'noteCause', params: ({ event }) => ({ cause: causeOf(event.snapshot) }) },
            ],
          },
          {
            guard: { type: 'isBoardReady', params: ({ event }) => ({ board: event.snapshot }) },
            actions: 'noteLinked',
          },
        ],
      },
    },
    off: { type: 'final', entry: 'closeBoard' },
  },
})
