import { uptime } from 'node:os'
import { z } from 'zod'
import { inquiryMax } from '../core/vocabulary/inquiry.ts'

/**
 * What an order that leads towards motion carries beside its words: when it was given, in ms since this machine was started,
 * and to whom. A robot that was frozen, or another one in its place, does not carry it out later.
 */
const order = { sentMs: z.number(), robot: z.string().max(200) }

/** What may be said to a running robot over its control socket: one JSON object a line. */
export const requestSchema = z.discriminatedUnion('verb', [
  z.strictObject({ verb: z.literal('status') }),
  /** The status again, as text for people. */
  z.strictObject({ verb: z.literal('describe') }),
  /** Why it does not move, as data, or as text for people. */
  z.strictObject({ verb: z.literal('why'), as: z.enum(['data', 'text']) }),
  z.strictObject({ verb: z.literal('halt'), cause: z.string().max(200).optional() }),
  z.strictObject({ verb: z.literal('reset'), ...order }),
  z.strictObject({ verb: z.literal('arm'), epoch: z.int(), ...order }),
  z.strictObject({ verb: z.literal('resume'), ...order }),
  z.strictObject({ verb: z.literal('pause') }),
  z.strictObject({ verb: z.literal('goal'), text: z.string().min(1).max(2000), ...order }),
  /** A person's answer to the question of that number. */
  z.strictObject({
    verb: z.literal('answer'),
    id: z.int(),
    text: z.string().min(1).max(inquiryMax.answerCharacters),
    ...order,
  }),
  /** The memories that fit these words. */
  z.strictObject({ verb: z.literal('recall'), text: z.string().min(1).max(2000) }),
  /** Memories, the youngest first: as many as fit into a line, of those with a number below `before`. */
  z.strictObject({ verb: z.literal('memories'), before: z.int().optional() }),
  z.strictObject({
    verb: z.literal('forget'),
    ids: z.union([z.literal('all'), z.array(z.int()).min(1).max(1000)]),
  }),
])

export type Request = z.infer<typeof requestSchema>

/** A request before it is known whom it goes to. */
export type Wish = Unaddressed<Request>
type Unaddressed<R> = R extends unknown ? Omit<R, keyof typeof order> : never

/** For how long an order that leads towards motion may be carried out, in ms. */
export const timeToLiveMs = 2_000

/** Clocks of one machine, read by two processes, differ by no more than this, in ms. */
const toleranceMs = 100

/** Milliseconds since this machine was started, asleep or awake: the same in every process, and never set. */
export function machineMs(): number {
  return uptime() * 1_000
}

/** A running robot, told apart from whoever is there before and after it. */
export function robotWord(robot: {
  readonly name: string
  readonly pid: number
  readonly startTicks: number | null
}): string {
  return `${robot.name}-${robot.pid}-${robot.startTicks ?? 'unknown'}`
}

/** The wish as it is said to `robot`, now. */
export function addressed(wish: Wish, robot: string, nowMs: number): Request {
  switch (wish.verb) {
    case 'reset':
    case 'arm':
    case 'resume':
    case 'goal':
    case 'answer':
      return { ...wish, robot, sentMs: nowMs }
    case 'status':
    case 'describe':
    case 'why':
    case 'halt':
    case 'pause':
    case 'recall':
    case 'memories':
    case 'forget':
      return wish
  }
}

/** Why a request is not carried out by `robot` at `nowMs`, or undefined when it may be. A halt is never late. */
export function refusalOf(request: Request, robot: string, nowMs: number): string | undefined {
  if (!('sentMs' in request)) return undefined
  if (request.robot !== robot) {
    return `${request.verb}: refused: it was meant for ${request.robot}, and this is ${robot}`
  }
  const ageMs = nowMs - request.sentMs
  if (ageMs >= -toleranceMs && ageMs <= timeToLiveMs) return undefined
  return `${request.verb}: refused: it was given ${(ageMs / 1_000).toFixed(1)} s ago, and at most ${timeToLiveMs / 1_000} s are allowed; look at the robot, then say it again`
}

export const responseSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.record(z.string(), z.unknown()) }),
  z.object({ ok: z.literal(false), message: z.string() }),
])

export type Response = z.infer<typeof responseSchema>

/** The most bytes of one line, either way. */
export const lineBytesMax = 64 * 1024
