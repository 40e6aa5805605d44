import { stateOf } from '../actors/account.ts'
import { readAnswer } from '../core/rules/answer.ts'
import type { Inquiry } from '../core/vocabulary/inquiry.ts'
import type { Answer, AnswerCommand } from './contract.ts'
import type { Parts } from './parts.ts'

/**
 * Takes a person's answer to the question that is open now, or says in one line why not. An approval goes to the kernel
 * first, and from nowhere else: no brain and no chart has a way to give one.
 */
export function answer({ children, root }: Parts, command: AnswerCommand): Answer {
  const agent = children.agent()
  const asking = agent?.getSnapshot()
  const isAsking = asking?.status === 'active' && asking.hasTag('asking')
  const open = isAsking ? asking.context.question : undefined
  const read = readAnswer(open, command)
  if (!open || !agent || !read.ok) return read.ok ? gone : read
  const kernel = children.kernel()
  if (isYes(open, read.text)) {
    kernel?.send({ type: 'kernel.approve', id: open.id })
    const approval = kernel?.getSnapshot().context.approval
    if (approval?.id !== open.id || approval.stage !== 'given') return gone
  }
  agent.send({ type: 'agent.answer', id: open.id, text: read.text })
  const { context } = root.getSnapshot()
  return { ok: true, state: stateOf(root.getSnapshot()), epoch: context.epoch }
}

const gone: Answer = { ok: false, message: 'answer: the question is not open any more' }

function isYes({ kind }: Inquiry, text: string): boolean {
  return kind === 'approval' && text === 'yes'
}
