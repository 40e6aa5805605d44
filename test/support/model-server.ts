import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { LLMock } from '@copilotkit/aimock'
import { z } from 'zod'

const span = z.tuple([z.number(), z.number()])

/** What a model is told in the user's message: the words of `core/vocabulary/briefing.ts`, as far as tests read them. */
const briefingSchema = z.object({
  goal: z.string(),
  pose: z.object({ x: z.number(), y: z.number(), heading: z.number() }),
  limits: z.object({ linear: z.number(), angular: z.number() }),
  obstacles: z.array(z.object({ x: span, y: span })),
  blind: z.array(z.string()),
  battery: z.number().nullable(),
  may: z.array(z.string()),
  answers: z.array(z.object({ question: z.string(), answer: z.string() })),
  last: z.array(z.object({ intent: z.string(), outcome: z.string() })),
  loop: z.string().optional(),
  memories: z
    .array(
      z.strictObject({
        text: z.string(),
        age: z.string(),
        place: z.strictObject({ frame: z.string(), x: z.number(), y: z.number() }).optional(),
      }),
    )
    .default([]),
  places: z
    .array(z.strictObject({ name: z.string(), frame: z.string(), x: z.number(), y: z.number() }))
    .default([]),
  notes: z.array(z.string()).default([]),
})

export type Briefing = z.infer<typeof briefingSchema>

const requestSchema = z.object({
  model: z.string(),
  max_tokens: z.number(),
  messages: z.array(z.object({ role: z.enum(['system', 'user']), content: z.string() })).min(2),
  response_format: z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({ name: z.string(), strict: z.literal(true), schema: z.unknown() }),
  }),
})

export type ChatRequest = z.infer<typeof requestSchema>

/** A model behind a real HTTP server, and all that it was asked. */
export interface Model {
  readonly url: string
  readonly requests: readonly ChatRequest[]
  readonly briefings: readonly Briefing[]
  /** What it has billed so far. */
  readonly usedTokens: number
  close(): Promise<void>
}

/**
 * A model that answers each briefing with what `think` makes of it. It counts a token for every four characters, both
 * ways, keeps to `max_tokens`, and bills what it counted.
 */
export async function startModel(think: (briefing: Briefing) => object): Promise<Model> {
  const requests: ChatRequest[] = []
  const briefings: Briefing[] = []
  let usedTokens = 0
  const server = new LLMock({ port: 0 })
  server.on({}, (raw) => {
    const request = requestSchema.parse(raw)
    const briefing = briefingSchema.parse(JSON.parse(request.messages.at(-1)?.content ?? ''))
    requests.push(request)
    briefings.push(briefing)
    const whole = JSON.stringify(think(briefing))
    const content = whole.slice(0, request.max_tokens * charactersPerToken)
    const usage = {
      prompt_tokens: tokensOf(JSON.stringify(request.messages)),
      completion_tokens: tokensOf(content),
    }
    usedTokens += usage.prompt_tokens + usage.completion_tokens
    return { content, usage, finishReason: content === whole ? 'stop' : 'length' }
  })
  const url = await server.start()
  return {
    url: `${url}/v1`,
    requests,
    briefings,
    get usedTokens() {
      return usedTokens
    },
    close: () => server.stop(),
  }
}

const charactersPerToken = 4

function tokensOf(text: string): number {
  return Math.ceil(text.length / charactersPerToken)
}

/** Drives where there is room ahead, and turns where there is none. */
export function driveSensibly({ obstacles, limits }: Briefing): object {
  const inTheWay = obstacles.filter(({ x: [, far], y: [right, left] }) => {
    return far > 0 && right < halfWayMetres && left > -halfWayMetres
  })
  const room = Math.min(3, ...inTheWay.map(({ x: [near] }) => Math.max(0, near)))
  if (room < 0.6) {
    return reply('too near to go on: turning', {
      type: 'drive',
      linear: 0,
      angular: 1,
      durationMs: 600,
    })
  }
  const linear = Math.round(Math.min(limits.linear, room * 0.4) * 100) / 100
  return reply('there is room ahead', { type: 'drive', linear, angular: 0, durationMs: 800 })
}

/** Half of the width that a robot needs, with some to spare. */
const halfWayMetres = 0.3

export function reply(reason: string, intent: object): object {
  return { reason, intent }
}

/** Any HTTP server at all, by what it does with each request once its body is in. */
export interface HostileServer {
  readonly url: string
  readonly asked: number
  close(): Promise<void>
}

export function startHostile(
  respond: (response: ServerResponse, request: IncomingMessage) => void,
): Promise<HostileServer> {
  let asked = 0
  const server = createServer((request, response) => {
    asked += 1
    request.resume().on('end', () => respond(response, request))
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string')
        throw new TypeError('it listens on a port')
      resolve({
        url: `http://127.0.0.1:${address.port}/v1`,
        get asked() {
          return asked
        },
        close: () =>
          new Promise((closed) => {
            server.close(() => closed())
            server.closeAllConnections()
          }),
      })
    })
  })
}

/** A whole and well-formed chat completion around `content`, which need not be either. */
export function completion(content: string | null, more: object = {}): string {
  return JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [
      { index: 0, finish_reason: 'stop', message: { role: 'assistant', content }, ...more },
    ],
    usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 },
  })
}
