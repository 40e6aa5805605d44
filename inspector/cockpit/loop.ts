import {
  type AnyStateMachine,
  type InspectionEvent,
  isMachineSnapshot,
  type SnapshotFrom,
} from 'xstate'
import type { agentMachine } from '../../machines/agent.machine.ts'
import type { llmMachine } from '../../machines/llm.machine.ts'
import { describeIntent, describeProposed, intentSchema } from '../../core/vocabulary/intent.ts'
import type { Observation } from '../../core/vocabulary/observation.ts'
import type { Message } from '../../core/vocabulary/question.ts'
import { printable } from '../terminal.ts'
import type { LoopView, MemoryView } from './protocol.ts'

/** The agent's loop as lines of a log. */
export interface LoopLog {
  /** The turn that the event begins or carries on, as far as it has come; undefined when it does neither. */
  note(event: InspectionEvent): LoopView | undefined
}

/** The most characters of each part of a turn, of each message as it was sent and of the reply, and of a memory. */
export const partMax = 200
export const messageMax = 4_000
export const memoryTextMax = 400

/** The most messages and memories of a turn that are told. */
const messagesMax = 4
const memoriesMax = 5

/** Turns are numbered from 1, as they are seen. Their time is the robot's, in ms. */
export function createLoopLog(): LoopLog {
  let turn: LoopView | undefined
  let step = ''
  let count = 0
  let askedId: number | undefined
  let answeredId: number | undefined
  const carryOn = (change: Partial<LoopView>) => (turn &&= { ...turn, ...cut(change) })
  const noteModel = (model: SnapshotFrom<typeof llmMachine>): LoopView | undefined => {
    const { completion, question } = model.context
    if (step !== 'deciding' || !question) return undefined
    if (question.id !== askedId && model.matches({ call: { asking: 'calling' } })) {
      askedId = question.id
      return carryOn({ sent: sentOf(question.messages) })
    }
    if (!completion || question.id !== askedId || question.id === answeredId) return undefined
    answeredId = question.id
    return carryOn({ reply: linesOf(completion.content) })
  }
  return {
    note(event) {
      if (event.type !== '@xstate.snapshot') return undefined
      if (isOf<typeof llmMachine>('llm', event.snapshot)) return noteModel(event.snapshot)
      if (!isOf<typeof agentMachine>('agent', event.snapshot)) return undefined
      const { context, value } = event.snapshot
      const before = step
      step = typeof value === 'string' ? value : Object.values(value).join()
      if (step === before) return undefined
      switch (step) {
        case 'deciding': {
          count += 1
          // Whatever was asked until now, another turn has asked.
          answeredId = askedId
          turn = begun(count, context.observation)
          return turn
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

function begun(id: number, seen: Observation | undefined): LoopView {
  return {
    id,
    atMs: seen?.stampMs ?? 0,
    prompt: seen ? printable(promptOf(seen)).slice(0, partMax) : null,
    sent: null,
    reply: null,
    memories: seen?.memories ? memoriesOf(seen.memories) : null,
    proposal: null,
    verdict: null,
    action: null,
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

/** The messages as a model is sent them, whole but for their length. */
function sentOf(messages: readonly Message[]): LoopView['sent'] {
  return messages
    .slice(0, messagesMax)
    .map(({ role, content }) => ({ role, content: linesOf(content) }))
}

/** A text of many lines, with nothing in it but what can be read. */
function linesOf(text: string): string {
  const lines = text.slice(0, messageMax).split(/\r?\n/)
  const left = text.length - messageMax
  return `${lines.map(printable).join('\n')}${left > 0 ? `… and ${left} characters more` : ''}`
}

function memoriesOf(memories: NonNullable<Observation['memories']>): readonly MemoryView[] {
  return memories.slice(0, memoriesMax).map(({ age, id = null, score = null, text }) => ({
    id,
    text: printable(text).slice(0, memoryTextMax),
    age: printable(age).slice(0, partMax),
    score,
  }))
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

/** Messages and reply have limits of their own. */
function cut({ sent, reply, ...turn }: Partial<LoopView>): Partial<LoopView> {
  const texts = Object.entries(turn).map(([part, text]) => [
    part,
    typeof text === 'string' ? printable(text).slice(0, partMax) : text,
  ])
  return {
    ...Object.fromEntries(texts),
    ...(sent && { sent }),
    ...(reply !== undefined && { reply }),
  }
}

function isOf<Machine extends AnyStateMachine>(
  id: string,
  snapshot: unknown,
): snapshot is SnapshotFrom<Machine> {
  return isMachineSnapshot(snapshot) && snapshot.machine.id === id
}
