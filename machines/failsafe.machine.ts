import { assign, setup } from 'xstate'
import {
  blockersOf,
  climb,
  foot,
  type Hazard,
  isAbove,
  type Ladder,
  rungs,
  type Rung,
} from '../core/rules/failsafe.ts'

type Fact = {
  type: 'failsafe.sensed'
  readonly hazards: readonly Hazard[]
  readonly stampMs: number
  readonly isArmed: boolean
}
type Command =
  /** A person has chosen what comes next: reset, resume, take over. */
  | { type: 'failsafe.chosen' }
  /** Nobody drives by hand any more. */
  | { type: 'failsafe.released' }

/**
 * How hard the robot acts on what should not be: the ladder of `core/rules/failsafe.ts` as a chart. The worst cause wins,
 * each is latched by its clear rule, and a hold before something stronger cannot be drawn out. `clear` while the robot
 * may drive itself; `held` while a person has to say that it may go on, and `insisting` while the agent may not even then;
 * `fault` while it is to be halted, and `blocked` while even a reset is refused.
 */
export const failsafeMachine = setup({
  types: {
    context: {} as { ladder: Ladder },
    events: {} as Fact | Command,
    tags: {} as 'clear' | 'slow' | 'held' | 'insisting' | 'fault' | 'blocked',
  },
  actions: {
    climbFor: assign({
      ladder: ({ context }, params: Omit<Fact, 'type'>) =>
        climb(context.ladder, { ...params, nowMs: params.stampMs }),
    }),
    yieldToPerson: assign({
      ladder: ({ context }) =>
        climb(context.ladder, { ...again(context.ladder), hasSwitched: true }),
    }),
    takeBack: assign({
      ladder: ({ context }) => {
        const ladder = { ...context.ladder, isTakenOver: false }
        return climb(ladder, again(ladder))
      },
    }),
    endPause: assign({
      ladder: ({ context: { ladder } }) => {
        const before = again(ladder)
        return climb(ladder, { ...before, nowMs: before.nowMs + ladder.pauseMs })
      },
    }),
  },
  guards: {
    isOn: ({ context }, params: { rung: Rung }) => context.ladder.rung === params.rung,
    isPausing: ({ context }) => context.ladder.pauseMs > 0,
    isPersistent: ({ context }) => isPersistent(context.ladder),
    isOver: ({ context }) => !isPersistent(context.ladder),
    isBlocked: ({ context }) => blockersOf(context.ladder).length > 0,
    isUnblocked: ({ context }) => blockersOf(context.ladder).length === 0,
  },
  delays: {
    holdLimit: ({ context }) => context.ladder.pauseMs,
  },
}).createMachine({
  id: 'failsafe',
  context: { ladder: foot },
  initial: 'none',
  on: {
    'failsafe.sensed': { actions: { type: 'climbFor', params: ({ event }) => event } },
    'failsafe.chosen': { actions: 'yieldToPerson' },
    'failsafe.released': { actions: 'takeBack' },
  },
  states: {
    none: { tags: ['clear'], always: leaving('none') },
    warn: { tags: ['clear'], always: leaving('warn') },
    slow: { tags: ['clear', 'slow'], always: leaving('slow') },
    hold: {
      tags: ['held'],
      always: leaving('hold'),
      initial: 'over',
      states: {
        over: { always: { guard: 'isPersistent', target: 'standing' } },
        standing: {
          tags: ['insisting'],
          always: [
            { guard: 'isPausing', target: 'pausing' },
            { guard: 'isOver', target: 'over' },
          ],
        },
        pausing: {
          tags: ['insisting'],
          after: { holdLimit: { target: 'standing', actions: 'endPause' } },
        },
      },
    },
    return: { tags: ['held', 'insisting'], always: leaving('return') },
    halt: {
      tags: ['fault'],
      always: leaving('halt'),
      initial: 'over',
      states: {
        standing: { tags: ['blocked'], always: { guard: 'isUnblocked', target: 'over' } },
        over: { always: { guard: 'isBlocked', target: 'standing' } },
      },
    },
  },
})

/** Something that holds the robot is still so. */
function isPersistent({ causes }: Ladder): boolean {
  return causes.some(({ rung, stands }) => stands && isAbove(rung, 'slow'))
}

/** The way to every rung but the one that it leaves. */
function leaving(from: Rung) {
  return rungs
    .filter((rung) => rung !== from)
    .map((rung) => ({ guard: { type: 'isOn', params: { rung } }, target: rung }) as const)
}

/** The moment that the ladder was last climbed at, over again. */
function again({ causes, isArmed, seenMs = 0 }: Ladder) {
  return { nowMs: seenMs, hazards: causes.filter(({ stands }) => stands), isArmed }
}
