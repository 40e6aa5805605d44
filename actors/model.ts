import type { ActorRefFrom } from 'xstate'
import { z } from 'zod'
import { readReply } from '../core/rules/reply.ts'
import { briefingFor } from '../core/vocabulary/briefing.ts'
import { MechosError } from '../core/vocabulary/errors.ts'
import { replySchemaFor } from '../core/vocabulary/intent.ts'
import type { Observation } from '../core/vocabulary/observation.ts'
import type { Completion, llmMachine } from '../machines/llm.machine.ts'
import type { Brain } from './deliberation.ts'

/**
 * A model as a brain: tells it what is seen, asks the `llm` chart, and reads the reply. `find` looks the chart up,
 * since a supervisor may have replaced it.
 */
export function modelBrain(
  name: string,
  find: () => ActorRefFrom<typeof llmMachine> | undefined,
): Brain {
  let lastId = 0
  return {
    name,
    async decide(seen, signal) {
      const llm = find()
      if (!llm) throw gone()
      const id = ++lastId
      const reply = answerTo(id, llm, signal)
      llm.send({
        type: 'llm.ask',
        question: { id, messages: briefingFor(seen), schema: schemaFor(seen) },
      })
      return readReply(textOf(await reply))
    },
  }
}

function gone(): MechosError {
  return new MechosError(
    'ERR_BRAIN_UNREACHABLE',
    'the chart of the model has failed and is not started again in this run',
  )
}

/** A reply that was cut off, filtered or withheld is never acted on, however well its beginning reads. */
function textOf(completion: Completion): string {
  if (completion.finish === 'stop') return completion.content
  throw new MechosError(
    'ERR_BRAIN_REFUSED',
    `the model's reply is not whole: ${completion.finish.slice(0, 40)}`,
  )
}

function schemaFor(seen: Observation): object {
  return z.toJSONSchema(replySchemaFor({ drive: seen.canDrive, relays: seen.relays }))
}

/** Resolves to one answer; gives the call up when `signal` aborts. */
function answerTo(
  id: number,
  llm: ActorRefFrom<typeof llmMachine>,
  signal: AbortSignal,
): Promise<Completion> {
  return new Promise((resolve, reject) => {
    const subscriptions = [
      llm.subscribe({
        error: () => settle(() => reject(gone())),
        complete: () => settle(() => reject(gone())),
      }),
      llm.on('llm.answered', (answer) => {
        if (answer.id === id) settle(() => resolve(answer.completion))
      }),
      llm.on('llm.failed', (failed) => {
        if (failed.id === id) settle(() => reject(new MechosError(failed.code, failed.message)))
      }),
    ]
    const abort = () => {
      settle(() => reject(new MechosError('ERR_BRAIN_SILENT', 'the question was withdrawn')))
      llm.send({ type: 'llm.abort' })
    }
    const settle = (done: () => void) => {
      for (const subscription of subscriptions) subscription.unsubscribe()
      signal.removeEventListener('abort', abort)
      done()
    }
    signal.addEventListener('abort', abort, { once: true })
  })
}
