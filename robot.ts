import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import { Subject } from 'rxjs'
import { type ActorRefFrom, createActor, type SnapshotFrom } from 'xstate'
import { type Account, reportOf, stateOf, statusOf } from './actors/account.ts'
import { type Build, buildOf } from './actors/anatomy.ts'
import { complete, type Endpoint } from './actors/chat.ts'
import { type Children, childrenOf } from './actors/children.ts'
import {
  type Brain,
  decide,
  gatekeep,
  type Judgement,
  observe,
  orient,
} from './actors/deliberation.ts'
import { explorer } from './actors/explorer.ts'
import { freshness } from './actors/freshness.ts'
import { createHalting, type Halting } from './actors/halting.ts'
import { bodyLoss, closeBody, openBody, verifyBody } from './actors/link.ts'
import { modelBrain } from './actors/model.ts'
import { createOutlook, type Outlook } from './actors/outlook.ts'
import { createReflex, type Reflex } from './actors/reflex.ts'
import { type Senses, senses } from './actors/senses.ts'
import { comfortLimits } from './core/motion/profile.ts'
import { refuse } from './core/rules/gatekeeper.ts'
import { closedRules, rulesFor } from './core/rules/restrictions.ts'
import {
  type Configuration,
  parseConfiguration,
  type RobotConfiguration,
} from './core/vocabulary/configuration.ts'
import { MechosError, messageOf } from './core/vocabulary/errors.ts'
import type { Twist } from './core/vocabulary/geometry.ts'
import type { Intent } from './core/vocabulary/intent.ts'
import type { Reading } from './core/vocabulary/reading.ts'
import type { HaltReport, Report, Status } from './core/vocabulary/status.ts'
import type { Verdict } from './core/vocabulary/verdict.ts'
import type { Body, BodyFacts } from './drivers/body.ts'
import type { Camera } from './drivers/camera.ts'
import { type Clock, wallClock } from './drivers/clock.ts'
import { MotionGate } from './drivers/gate.ts'
import { randomStream } from './drivers/random.ts'
import { simulatedBody } from './drivers/simulated/body.ts'
import { agentMachine } from './machines/agent.machine.ts'
import { boardMachine } from './machines/board.machine.ts'
import type { Claim } from './machines/kernel.machine.ts'
import { llmMachine } from './machines/llm.machine.ts'
import { perceptionMachine } from './machines/perception.machine.ts'
import { relaysMachine } from './machines/relays.machine.ts'
import { type RobotCommand, type RobotInput, robotMachine } from './machines/robot.machine.ts'

/** What a robot may be given; everything has a default but the configuration. */
export interface RobotOptions {
  /** The hardware. Default: a simulation of whatever the configuration declares. */
  readonly body?: Body
  /** Cameras beside the body. */
  readonly cameras?: readonly Camera[]
  /** Default: the machine's monotonic clock. Give a `virtualClock()` to decide yourself when time passes. */
  readonly clock?: Clock
  /** What this run is called in status and report. Default: the robot's name and its seed. */
  readonly run?: string
  /** The one source of chance, for the simulated body and the explorer. Default: 1. */
  readonly seed?: number
  /** Default: what `configuration.brain` names. */
  readonly brain?: Brain
  /** The key of the model's endpoint; never logged, never stored. */
  readonly key?: string
  /** Why this robot must begin halted, when its last run did not end well. */
  readonly unclean?: string
  /** Called before the first motion after each arm; a throw halts the robot instead. */
  readonly beforeMotion?: () => void
  /** A simulated body arms itself and begins; false leaves even that to a person. Hardware always waits. */
  readonly selfArm?: boolean
  readonly log?: Log
}

/** Where a robot tells what happens, one line at a time: a pino logger will do. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** What became of a command: done, or not and why. */
export type Answer =
  | { readonly ok: true; readonly state: string; readonly epoch: number }
  | { readonly ok: false; readonly message: string }

/** A robot that runs. Everything that fails in it ends in `halted`, with every actuator at its declared safe output. */
export interface Robot {
  /** Opens the body. Resolves once it stands by (a simulated one: moves); rejects with a MechosError when it cannot be opened. */
  start(): Promise<void>
  /** Carries out a person's command, or says in one line why not. */
  send(command: RobotCommand): Answer
  /** Drives by hand, in m/s and rad/s, for 200 ms; only after `robot.takeOver`. Hard limits refuse. */
  drive(twist: Twist): Verdict
  /** Trips the motion gate within this call, whatever state the statecharts are in. Resolves to the evidence. */
  halt(cause?: string): Promise<HaltReport>
  snapshot(): Status
  /** Calls back when the root's state changes. Returns how to stop. */
  onState(listener: (state: string) => void): () => void
  /** Halts, lets go of the body, and resolves to the account of the run. Idempotent. */
  stop(): Promise<Report>
}

/** How long a command by hand lasts when no other follows, in ms (DESIGN §6, joystick deadman). */
const manualLeaseMs = 200

/** The most tokens that one reply of a model may have. */
const replyTokensMax = 400

/**
 * Puts a robot together and binds everything: charts, streams, gate and body. Nothing runs before `start`.
 * Throws ERR_CONFIGURATION when the configuration is not valid.
 */
export function createRobot(configuration: RobotConfiguration, options: RobotOptions = {}): Robot {
  const parts = assemble(parseConfiguration(configuration), options)
  let starting: Promise<void> | undefined
  let stopping: Promise<Report> | undefined
  return {
    start() {
      starting ??= start(parts)
      return starting
    },
    send: (command) => send(parts, command),
    drive: (twist) => driveByHand(parts, twist),
    halt: (cause = 'asked to halt') => halt(parts, cause),
    snapshot: () => statusOf(accountOf(parts)),
    onState(listener) {
      parts.stateListeners.add(listener)
      return () => parts.stateListeners.delete(listener)
    },
    stop() {
      stopping ??= stop(parts)
      return stopping
    },
  }
}

/** Everything that a robot is made of. */
interface Parts {
  readonly configuration: Configuration
  readonly options: RobotOptions
  readonly seed: number
  readonly log: Log
  readonly clock: Clock
  readonly body: Body
  readonly gate: MotionGate
  readonly halting: Halting
  readonly build: Build
  readonly perceived: Senses
  readonly outlook: Outlook
  readonly brain: Brain
  readonly judgements: Subject<Judgement>
  readonly reflex: Reflex
  readonly root: ActorRefFrom<typeof robotMachine>
  readonly children: Children
  readonly stateListeners: Set<(state: string) => void>
  readonly times: Times
  /** What the body said of itself when it was last opened. */
  readonly reported: { facts: BodyFacts | undefined }
}

interface Times {
  readonly startedMs: number
  readonly wall: Clock
  readonly wallStartedMs: number
  readonly loopDelay: IntervalHistogram
}

function assemble(configuration: Configuration, options: RobotOptions): Parts {
  const clock = options.clock ?? wallClock()
  const seed = options.seed ?? 1
  const body = options.body ?? simulatedBody(configuration, { clock, seed })
  const gate = new MotionGate(body, clock)
  const build = buildOf(configuration, body.senses ?? [])
  const perceived = senses(build.anatomy)
  const children = childrenOf(() => root.system)
  const outlook = createOutlook(configuration, build, perceived.world, children)
  const wall = wallClock()
  const bound = {
    configuration,
    options,
    seed,
    log: options.log ?? silence,
    clock,
    body,
    gate,
    halting: createHalting(gate, body, clock, wall),
    build,
    perceived,
    outlook,
    brain: options.brain ?? brainFor(configuration, seed, children),
    judgements: new Subject<Judgement>(),
    children,
    stateListeners: new Set<(state: string) => void>(),
    times: {
      startedMs: clock.now(),
      wall,
      wallStartedMs: wall.now(),
      loopDelay: monitorEventLoopDelay({ resolution: 5 }),
    },
    reported: { facts: undefined },
  }
  const reflex: Reflex = createReflex({
    clock,
    body,
    gate,
    drive: build.anatomy.drive,
    fullSpeed: configuration.body.wheels?.fullSpeed ?? 1,
    limits: comfortLimits(configuration.limits),
    leaseMs: configuration.leaseMs,
    openLoop: () => perceived.world.value.encoders === undefined,
    motion: children.motion,
    kernel: children.kernel,
    scene: outlook.scene,
    feel: (commanded) => perceived.readings.next(commanded),
    beat: (stampMs) => root.send({ type: 'robot.beat', stampMs }),
    refused: (order, verdict) => {
      if (order.source === 'agent' && !verdict.permitted) {
        children.agent()?.send({ type: 'intent.refused', message: verdict.message })
      }
    },
    failed: (cause) => refuseToMove(parts, cause),
  })
  const root: Parts['root'] = createActor(
    bind(bound, reflex, (cause) => refuseToMove(parts, cause)),
    { clock, input: inputFor(configuration, build, options) },
  )
  const parts: Parts = { ...bound, reflex, root }
  return parts
}

function brainFor(configuration: Configuration, seed: number, children: Children): Brain {
  const { url, model } = configuration.brain
  if (url === 'explorer') return explorer(randomStream(seed, 'explorer').uniform)
  return modelBrain(model ?? 'model', children.llm)
}

function inputFor(configuration: Configuration, build: Build, options: RobotOptions): RobotInput {
  return {
    unclean: options.unclean,
    goal: configuration.goal,
    rules: closedRules(configuration),
    grants: new Set(configuration.grants),
    sensors: build.sensors,
    motion: { stopLimitMs: stopLimitMs(configuration) },
    model: {
      limitTokens: configuration.brain.budgetTokens,
      capTokens: replyTokensMax,
      deadlineMs: configuration.brain.deadlineMs,
    },
  }
}

/** Twice what comfortable braking from full speed takes, and a second, in ms. */
function stopLimitMs({ limits }: Configuration): number {
  const seconds = Math.max(
    limits.linear / limits.linearBraking,
    limits.angular / limits.angularBraking,
  )
  return 1_000 + seconds * 2_000
}

/** The root machine with every effect that it and its children name. */
function bind(
  parts: Omit<Parts, 'reflex' | 'root'>,
  reflex: Reflex,
  failed: (cause: string) => void,
) {
  const {
    configuration,
    body,
    build,
    children,
    clock,
    gate,
    halting,
    options,
    outlook,
    perceived,
  } = parts
  return robotMachine.provide({
    actors: {
      board: boardMachine.provide({
        actors: {
          openBody: openBody(body, (facts) => {
            parts.reported.facts = facts
          }),
          verifyBody: verifyBody(body),
          bodyLoss: bodyLoss(body),
          closeBody: closeBody(body),
        },
      }),
      perception: perceptionMachine.provide({
        actors: { freshness: freshness(reflex.ticks, perceived.world, build.sensors) },
      }),
      relays: relaysMachine.provide({
        actions: {
          switchRelay: total(failed, (_: unknown, { relay, on }: { relay: string; on: boolean }) =>
            gate.write({ kind: 'relay', name: relay, on }),
          ),
        },
      }),
      llm: llmMachine.provide({
        actors: { complete: complete(endpointOf(configuration, options.key)) },
      }),
      agent: agentMachine.provide({
        actors: {
          observe: observe(
            () => ({ stampMs: clock.now(), world: perceived.world.value }),
            () => outlook.scene().stale.length === 0,
            reflex.ticks,
          ),
          orient: orient(outlook.understand),
          decide: decide(parts.brain),
          gatekeep: gatekeep(
            (claim) =>
              children.kernel()?.send({ type: 'kernel.judge', claim, scene: outlook.scene() }),
            parts.judgements,
          ),
        },
      }),
    },
    actions: {
      tripGate: (_, { causes }) => void halting.trip(causes.at(-1) ?? 'halted'),
      armBody: total(failed, () => options.beforeMotion?.()),
      stampBeat: (_, { stampMs }) => gate.beat(stampMs),
    },
  })
}

/** An effect that moves or switches, made total: a throw halts the robot instead of breaking its chart. */
function total<Args extends readonly unknown[]>(
  failed: (cause: string) => void,
  act: (...args: Args) => void,
): (...args: Args) => void {
  return (...args) => {
    try {
      act(...args)
    } catch (error) {
      failed(messageOf(error))
    }
  }
}

function refuseToMove({ halting, root }: Parts, cause: string): void {
  void halting.trip(cause)
  root.send({ type: 'robot.halt', cause })
}

async function start(parts: Parts): Promise<void> {
  const { body, options, reflex, root, times } = parts
  times.loopDelay.enable()
  body.onReading((reading) => sense(parts, reading))
  followRoot(parts)
  const isBooted = booted(parts)
  root.start()
  reflex.start()
  for (const camera of options.cameras ?? []) watchCamera(parts, camera)
  await isBooted
  if (body.kind === 'simulated' && options.selfArm !== false && options.unclean === undefined) {
    root.send({ type: 'robot.arm', epoch: root.getSnapshot().context.epoch })
    root.send({ type: 'robot.resume' })
  }
}

/** Binds the gate to the root, before the root starts: motion needs its positive evidence, and its end shuts for good. */
function followRoot(parts: Parts): void {
  const { gate, halting, log, root, stateListeners } = parts
  const attach = attacher(parts)
  const allow = total(
    (cause) => refuseToMove(parts, cause),
    (epoch: number) => gate.allow(epoch),
  )
  let lastState = ''
  const announce = (state: string) => {
    lastState = state
    for (const listener of stateListeners) listener(state)
  }
  root.subscribe({
    next: (snapshot) => {
      attach()
      const { epoch, causes } = snapshot.context
      if (snapshot.status === 'active' && snapshot.hasTag('motion')) allow(epoch)
      else if (gate.isOpen) gate.shut()
      const state = stateOf(snapshot)
      if (state === lastState) return
      log.info({ epoch, causes }, state)
      if (state === 'standby') restrict(parts)
      announce(state)
    },
    error: (error) => {
      void halting.trip(`the root failed: ${messageOf(error)}`)
      log.error({ error: messageOf(error) }, 'the root failed; the motion gate is shut for good')
      announce('failed')
    },
    complete: () => gate.trip('the root has ended'),
  })
}

/** Listens to kernel and agent, and anew whenever the root has replaced them. */
function attacher(parts: Parts): () => void {
  const { children, judgements, log, reflex } = parts
  let kernelHeard: unknown
  let agentHeard: unknown
  return () => {
    const kernel = children.kernel()
    if (kernel && kernel !== kernelHeard) {
      kernelHeard = kernel
      kernel.on('kernel.verdict', ({ claim, verdict }) => {
        reflex.hear(claim, verdict)
        judgements.next({ claim, verdict })
        if (!verdict.permitted) log.info({ rule: verdict.rule }, `refused: ${verdict.message}`)
      })
      restrict(parts)
    }
    const agent = children.agent()
    if (agent && agent !== agentHeard) {
      agentHeard = agent
      agent.on('order.given', ({ intent, epoch }) => carryOut(parts, intent, epoch))
      agent.on('order.withdrawn', () => reflex.withdraw('agent'))
      // What a dead agent ordered is not carried out to its end.
      agent.subscribe({ error: () => reflex.withdraw('agent') })
    }
  }
}

/** Tells the kernel what this body, as it reported itself, may do. Until then the kernel permits no motion. */
function restrict({ body, children, configuration, reported }: Parts): void {
  if (!reported.facts) return
  const { deadman } = reported.facts
  const rules = rulesFor(configuration, { simulated: body.kind === 'simulated', deadman })
  children.kernel()?.send({ type: 'kernel.restrict', rules })
}

function carryOut({ children, clock, reflex }: Parts, intent: Intent, epoch: number): void {
  switch (intent.type) {
    case 'drive':
      reflex.give({ intent, source: 'agent', epoch, untilMs: clock.now() + intent.durationMs })
      return
    case 'setRelay':
      children.relays()?.send({ type: 'relays.set', relay: intent.relay, on: intent.on })
      return
    case 'stop':
    case 'wait':
      reflex.withdraw('agent')
      children.motion()?.send({ type: 'motion.stop' })
  }
}

/** A stamp from the future would keep its sensor fresh until then: it counts as one from now. */
function sense({ clock, perceived }: Parts, reading: Reading): void {
  perceived.readings.next({ ...reading, stampMs: Math.min(reading.stampMs, clock.now()) })
}

function watchCamera(parts: Parts, camera: Camera): void {
  const { log } = parts
  camera.onFrame((frame) => sense(parts, frame))
  camera.onLost((cause) => log.warn({ camera: camera.name }, cause))
  camera.open().catch((error: unknown) => log.warn({ camera: camera.name }, messageOf(error)))
}

/** Resolves when the root has left `booting` with a body, rejects when it has left it without. */
function booted({ children, root }: Parts): Promise<void> {
  return new Promise((resolve, reject) => {
    const subscription = root.subscribe({
      next: (snapshot) => {
        if (snapshot.matches('booting')) return
        queueMicrotask(() => subscription.unsubscribe())
        if (snapshot.context.linked) resolve()
        else
          reject(bootError(children.board()?.getSnapshot().context.error, snapshot.context.causes))
      },
      error: reject,
    })
  })
}

function bootError(error: unknown, causes: readonly string[]): Error {
  if (error instanceof MechosError) return error
  return new MechosError('ERR_BOARD_LOST', causes.join('; ') || 'the body did not open', {
    cause: error,
  })
}

function send(parts: Parts, command: RobotCommand): Answer {
  const { root } = parts
  const before = root.getSnapshot()
  if (command.type === 'robot.halt') {
    void halt(parts, command.cause)
  } else if (before.status === 'active' && before.can(command)) {
    root.send(command)
  } else {
    return { ok: false, message: whyNot(command, before) }
  }
  const after = root.getSnapshot()
  return { ok: true, state: stateOf(after), epoch: after.context.epoch }
}

/** Why a command was not carried out, and what would help. */
function whyNot(command: RobotCommand, snapshot: SnapshotFrom<typeof robotMachine>): string {
  const state = stateOf(snapshot)
  const { epoch, linked } = snapshot.context
  switch (command.type) {
    case 'robot.arm':
      if (state !== 'standby') return `arm: the robot is ${state}; it can be armed in standby only`
      if (command.epoch === epoch) return 'arm: the body is not there yet'
      return `epoch: ${command.epoch} is not allowed; the present one is ${epoch}`
    case 'robot.reset':
      if (state !== 'halted') return `reset: the robot is ${state}; only a halted robot is reset`
      return linked ? 'reset: not possible now' : 'reset: the body is not there yet'
    case 'robot.resume':
    case 'robot.takeOver':
      return `${command.type.slice(6)}: the robot is ${state}; ${state === 'halted' ? 'reset it, then arm it' : 'arm it first'}`
    case 'robot.pause':
    case 'robot.release':
    case 'robot.goal':
    case 'robot.halt':
    case 'robot.shutdown':
      return `${command.type.slice(6)}: not possible while the robot is ${state}`
  }
}

function driveByHand(parts: Parts, { linear, angular }: Twist): Verdict {
  const { children, clock, judgements, outlook, reflex, root } = parts
  const { epoch } = root.getSnapshot().context
  const intent = { type: 'drive', linear, angular, durationMs: manualLeaseMs } as const
  const claim: Claim = { source: 'operator', intent, epoch, renewal: false }
  let verdict: Verdict = refuse('kernel', 'absent', 'a kernel', 'the kernel is not running')
  const hearing = judgements.subscribe((judgement) => {
    if (judgement.claim === claim) verdict = judgement.verdict
  })
  children.kernel()?.send({ type: 'kernel.judge', claim, scene: outlook.scene() })
  hearing.unsubscribe()
  if (verdict.permitted) {
    reflex.give({ intent, source: 'operator', epoch, untilMs: clock.now() + manualLeaseMs })
  }
  return verdict
}

/** Trips the gate first and tells the root afterwards: a root that is deaf cannot stand in the way. */
async function halt({ halting, root }: Parts, cause: string): Promise<HaltReport> {
  const evidence = halting.trip(cause)
  if (root.getSnapshot().status === 'active') root.send({ type: 'robot.halt', cause })
  await halting.settled()
  return halting.report ?? evidence
}

async function stop(parts: Parts): Promise<Report> {
  const { clock, halting, reflex, root, times } = parts
  if (!root.getSnapshot().matches('halted')) await halt(parts, 'end of run')
  await halting.settled()
  reflex.stop()
  const report = reportOf(accountOf(parts), {
    seconds: round((clock.now() - times.startedMs) / 1000),
    wallSeconds: round((times.wall.now() - times.wallStartedMs) / 1000),
    delay: {
      p50: round(times.loopDelay.percentile(50) / 1e6),
      p99: round(times.loopDelay.percentile(99) / 1e6),
      max: round(times.loopDelay.max / 1e6),
    },
  })
  times.loopDelay.disable()
  root.send({ type: 'robot.shutdown' })
  await letGo(parts)
  return report
}

/** Closes body and cameras, each whether or not another can be closed, and waits no longer than the limit. */
async function letGo({ body, log, options, times }: Parts): Promise<void> {
  const closing = [body, ...(options.cameras ?? [])].map(async (each) => each.close())
  const { wall } = times
  let timer = 0
  const limit = new Promise<void>((resolve) => {
    timer = wall.setTimeout(resolve, closeMsMax)
  })
  const closed = Promise.allSettled(closing).then((results) => {
    for (const result of results) {
      if (result.status === 'rejected') log.error({}, `closing failed: ${messageOf(result.reason)}`)
    }
  })
  await Promise.race([closed, limit])
  wall.clearTimeout(timer)
}

/** How long a body may take to let go of its ports, in ms. */
const closeMsMax = 2_000

function accountOf(parts: Parts): Account {
  const { build, children, configuration, halting, options, root, seed } = parts
  return {
    configuration,
    run: options.run ?? `${configuration.name}-seed-${seed}`,
    seed: options.seed,
    brain: parts.brain.name,
    body: parts.body,
    facts: parts.reported.facts,
    world: parts.perceived.world.value,
    root: root.getSnapshot(),
    children,
    sensors: Object.fromEntries(
      build.sensors.map(({ name }) => [
        name,
        children.sensor(name)?.getSnapshot().value ?? 'absent',
      ]),
    ),
    halt: halting.report,
  }
}

function endpointOf({ brain }: Configuration, key: string | undefined): Endpoint {
  return {
    url: brain.url,
    model: brain.model ?? 'default',
    key: key ?? 'none',
    deadlineMs: brain.deadlineMs,
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

const silence: Log = { info() {}, warn() {}, error() {} }
