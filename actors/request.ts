import type { Attempt, Message, Question } from '../core/vocabulary/question.ts'
import type { Profile } from './profile.ts'

/** The body of a request for a chat completion, as far as one is sent. */
export interface ChatRequest {
  readonly model: string
  readonly messages: Message[]
  readonly max_tokens?: number
  readonly max_completion_tokens?: number
  readonly response_format?: ResponseFormat
  readonly stream?: boolean
  readonly stream_options?: { readonly include_usage: boolean }
}

type ResponseFormat =
  | { readonly type: 'json_object' }
  | {
      readonly type: 'json_schema'
      readonly json_schema: {
        readonly name: string
        readonly strict: boolean
        readonly schema: Record<string, unknown>
      }
    }

/** An attempt in the words that its endpoint takes. It always has a cap. */
export function requestFor(
  model: string,
  { capField, format, stream, usageInStream }: Profile,
  { question, capTokens }: Attempt,
): ChatRequest {
  const messages = format === 'json_schema' ? question.messages : tellSchema(question)
  return {
    model,
    messages: messages.map(({ role, content }) => ({ role, content })),
    [capField]: capTokens,
    ...formatOf(format, question.schema),
    ...(stream ? { stream: true } : {}),
    ...(stream && usageInStream ? { stream_options: { include_usage: true } } : {}),
  }
}

function formatOf(format: Profile['format'], schema: object): Pick<ChatRequest, 'response_format'> {
  switch (format) {
    case 'json_schema': {
      const json_schema = { name: 'reply', strict: true, schema: { ...schema } }
      return { response_format: { type: 'json_schema', json_schema } }
    }
    case 'json_object':
      return { response_format: { type: 'json_object' } }
    case 'none':
      return {}
  }
}

/** Who cannot be given the schema is told it, in the message that never changes. A budget counts it either way. */
function tellSchema({ messages, schema }: Question): readonly Message[] {
  const told = `\nThe JSON schema of the answer: ${JSON.stringify(schema)}`
  return messages.map(({ role, content }, index) => ({
    role,
    content: index === 0 ? content + told : content,
  }))
}
