import { createServer, type ServerResponse } from 'node:http'
import { decode, encode } from 'gpt-tokenizer/encoding/o200k_base'
import { z } from 'zod'
import { randomStream } from '../../../drivers/random.ts'
import type { Bill } from './bill.ts'

/**
 * A model in a process of its own that bills what it does as soon as it is asked, also where nobody hears of it, and
 * misbehaves by chance: it fails, drops connections, is late, and lies about what it used. `POST /begin` with
 * `{"seed", "isFaulty"}` opens a new bill; where it is not faulty it does none of these. `GET /bill` says what stands on
 * the bill. Says its port on standard output.
 */
const beginSchema = z.object({ seed: z.int(), isFaulty: z.boolean() })
const requestSchema = z.object({
  max_tokens: z.int().positive(),
  stream: z.boolean().optional(),
  messages: z.array(z.object({ content: z.string() })),
  response_format: z.unknown(),
})
type ChatRequest = z.output<typeof requestSchema>

/** How often it misbehaves, as shares of all requests. It does one of these at a time. */
const errorShare = 0.15
const dropShare = 0.1
const lieShare = 0.1
/** Of the requests that it fails after it has done the work, and bills. */
const billedErrorShare = 0.5
/** How long it takes, in ms; those who wait for less than the most give some of its answers up. */
const latencyMs = { min: 20, max: 900 }
const calmLatencyMs = { min: 100, max: 400 }
/** A stream begins after this share of it. */
const firstWordShare = 0.7
/** How long after its beginning an answer is dropped. */
const begunMs = 5
/** A reply has at least so many words, and fewer than the most. */
const words = { min: 20, max: 120 }

/** What it adds to each message and to each prompt, as OpenAI's models do. */
const perMessageTokens = 3
const perPromptTokens = 3

let random = randomStream(0, 'model')
let isFaulty = true
let bill = openBill()

const server = createServer((request, response) => {
  const pieces: Buffer[] = []
  request.on('data', (piece: Buffer) => pieces.push(piece))
  request.on('end', () => {
    const body = Buffer.concat(pieces).toString()
    if (request.url === '/bill') return void response.end(JSON.stringify(bill))
    if (request.url !== '/begin') return serve(requestSchema.parse(JSON.parse(body)), response)
    const begun = beginSchema.parse(JSON.parse(body))
    random = randomStream(begun.seed, 'model')
    isFaulty = begun.isFaulty
    bill = openBill()
    response.end('{}')
  })
})

function openBill(): Bill {
  return {
    requests: 0,
    underWay: 0,
    atOnceMax: 0,
    failed: 0,
    dropped: 0,
    lies: 0,
    givenUp: 0,
    billedTokens: 0,
    calls: [],
  }
}

function serve(request: ChatRequest, response: ServerResponse): void {
  const open = bill
  // Above all shares there are no faults.
  const chance = isFaulty ? random.uniform() : 1
  const isFailing = chance < errorShare
  const isDropping = !isFailing && chance < errorShare + dropShare
  const isLying = !isFailing && !isDropping && chance < errorShare + dropShare + lieShare
  const isIdle = random.uniform() >= billedErrorShare
  const { min, max } = isFaulty ? latencyMs : calmLatencyMs
  const delayMs = random.between(min, max)
  attend(response, open)
  if (isFailing && isIdle) return after(delayMs, () => fail(response, open))
  const done = work(request, open.calls.length)
  const tokens = done.usage.prompt_tokens + done.usage.completion_tokens
  // From here on it has done its work, whatever becomes of the answer.
  open.billedTokens += tokens
  open.calls.push({ id: done.id, tokens, isHonest: !isLying, isWhole: done.isWhole })
  if (isFailing) return after(delayMs, () => fail(response, open))
  if (isDropping) return drop(request, response, done, delayMs, open)
  if (isLying) open.lies += 1
  const usage = isLying ? lie(done.usage) : done.usage
  const { beginning, end } = answerOf(request, done, usage)
  after(delayMs * firstWordShare, () => {
    begin(request, response, beginning)
    after(delayMs * (1 - firstWordShare), () => void response.end(end))
  })
}

/** Counts it until its connection is over, and whether that was before its answer was. */
function attend(response: ServerResponse, open: Bill): void {
  open.requests += 1
  open.underWay += 1
  open.atOnceMax = Math.max(open.atOnceMax, open.underWay)
  response.on('close', () => {
    open.underWay -= 1
    if (!response.writableEnded && !response.errored) open.givenUp += 1
  })
}

interface Work {
  readonly id: string
  readonly content: string
  readonly isWhole: boolean
  readonly usage: Usage
}
type Usage = Readonly<Record<'prompt_tokens' | 'completion_tokens', number>>

/** A reply that ends where its cap is, and what that and the prompt come to. Its reason begins with its id. */
function work({ messages, response_format, max_tokens }: ChatRequest, at: number): Work {
  const id = `call${at}`
  const prompt = messages.reduce(
    (sum, { content }) => sum + encode(content).length + perMessageTokens,
    perPromptTokens + encode(JSON.stringify(response_format ?? '')).length,
  )
  const reason = `${id} ${'so '.repeat(Math.floor(random.between(words.min, words.max)))}`
  const reply = encode(JSON.stringify({ reason, intent: { type: 'stop' } }))
  const said = reply.slice(0, max_tokens)
  return {
    id,
    content: decode(said),
    isWhole: said.length === reply.length,
    usage: { prompt_tokens: prompt, completion_tokens: said.length },
  }
}

/**
 * Less than it was, nothing, less than nothing, no number, or not a word; of the prompt, of the reply, or of both. Never
 * more, since that would only cost the liar's customer more.
 */
function lie({ prompt_tokens, completion_tokens }: Usage): Usage | undefined {
  const share = [0, 0.01, 0.3, -1, Number.NaN, undefined][Math.floor(random.between(0, 6))]
  if (share === undefined) return undefined
  const side = random.uniform()
  return {
    prompt_tokens: side < 2 / 3 ? Math.round(prompt_tokens * share) : prompt_tokens,
    completion_tokens: side > 1 / 3 ? Math.round(completion_tokens * share) : completion_tokens,
  }
}

function answerOf(
  { stream = false }: ChatRequest,
  { content, isWhole }: Work,
  counts: Usage | undefined,
): { readonly beginning: string; readonly end: string } {
  const usage = counts && {
    ...counts,
    total_tokens: counts.prompt_tokens + counts.completion_tokens,
  }
  const finish_reason = isWhole ? 'stop' : 'length'
  const base = { id: 'chatcmpl-1', created: 1, model: 'gpt-4o-mini' }
  if (!stream) {
    const message = { role: 'assistant', content }
    const choices = [{ index: 0, finish_reason, message }]
    const whole = JSON.stringify({ ...base, object: 'chat.completion', choices, usage })
    return { beginning: whole.slice(0, 100), end: whole.slice(100) }
  }
  const chunk = (choices: readonly object[], more = {}) =>
    `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices, ...more })}\n\n`
  return {
    beginning: chunk([{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }]),
    end: [
      chunk([{ index: 0, delta: {}, finish_reason }]),
      chunk([], { usage }),
      'data: [DONE]\n\n',
    ].join(''),
  }
}

function begin({ stream }: ChatRequest, response: ServerResponse, beginning: string): void {
  const type = stream === true ? 'text/event-stream' : 'application/json'
  response.writeHead(200, { 'content-type': type })
  response.write(beginning)
}

function fail(response: ServerResponse, open: Bill): void {
  open.failed += 1
  response.writeHead(500, { 'content-type': 'application/json' })
  response.end('{"error":{"message":"no"}}')
}

/** Every second one in the middle of its answer. */
function drop(
  request: ChatRequest,
  response: ServerResponse,
  done: Work,
  delayMs: number,
  open: Bill,
): void {
  const hasBegun = random.uniform() < 0.5
  after(delayMs, () => {
    open.dropped += 1
    if (hasBegun) begin(request, response, answerOf(request, done, done.usage).beginning)
    after(begunMs, () => void response.destroy(new Error('dropped')))
  })
}

function after(delayMs: number, act: () => void): void {
  setTimeout(act, delayMs)
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address !== 'string') process.stdout.write(`${address.port}\n`)
})
// Whoever started it is gone when its standard input ends.
process.stdin.resume().on('end', () => process.exit(0))
