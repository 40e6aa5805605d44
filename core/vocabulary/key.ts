import { isLoopback } from './endpoint.ts'

/** The variable that holds a key of OpenAI's, by their own convention. */
const usualVariable = 'OPENAI_API_KEY'

/**
 * The environment variable that holds the key of an endpoint, or undefined when it gets none. The usual key goes to those
 * who have given it out, and to this machine, and to nobody else who was not named beside it.
 */
export function keyVariableOf(brain: {
  readonly url: string
  readonly keyEnv?: string | undefined
}): string | undefined {
  if (brain.keyEnv !== undefined) return brain.keyEnv
  if (!URL.canParse(brain.url)) return undefined
  const { hostname } = new URL(brain.url)
  const isIssuer = hostname === 'openai.com' || hostname.endsWith('.openai.com')
  return isIssuer || isLoopback(brain.url) ? usualVariable : undefined
}
