import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as nodePty from '@lydell/node-pty'
import { expect, test as plainTest, vi } from 'vitest'
import { z } from 'zod'
import { askRobot } from '../../inspector/control-client.ts'
import { until } from './uno/until.ts'

/** The shipped program, as `npm run build` made it. */
export const cliPath = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

/** How long anything that a test waits for may take, in ms, on a machine that is busy with other things. */
export const waitMsMax = 20_000

/** How a process ended, and all that it said. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A process of the shipped program that a test has started. */
export interface Running {
  readonly pid: number
  /** All that it has said so far, both streams in the order of arrival. */
  text(): string
  /** Resolves as soon as `pattern` is in what it said; rejects when it ends without, or takes too long. */
  says(pattern: RegExp): Promise<void>
  signal(name: NodeJS.Signals): void
  /** Resolves when it has ended and both of its streams are closed. */
  readonly ended: Promise<Ended>
}

/** The program on a terminal of its own. */
export interface OnTerminal {
  readonly pid: number
  text(): string
  says(pattern: RegExp): Promise<void>
  type(keys: string): void
  /** Resolves to the exit code. */
  readonly ended: Promise<number>
}

/** A folder of its own for the robots of one test: their state, and their configurations. */
export interface Place {
  readonly path: string
  /** Where the program finds its environment: nothing of this machine's user. */
  readonly env: Readonly<Record<string, string>>
  /** Writes a file into the current folder of the program, and names it. */
  write(name: string, text: string): string
  start(words: readonly string[]): Running
  /** Runs one command to its end. */
  run(...words: readonly string[]): Promise<Ended>
  /** Starts any other program, in a process group of its own. */
  launch(file: string, words: readonly string[]): Running
  open(words: readonly string[]): OnTerminal
  socketOf(robot: string): string
  /** What the robot of that name says of itself, or undefined while it does not answer. */
  statusOf(robot: string): Promise<Status | undefined>
  /** Resolves as soon as the robot's status passes; rejects after `waitMsMax`. */
  reaches(robot: string, passes: (status: Status) => boolean): Promise<Status>
}

const statusSchema = z.object({
  pid: z.int(),
  run: z.string(),
  state: z.string(),
  causes: z.array(z.string()),
  epoch: z.int(),
  pose: z.strictObject({ x: z.number(), y: z.number(), heading: z.number() }).nullable(),
  goal: z.string().nullable(),
  agent: z.object({ state: z.string(), lastVerdict: z.string().nullable() }),
  sensors: z.record(z.string(), z.string()),
  budget: z.object({ state: z.string(), spent: z.number(), limit: z.number() }),
  llm: z.object({ circuit: z.string(), lastError: z.string().nullable() }),
  halt: z.strictObject({ evidence: z.string(), ms: z.number() }).nullable(),
  memory: z
    .object({
      state: z.string(),
      episodes: z.int(),
      notes: z.int(),
      cause: z.string().nullable(),
    })
    .nullable(),
})

/** A robot's status (DESIGN §5), as far as tests look at it. */
export type Status = z.infer<typeof statusSchema>

/** The report of a run, as DESIGN §5 fixes it: these fields and no others. */
export const reportSchema = z.strictObject({
  run: z.string(),
  seconds: z.number(),
  wallSeconds: z.number(),
  seed: z.number().nullable(),
  goal: z.string().nullable(),
  state: z.string(),
  exit: z.int(),
  causes: z.array(z.string()),
  body: z.string(),
  deadman: z.boolean(),
  halt: z.strictObject({ evidence: z.string(), ms: z.number() }),
  actuators: z.record(
    z.string(),
    z.strictObject({ output: z.number().nullable(), safe: z.boolean() }),
  ),
  distanceM: z.number().nullable(),
  collisions: z.int().nullable(),
  intents: z.strictObject({ proposed: z.int(), permitted: z.int(), refused: z.int() }),
  tokens: z.strictObject({
    limit: z.number(),
    spent: z.number(),
    assumed: z.number(),
    held: z.number(),
  }),
  eventLoopDelayMs: z.strictObject({ p50: z.number(), p99: z.number(), max: z.number() }),
  recordDir: z.string().nullable(),
})

export type RunReport = z.infer<typeof reportSchema>

/** The one line of JSON that `--report -` puts on standard output, where nothing else may be. */
export function reportOf({ stdout }: Ended): RunReport {
  expect(stdout.endsWith('\n') && stdout.indexOf('\n') === stdout.length - 1).toBe(true)
  return reportSchema.parse(JSON.parse(stdout))
}

/** Expects every actuator of a report to be at its declared safe output. */
export function expectSafe(report: Pick<RunReport, 'actuators'>): void {
  expect(Object.values(report.actuators).map(({ safe }) => safe)).not.toContain(false)
}

/** `test` with a `place` of its own, which goes with it, and so does every process that it has started. */
export const test = plainTest.extend<{ place: Place }>({
  place: async ({ task }, use) => {
    requireFreshBuild()
    const { place, leave } = openPlace(task.id)
    await use(place)
    await leave()
  },
})

function openPlace(id: string): { place: Place; leave: () => Promise<void> } {
  const path = mkdtempSync(join(tmpdir(), `mechos-${id}-`))
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: join(path, 'home'),
    XDG_STATE_HOME: join(path, 'state'),
    TERM: 'xterm',
  }
  mkdirSync(env.HOME)
  const processes: { readonly ended: Promise<unknown>; end(): void }[] = []
  const begin = (file: string, words: readonly string[], detached: boolean): Running => {
    const child = spawn(file, words, {
      cwd: path,
      env,
      detached,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const running = follow(child, [file, ...words].join(' '))
    processes.push({ ended: running.ended, end: () => endGroup(child, detached) })
    return running
  }
  const start = (words: readonly string[]) => begin(process.execPath, [cliPath, ...words], false)
  const socketOf = (robot: string) => join(env.XDG_STATE_HOME, 'mechos', robot, 'control.sock')
  const statusOf = async (robot: string) => {
    try {
      const answered = await askRobot(socketOf(robot), { verb: 'status' }, 2_000)
      return answered.ok ? statusSchema.parse(answered.result) : undefined
    } catch {
      // It does not listen yet, or not any more: both are "does not answer".
      return undefined
    }
  }
  const place: Place = {
    path,
    env,
    write(name, text) {
      writeFileSync(join(path, name), text)
      return name
    },
    start,
    run: (...words) => start(words).ended,
    launch: (file, words) => begin(file, words, true),
    open(words) {
      const { terminal, end } = openTerminal(words, path, env)
      processes.push({ ended: terminal.ended, end })
      return terminal
    },
    socketOf,
    statusOf,
    async reaches(robot, passes) {
      let last: Status | undefined
      const reached = async () => {
        last = await statusOf(robot)
        return last !== undefined && passes(last)
      }
      const look = async () => {
        if (!(await reached()) || !last) throw new Error(`${robot} is ${JSON.stringify(last)}`)
        return last
      }
      return vi.waitFor(look, { timeout: waitMsMax, interval: 20 })
    },
  }
  const leave = async () => {
    for (const { end } of processes) end()
    await Promise.all(processes.map(({ ended }) => ended))
    rmSync(path, { recursive: true, force: true })
  }
  return { place, leave }
}

function follow(child: ChildProcess, name: string): Running {
  const { pid, stdout, stderr } = child
  if (pid === undefined || !stdout || !stderr) throw new Error(`${name} did not start`)
  const said = { stdout: '', stderr: '' }
  let text = ''
  let isOver = false
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of listeners) listener()
  }
  for (const [stream, from] of [
    ['stdout', stdout],
    ['stderr', stderr],
  ] as const) {
    from.setEncoding('utf8')
    from.on('data', (chunk: string) => {
      said[stream] += chunk
      text += chunk
      tell()
    })
  }
  const ended = once(child, 'close').then((): Ended => {
    isOver = true
    tell()
    return { code: child.exitCode, signal: child.signalCode, ...said }
  })
  return {
    pid,
    text: () => text,
    says: (pattern) =>
      sayingOf(
        name,
        pattern,
        () => text,
        () => isOver,
        listeners,
      ),
    signal: (signal) => void process.kill(pid, signal),
    ended,
  }
}

function openTerminal(
  words: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): { terminal: OnTerminal; end: () => void } {
  const pty = nodePty.spawn(process.execPath, [cliPath, ...words], {
    cwd,
    env,
    cols: 120,
    rows: 30,
  })
  let text = ''
  let isOver = false
  const listeners = new Set<() => void>()
  pty.onData((chunk) => {
    text += chunk
    for (const listener of listeners) listener()
  })
  const ended = new Promise<number>((resolve) => {
    pty.onExit(({ exitCode }) => {
      isOver = true
      for (const listener of listeners) listener()
      resolve(exitCode)
    })
  })
  const terminal = {
    pid: pty.pid,
    text: () => text,
    says: (pattern: RegExp) =>
      sayingOf(
        'the terminal',
        pattern,
        () => text,
        () => isOver,
        listeners,
      ),
    type: (keys: string) => pty.write(keys),
    ended,
  }
  return { terminal, end: () => !isOver && pty.kill('SIGKILL') }
}

async function sayingOf(
  name: string,
  pattern: RegExp,
  text: () => string,
  isOver: () => boolean,
  listeners: Set<() => void>,
): Promise<void> {
  await until({
    what: () => `${name} says ${pattern}; it said: ${text().slice(-2_000)}`,
    condition: () => isOver() || pattern.test(text()),
    on: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    limitMs: waitMsMax,
  })
  if (!pattern.test(text())) throw new Error(`${name} ended without saying ${pattern}: ${text()}`)
}

function endGroup({ pid, exitCode, signalCode }: ChildProcess, detached: boolean): void {
  if (pid === undefined || (!detached && (exitCode !== null || signalCode !== null))) return
  try {
    process.kill(detached ? -pid : pid, 'SIGKILL')
  } catch {
    // All of them have ended by themselves.
  }
}

/** Whoever tests an old build tests nothing. */
function requireFreshBuild(): void {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  for (const source of sourcesIn(root)) {
    const built = join(root, 'dist', `${source.slice(root.length, -'.ts'.length)}.js`)
    const builtMs = statSync(built, { throwIfNoEntry: false })?.mtimeMs
    if (builtMs !== undefined && builtMs < statSync(source).mtimeMs) {
      throw new Error(`${built} is older than its source: npm run build`)
    }
  }
  statSync(cliPath)
}

const sourceFolders = ['actors', 'core', 'drivers', 'inspector', 'machines', 'robot', 'store']

function sourcesIn(root: string): readonly string[] {
  const isSource = (name: string) => name.endsWith('.ts') && !name.endsWith('.d.ts')
  const inFolders = sourceFolders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(isSource)
      .map((name) => `${root}${folder}${sep}${name}`),
  )
  const inRoot = readdirSync(root).filter(isSource)
  return [...inRoot.map((name) => `${root}${name}`), ...inFolders]
}
