import { getInitialSnapshot, type SnapshotFrom, transition } from 'xstate'
import { z } from 'zod'
import { climb, foot, type Hazard, type Ladder, type Rung } from '../../core/rules/failsafe.ts'
import { failsafeMachine } from '../../machines/failsafe.machine.ts'
import { robotMachine } from '../../machines/robot.machine.ts'
import { robotInput } from '../machines/robot.input.ts'
import { type Binding, same, strictly } from './binding.ts'

const step = z.strictObject({
  at_ms: z.number(),
  active_conditions: z.array(z.string()).optional(),
  commanded_mode: z.string().optional(),
  armed: z.boolean().optional(),
  operator_input: z.boolean().optional(),
  mode_commanded: z.boolean().optional(),
  defer: z
    .strictObject({ on: z.boolean(), timeout_s: z.number(), accepted: z.boolean().optional() })
    .optional(),
  expect: z
    .strictObject({
      action: z.string().optional(),
      mode: z.string().optional(),
      takeover: z.boolean().optional(),
      deferred: z.boolean().optional(),
      deferring: z.boolean().optional(),
    })
    .optional(),
})
const timeline = z.strictObject({
  name: z.string(),
  hold_delay_ms: z.literal(5000),
  source_test: z.string().optional(),
  steps: z.array(step).min(1),
  note: z.string().optional(),
})
type Step = z.output<typeof step>

const conditions = z.looseObject({
  conditions: z.record(
    z.string(),
    z.strictObject({
      action: z.string(),
      clear: z.enum(['WhenConditionClears', 'OnModeChangeOrDisarm', 'Never']).optional(),
      takeover: z.enum(['Always', 'AlwaysModeSwitchOnly', 'Auto', 'Never']).optional(),
      only_in_mode: z.string().optional(),
      deferrable: z.boolean().optional(),
    }),
  ),
})
type Condition = z.output<typeof conditions>['conditions'][string]

/** The peer's actions as our rungs. It flies: what lands it in one way or another halts a robot on the ground. */
const rungs: Readonly<Record<string, Rung>> = {
  None: 'none',
  Warn: 'warn',
  Hold: 'hold',
  RTL: 'return',
  Land: 'halt',
  Descend: 'halt',
  Disarm: 'halt',
  Terminate: 'halt',
}
const finalActions = ['Terminate']

const asked: Hazard = {
  name: 'asked to terminate',
  rung: 'halt',
  clears: 'never',
  takeover: 'never',
}

/** failsafe.json, through the ladder of `core/rules/failsafe.ts`, and the root for what becomes of motion. */
export const failsafe: Binding = {
  file: 'failsafe.json',
  title: 'Failsafe arbitration: severity order, hold delay, latching, operator takeover, deferral',
  sections: {
    cases: strictly(timeline, ({ steps }, { file }) => {
      if (steps.some(({ defer }) => defer)) return { unbound: 'nobody may defer a failsafe' }
      const known = conditions.parse(file['conventions']).conditions
      let ladder = foot
      let root = driving()
      let mode = steps[0]?.commanded_mode ?? ''
      return steps.flatMap((each, index) => {
        const commanded = each.commanded_mode ?? mode
        const hasSwitched = commanded !== mode || each.mode_commanded === true
        const next = climb(ladder, {
          nowMs: each.at_ms,
          hazards: hazardsOf(each, commanded, known),
          isArmed: each.armed ?? true,
          hasSwitched,
          hasMoved: each.operator_input === true,
          canReturn: true,
          isReturning: commanded === 'RTL' || commanded === 'AUTO_RTL',
        })
        root = rootAfter(root, next, hasSwitched)
        mode = modeAfter(next, ladder, { commanded, hasMoved: each.operator_input === true, root })
        ladder = next
        return differences(`steps[${index}]`, each, ladder, mode)
      })
    }),
  },
}

function hazardsOf(
  { active_conditions: active = [] }: Step,
  mode: string,
  known: Readonly<Record<string, Condition>>,
): Hazard[] {
  const hazards = active.flatMap((name) => {
    const condition = known[name]
    if (!condition) throw new TypeError(`unknown condition ${name}`)
    const isMeant = condition.only_in_mode === undefined || condition.only_in_mode === mode
    return isMeant ? [hazardOf(name, condition)] : []
  })
  return mode === 'TERMINATION' ? [...hazards, asked] : hazards
}

function hazardOf(name: string, { action, clear, takeover = 'Auto' }: Condition): Hazard {
  const rung = rungs[action]
  if (!rung) throw new TypeError(`unknown action ${action}`)
  if (finalActions.includes(action)) return { ...asked, name }
  const takeovers = {
    Always: 'afterHold',
    Auto: 'afterHold',
    AlwaysModeSwitchOnly: 'bySwitch',
    Never: 'never',
  } as const
  const clears = clear === 'OnModeChangeOrDisarm' ? 'byOperator' : 'byItself'
  return { name, rung, clears, takeover: takeovers[takeover] }
}

type Root = SnapshotFrom<typeof robotMachine>

/** A root that drives by itself. */
function driving(): Root {
  const { context } = getInitialSnapshot(robotMachine, robotInput)
  const value = { active: 'autonomous' } as const
  return robotMachine.resolveState({ value, context: { ...context, linked: true, absent: [] } })
}

/** The root after it heard of its failsafe, and then of a person who has it go on. */
function rootAfter(root: Root, ladder: Ladder, hasSwitched: boolean): Root {
  const snapshot = failsafeMachine.resolveState({ value: ladder.rung, context: { ladder } })
  const [heard] = transition(robotMachine, root, { type: 'xstate.snapshot.failsafe', snapshot })
  if (!hasSwitched) return heard
  const [resumed] = transition(robotMachine, heard, { type: 'robot.resume' })
  return resumed
}

/** An orbit is a motion of its own, which is not resumed; other modes are what the operator steers by, or goals. */
function modeAfter(
  next: Ladder,
  before: Ladder,
  on: { readonly commanded: string; readonly hasMoved: boolean; readonly root: Root },
): string {
  if (next.isTakenOver && !before.isTakenOver && on.hasMoved) return 'POSCTL'
  const isResting = !on.root.matches({ active: 'autonomous' })
  return isResting && on.commanded === 'ORBIT' ? 'LOITER' : on.commanded
}

function differences(at: string, { expect = {} }: Step, ladder: Ladder, mode: string): string[] {
  const { action, takeover } = expect
  const isFinal = ladder.causes.some(({ clears }) => clears === 'never')
  return [
    ...(action === undefined ? [] : same(`${at}.action`, ladder.rung, rungs[action] ?? action)),
    ...(action === undefined ? [] : same(`${at}.final`, isFinal, finalActions.includes(action))),
    ...(expect.mode === undefined ? [] : same(`${at}.mode`, mode, expect.mode)),
    ...(takeover === undefined ? [] : same(`${at}.takeover`, ladder.isTakenOver, takeover)),
    ...(expect.deferred === undefined ? [] : same(`${at}.deferred`, false, expect.deferred)),
    ...(expect.deferring === undefined ? [] : same(`${at}.deferring`, false, expect.deferring)),
  ]
}
