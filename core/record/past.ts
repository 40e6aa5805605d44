import { z } from 'zod'
import type { WheelSpeeds } from '../motion/kinematics.ts'
import type { Pose, Twist } from '../vocabulary/geometry.ts'
import { describeIntent, describeProposed, intentSchema } from '../vocabulary/intent.ts'
import { type EncoderReading, type Reading, sensorOf } from '../vocabulary/reading.ts'
import type { Source } from '../vocabulary/verdict.ts'
import { commandSchema, readingSchema } from './arrivals.ts'
import type { Entry } from './entry.ts'
import type { Failure } from './failure.ts'

/** What a record shows of a moment, as far as its entries tell. Never changed in place: each fold makes the next one. */
export interface PastState {
  /** The robot's clock, in ms, when the last thing came in. */
  readonly atMs: number
  /** By the name that the record gives each chart. */
  readonly charts: ReadonlyMap<string, PastChart>
  /** The last turns of the agent, oldest first. */
  readonly turns: readonly PastTurn[]
  /** The last things that people said, that went wrong, or that the robot had to say, oldest first. */
  readonly events: readonly PastEvent[]
  readonly pose: Pose | null
  /** The last sound reading of each sensor, and where the robot believed to be then. */
  readonly heard: Readonly<Record<string, PastReading>>
  /** The last readings of the wheels, oldest first, at most eleven: what the odometry's velocity is a mean of. */
  readonly encoders: readonly EncoderReading[]
  /** The drive that was permitted last, until it is over, and the one that was refused last, until another is permitted. */
  readonly driven: PastDrive | null
  readonly refused: PastRefusal | null
  /** What the outputs were told last; nothing since a halt. */
  readonly told: {
    readonly wheels: WheelSpeeds | null
    readonly relays: Readonly<Record<string, boolean>>
    readonly servos: Readonly<Record<string, number>>
  }
}

export interface PastChart {
  readonly value: ChartValue
  readonly status: string
  /** What it is called among the running actors, and whose it is; null where the record does not say. */
  readonly actor: {
    readonly id: string
    readonly machine: string
    readonly parent: string | null
  } | null
  /** Why it is halted, for a root that is. */
  readonly causes: readonly string[]
  /** How it came to be where it is; null for the first that was seen of it. */
  readonly last: { readonly event: string; readonly from: ChartValue; readonly atMs: number } | null
}

/** As XState has it: `halted`, `{ active: 'holding' }`. */
export type ChartValue = string | { readonly [key: string]: ChartValue }

/** One turn of the agent's loop: what was sent to a model and what it answered, where one was asked, and what came of it. */
export interface PastTurn {
  readonly id: number
  readonly atMs: number
  readonly sent: readonly { readonly role: string; readonly content: string }[] | null
  readonly reply: string | null
  readonly proposal: string | null
  readonly verdict: string | null
  readonly action: string | null
}

export interface PastEvent {
  readonly atMs: number
  readonly kind: 'command' | 'notice' | 'fault' | 'halt' | 'refusal'
  readonly text: string
}

export interface PastDrive {
  readonly source: Source
  /** In m/s and rad/s. */
  readonly twist: Twist
  readonly untilMs: number
}

export interface PastRefusal extends PastDrive {
  readonly atMs: number
  /** Where the robot believed to be then. */
  readonly pose: Pose | null
  readonly rule: string
  readonly message: string
}

export interface PastReading {
  readonly reading: Reading
  readonly pose: Pose | null
}

/** How much is remembered of what has happened before the moment. */
export const turnsMax = 12
export const eventsMax = 20
/** The most characters of each text, and of each of the last messages to a model. */
const charactersMax = 200
const sentCharactersMax = 1_000
const messagesMax = 4
/** As many as the odometry takes the mean of, and the one before them. */
const encodersMax = 11

const nothingTold: PastState['told'] = { wheels: null, relays: {}, servos: {} }

/** What is known before the first entry. */
export const noPast: PastState = {
  atMs: 0,
  charts: new Map(),
  turns: [],
  events: [],
  pose: null,
  heard: {},
  encoders: [],
  driven: null,
  refused: null,
  told: nothingTold,
}

/** What is known one entry later. An entry that it does not know changes nothing; it never throws. */
export function foldPast(state: PastState, entry: Entry): PastState {
  switch (entry.kind) {
    case 'begin':
      return { ...state, atMs: entry.atMs }
    case 'in':
      return arrived({ ...state, atMs: entry.atMs }, entry.door, entry.value)
    case 'nested':
      return arrived(state, entry.door, entry.value)
    case 'timer':
      return { ...state, atMs: entry.atMs }
    case 'answer':
      return answered({ ...state, atMs: entry.atMs }, entry)
    case 'threw':
      return withEvent(state, 'fault', `${entry.during} threw: ${messageIn(entry.failure)}`)
    case 'out':
      return done(state, entry.what, entry.value)
    case 'gap':
      return withEvent(state, 'fault', `the record has a gap: ${entry.cause}`)
    case 'end':
      return state
  }
}

function arrived(state: PastState, door: string, value: unknown): PastState {
  switch (door) {
    case 'reading':
      return heard(state, value)
    case 'send':
      return withEvent(state, 'command', commandText(value))
    case 'halt':
      return withEvent(state, 'command', `halt: ${String(value)}`)
    case 'start':
    case 'stop':
      return withEvent(state, 'command', door)
    case 'lost':
      return withEvent(state, 'fault', `the body was lost: ${String(value)}`)
    default:
      return state
  }
}

function heard(state: PastState, value: unknown): PastState {
  const read = readingSchema.safeParse(value)
  if (!read.success || read.data.kind === 'image') return state
  const reading = read.data
  const encoders =
    reading.kind === 'encoders' ? [...state.encoders, reading].slice(-encodersMax) : state.encoders
  const { pose } = state
  return {
    ...state,
    encoders,
    heard: { ...state.heard, [sensorOf(reading)]: { reading, pose } },
  }
}

function commandText(value: unknown): string {
  const read = commandSchema.safeParse(value)
  if (!read.success) return describeProposed(value)
  const command = read.data
  if ('text' in command) return `${command.type}: ${command.text}`
  if ('cause' in command) return `${command.type}: ${command.cause}`
  return command.type
}

function answered(
  state: PastState,
  { call, failure, value }: Extract<Entry, { kind: 'answer' }>,
): PastState {
  if (failure !== undefined) {
    return withEvent(state, 'fault', `${call} failed: ${messageIn(failure)}`)
  }
  const reply = call.startsWith('complete:') ? parsed(replySchema, value)?.content : undefined
  return reply === undefined ? state : withTurn(state, { reply: cut(reply, sentCharactersMax) })
}

const replySchema = z.object({ content: z.string() })

function messageIn(failure: Failure): string {
  return 'message' in failure ? failure.message : describeProposed(failure)
}

function done(state: PastState, what: string, value: unknown): PastState {
  switch (what) {
    case 'pose':
      return { ...state, pose: parsed(poseSchema, value) ?? state.pose }
    case 'state':
      return moved(state, parsed(stateSchema, value))
    case 'complete':
      return asked(state, parsed(questionSchema, value))
    case 'proposal':
      return withTurn(state, { proposal: proposalText(value) })
    case 'verdict':
      return judged(state, parsed(judgementSchema, value))
    case 'notice':
      return withEvent(state, 'notice', String(value))
    case 'write':
      return written(state, parsed(writeSchema, value))
    case 'halt':
      return { ...state, driven: null, told: nothingTold }
    default:
      return state
  }
}

const poseSchema = z.object({ x: z.number(), y: z.number(), heading: z.number() })

const valueSchema: z.ZodType<ChartValue> = z.lazy(() =>
  z.union([z.string(), z.record(z.string(), valueSchema)]),
)
const stateSchema = z.object({
  chart: z.string(),
  value: valueSchema,
  status: z.string().catch('active'),
  causes: z.array(z.string()).catch([]).default([]),
  event: z.string().optional(),
  actor: z
    .object({ id: z.string(), machine: z.string(), parent: z.string().nullable() })
    .optional(),
  order: z.unknown().optional(),
})

function moved(state: PastState, note: z.infer<typeof stateSchema> | undefined): PastState {
  if (!note) return state
  const { chart, value, status, causes, event, actor } = note
  const before = state.charts.get(chart)
  const last = before ? { event: eventText(event), from: before.value, atMs: state.atMs } : null
  const charts = new Map(state.charts).set(chart, {
    value,
    status,
    causes,
    actor: actor ?? before?.actor ?? null,
    last,
  })
  const next = { ...state, charts }
  if (chart === 'agent') return turned(next, before?.value, note)
  if (chart !== 'robot' || value !== 'halted' || before?.value === 'halted') return next
  return withEvent(next, 'halt', `halted: ${causes.join('; ')}`)
}

/** Events that XState has made itself, as people say them. */
function eventText(type: string | undefined): string {
  if (type === undefined) return 'not recorded'
  const [, fact, actor] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(type) ?? []
  if (actor !== undefined) return `${actor} ${fact === 'done' ? 'done' : 'failed'}`
  const [, delay] = /^xstate\.after\.([^.]+)\./.exec(type) ?? []
  return delay === undefined ? type : `after ${delay}`
}

const newTurn = { sent: null, reply: null, proposal: null, verdict: null, action: null }

function turned(
  state: PastState,
  before: ChartValue | undefined,
  { value, order }: z.infer<typeof stateSchema>,
): PastState {
  if (value === 'deciding' && before !== 'deciding') {
    const id = (state.turns.at(-1)?.id ?? 0) + 1
    const turn = { ...newTurn, id, atMs: state.atMs }
    return { ...state, turns: [...state.turns, turn].slice(-turnsMax) }
  }
  if (value === 'acting') {
    const read = intentSchema.safeParse(order)
    return withTurn(state, { action: `${read.success ? describeIntent(read.data) : 'acts'}…` })
  }
  if (value === 'awaitingHuman') return withTurn(state, { verdict: 'a person is asked' })
  if (before !== 'acting') return state
  const action = state.turns.at(-1)?.action?.replace(/…$/, '') ?? ''
  const over = state.driven?.source === 'agent' ? { ...state, driven: null } : state
  return withTurn(over, {
    action: value === 'observing' ? `${action}, done` : `cut short: ${action}`,
  })
}

const questionSchema = z.object({
  messages: z.array(z.object({ role: z.string(), content: z.string() })),
})

function asked(state: PastState, question: z.infer<typeof questionSchema> | undefined): PastState {
  const sent = question?.messages.map(({ role, content }) => {
    return { role, content: cut(content, sentCharactersMax) }
  })
  return sent ? withTurn(state, { sent: sent.slice(-messagesMax) }) : state
}

const proposalSchema = z.object({ reason: z.string().catch(''), intent: z.unknown().optional() })

function proposalText(value: unknown): string {
  const proposal = parsed(proposalSchema, value)
  if (!proposal) return describeProposed(value)
  const { intent, reason } = proposal
  const read = intentSchema.safeParse(intent)
  const what = read.success ? describeIntent(read.data) : describeProposed(intent)
  return cut(`${what}${reason === '' ? '' : `: ${reason}`}`)
}

const judgementSchema = z.object({
  claim: z.object({
    source: z.enum(['agent', 'operator']),
    intent: z.unknown().optional(),
    renewal: z.boolean().optional(),
  }),
  verdict: z.discriminatedUnion('permitted', [
    z.object({ permitted: z.literal(true) }),
    z.object({ permitted: z.literal(false), rule: z.string().catch(''), message: z.string() }),
  ]),
})

function judged(state: PastState, note: z.infer<typeof judgementSchema> | undefined): PastState {
  if (!note) return state
  const { claim, verdict } = note
  const { renewal = false, source } = claim
  // What goes on is said on every tick: it changes nothing but that nothing is refused any more.
  if (verdict.permitted && renewal) return state.refused ? { ...state, refused: null } : state
  const drive = driveIn(claim, state.atMs)
  const isTurn = source === 'agent' && !renewal
  if (verdict.permitted) {
    const next = { ...state, driven: drive, refused: drive ? null : state.refused }
    return isTurn ? withTurn(next, { verdict: 'permitted' }) : next
  }
  const { message, rule } = verdict
  const text = cut(`refused: ${message}`)
  const { atMs, pose } = state
  const refused = drive ? { ...drive, atMs, pose, rule, message: cut(message) } : state.refused
  const next = withEvent({ ...state, refused }, 'refusal', `${source}: ${text}`)
  return isTurn ? withTurn(next, { verdict: text }) : next
}

/** The drive that a claim is about; null where it is about something else. */
function driveIn(
  { source, intent }: z.infer<typeof judgementSchema>['claim'],
  atMs: number,
): PastDrive | null {
  const { data } = intentSchema.safeParse(intent)
  if (data?.type !== 'drive') return null
  const { angular, durationMs, linear } = data
  return { source, twist: { linear, angular }, untilMs: atMs + durationMs }
}

const writeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('wheels'), left: z.number(), right: z.number() }),
  z.object({ kind: z.literal('relay'), name: z.string(), on: z.boolean() }),
  z.object({ kind: z.literal('servo'), name: z.string(), radians: z.number() }),
])

function written(state: PastState, write: z.infer<typeof writeSchema> | undefined): PastState {
  const { told } = state
  switch (write?.kind) {
    case undefined:
      return state
    case 'wheels':
      return { ...state, told: { ...told, wheels: { left: write.left, right: write.right } } }
    case 'relay':
      return { ...state, told: { ...told, relays: { ...told.relays, [write.name]: write.on } } }
    case 'servo':
      return {
        ...state,
        told: { ...told, servos: { ...told.servos, [write.name]: write.radians } },
      }
  }
}

/** Changes the turn that is going on, if there is one. */
function withTurn(state: PastState, change: Partial<PastTurn>): PastState {
  const turn = state.turns.at(-1)
  return turn ? { ...state, turns: [...state.turns.slice(0, -1), { ...turn, ...change }] } : state
}

/** What says the same as the line before it is one line. */
function withEvent(state: PastState, kind: PastEvent['kind'], text: string): PastState {
  const event = { atMs: state.atMs, kind, text: cut(text) }
  const last = state.events.at(-1)
  const before = last?.text === event.text ? state.events.slice(0, -1) : state.events
  return { ...state, events: [...before, event].slice(-eventsMax) }
}

function parsed<T>(schema: z.ZodType<T>, value: unknown): T | undefined {
  return schema.safeParse(value).data
}

function cut(text: string, max = charactersMax): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text
}
