import { randomInt } from 'node:crypto'
import type { Server } from 'node:net'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, uptime } from 'node:os'
import { join, resolve as absolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import pino, { type Logger } from 'pino'
import { asksModels, type Configuration } from './core/vocabulary/configuration.ts'
import { createCockpit, type RunCockpit } from './cockpit.ts'
import { createStately, type RunStately } from './stately.ts'
import { rulesFor } from './core/rules/restrictions.ts'
import { MechosError, messageOf } from './core/vocabulary/errors.ts'
import type { Message } from './core/vocabulary/question.ts'
import type { Secret } from './core/vocabulary/secret.ts'
import type { Report } from './core/vocabulary/status.ts'
import { type Clock, wallClock, wallStamp } from './drivers/clock.ts'
import { placeFor, type PlaceWish } from './inspector/cockpit/certificate.ts'
import type { Place } from './inspector/cockpit/place.ts'
import { serveControl } from './inspector/control-server.ts'
import { type Request, type Response, robotWord } from './inspector/control-words.ts'
import { printable, type Screen, screen, statusLine, statusText } from './inspector/terminal.ts'
import { whyText } from './inspector/why.ts'
import { embody, schedule } from './embodiment.ts'
import { keys, listenToKeys, sayNotices } from './keyboard.ts'
import { watchLauncher } from './launcher.ts'
import { answerAboutMemory } from './memory.ts'
import { watchSuspend } from './suspend.ts'
import { createRobot } from './robot.ts'
import type { Robot } from './robot/contract.ts'
import { identityOf } from './store/process-identity.ts'
import { flightRecordIn } from './store/flight-record.ts'
import { endpointNotesIn } from './store/endpoints.ts'
import { openLedgerStore } from './store/ledger.ts'
import { memoriesFolder, memoryStoreAt } from './store/memories.ts'
import { recordsFolder } from './store/records.ts'
import { register } from './store/registry.ts'
import { openRunDirectory, type RunDirectory } from './store/run-directory.ts'
import { settingsFileIn } from './store/settings.ts'

/** What `mechos run` was asked for, checked. */
export interface RunOptions {
  readonly configuration: Configuration
  readonly sim: boolean
  readonly port: string | undefined
  readonly arm: boolean
  readonly headless: boolean
  readonly detach: boolean
  readonly forSeconds: number | undefined
  readonly speed: number | 'max' | undefined
  readonly seed: number | undefined
  readonly report: string | undefined
  readonly state: string | undefined
  /** Where robots keep their state when `state` is not given. */
  readonly stateRoot: string
  /** The keys of the models, by the variables that hold them. */
  readonly keys: Readonly<Record<string, Secret>>
  readonly showPrompt: boolean
  readonly log: string | undefined
  /** A model may drive hardware though nobody holds an enabling device. */
  readonly unattended: boolean
  /** The port of the cockpit, 0 for any that is free; undefined for 7077, or the next that is free. */
  readonly cockpitPort: number | undefined
  /** The address of the cockpit, and the certificate that any other than this computer's own takes. */
  readonly cockpitPlace: PlaceWish
  /** It is shown to the Stately Inspector. */
  readonly stately: boolean
  /** Whether a flight record is kept. */
  readonly record: boolean
}

/** How long a person has to step back before `--arm` arms hardware, in ms. */
const armWarningMs = 3_000
/** With so many entries of its record waiting to be written, a simulation lets the disk catch up. */
const waitingMax = 2_000
/** How often the line on the terminal is written anew, in ms of the robot's clock. */
const screenMs = 250

/**
 * Runs one robot from here to its end and resolves to the exit code. Throws a MechosError when it could not begin;
 * nothing has moved then. Whatever ends the run, the body has been halted and let go of when this returns.
 */
export async function runRobot(options: RunOptions): Promise<number> {
  const { configuration } = options
  const isSimulated = options.sim || (configuration.body.kind === 'simulated' && !options.port)
  requireReportFile(options.report)
  const place = placeFor(options.cockpitPlace)
  const directory = openRunDirectory(directoryOf(isSimulated, options), {
    name: configuration.name,
    simulated: isSimulated,
  })
  const unregister = register(options.stateRoot, directory.path)
  try {
    return await runIn(directory, isSimulated, place, options)
  } finally {
    unregister()
    directory.release()
  }
}

async function runIn(
  directory: RunDirectory,
  isSimulated: boolean,
  place: Place,
  options: RunOptions,
): Promise<number> {
  const seed = options.seed ?? randomInt(1_000_000)
  const view = screen(options.report === '-' ? process.stderr : process.stdout)
  const log = logFor(options, directory)
  const ending = new AbortController()
  const { clock, body, cameras, advance } = embody(isSimulated, seed, directory.lastHalt, options)
  const unclean = isSimulated ? undefined : directory.unclean

  const run = `${options.configuration.name}-${wallStamp()}-${process.pid}`
  const recordClock = wallClock()
  const robot = createRobot(options.configuration, {
    body,
    cameras,
    clock,
    seed,
    log,
    run,
    ...(options.record && {
      record: flightRecordIn(
        join(recordsFolder(directory.path), run),
        options.configuration.record,
        recordClock.now,
      ),
    }),
    memory: memoryStoreAt(memoriesFolder(directory.path)),
    settings: settingsFileIn(directory.path),
    keys: options.keys,
    ...(asksModels(options.configuration) && {
      ledger: await openLedgerStore(join(directory.path, 'ledger')),
      endpoints: endpointNotesIn(directory.path, (error) =>
        log.warn({}, `what endpoints take could not be kept: ${messageOf(error)}`),
      ),
    }),
    ...(options.showPrompt && { onPrompt: (messages) => view.say(promptText(messages)) }),
    ...(unclean !== undefined && { unclean }),
    ...(options.unattended && { unattended: true }),
    ...(!isSimulated && { beforeMotion: () => directory.markRunning() }),
  })

  const notices = sayNotices(robot, view, options.headless)
  const end = (cause: string, fault: boolean): void => {
    if (ending.signal.aborted) return
    void robot.halt(fault ? cause : `end of run: ${cause}`)
    ending.abort()
  }
  const cockpit = createCockpit({
    robot,
    clock: wallClock(),
    port: options.cockpitPort,
    place,
    folder: pageFolder(),
    log,
  })
  const stately = createStately(robot, wallClock(), log)
  const server = await listen(directory, robot, { cockpit, stately })
  const release = watchProcess(options, (cause) => void robot.halt(cause), end)
  try {
    await cockpit.open()
    if (options.stately) await stately.open()
    const hasBegun = await begins(robot, ending.signal)
    if (hasBegun) {
      greet(view, robot, directory, seed, options)
      invite(view, cockpit, options)
      if (options.stately) inviteToStately(view, stately, options)
      if (!options.headless && process.stdin.isTTY) view.say(keys)
      if (unclean !== undefined) refuseUnclean(unclean, options)
      if (options.arm && !isSimulated) {
        refuseWithoutDeadman(robot, options)
        armSoon(robot, clock, view, ending.signal)
      }
    }
    const stopShowing = options.headless ? () => {} : show(view, robot, clock)
    const releaseKeys = options.headless ? () => {} : listenToKeys(robot, view, notices, end)
    const isBehind = () => (robot.snapshot().recorder?.waiting ?? 0) > waitingMax
    await advance(ending.signal, isBehind)
    ending.abort()
    releaseKeys()
    stopShowing()
    const report = await robot.stop()
    finish(view, report, options)
    // What was not begun leaves the word of the run before it as it is.
    const isKept = !hasBegun || isSimulated || leaveWord(directory, report)
    return isKept ? report.exit : 1
  } finally {
    await robot.stop()
    await cockpit.close()
    await stately.close()
    server.close()
    release()
  }
}

/** What a model is told, for people: each message under the name of its role. */
function promptText(messages: readonly Message[]): string {
  return messages.map(({ role, content }) => `--- ${role}\n${contentText(content)}`).join('\n')
}

/** Lines stay lines; whatever else could move a cursor does not reach the terminal. */
function contentText(content: string): string {
  return content.split('\n').map(printable).join('\n')
}

/** Tells the next run how this one ended. False when the disk refuses. */
function leaveWord(directory: RunDirectory, report: Report): boolean {
  try {
    directory.end(wordOf(report))
    return true
  } catch (error) {
    process.stderr.write(
      `state: how this run ended could not be kept in ${directory.path}: ${messageOf(error)}; the next one will start halted\n`,
    )
    return false
  }
}

/** What the next run has to know, or undefined when all is well: the board itself said that it halted. */
function wordOf({ causes, exit, halt: { evidence } }: Report): string | undefined {
  if (exit !== 0) return causes.join('; ')
  const isConfirmed = evidence === 'echoed' || evidence === 'measured'
  return isConfirmed ? undefined : `the last run ended with its halt not confirmed (${evidence})`
}

/** Who else shows the run. */
interface Shown {
  readonly cockpit: RunCockpit
  readonly stately: RunStately
}

async function listen(directory: RunDirectory, robot: Robot, shown: Shown): Promise<Server> {
  try {
    const self = robotWord({ name: robot.snapshot().name, ...identityOf(process.pid) })
    return await serveControl(directory.socket, self, (request) => answer(robot, shown, request))
  } catch (cause) {
    const message = `state: ${directory.socket} cannot be listened on: ${messageOf(cause)}`
    throw new MechosError('ERR_STATE_DIRECTORY', message, { cause })
  }
}

/** False when the run was ended before its body was there. */
async function begins(robot: Robot, signal: AbortSignal): Promise<boolean> {
  try {
    await robot.start()
    return true
  } catch (error) {
    if (signal.aborted) return false
    throw error
  }
}

/** A report that cannot be written is found out before anything moves. */
function requireReportFile(report: string | undefined): void {
  if (report === undefined || report === '-') return
  const isNew = !existsSync(report)
  try {
    closeSync(openSync(report, 'a'))
    if (isNew) rmSync(report)
  } catch (cause) {
    const allowed = 'a file in a folder that can be written to, or -'
    throw new MechosError('ERR_USAGE', `report: ${report} is not allowed; ${allowed}`, { cause })
  }
}

/** A board that may not drive by itself is not armed for that. */
function refuseWithoutDeadman(robot: Robot, { configuration, unattended }: RunOptions): void {
  const { deadman } = robot.snapshot()
  const isUnattended = unattended && asksModels(configuration)
  const { immovable } = rulesFor(configuration, { simulated: false, deadman, isUnattended })
  if (immovable !== undefined) throw new MechosError('ERR_BOARD_REFUSED', `arm: ${immovable}`)
}

/** Hardware whose last run ended badly is not driven by a script: somebody has to look first. */
function refuseUnclean(unclean: string, options: RunOptions): void {
  if (!options.headless && !options.arm) return
  throw new MechosError(
    'ERR_BOARD_REFUSED',
    `${unclean}: it starts halted. Look at the robot, then start it with mechos run and press r, a, g`,
  )
}

function armSoon(robot: Robot, clock: Clock, view: Screen, signal: AbortSignal): void {
  view.say(`ARMING in ${armWarningMs / 1000} s: hands off the wheels`)
  const { epoch } = robot.snapshot()
  const arm = () => {
    const armed = robot.send({ type: 'robot.arm', epoch })
    const started = armed.ok ? robot.send({ type: 'robot.resume' }) : armed
    if (!started.ok) view.say(started.message)
  }
  schedule(clock, arm, armWarningMs, signal)
}

/** Ends the run for everything that this process can notice: signals, stray errors, a launcher that is gone. A sleep only halts it. */
function watchProcess(
  options: RunOptions,
  halt: (cause: string) => void,
  end: (cause: string, fault: boolean) => void,
): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGTSTP', 'SIGUSR2'] as const
  const onSignal = (signal: string) => end(signal, false)
  const onError = (error: unknown) => end(`an error that nobody caught: ${messageOf(error)}`, true)
  for (const signal of signals) process.on(signal, onSignal)
  process.on('uncaughtException', onError)
  process.on('unhandledRejection', onError)
  const unwatch = options.detach
    ? () => {}
    : watchLauncher(wallClock(), () => end('the process that launched this robot is gone', true))
  const unwatchSleep = watchSuspend(wallClock(), uptime, (seconds) =>
    halt(`the computer slept for ${seconds} s`),
  )
  return () => {
    unwatchSleep()
    for (const signal of signals) process.off(signal, onSignal)
    process.off('uncaughtException', onError)
    process.off('unhandledRejection', onError)
    unwatch()
  }
}

async function answer(robot: Robot, shown: Shown, request: Request): Promise<Response> {
  const { cockpit, stately } = shown
  switch (request.verb) {
    case 'status': {
      const links = { cockpit: cockpit.link('drive') ?? null, stately: stately.link() ?? null }
      return { ok: true, result: { ...robot.snapshot(), ...links } }
    }
    case 'describe':
      return { ok: true, result: { text: statusText(robot.snapshot(), cockpit.present) } }
    case 'why': {
      const why = robot.why()
      return { ok: true, result: request.as === 'data' ? { ...why } : { text: whyText(why) } }
    }
    case 'halt': {
      const halt = await robot.halt(request.cause ?? 'asked to halt')
      return { ok: true, result: { ...halt, body: robot.snapshot().body } }
    }
    case 'reset':
      return respond(robot, { type: 'robot.reset' })
    case 'arm':
      return respond(robot, { type: 'robot.arm', epoch: request.epoch })
    case 'resume':
      return respond(robot, { type: 'robot.resume' })
    case 'pause':
      return respond(robot, { type: 'robot.pause' })
    case 'goal':
      return respond(robot, { type: 'robot.goal', text: request.text })
    case 'answer':
      return respond(robot, { type: 'robot.answer', id: request.id, text: request.text })
    case 'recall':
    case 'memories':
    case 'forget':
      return answerAboutMemory(robot.memory, request)
  }
}

function respond(robot: Robot, command: Parameters<Robot['send']>[0]): Response {
  const answered = robot.send(command)
  return answered.ok
    ? { ok: true, result: { state: answered.state, epoch: answered.epoch } }
    : answered
}

function greet(
  view: Screen,
  robot: Robot,
  directory: RunDirectory,
  seed: number,
  options: RunOptions,
): void {
  if (options.headless) return
  const { name, body, agent } = robot.snapshot()
  view.say(`${name}: ${body} body, brain ${agent.brain}, seed ${seed}, state in ${directory.path}`)
  if (body === 'simulated') view.say('a made-up room with walls and obstacles; nothing real moves')
  if (body !== 'simulated' && options.configuration.acceptNoDeadman && !robot.snapshot().deadman) {
    view.say(
      'NO DEADMAN: if this computer dies, the motors go on. 0.25 m/s at most; keep a switch in the motor supply',
    )
  }
}

/** Says once where the cockpit is, with a link that lets one browser in: whoever reads this terminal may drive. */
function invite(view: Screen, cockpit: RunCockpit, options: RunOptions): void {
  const { cockpitPlace, cockpitPort } = options
  if (options.headless && cockpitPort === undefined && cockpitPlace.host === undefined) return
  const line = `cockpit: ${cockpit.link('drive') ?? `not served: ${cockpit.present.fault}`}`
  if (options.headless) process.stderr.write(`${line}\n`)
  else view.say(line)
}

/** The same for the Stately Inspector, which a person asks for by name. Whoever reads this terminal may watch. */
function inviteToStately(view: Screen, stately: RunStately, options: RunOptions): void {
  const line = `stately: ${stately.link() ?? 'not served; the log says why'}`
  if (options.headless) process.stderr.write(`${line}\n`)
  else view.say(line)
}

/** The page of the cockpit is built beside this file, once it is built itself, or below it. */
function pageFolder(): string {
  const beside = new URL('./cockpit/', import.meta.url)
  return fileURLToPath(existsSync(beside) ? beside : new URL('./dist/cockpit/', import.meta.url))
}

/** Keeps the screen up to date. Returns how to stop. */
function show(view: Screen, robot: Robot, clock: Clock): () => void {
  let timer = 0
  const draw = () => {
    view.update(statusLine(robot.snapshot()))
    timer = clock.setTimeout(draw, screenMs)
  }
  draw()
  const unsubscribe = robot.onState(() => view.update(statusLine(robot.snapshot())))
  return () => {
    clock.clearTimeout(timer)
    unsubscribe()
    view.end()
  }
}

function finish(view: Screen, report: Report, options: RunOptions): void {
  const line = `${JSON.stringify(report)}\n`
  if (options.report === '-') process.stdout.write(line)
  else if (options.report !== undefined) writeFileSync(options.report, line)
  if (report.body !== 'simulated' && report.halt.evidence !== 'measured') {
    process.stderr.write(`HALTED, NOT CONFIRMED (${report.halt.evidence}): CUT MOTOR POWER\n`)
  }
  const summary = summaryOf(report)
  if (!options.headless) view.say(summary)
  else if (options.report === undefined) process.stderr.write(`${summary}\n`)
}

/** `halted: end of run: asked by key. 6.9 m in 20.0 s, 0 collisions; every output safe (measured)`. */
function summaryOf(report: Report): string {
  const way = report.distanceM === null ? '' : `${report.distanceM.toFixed(1)} m in `
  const collisions = report.collisions === null ? '' : `, ${report.collisions} collisions`
  const isSafe = Object.values(report.actuators).every(({ safe }) => safe)
  const isMeasured = report.halt.evidence === 'measured'
  const outputs = `${isSafe ? 'every output' : 'NOT every output'} ${isMeasured ? 'safe' : 'told to be safe'} (${report.halt.evidence})`
  return `${report.state}: ${report.causes.join('; ')}. ${way}${report.seconds.toFixed(1)} s${collisions}; ${outputs}`
}

function directoryOf(isSimulated: boolean, options: RunOptions): string {
  // Whole, because others look for the robot from other folders.
  if (options.state !== undefined) return absolute(options.state)
  // Hardware keeps its lock and its mark where the next run looks for them, whatever its seed.
  if (isSimulated && options.seed !== undefined) return mkdtempSync(join(tmpdir(), 'mechos-'))
  return join(options.stateRoot, options.configuration.name)
}

/** Logs go to standard error; on a terminal, where they would break the line that updates, to a file. */
function logFor(options: RunOptions, directory: RunDirectory): Logger {
  const level = options.log ?? 'warn'
  const destination =
    options.headless || !process.stderr.isTTY ? 2 : join(directory.path, 'robot.log')
  return pino({ level, base: null }, pino.destination({ dest: destination, sync: true }))
}
