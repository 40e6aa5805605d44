import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Subject } from 'rxjs'
import { type ActorSystem, type AnyActorRef, createActor, type InspectionEvent } from 'xstate'
import { stateOf, statusOf } from './actors/account.ts'
import { type Build, buildOf } from './actors/anatomy.ts'
import { attended } from './actors/attended.ts'
import { watchBudget } from './actors/budget-watch.ts'
import { complete } from './actors/chat.ts'
import { type Children, childrenOf } from './actors/children.ts'
import {
  type Brain,
  decide,
  gatekeep,
  type Judgement,
  observe,
  orient,
} from './actors/deliberation.ts'
import { noteDecisions } from './actors/decisions.ts'
import { explorer } from './actors/explorer.ts'
import { freshness } from './actors/freshness.ts'
import { createCommanders } from './actors/commanders.ts'
import { createHalting } from './actors/halting.ts'
import { watchHazards } from './actors/hazards.ts'
import { lastResort } from './actors/last-resort.ts'
import { bodyLoss, closeBody, openBody, verifyBody, watchGuardian } from './actors/link.ts'
import { modelBrain } from './actors/model.ts'
import { createOutlook } from './actors/outlook.ts'
import { createReflex, type Reflex } from './actors/reflex.ts'
import { senses } from './actors/senses.ts'
import { reserveFor, settleWith } from './actors/spending.ts'
import type { Tape } from './actors/tape.ts'
import { total } from './actors/total.ts'
import { comfortLimits } from './core/motion/profile.ts'
import { closedRules, unfitness } from './core/rules/restrictions.ts'
import {
  asksModels,
  type Configuration,
  parseConfiguration,
  type RobotConfiguration,
} from './core/vocabulary/configuration.ts'
import { contactsOf } from './core/vocabulary/parts.ts'
import type { Report } from './core/vocabulary/status.ts'
import { MechosError } from './core/vocabulary/errors.ts'
import { wallClock } from './drivers/clock.ts'
import { MotionGate } from './drivers/gate.ts'
import { randomStream } from './drivers/random.ts'
import { simulatedBody } from './drivers/simulated/body.ts'
import { agentMachine } from './machines/agent.machine.ts'
import { boardMachine } from './machines/board.machine.ts'
import { guardianMachine } from './machines/guardian.machine.ts'
import { llmMachine, retryMsOf } from './machines/llm.machine.ts'
import { perceptionMachine } from './machines/perception.machine.ts'
import { relaysMachine } from './machines/relays.machine.ts'
import { type RobotInput, robotMachine } from './machines/robot.machine.ts'
import { accountOf, explain } from './robot/account.ts'
import { send } from './robot/commands.ts'
import { createEnabling, noDevice } from './robot/enabling.ts'
import { heedHand, isDrivenByModel, resumeByHand } from './robot/following.ts'
import { halt, refuseToMove } from './robot/halt.ts'
import { start, stop } from './robot/life.ts'
import { attendedLog, silence } from './robot/log.ts'
import { tellPerson } from './robot/notice.ts'
import { driveByHand, hereIn } from './robot/orders.ts'
import type { Robot, RobotOptions } from './robot/contract.ts'
import { embedderOf } from './robot/embedding.ts'
import { pastOf } from './robot/past.ts'
import { type Recording, startRecording } from './robot/recording.ts'
import { rememberingOf } from './robot/remembering.ts'
import { tapedCalls, tapedOptions, tapedRobot, tapedThinking } from './robot/taping.ts'
import { createThinking } from './robot/thinking.ts'
import { createView } from './robot/view.ts'
import type { Hear, Parts } from './robot/parts.ts'

/**
 * Puts a robot together and binds everything: charts, streams, gate and body. Nothing runs before `start`.
 * Throws ERR_CONFIGURATION when the configuration is not valid.
 */
export function createRobot(configuration: RobotConfiguration, options: RobotOptions = {}): Robot {
  if (!options.record) return createRobotWith(configuration, options, asItIs)
  const checked = parseConfiguration(configuration)
  const outside = outsideOf(checked, options)
  const recording = startRecording(options.record, checked, outside)
  const robot = createRobotWith(checked, outside, { ...asItIs, tape: recording.tape, recording })
  let stopping: Promise<Report> | undefined
  const stopRecorded = async () => {
    const report = await robot.stop()
    await recording.close()
    return report
  }
  return { ...robot, stop: () => (stopping ??= stopRecorded()) }
}

/** What a fault can be put into: the bound root machine with every machine in it, and whatever listens, as it is attached. */
export interface Seams {
  machine(bound: typeof robotMachine): typeof robotMachine
  listener<Args extends readonly unknown[]>(name: string, hear: Hear<Args>): Hear<Args>
  /** What every door of the robot is recorded on, or replayed from. */
  readonly tape?: Tape
  /** The record that the tape writes. */
  readonly recording?: Recording
  /** Sees what happens to every chart. */
  readonly inspect?: (event: InspectionEvent) => void
}

const asItIs: Seams = { machine: (bound) => bound, listener: (_, hear) => hear }

/** `createRobot` for fault injection: everything is the same but what `seams` changes. */
export function createRobotWith(
  configuration: RobotConfiguration,
  options: RobotOptions,
  seams: Seams,
): Robot {
  const { tape } = seams
  const robot = robotOf(assemble(parseConfiguration(configuration), options, seams))
  return tape ? tapedRobot(tape, robot) : robot
}

function robotOf(parts: Parts): Robot {
  let starting: Promise<void> | undefined
  let stopping: Promise<Report> | undefined
  const view = createView(parts)
  return {
    start() {
      starting ??= start(parts)
      return starting
    },
    send: (command) => send(parts, command),
    drive: (twist, sequence) => driveByHand(parts, twist, sequence),
    enable: (device, isHeld) => parts.enabling.hold(device, isHeld),
    halt: (cause = 'asked to halt') => halt(parts, cause),
    snapshot: () => statusOf(accountOf(parts)),
    world: () => view.world(),
    frames: () => view.frames(),
    why: () => explain(parts),
    beside: besideOf(parts),
    memory: parts.remembering?.memory,
    past: parts.recording?.past && pastOf(parts, parts.recording.past),
    onState(listener) {
      parts.stateListeners.add(listener)
      return () => parts.stateListeners.delete(listener)
    },
    onNotice(listener) {
      parts.noticeListeners.add(listener)
      return () => parts.noticeListeners.delete(listener)
    },
    inspect(observer) {
      const subscription = parts.root.system.inspect(observer)
      return () => subscription.unsubscribe()
    },
    stop() {
      stopping ??= stop(parts)
      return stopping
    },
  }
}

function assemble(configuration: Configuration, given: RobotOptions, seams: Seams): Parts {
  const { tape } = seams
  const seed = given.seed ?? 1
  const outside = outsideOf(configuration, given)
  const options = tape ? tapedOptions(tape, outside) : outside
  const { clock } = options
  const failed = (cause: string) => refuseToMove(parts, cause)
  const listen: Parts['listen'] = (name, hear) => total(failed, seams.listener(name, hear))
  const body = attended(options.body, failed)
  const gate = new MotionGate(body, clock)
  const build = buildOf(configuration, body.senses ?? [])
  const perceived = senses(build.anatomy, (fold) => listen('perceive', fold))
  const children = childrenOf(() => root.system)
  const outlook = createOutlook(configuration, build, perceived.world, children, clock)
  const wall = tape ? tape.timers(wallClock()) : wallClock()
  const wanderer = wandererFor(configuration, seed)
  // What models and budget wait for is none of the robot's own time.
  const asked = createThinking(configuration, given, { robot: outside.clock, wall: wallClock() })
  const thinking = tape ? tapedThinking(tape, asked) : asked
  const remembering = rememberingOf(tape, given.memory, {
    settings: given.settings,
    embedder: () => embedderOf(configuration, given, asked, wallClock()),
    isAmple: () => asked.opened?.note.level === 'ample',
    run: given.run ?? `${configuration.name}-seed-${seed}`,
    ticks: () => reflex.ticks,
    at: () => hereIn({ perceived }),
    tell: (line) => tellPerson(parts, `${configuration.name}: ${line}`),
  })
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
    brain: options.brain ?? brainFor(configuration, wanderer, children, options),
    wanderer: options.brain ? undefined : wanderer,
    thinking,
    remembering,
    recording: seams.recording,
    judgements: new Subject<Judgement>(),
    children,
    stateListeners: new Set<(state: string) => void>(),
    noticeListeners: new Set<(line: string) => void>(),
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
    beat: (stampMs) => {
      if (root.getSnapshot().status === 'active') root.send({ type: 'robot.beat', stampMs })
    },
    refused: (order, verdict) => {
      if (order.source === 'agent' && !verdict.permitted) {
        children.agent()?.send({ type: 'intent.refused', message: verdict.message })
      }
    },
    failed,
  })
  const root: Parts['root'] = createActor(
    lastResort(seams.machine(bind(bound, reflex, failed, tape)), bound.halting.trip, failed),
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
    unheld: () => enabling.cause,
    trip: (cause) => void bound.halting.trip(cause),
    alarm: (cause) => bound.log.error({}, cause),
  })
  const commanders = createCommanders(clock, configuration.leaseMs)
  const isDriven = isDrivenByModel(configuration, options)
  if (isDriven && options.unattended) requireFence(configuration)
  const needsHand = isDriven && options.unattended !== true && body.kind !== 'simulated'
  const enabling = needsHand
    ? createEnabling({
        clock,
        changed: listen('enabling', () => heedHand(parts)),
        resume: listen('enabling', () => resumeByHand(parts)),
        failed,
      })
    : noDevice
  const parts: Parts = { ...bound, reflex, commanders, hazards, enabling, root }
  for (const { system } of [root, ...besideOf(parts)]) {
    const { inspect } = system
    // XState calls its observers unguarded: one that throws would leave a chart deaf.
    system.inspect = (observer) => inspect(listen('inspection', observerOf(observer)))
  }
  if (seams.inspect) root.system.inspect(seams.inspect)
  if (tape) noteAll(tape, parts)
  return parts
}

/** The charts that have systems of their own. */
function besideOf({ enabling, recording, remembering }: Parts): readonly AnyActorRef[] {
  return [enabling.chart, recording?.chart, remembering?.chart].filter(
    (chart) => chart !== undefined,
  )
}

/** Where nobody holds the device, something else has to bound where a model drives to. */
function requireFence({ geofence }: Configuration): void {
  if (geofence) return
  const message = 'geofence: missing; a robot that a model drives unattended needs one'
  throw new MechosError('ERR_CONFIGURATION', message)
}

/** What a robot is given, with what it takes where it is given none. */
function outsideOf(configuration: Configuration, options: RobotOptions) {
  const { clock = wallClock(), seed = 1 } = options
  return { ...options, clock, body: options.body ?? simulatedBody(configuration, { clock, seed }) }
}

function noteAll(tape: Tape, parts: Parts): void {
  const { clock, configuration, judgements, noticeListeners, perceived, recording, root } = parts
  const hasPose = configuration.body.wheels !== undefined
  const { world } = perceived
  noteDecisions(tape, { system: root.system, judgements, world, clock, hasPose })
  noticeListeners.add((line) => tape.note('notice', line))
  if (recording) parts.stateListeners.add((state) => recording.robotIs(state))
}

function isContact({ body }: Configuration, name: string): boolean {
  return contactsOf(body).some((contact) => contact.name === name)
}

/** Whether anybody reads what is recalled: the explorer does not, and runs as it would without a memory. */
function hasReader({ configuration, options }: Pick<Parts, 'configuration' | 'options'>): boolean {
  return options.brain !== undefined || asksModels(configuration)
}

/** Who decides by this configuration: its models, in turn, and the explorer wherever that is the last of them. */
function brainFor(
  configuration: Configuration,
  wanderer: Brain | undefined,
  children: Children,
  options: RobotOptions,
): Brain {
  const models = configuration.brains.flatMap(({ model, url }) =>
    url === 'explorer' ? [] : [model ?? url],
  )
  if (models.length === 0 && wanderer) return wanderer
  return modelBrain({
    name: models.join(', then '),
    find: children.llm,
    instead: wanderer,
    onPrompt: options.onPrompt,
  })
}

/** The explorer, where it is among the brains. */
function wandererFor({ brains }: Configuration, seed: number): Brain | undefined {
  const isListed = brains.some(({ url }) => url === 'explorer')
  return isListed ? explorer(randomStream(seed, 'explorer').uniform) : undefined
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
      endpoints: configuration.brains
        .filter(({ url }) => url !== 'explorer')
        .map(({ deadlineMs }) => ({ capTokens: replyTokensMax, deadlineMs })),
    },
  }
}

/** The most tokens that one reply of a model may have. */
const replyTokensMax = 400

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
  parts: Omit<Parts, 'reflex' | 'commanders' | 'hazards' | 'enabling' | 'root'>,
  reflex: Reflex,
  failed: (cause: string) => void,
  tape: Tape | undefined,
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
    remembering,
    thinking,
  } = parts
  const retrying = randomStream(parts.seed, 'retries')
  const { budget, tariffs, endpoints, profiles } = thinking
  const calls = {
    reserve: reserveFor(budget, tariffs),
    complete: complete(endpoints, profiles, thinking.wallMs),
    settle: settleWith(budget, tariffs),
  }
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
          releaseRelays: total(failed, () => {
            for (const relay of configuration.body.relays) {
              gate.write({ kind: 'relay', name: relay.name, on: relay.halt === 'high' })
            }
          }),
        },
      }),
      llm: llmMachine.provide({
        actors: {
          watchBudget: watchBudget(() => thinking.opened),
          ...(tape ? tapedCalls(tape, calls) : calls),
        },
        delays: {
          retryDelay: ({ context }) => retryMsOf(context, retrying.uniform()),
        },
      }),
      agent: agentMachine.provide({
        actors: {
          observe: observe(
            () => ({ stampMs: clock.now(), world: perceived.world.value }),
            () => outlook.scene().stale.length === 0,
            reflex.ticks,
          ),
          // Whoever reads nothing of it is not kept waiting for it.
          orient: orient(outlook.understand, hasReader(parts) ? remembering?.recollect : undefined),
          decide: decide(parts.brain, parts.wanderer),
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

function observerOf(
  observer: Parameters<ActorSystem<never>['inspect']>[0],
): Hear<[InspectionEvent]> {
  return typeof observer === 'function' ? observer : (event) => observer.next?.(event)
}
