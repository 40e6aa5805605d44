import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import { Subject } from 'rxjs'
import {
  type ActorRefFrom,
  type ActorSystem,
  createActor,
  type InspectionEvent,
  type SnapshotFrom,
} from 'xstate'
import { type Account, reportOf, stateOf, statusOf } from './actors/account.ts'
import { type Build, buildOf } from './actors/anatomy.ts'
import { attended } from './actors/attended.ts'
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
import { type Commanders, createCommanders, operatorDeadmanMs } from './actors/commanders.ts'
import { createHalting, type Halting } from './actors/halting.ts'
import { type HazardWatch, watchHazards } from './actors/hazards.ts'
import { lastResort } from './actors/last-resort.ts'
import { bodyLoss, closeBody, openBody, verifyBody, watchGuardian } from './actors/link.ts'
import { modelBrain } from './actors/model.ts'
import { createOutlook, type Outlook } from './actors/outlook.ts'
import { hasPulse } from './actors/pulse.ts'
import { createReflex, type Reflex, tickMs } from './actors/reflex.ts'
import { type Senses, senses } from './actors/senses.ts'
import { total } from './actors/total.ts'
import { whyOf } from './actors/why.ts'
import { comfortLimits } from './core/motion/profile.ts'
import { blockersOf, foot, reasonsOf } from './core/rules/failsafe.ts'
import { refuse } from './core/rules/gatekeeper.ts'
import { closedRules, rulesFor, slowedRules, unfitness } from './core/rules/restrictions.ts'
import {
  type Configuration,
  parseConfiguration,
  type RobotConfiguration,
} from './core/vocabulary/configuration.ts'
import { MechosError, messageOf } from './core/vocabulary/errors.ts'
import type { Twist } from './core/vocabulary/geometry.ts'
import type { Intent } from './core/vocabulary/intent.ts'
import { contactsOf } from './core/vocabulary/parts.ts'
import type { Reading } from './core/vocabulary/reading.ts'
import type { HaltReport, Report, Status } from './core/vocabulary/status.ts'
import type { Verdict } from './core/vocabulary/verdict.ts'
import type { Why } from './core/vocabulary/why.ts'
import type { Body, BodyFacts } from './drivers/body.ts'
import type { Camera } from './drivers/camera.ts'
import { type Clock, wallClock } from './drivers/clock.ts'
import { beatLimitMs, MotionGate } from './drivers/gate.ts'
import { randomStream } from './drivers/random.ts'
import { simulatedBody } from './drivers/simulated/body.ts'
import { agentMachine } from './machines/agent.machine.ts'
import { boardMachine } from './machines/board.machine.ts'
import { guardianMachine } from './machines/guardian.machine.ts'
import type { Claim } from './machines/kernel.machine.ts'
import { llmMachine } from './machines/llm.machine.ts'
import { perceptionMachine } from './machines/perception.machine.ts'
import { relaysMachine } from './machines/relays.machine.ts'
import { type RobotCommand, type RobotInput, robotMachine } from './machines/robot.machine.ts'
import { situationOf, wayToMotion } from './machines/way.ts'

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
  /**
   * Drives by hand, in m/s and rad/s, for 200 ms; only after `robot.takeOver`, and only once a zero was sent since the arm,
   * so that a stick that was held down then moves nothing. Hard limits refuse. Where words are numbered by `sequence`,
   * one that is not younger than the last is refused.
   */
  drive(twist: Twist, sequence?: number): Verdict
  /** Trips the motion gate within this call, whatever state the statecharts are in. Resolves to the evidence. */
  halt(cause?: string): Promise<HaltReport>
  snapshot(): Status
  /** Why it does not move, why it stopped, and the shortest way to motion. */
  why(): Why
  /** Calls back when the root's state changes. Returns how to stop. */
  onState(listener: (state: string) => void): () => void
  /** Halts, lets go of the body, and resolves to the account of the run. Idempotent. */
  stop(): Promise<Report>
}

/** The most tokens that one reply of a model may have. */
const replyTokensMax = 400

/**
 * Puts a robot together and binds everything: charts, streams, gate and body. Nothing runs before `start`.
 * Throws ERR_CONFIGURATION when the configuration is not valid.
 */
export function createRobot(configuration: RobotConfiguration, options: RobotOptions = {}): Robot {
  return createRobotWith(configuration, options, asItIs)
}

/** What a fault can be put into: the bound root machine with every machine in it, and whatever listens, as it is attached. */
export interface Seams {
  machine(bound: typeof robotMachine): typeof robotMachine
  listener<Args extends readonly unknown[]>(name: string, hear: Hear<Args>): Hear<Args>
}

type Hear<Args extends readonly unknown[]> = (...args: Args) => void

const asItIs: Seams = { machine: (bound) => bound, listener: (_, hear) => hear }

/** `createRobot` for fault injection: everything is the same but what `seams` changes. */
export function createRobotWith(
  configuration: RobotConfiguration,
  options: RobotOptions,
  seams: Seams,
): Robot {
  const parts = assemble(parseConfiguration(configuration), options, seams)
  let starting: Promise<void> | undefined
  let stopping: Promise<Report> | undefined
  return {
    start() {
      starting ??= start(parts)
      return starting
    },
    send: (command) => send(parts, command),
    drive: (twist, sequence) => driveByHand(parts, twist, sequence),
    halt: (cause = 'asked to halt') => halt(parts, cause),
    snapshot: () => statusOf(accountOf(parts)),
    why: () => explain(parts),
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
  /** Makes a listener total: whatever it throws halts the robot. */
  readonly listen: Listen
  readonly reach: Reach
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
  readonly commanders: Commanders
  readonly hazards: HazardWatch
  readonly root: ActorRefFrom<typeof robotMachine>
  readonly children: Children
  readonly stateListeners: Set<(state: string) => void>
  readonly times: Times
  /** What the body said of itself when it was last opened. */
  readonly reported: { facts: BodyFacts | undefined }
}

type Listen = <Args extends readonly unknown[]>(name: string, hear: Hear<Args>) => Hear<Args>

/** Whether the root can be told anything. */
interface Reach {
  /** Why it cannot, for good: the gate alone keeps the robot still. */
  lost: string | undefined
  isTelling: boolean
}

interface Times {
  readonly startedMs: number
  readonly wall: Clock
  readonly wallStartedMs: number
  readonly loopDelay: IntervalHistogram
}

function assemble(configuration: Configuration, options: RobotOptions, seams: Seams): Parts {
  const clock = options.clock ?? wallClock()
  const seed = options.seed ?? 1
  const failed = (cause: string) => refuseToMove(parts, cause)
  const listen: Listen = (name, hear) => total(failed, seams.listener(name, hear))
  const body = attended(options.body ?? simulatedBody(configuration, { clock, seed }), failed)
  const gate = new MotionGate(body, clock)
  const build = buildOf(configuration, body.senses ?? [])
  const perceived = senses(build.anatomy, (fold) => listen('perceive', fold))
  const children = childrenOf(() => root.system)
  const outlook = createOutlook(configuration, build, perceived.world, children, clock)
  const wall = wallClock()
  const bound = {
    configuration,
    options,
    seed,
    log: attendedLog(options.log ?? silence, failed),
    listen,
    reach: { lost: undefined, isTelling: false },
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
    failed,
  })
  const root: Parts['root'] = createActor(
    lastResort(seams.machine(bind(bound, reflex, failed)), bound.halting.trip, failed),
    { clock, input: inputFor(configuration, build, options) },
  )
  const hazards = watchHazards({
    contacts: build.sensors.filter(({ name }) => isContact(configuration, name)),
    drive: build.anatomy.drive,
    children,
    world: perceived.world,
    commanded: () => reflex.commanded,
    root: () => {
      const snapshot = root.getSnapshot()
      return { state: stateOf(snapshot), linked: snapshot.context.linked }
    },
    trip: (cause) => void bound.halting.trip(cause),
    alarm: (cause) => bound.log.error({}, cause),
  })
  const commanders = createCommanders(clock, configuration.leaseMs)
  const parts: Parts = { ...bound, reflex, commanders, hazards, root }
  const { inspect } = root.system
  // XState calls its observers unguarded: one that throws would leave a chart deaf.
  root.system.inspect = (observer) => inspect(listen('inspection', observerOf(observer)))
  return parts
}

function isContact({ body }: Configuration, name: string): boolean {
  return contactsOf(body).some((contact) => contact.name === name)
}

function brainFor(configuration: Configuration, seed: number, children: Children): Brain {
  const { url, model } = configuration.brain
  if (url === 'explorer') return explorer(randomStream(seed, 'explorer').uniform)
  return modelBrain(model ?? 'model', children.llm)
}

/** What the root of a robot of this configuration starts with after a clean end, as far as the configuration tells. */
export function robotInputFor(configuration: Configuration): RobotInput {
  return inputFor(configuration, buildOf(configuration, []), {})
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
  parts: Omit<Parts, 'reflex' | 'commanders' | 'hazards' | 'root'>,
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
      guardian: guardianMachine.provide({ actors: { watchGuardian: watchGuardian(body) } }),
      board: boardMachine.provide({
        actors: {
          openBody: openBody(
            body,
            ({ deadman }) =>
              unfitness(configuration, { simulated: body.kind !== 'firmata', deadman }),
            (facts) => {
              parts.reported.facts = facts
            },
          ),
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

/**
 * Trips the gate, and then has the root halted, once for each cause: called wherever something fails, also by what is
 * called because of that. Never throws.
 */
function refuseToMove({ gate, halting, reach, root }: Parts, cause: string): void {
  const snapshot = root.getSnapshot()
  const isHalted = snapshot.matches('halted') && snapshot.context.causes.includes(cause)
  if (isHalted && !gate.isOpen) return
  void halting.trip(cause)
  if (isHalted || reach.isTelling) return
  reach.isTelling = true
  try {
    root.send({ type: 'robot.halt', cause })
  } finally {
    reach.isTelling = false
  }
}

async function start(parts: Parts): Promise<void> {
  const { body, listen, options, reflex, root, times } = parts
  times.loopDelay.enable()
  listen('start', () => body.onReading(listen('reading', (reading) => sense(parts, reading))))()
  followRoot(parts)
  reflex.ticks.subscribe(listen('tick', (now: number) => watchOver(parts, now)))
  // What is done for the first time is slow, and nothing may be slow once it is armed.
  explain(parts)
  const isBooted = booted(parts)
  root.start()
  listen('start', () => reflex.start())()
  for (const camera of options.cameras ?? []) watchCamera(parts, camera)
  await isBooted
  if (body.kind === 'simulated' && options.selfArm !== false && options.unclean === undefined) {
    root.send({ type: 'robot.arm', epoch: root.getSnapshot().context.epoch })
    root.send({ type: 'robot.resume' })
  }
}

/** Binds the gate to the root, before the root starts: motion needs its positive evidence, and its end shuts for good. */
function followRoot(parts: Parts): void {
  const { gate, halting, listen, log, root, stateListeners } = parts
  const attach = attacher(parts)
  let lastState = ''
  let lastEpoch = 0
  let wasSlow = false
  const announce = (state: string) => {
    lastState = state
    for (const listener of stateListeners) listen('state', listener)(state)
  }
  root.subscribe({
    next: listen('root.next', (snapshot: SnapshotFrom<typeof robotMachine>) => {
      attach()
      const { epoch, causes } = snapshot.context
      if (snapshot.status === 'active' && snapshot.hasTag('motion')) gate.allow(epoch)
      else if (gate.isOpen) gate.shut()
      const state = stateOf(snapshot)
      if (epoch !== lastEpoch) parts.commanders.forget()
      lastEpoch = epoch
      if (isSlow(parts) !== wasSlow) restrict(parts)
      wasSlow = isSlow(parts)
      if (state === lastState) return
      log.info({ epoch, causes }, state)
      if (state === 'standby') restrict(parts)
      announce(state)
    }),
    error: listen('root.error', (error: unknown) => {
      void halting.trip(`the root failed: ${messageOf(error)}`)
      log.error({ error: messageOf(error) }, 'the root failed; the motion gate is shut for good')
      announce('failed')
    }),
    complete: listen('root.complete', () => gate.trip('the root has ended')),
  })
}

interface Given {
  readonly intent: Intent
  readonly epoch: number
}

/** Listens to kernel and agent, and anew whenever the root has replaced them. */
function attacher(parts: Parts): () => void {
  const { children, judgements, listen, log, reflex } = parts
  let kernelHeard: unknown
  let agentHeard: unknown
  return () => {
    const kernel = children.kernel()
    if (kernel && kernel !== kernelHeard) {
      kernelHeard = kernel
      const hear = listen('kernel.verdict', ({ claim, verdict }: Judgement) => {
        reflex.hear(claim, verdict)
        if (claim.source === 'agent') noteAgent(parts, verdict)
        judgements.next({ claim, verdict })
        if (!verdict.permitted) log.info({ rule: verdict.rule }, `refused: ${verdict.message}`)
      })
      kernel.on('kernel.verdict', hear)
      restrict(parts)
    }
    const agent = children.agent()
    if (agent && agent !== agentHeard) {
      agentHeard = agent
      const obey = listen('order.given', ({ intent, epoch }: Given) =>
        carryOut(parts, intent, epoch),
      )
      const withdraw = listen('order.withdrawn', () => {
        reflex.withdraw('agent')
        parts.commanders.silence('agent')
      })
      agent.on('order.given', obey)
      agent.on('order.withdrawn', withdraw)
      // What a dead agent ordered is not carried out to its end.
      agent.subscribe({ error: withdraw })
    }
  }
}

/** Tells the kernel what this body, as it reported itself, may do. Until then the kernel permits no motion. */
function restrict(parts: Parts): void {
  const { body, children, configuration, reported } = parts
  if (!reported.facts) return
  const { deadman } = reported.facts
  const rules = rulesFor(configuration, { simulated: body.kind === 'simulated', deadman })
  children.kernel()?.send({
    type: 'kernel.restrict',
    rules: isSlow(parts) ? slowedRules(rules) : rules,
  })
}

/** The failsafe has the robot go slowly. */
function isSlow({ children }: Parts): boolean {
  return children.failsafe()?.getSnapshot().hasTag('slow') === true
}

/** Once a tick: who commands, what should not be, and an explicit zero when nobody commands any more. */
function watchOver(parts: Parts, now: number): void {
  const { children, commanders, hazards } = parts
  if (now % pulseMs < tickMs) takePulse(parts)
  const { silent, zero } = commanders.look()
  hazards.look(now, silent)
  if (zero) children.motion()?.send({ type: 'motion.stop' })
}

/** How often each child is asked whether it still takes events, in ms. */
const pulseMs = 100

/**
 * A chart that XState has left deaf says that it is well. Where a child takes no event any more the robot is halted; where
 * the root takes none, only the gate is left.
 */
function takePulse(parts: Parts): void {
  const { halting, listen, log, reach, root, stateListeners } = parts
  const { children, status } = root.getSnapshot()
  for (const [name, child] of Object.entries(children)) {
    if (child?.getSnapshot().status === 'active' && !hasPulse(child)) {
      refuseToMove(parts, `${name} does not answer`)
    }
  }
  if (status !== 'active' || reach.lost !== undefined || hasPulse(root)) return
  reach.lost = 'the root does not answer'
  void halting.trip(reach.lost)
  log.error({}, `${reach.lost}; the motion gate is shut for good`)
  for (const listener of stateListeners) listen('state', listener)('failed')
}

/** What the agent may drive, it commands for as long as it may. */
function noteAgent({ commanders }: Parts, verdict: Verdict): void {
  if (verdict.permitted && verdict.intent.type === 'drive') {
    commanders.hear('agent', verdict.intent)
  }
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
function sense({ clock, hazards, perceived }: Parts, reading: Reading): void {
  const now = clock.now()
  perceived.readings.next({ ...reading, stampMs: Math.min(reading.stampMs, now) })
  hazards.hear(reading, now)
}

/** What a camera fails of is told and no more: nothing that guards motion sees by one. */
function watchCamera(parts: Parts, camera: Camera): void {
  const { listen, log } = parts
  const warn = (cause: string) => log.warn({ camera: camera.name }, cause)
  total(warn, () => {
    camera.onFrame(listen('frame', (frame) => sense(parts, frame)))
    camera.onLost(listen('camera.lost', warn))
    return camera.open()
  })()
}

/** Resolves when the root has left `booting` with a body, rejects when it has left it without. */
function booted({ children, listen, root }: Parts): Promise<void> {
  return new Promise((resolve, reject) => {
    const subscription = root.subscribe({
      next: listen('booted', (snapshot: SnapshotFrom<typeof robotMachine>) => {
        if (snapshot.matches('booting')) return
        queueMicrotask(() => subscription.unsubscribe())
        if (snapshot.context.linked) resolve()
        else
          reject(bootError(children.board()?.getSnapshot().context.error, snapshot.context.causes))
      }),
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
  if (command.type === 'robot.halt') {
    void halt(parts, command.cause)
  } else if (isPossible(parts, command)) {
    root.send(command)
  } else {
    return { ok: false, message: whyNot(parts, command, root.getSnapshot()) }
  }
  const after = root.getSnapshot()
  return { ok: true, state: stateOf(after), epoch: after.context.epoch }
}

/** A guard that throws halts the robot, as it would have done had the command been sent. */
function isPossible(parts: Parts, command: RobotCommand): boolean {
  const snapshot = parts.root.getSnapshot()
  try {
    return snapshot.status === 'active' && snapshot.can(command)
  } catch (error) {
    refuseToMove(parts, messageOf(error).replaceAll('\n', ' '))
    return false
  }
}

/** Why a command was not carried out, and what would help. */
function whyNot(
  { children }: Parts,
  command: RobotCommand,
  snapshot: SnapshotFrom<typeof robotMachine>,
): string {
  const state = stateOf(snapshot)
  const ladder = children.failsafe()?.getSnapshot().context.ladder ?? foot
  const { caution, epoch, linked } = snapshot.context
  switch (command.type) {
    case 'robot.arm':
      if (state !== 'standby') return `arm: the robot is ${state}; it can be armed in standby only`
      if (command.epoch === epoch) return 'arm: the body is not there yet'
      return `epoch: ${command.epoch} is not allowed; the present one is ${epoch}`
    case 'robot.reset':
      if (state !== 'halted') return `reset: the robot is ${state}; only a halted robot is reset`
      if (caution === 'blocked') {
        return `reset: refused while it lasts: ${blockersOf(ladder).join(', ')}`
      }
      return linked ? 'reset: not possible now' : 'reset: the body is not there yet'
    case 'robot.resume':
    case 'robot.takeOver':
      if (caution === 'insisting' && state === 'active.holding') {
        return `${command.type.slice(6)}: refused while it lasts: ${reasonsOf(ladder).join(', ')}`
      }
      return `${command.type.slice(6)}: the robot is ${state}; ${state === 'halted' ? 'reset it, then arm it' : 'arm it first'}`
    case 'robot.pause':
    case 'robot.release':
    case 'robot.goal':
    case 'robot.halt':
    case 'robot.shutdown':
      return `${command.type.slice(6)}: not possible while the robot is ${state}`
  }
}

function driveByHand(parts: Parts, { linear, angular }: Twist, sequence?: number): Verdict {
  const { children, clock, commanders, judgements, outlook, reflex, root } = parts
  const unheard = commanders.hear('operator', { linear, angular }, sequence)
  const { epoch } = root.getSnapshot().context
  const intent = { type: 'drive', linear, angular, durationMs: operatorDeadmanMs } as const
  const claim: Claim = { source: 'operator', intent, epoch, renewal: false }
  let verdict: Verdict = refuse('kernel', 'absent', 'a kernel', 'the kernel is not running')
  const hearing = judgements.subscribe((judgement) => {
    if (judgement.claim === claim) verdict = judgement.verdict
  })
  children.kernel()?.send({ type: 'kernel.judge', claim, scene: outlook.scene() })
  hearing.unsubscribe()
  if (!verdict.permitted) commanders.silence('operator')
  else if (unheard) return unheard
  else reflex.give({ intent, source: 'operator', epoch, untilMs: clock.now() + operatorDeadmanMs })
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
  await halting.final()
  reflex.stop()
  try {
    return reportOf(accountOf(parts), {
      seconds: round((clock.now() - times.startedMs) / 1000),
      wallSeconds: round((times.wall.now() - times.wallStartedMs) / 1000),
      delay: {
        p50: round(times.loopDelay.percentile(50) / 1e6),
        p99: round(times.loopDelay.percentile(99) / 1e6),
        max: round(times.loopDelay.max / 1e6),
      },
    })
  } finally {
    times.loopDelay.disable()
    root.send({ type: 'robot.shutdown' })
    await letGo(parts)
  }
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
  const { build, children, configuration, halting, options, reach, root, seed } = parts
  return {
    configuration,
    run: options.run ?? `${configuration.name}-seed-${seed}`,
    seed: options.seed,
    brain: parts.brain.name,
    body: parts.body,
    facts: parts.reported.facts,
    world: parts.perceived.world.value,
    root: root.getSnapshot(),
    lost: reach.lost,
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

function explain(parts: Parts): Why {
  const { gate, reflex, root } = parts
  const way = wayToMotion(situationOf(root))
  return whyOf({ account: accountOf(parts), gate, beatLimitMs, reflex, way })
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

/** A log that throws halts the robot: whatever else it is to tell is told by the state. */
function attendedLog(log: Log, failed: (cause: string) => void): Log {
  return {
    info: total(failed, (fields: object, message: string) => log.info(fields, message)),
    warn: total(failed, (fields: object, message: string) => log.warn(fields, message)),
    error: total(failed, (fields: object, message: string) => log.error(fields, message)),
  }
}

function observerOf(
  observer: Parameters<ActorSystem<never>['inspect']>[0],
): Hear<[InspectionEvent]> {
  return typeof observer === 'function' ? observer : (event) => observer.next?.(event)
}
