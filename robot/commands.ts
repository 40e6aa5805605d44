import type { SnapshotFrom } from 'xstate'
import { stateOf } from '../actors/account.ts'
import { blockersOf, foot, reasonsOf } from '../core/rules/failsafe.ts'
import { messageOf } from '../core/vocabulary/errors.ts'
import type { RobotCommand, robotMachine } from '../machines/robot.machine.ts'
import { answer } from './answering.ts'
import type { Answer, AnswerCommand } from './contract.ts'
import { halt, refuseToMove } from './halt.ts'
import type { Parts } from './parts.ts'

/** Carries out a person's command, or says in one line why not. A halt is never refused. */
export function send(parts: Parts, command: RobotCommand | AnswerCommand): Answer {
  const { enabling, root } = parts
  if (command.type === 'robot.pause') enabling.stay()
  if (waitsForHand(parts, command)) return waitForHand(parts, command)
  if (command.type === 'robot.answer') return answer(parts, command)
  if (command.type === 'robot.halt') {
    void halt(parts, command.cause)
  } else if (isPossible(parts, command)) {
    root.send(command)
  } else {
    return { ok: false, message: whyNot(parts, command, root.getSnapshot()) }
  }
  const after = root.getSnapshot()
  return { ok: true, state: stateOf(after), epoch: after.context.epoch }
}

/** It is to drive itself, and only a hand on the enabling device is missing for that. */
function waitsForHand(
  { children, enabling, root }: Parts,
  { type }: RobotCommand | AnswerCommand,
): boolean {
  const isAsked = type === 'robot.resume' || type === 'robot.goal'
  const { cause } = enabling
  const isHolding = root.getSnapshot().matches({ active: 'holding' })
  if (!isAsked || cause === undefined || !isHolding) return false
  const ladder = children.failsafe()?.getSnapshot().context.ladder ?? foot
  return ladder.rung !== 'hold' || reasonsOf(ladder).every((reason) => reason === cause)
}

/** Goes on once somebody takes hold; `causes` says that until then. A goal is noted meanwhile. */
function waitForHand({ enabling, root }: Parts, command: RobotCommand | AnswerCommand): Answer {
  if (command.type === 'robot.goal') root.send(command)
  enabling.wait()
  const after = root.getSnapshot()
  return { ok: true, state: stateOf(after), epoch: after.context.epoch }
}

/** A guard that throws halts the robot, as it would have done had the command been sent. */
function isPossible(parts: Parts, command: RobotCommand): boolean {
  const snapshot = parts.root.getSnapshot()
  try {
    return snapshot.status === 'active' && snapshot.can(command)
  } catch (error) {
    refuseToMove(parts, messageOf(error).replaceAll('\n', ' '))
    return false
  }
}

/** Why a command was not carried out, and what would help. */
function whyNot(
  { children }: Parts,
  command: RobotCommand,
  snapshot: SnapshotFrom<typeof robotMachine>,
): string {
  const state = stateOf(snapshot)
  const ladder = children.failsafe()?.getSnapshot().context.ladder ?? foot
  const { caution, epoch, guarded, linked } = snapshot.context
  const missing = guarded
    ? 'the body is not there yet'
    : 'the guardian of its board is not there yet'
  switch (command.type) {
    case 'robot.arm':
      if (state !== 'standby') return `arm: the robot is ${state}; it can be armed in standby only`
      if (command.epoch === epoch) return `arm: ${missing}`
      return `epoch: ${command.epoch} is not allowed; the present one is ${epoch}`
    case 'robot.reset':
      if (state !== 'halted') return `reset: the robot is ${state}; only a halted robot is reset`
      if (caution === 'blocked') {
        return `reset: refused while it lasts: ${blockersOf(ladder).join(', ')}`
      }
      return linked && guarded ? 'reset: not possible now' : `reset: ${missing}`
    case 'robot.resume':
    case 'robot.takeOver':
      if (caution === 'insisting' && state === 'active.holding') {
        return `${command.type.slice(6)}: refused while it lasts: ${reasonsOf(ladder).join(', ')}`
      }
      return `${command.type.slice(6)}: the robot is ${state}; ${state === 'halted' ? 'reset it, then arm it' : 'arm it first'}`
    case 'robot.pause':
    case 'robot.release':
    case 'robot.goal':
    case 'robot.halt':
    case 'robot.shutdown':
      return `${command.type.slice(6)}: not possible while the robot is ${state}`
  }
}
