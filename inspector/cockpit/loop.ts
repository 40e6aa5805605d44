import { type InspectionEvent, isMachineSnapshot, type SnapshotFrom } from 'xstate'
import type { agentMachine } from '../../machines/agent.machine.ts'
import { describeIntent, describeProposed, intentSchema } from '../../core/vocabulary/intent.ts'
import type { Observation } from '../../core/vocabulary/observation.ts'
import { printable } from '../terminal.ts'
import type { LoopView } from './protocol.ts'

/** The agent's loop as lines of a log. */
export interface LoopLog {
  /** The turn that the event begins or carries on, as far as it has come; undefined when it does neither. */
  note(event: InspectionEvent): LoopView | undefined
}

/** The most characters of each part of a turn. */
export const partMax = 200

/** Turns are numbered from 1, as they are seen. Their time is the robot's, in ms. */
export function createLoopLog(): LoopLog {
  let turn: LoopView | undefined
  let step = ''
  let count = 0
  const carryOn = (change: Partial<LoopView>) => (turn &&= { ...turn, ...cut(change) })
  return {
    note(event) {
      if (event.type !== '@xstate.snapshot' || !isAgent(event.snapshot)) return undefined
      const { context, value } = event.snapshot
      const before = step
      step = typeof value === 'string' ? value : Object.values(value).join()
      if (step === before) return undefined
      switch (step) {
        case 'deciding': {
          count += 1
          const { stampMs: atMs = 0 } = context.observation ?? {}
          const prompt = context.observation ? promptOf(context.observation) : null
          turn = { id: count, atMs, prompt: null, proposal: null, verdict: null, action: null }
          return carryOn({ prompt })
        }
        case 'gatekeeping':
          return carryOn(before === 'deciding' ? { proposal: proposalOf(context) } : {})
        case 'acting':
          return carryOn({ verdict: 'permitted', action: `${actionOf(context)}…` })
        case 'awaitingHuman':
          return carryOn({ verdict: 'a person is asked', action: context.question?.text ?? null })
        default:
          return carryOn(endOf(before, step, context))
      }
    },
  }
}

type AgentContext = SnapshotFrom<typeof agentMachine>['context']

/** How a turn ends that was at `before`. */
function endOf(before: string, step: string, context: AgentContext): Partial<LoopView> {
  const why = context.standstill ?? (step === 'paused' ? 'paused' : 'broken off')
  switch (before) {
    case 'deciding':
      return { proposal: `none: ${why}` }
    case 'gatekeeping':
      return { verdict: step === 'reconsidering' ? `refused: ${why}` : why, action: 'holds still' }
    case 'acting':
      if (step === 'observing') return { action: `${actionOf(context)}, done` }
      return { action: `cut short: ${why}` }
    case 'awaitingHuman': {
      const answer = context.answers.at(-1)?.answer
      return { action: answer === undefined ? why : `answered: ${answer}` }
    }
    default:
      return {}
  }
}

/** What the brain was told, in a line. */
function promptOf({ goal, pose, obstacles, history }: Observation): string {
  const [nearest] = obstacles
  const last = history.at(-1)
  return [
    goal ?? 'explore',
    `at x ${pose.x.toFixed(2)} y ${pose.y.toFixed(2)}`,
    nearest && `nearest ${nearestOf(nearest).toFixed(2)} m`,
    last && last.outcome !== 'permitted' && `last ${last.outcome}`,
  ]
    .filter((part) => typeof part === 'string')
    .join(' · ')
}

/** How far the nearest corner of a box, or its side where that is abreast, is from the robot, in metres. */
function nearestOf({ xMin, xMax, yMin, yMax }: Observation['obstacles'][number]): number {
  return Math.hypot(Math.max(xMin, -xMax, 0), Math.max(yMin, -yMax, 0))
}

function proposalOf({ proposal }: AgentContext): string {
  if (!proposal) return 'none'
  const { intent, reason } = proposal
  const read = intentSchema.safeParse(intent)
  const what = read.success ? describeIntent(read.data) : describeProposed(intent)
  return `${what}${reason === '' ? '' : `: ${reason}`}`
}

function actionOf({ intent }: AgentContext): string {
  return intent ? describeIntent(intent) : 'nothing'
}

function cut(turn: Partial<LoopView>): Partial<LoopView> {
  const texts = Object.entries(turn).map(([part, text]) => [
    part,
    typeof text === 'string' ? printable(text).slice(0, partMax) : text,
  ])
  return Object.fromEntries(texts)
}

function isAgent(snapshot: unknown): snapshot is SnapshotFrom<typeof agentMachine> {
  return isMachineSnapshot(snapshot) && snapshot.machine.id === 'agent'
}
