/** One message of a conversation with a model. */
export interface Message {
  readonly role: 'system' | 'user'
  readonly content: string
}

/** Template tokens that a server may add around each message, and around the whole prompt. */
const perMessage = 16
const perPrompt = 64

/**
 * An upper bound of the tokens of a prompt, whatever the tokenizer: a byte-level tokenizer never makes more tokens
 * than there are UTF-8 bytes. The reply's schema counts as part of the prompt.
 */
export function promptBound(messages: readonly Message[], schema: object): number {
  const encoder = new TextEncoder()
  const bytes = (text: string) => encoder.encode(text).length
  const contents = messages.reduce((sum, message) => sum + bytes(message.content) + perMessage, 0)
  return contents + bytes(JSON.stringify(schema)) + perPrompt
}
