import type { ActorRefFrom } from 'xstate'
import type { Reply } from '../core/rules/reply.ts'
import { briefingFor } from '../core/vocabulary/briefing.ts'
import { type ErrorCode, MechosError } from '../core/vocabulary/errors.ts'
import { type Proposal, replyJsonSchema } from '../core/vocabulary/intent.ts'
import type { Message, Question } from '../core/vocabulary/question.ts'
import type { llmMachine } from '../machines/llm.machine.ts'
import type { Brain } from './deliberation.ts'

type Llm = ActorRefFrom<typeof llmMachine>

/** What a brain of models is made of. */
export interface ModelBrain {
  readonly name: string
  /** Looks the chart up that asks the models, since a supervisor may have let it go. */
  find(): Llm | undefined
  /** Decides whenever none of the models can be asked. */
  readonly instead: Brain | undefined
  /** Is told what a model is about to be told. */
  readonly onPrompt: ((messages: readonly Message[]) => void) | undefined
}

/** Models as a brain: tells them what is seen, asks the `llm` chart, and takes a reply for no more than a proposal. */
export function modelBrain({ name, find, instead, onPrompt }: ModelBrain): Brain {
  let lastId = 0
  return {
    name: instead ? `${name}, then ${instead.name}` : name,
    async decide(seen, signal) {
      const messages = briefingFor(seen)
      const question = { id: ++lastId, messages, schema: replyJsonSchema(seen) }
      const llm = find()
      // While the budget is exhausted nobody is told anything.
      if (llm?.getSnapshot().value.budget !== 'exhausted') onPrompt?.(messages)
      const asked = askOf(llm, question, signal)
      if (!instead) return proposalIn(await asked)
      const reply = await asked.catch((error: unknown) => unlessWithdrawn(error, signal))
      return reply ? proposalIn(reply) : instead.decide(seen, signal)
    },
  }
}

function unlessWithdrawn(error: unknown, signal: AbortSignal): undefined {
  if (signal.aborted || !(error instanceof MechosError)) throw error
  return undefined
}

/** A reply that is not whole, or no intent, is never acted on, however well its beginning reads. */
function proposalIn(reply: Reply): Proposal {
  if (reply.outcome === 'intent') return reply.proposal
  throw new MechosError(codeOf(reply.outcome), reply.message)
}

function codeOf(outcome: Reply['outcome']): ErrorCode {
  const isWithheld = ['truncated', 'filtered', 'refused', 'missing'].includes(outcome)
  return isWithheld ? 'ERR_BRAIN_REFUSED' : 'ERR_BRAIN_RUBBISH'
}

function gone(): MechosError {
  return new MechosError(
    'ERR_BRAIN_UNREACHABLE',
    'the chart of the model has failed and is not started again in this run',
  )
}

/** Resolves to the reply to one question; gives the call up when `signal` aborts. */
function askOf(llm: Llm | undefined, question: Question, signal: AbortSignal): Promise<Reply> {
  if (!llm) return Promise.reject(gone())
  const { id } = question
  return new Promise((resolve, reject) => {
    const subscriptions = [
      llm.subscribe({
        error: () => settle(() => reject(gone())),
        complete: () => settle(() => reject(gone())),
      }),
      llm.on('llm.answered', (answer) => {
        if (answer.id === id) settle(() => resolve(answer.reply))
      }),
      llm.on('llm.failed', (failed) => {
        if (failed.id === id) settle(() => reject(new MechosError(failed.code, failed.message)))
      }),
    ]
    const abort = () => {
      settle(() => reject(new MechosError('ERR_BRAIN_SILENT', 'the question was withdrawn')))
      llm.send({ type: 'llm.abort', id })
    }
    const settle = (done: () => void) => {
      for (const subscription of subscriptions) subscription.unsubscribe()
      signal.removeEventListener('abort', abort)
      done()
    }
    signal.addEventListener('abort', abort, { once: true })
    llm.send({ type: 'llm.ask', question })
  })
}
