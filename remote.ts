import { z } from 'zod'
import { messageOf, MechosError } from './core/vocabulary/errors.ts'
import { askRobot } from './inspector/control-client.ts'
import {
  addressed,
  machineMs,
  type Response,
  robotWord,
  type Wish,
} from './inspector/control-words.ts'
import { isAlive } from './store/process-identity.ts'
import { forgetLastHalt, lastHaltIn, type Owner, ownerOf } from './store/run-directory.ts'
import { wallClock } from './drivers/clock.ts'
import { runningRobots } from './store/registry.ts'

/** Where running robots are looked for, and how what they say is printed. */
export interface RemoteOptions {
  readonly stateRoot: string
  /** One robot by name, or all. */
  readonly name: string | undefined
  readonly state: string | undefined
  readonly json: boolean
  print(line: string): void
}

/** How long a robot may take to answer, in ms; `halt` then kills it. */
const answerMs = 2_000
const haltMs = 300
const lastHaltMsMax = 2_000

/** Prints what each running robot is doing. 1 when one does not say. */
export function showStatus(options: RemoteOptions): Promise<number> {
  return show({ verb: options.json ? 'status' : 'describe' }, options)
}

/** Prints why each running robot does not move, and what would make it move. 1 when one does not say. */
export function showWhy(options: RemoteOptions): Promise<number> {
  return show({ verb: 'why', as: options.json ? 'data' : 'text' }, options)
}

async function show(wish: Wish, options: RemoteOptions): Promise<number> {
  const codes = await Promise.all(
    robotsFor(options).map(async (robot) => {
      const answered = await answerOf(robot, wish)
      if (!answered.ok) return complain(robot, answered.message, options)
      const { result } = answered
      options.print(options.json ? JSON.stringify(result) : String(result['text']))
      return 0
    }),
  )
  return Math.max(...codes)
}

/** Has each running robot do one thing, and prints what came of it. 2 when one refused. */
export async function tell(wish: Wish, options: RemoteOptions): Promise<number> {
  const codes = await Promise.all(
    robotsFor(options).map(async (robot) => {
      const answered = await answerOf(robot, wish)
      if (!answered.ok) {
        options.print(options.json ? JSON.stringify(answered) : answered.message)
        return 2
      }
      const { result } = answered
      options.print(options.json ? JSON.stringify(result) : tellText(robot, wish, result))
      return 0
    }),
  )
  return Math.max(...codes)
}

/**
 * Takes a person's answer to the robot that asks, and prints what came of it: a yes must reach nobody whom that person has
 * not looked at. 2 when it was not taken, or when several ask under that number and none was named.
 */
export async function answerRobot(
  said: { readonly id: number; readonly text: string },
  options: RemoteOptions,
): Promise<number> {
  const wish: Wish = { verb: 'answer', ...said }
  const robots = robotsFor(options)
  const asked = await Promise.all(
    robots.map(async (robot) => ({ robot, id: await askedBy(robot) })),
  )
  const asking = asked.filter(({ id }) => id === said.id).map(({ robot }) => robot)
  if (asking.length > 1) {
    const names = asking.map(({ name }) => name).join(', ')
    const message = `answer: ${names} all ask ${said.id}; say which of them you mean with --name`
    options.print(options.json ? JSON.stringify({ ok: false, message }) : message)
    return 2
  }
  // Where nobody asks that, each says what it does ask.
  const codes = await Promise.all(
    (asking.length === 1 ? asking : robots).map(async (robot) => {
      const answered = await answerOf(robot, wish)
      if (options.json) options.print(JSON.stringify(answered.ok ? answered.result : answered))
      else options.print(answered.ok ? tellText(robot, wish, answered.result) : answered.message)
      return answered.ok ? 0 : 2
    }),
  )
  return Math.max(...codes)
}

/** The number of the question that a robot asks now. */
async function askedBy(robot: Owner): Promise<number | undefined> {
  const answered = await answerOf(robot, { verb: 'status' })
  const parsed = askingSchema.safeParse(answered.ok ? answered.result : undefined)
  return parsed.success ? parsed.data.question.id : undefined
}

const askingSchema = z.object({ question: z.object({ id: z.int() }) })

/** What one robot says. A robot that says nothing keeps nobody from the others. */
async function answerOf(robot: Owner, wish: Wish): Promise<Response> {
  try {
    const request = addressed(wish, robotWord(robot), machineMs())
    return await askRobot(robot.socket, request, answerMs)
  } catch (error) {
    return { ok: false, message: `${robot.name}: ${messageOf(error)}` }
  }
}

function complain(robot: Owner, message: string, options: RemoteOptions): number {
  options.print(options.json ? JSON.stringify({ name: robot.name, ok: false, message }) : message)
  return 1
}

/**
 * Halts each running robot. One that does not answer within 300 ms is killed, after its lock has shown that it is that
 * process. 0 only when every body is simulated or its halt was measured.
 */
export async function haltAll(options: RemoteOptions): Promise<number> {
  const codes = await Promise.all(
    robotsFor(options).map(async (robot) => {
      const result = await haltOne(robot, robot.directory)
      options.print(
        options.json
          ? JSON.stringify({ name: robot.name, ...result })
          : `${robot.name}: halted, evidence ${String(result['evidence'])}`,
      )
      if (result['evidence'] === 'measured' || result['body'] === 'simulated') return 0
      if (!options.json) options.print('HALTED, NOT CONFIRMED: CUT MOTOR POWER')
      return 1
    }),
  )
  return Math.max(...codes)
}

async function haltOne(
  robot: Owner,
  directory: string,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    const answered = await askRobot(robot.socket, { verb: 'halt' }, haltMs)
    if (answered.ok) return answered.result
    throw new MechosError('ERR_COMMAND_REFUSED', answered.message)
  } catch (error) {
    const holder = ownerOf(directory)
    const why = messageOf(error)
    const body = robot.simulated ? 'simulated' : 'hardware'
    if (holder?.pid !== robot.pid || !isAlive(robot)) return { evidence: 'none', body, why }
    if (!robot.simulated) forgetLastHalt(directory)
    process.kill(robot.pid, 'SIGKILL')
    const halt = robot.simulated ? undefined : await lastHalt(directory)
    return { evidence: 'none', ...halt, body, killed: robot.pid, why }
  }
}

/** What the guardian of a killed robot notes before it ends, within two seconds. */
async function lastHalt(directory: string): Promise<ReturnType<typeof lastHaltIn>> {
  const clock = wallClock()
  const untilMs = clock.now() + lastHaltMsMax
  for (;;) {
    const halt = lastHaltIn(directory)
    if (halt || clock.now() > untilMs) return halt
    // oxlint-disable-next-line no-await-in-loop -- waits for another process, which cannot call us
    await new Promise<void>((resolve) => {
      clock.setTimeout(resolve, 20)
    })
  }
}

function robotsFor(options: RemoteOptions): readonly (Owner & { readonly directory: string })[] {
  const found =
    options.state === undefined ? runningRobots(options.stateRoot) : robotIn(options.state)
  const chosen = found.filter(({ name }) => options.name === undefined || name === options.name)
  if (chosen.length > 0) return chosen
  const names = found.map(({ name }) => name).join(', ')
  throw new MechosError(
    'ERR_ROBOT_ABSENT',
    options.name !== undefined && names !== ''
      ? `name: ${options.name} is not running; running are: ${names}`
      : 'no robot is running',
  )
}

function robotIn(directory: string): readonly (Owner & { readonly directory: string })[] {
  const owner = ownerOf(directory)
  return owner ? [{ ...owner, directory }] : []
}

function tellText(robot: Owner, wish: Wish, result: Readonly<Record<string, unknown>>): string {
  const line = `${robot.name}: ${String(result['state'])}, epoch ${String(result['epoch'])}`
  return wish.verb === 'reset'
    ? `${line}. When all are clear of it: mechos arm ${robot.name} --epoch ${String(result['epoch'])}`
    : line
}
