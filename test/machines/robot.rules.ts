import { childNames, policies } from '../../machines/supervision.ts'
import type { Place, Step } from './explore.ts'
import { type Children, contextOf, isEffect, lastStraw, started, stateOf } from './robot.model.ts'

/** Something that is true of every step that the root can take. */
export interface Rule {
  readonly says: string
  holds(step: Step<Children>): boolean
}

const vital = childNames.filter((child) => policies[child].lastResort === 'halt')

/** What the root promises. */
export const rules: readonly Rule[] = [
  {
    says: 'no event leaves the root in error',
    holds: ({ to }) => to.snapshot.status !== 'error',
  },
  {
    says: 'robot.halt leads to halted in one macrostep, trips the gate, names its cause and raises the epoch',
    holds: (step) =>
      step.event.type !== 'robot.halt' ||
      (hasHalted(step) && contextOf(step.to).causes.includes('asked to halt')),
  },
  {
    says: 'whoever enters halted trips the gate',
    holds: (step) =>
      stateOf(step.to) !== 'halted' || stateOf(step.from) === 'halted' || hasHalted(step),
  },
  {
    says: 'a cause is known for as long as it is halted',
    holds: ({ to }) => stateOf(to) !== 'halted' || contextOf(to).causes.length > 0,
  },
  {
    says: 'halted is left by robot.reset for standby, by robot.shutdown for off, and by nothing else',
    holds: ({ from, event, to }) =>
      stateOf(from) !== 'halted' ||
      stateOf(to) === 'halted' ||
      (event.type === 'robot.reset' && stateOf(to) === 'standby') ||
      (event.type === 'robot.shutdown' && stateOf(to) === 'off'),
  },
  {
    says: 'off is entered from halted only',
    holds: ({ from, to }) => stateOf(to) !== 'off' || stateOf(from) === 'halted',
  },
  {
    says: 'robot.arm with any epoch but the present one does nothing at all',
    holds: ({ from, event, to, effects }) =>
      event.type !== 'robot.arm' ||
      event['epoch'] === contextOf(from).epoch ||
      (effects.length === 0 && contextOf(to) === contextOf(from) && stateOf(to) === stateOf(from)),
  },
  {
    says: 'arming leads to holding, in a new epoch',
    holds: ({ from, event, to }) =>
      event.type !== 'robot.arm' ||
      stateOf(to) === stateOf(from) ||
      (stateOf(to) === 'active.holding' && contextOf(to).epoch === contextOf(from).epoch + 1),
  },
  {
    says: 'motion begins with resume, goal or takeOver in an armed robot, and with nothing else',
    holds: ({ from, event, to }) =>
      isMotion(from) ||
      !isMotion(to) ||
      (stateOf(from) === 'active.holding' &&
        ['robot.resume', 'robot.goal', 'robot.takeOver'].includes(event.type)),
  },
  {
    says: 'motion ends with the wheels and relays inhibited and the kernel locked',
    holds: ({ from, to, effects }) =>
      !isMotion(from) ||
      isMotion(to) ||
      ['motion.inhibit', 'relays.inhibit', 'kernel.lock'].every((event) =>
        effects.some(isEffect('xstate.sendTo', event)),
      ),
  },
  {
    says: 'the failure of whoever moves the robot halts it',
    holds: (step) =>
      !vital.some((child) => step.event.type === `xstate.error.actor.${child}`) || hasHalted(step),
  },
  {
    says: 'a lost board halts it',
    holds: ({ event, to }) => event['next'] !== 'lost' || stateOf(to) === 'halted',
  },
  {
    says: 'a child that failed once too often ends motion',
    holds: ({ event, to }) => event['error'] !== lastStraw || !isMotion(to),
  },
  {
    says: 'nobody who moves the robot is missing while it may move',
    holds: ({ to }) => !isMotion(to) || !vital.some((child) => to.ghost.dead.includes(child)),
  },
  {
    says: 'epochs never fall',
    holds: ({ from, to }) => contextOf(to).epoch >= contextOf(from).epoch,
  },
  {
    says: 'a robot counts as linked only while its board is ready',
    holds: ({ to }) =>
      !contextOf(to).linked || (to.ghost.board === 'ready' && !to.ghost.dead.includes('board')),
  },
  {
    says: 'it may move only while its board is ready',
    holds: ({ to }) => !isMotion(to) || to.ghost.board === 'ready',
  },
  {
    says: 'it may move only while perception lives',
    holds: ({ to }) => !isMotion(to) || !to.ghost.dead.includes('perception'),
  },
  {
    says: 'it may drive itself only while nobody but the model is given up',
    holds: ({ to }) =>
      stateOf(to) !== 'active.autonomous' ||
      contextOf(to).absent.every((child) => child === 'llm' || to.ghost.awaited.includes(child)),
  },
  {
    says: 'a restart starts the child that it is for, and no other',
    holds: ({ event, effects }) =>
      event.type !== 'child.restart' || started(effects).every((child) => event['child'] === child),
  },
  {
    says: 'a second budget is never opened',
    holds: ({ effects }) => !started(effects).includes('llm'),
  },
]

function hasHalted({ from, to, effects }: Step<Children>): boolean {
  return (
    stateOf(to) === 'halted' &&
    effects.some(isEffect('tripGate')) &&
    contextOf(to).epoch === contextOf(from).epoch + 1
  )
}

function isMotion({ snapshot }: Place<Children>): boolean {
  return snapshot.hasTag('motion')
}
