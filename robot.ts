import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Subject } from 'rxjs'
import { type ActorRefFrom, type AnyStateMachine, createActor, type SnapshotFrom } from 'xstate'
import { reportOf, stateOf, statusOf } from './actors/account.ts'
import { buildOf } from './actors/anatomy.ts'
import { complete, type Endpoint } from './actors/chat.ts'
import { type Brain, decide, gatekeep, type Judgement, observe, orient } from './actors/deliberation.ts'
import { explorer } from './actors/explorer.ts'
import { freshness } from './actors/freshness.ts'
import { bodyLoss, closeBody, openBody, verifyBody } from './actors/link.ts'
import { modelBrain } from './actors/model.ts'
import { createReflex } from './actors/reflex.ts'
import { senses } from './actors/senses.ts'
import { refuse } from './core/rules/gatekeeper.ts'
import { comfortLimits } from './core/motion/profile.ts'
import { closedRules, rulesFor } from './core/rules/restrictions.ts'
import { obstaclesOf, poseOf, velocityOf } from './core/space/world.ts'
import {
  type Configuration,
  parseConfiguration,
  type RobotConfiguration,
} from './core/vocabulary/configuration.ts'
import { MechosError, messageOf } from './core/vocabulary/errors.ts'
import type { Twist } from './core/vocabulary/geometry.ts'
import type { Intent } from './core/vocabulary/intent.ts'
import { nearestByEighths, type Observation } from './core/vocabulary/observation.ts'
import type { Scene } from './core/vocabulary/scene.ts'
import type { HaltReport, Report, Status } from './core/vocabulary/status.ts'
import type { Verdict } from './core/vocabulary/verdict.ts'
import type { Body, BodyFacts } from './drivers/body.ts'
import type { Camera } from './drivers/camera.ts'
import { type Clock, wallClock } from './drivers/clock.ts'
import { MotionGate } from './drivers/gate.ts'
import { randomStream } from './drivers/random.ts'
import { simulatedBody } from './drivers/simulated/body.ts'
import { agentMachine, type Orientation } from './machines/agent.machine.ts'
import { boardMachine } from './machines/board.machine.ts'
import type { Claim, kernelMachine } from './machines/kernel.machine.ts'
import { llmMachine } from './machines/llm.machine.ts'
import type { motionMachine } from './machines/motion.machine.ts'
import { perceptionMachine } from './machines/perception.machine.ts'
import { relaysMachine } from './machines/relays.machine.ts'
import { type RobotCommand, robotMachine } from './machines/robot.machine.ts'
import type { sensorMachine } from './machines/sensor.machine.ts'

/** What a robot may be given; everything has a default but the configuration. */
export interface RobotOptions {
  /** The hardware. Default: a simulation of whatever the configuration declares. */
  readonly body?: Body
  /** Cameras beside the body. */
  readonly cameras?: readonly Camera[]
  /** Default: the machine's monotonic clock. Give a `virtualClock()` to decide yourself when time passes. */
  readonly clock?: Clock
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

const noLog: Log = { info() {}, warn() {}, error() {} }

/**
 * Puts a robot together and binds everything: charts, streams, gate and body. Nothing runs before `start`.
 * Throws ERR_CONFIGURATION when the configuration is not valid.
 */
export function createRobot(config: RobotConfiguration, options: RobotOptions = {}): Robot {
  const configuration = parseConfiguration(config)
  const clock = options.clock ?? wallClock()
  const seed = options.seed ?? 1
  const log = options.log ?? noLog
  const body = options.body ?? simulatedBody(configuration, { clock, seed })
  const cameras = options.cameras ?? []
  const grants = new Set(configuration.grants)
  const build = buildOf(configuration, !options.body && configuration.body.kind === 'simulated')
  const perceived = senses(build.anatomy)
  const judgements = new Subject<Judgement>()
  const stateListeners = new Set<(state: string) => void>()
  const gate = new MotionGate(body, clock)
  const began = { robotMs: clock.now(), wallMs: wallClock() }
  const wallStartMs = began.wallMs.now()
  const loopDelay = monitorEventLoopDelay({ resolution: 5 })
  let facts: BodyFacts | undefined
  let halted: HaltReport | undefined
  let confirmation: Promise<HaltReport> | undefined
  let stopping: Promise<Report> | undefined

  const scene = (): Scene => ({
    footprintMetres: build.anatomy.footprintMetres,
    obstacles: obstaclesOf(perceived.world.value),
    sectors: build.sectors,
    stale: find.perception()?.getSnapshot().context.stale ?? ['perception'],
    blindCreep: configuration.blindCreep,
  })

  const understand = ({ sighting, goal, history }: Orientation): Observation => {
    const surroundings = scene()
    return {
      stampMs: sighting.stampMs,
      goal,
      history,
      pose: poseOf(sighting.world),
      velocity: velocityOf(sighting.world),
      scene: surroundings,
      nearest: nearestByEighths(surroundings.obstacles),
      battery: sighting.world.battery?.charge,
      limits: find.kernel()?.getSnapshot().context.rules.limits ?? configuration.limits,
      canDrive: configuration.body.wheels !== undefined && grants.has('drive'),
      relays: configuration.body.relays
        .map(({ name }) => name)
        .filter((name) => grants.has(`relay:${name}`)),
    }
  }

  /** Trips the gate, and gathers the evidence of that halt. */
  const trip = (cause: string, epoch?: number): Promise<HaltReport> => {
    gate.trip(cause, epoch)
    const atMs = clock.now()
    confirmation = body.confirm().then((evidence) => {
      halted = { evidence, ms: round(clock.now() - atMs) }
      return halted
    })
    return confirmation
  }

  const arm = (): void => {
    try {
      options.beforeMotion?.()
    } catch (error) {
      refuseToMove(`arming failed: ${messageOf(error)}`)
    }
  }

  const refuseToMove = (cause: string): void => {
    void trip(cause)
    root.send({ type: 'robot.halt', cause })
  }

  const brain =
    options.brain ??
    (configuration.brain.url === 'explorer'
      ? explorer(randomStream(seed, 'explorer').uniform)
      : modelBrain(configuration.brain.model ?? 'model', () => find.llm()))

  const reflex = createReflex({
    clock,
    body,
    gate,
    drive: build.anatomy.drive,
    fullSpeed: configuration.body.wheels?.fullSpeed ?? 1,
    limits: comfortLimits(configuration.limits),
    leaseMs: configuration.leaseMs,
    openLoop: () => perceived.world.value.encoders === undefined,
    motion: () => find.motion(),
    kernel: () => find.kernel(),
    scene,
    feel: (commanded) => perceived.readings.next(commanded),
    beat: (stampMs) => root.send({ type: 'robot.beat', stampMs }),
    refused: (order, verdict) => {
      if (order.source === 'agent' && !verdict.permitted) {
        find.agent()?.send({ type: 'intent.refused', message: verdict.message })
      }
    },
    failed: refuseToMove,
  })

  const machine = robotMachine.provide({
    actors: {
      board: boardMachine.provide({
        actors: {
          openBody: openBody(body, (reported) => {
            facts = reported
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
          switchRelay: (_, { relay, on }) => guarded(() => gate.write({ kind: 'relay', name: relay, on })),
        },
      }),
      llm: llmMachine.provide({ actors: { complete: complete(endpointOf(configuration, options.key)) } }),
      agent: agentMachine.provide({
        actors: {
          observe: observe(() => ({ stampMs: clock.now(), world: perceived.world.value })),
          orient: orient(understand),
          decide: decide(brain),
          gatekeep: gatekeep(
            (claim) => find.kernel()?.send({ type: 'kernel.judge', claim, scene: scene() }),
            judgements,
          ),
        },
      }),
    },
    actions: {
      tripGate: (_, { causes }) => void trip(causes.at(-1) ?? 'halted'),
      armBody: arm,
      stampBeat: (_, { stampMs }) => gate.beat(stampMs),
    },
  })

  /** Anything that moves or switches, made total: a throw halts. */
  const guarded = (act: () => void): void => {
    try {
      act()
    } catch (error) {
      refuseToMove(messageOf(error))
    }
  }

  const root = createActor(machine, {
    clock,
    input: {
      unclean: options.unclean,
      goal: configuration.goal,
      rules: closedRules(configuration),
      grants,
      sensors: build.sensors,
      model: {
        limitTokens: configuration.brain.budgetTokens,
        capTokens: replyTokensMax,
        deadlineMs: configuration.brain.deadlineMs,
      },
    },
  })

  const find = finder(root)
  let kernelHeard: unknown
  let agentHeard: unknown

  /** Listens to children anew whenever the root has replaced them. */
  const attach = (): void => {
    const kernel = find.kernel()
    if (kernel && kernel !== kernelHeard) {
      kernelHeard = kernel
      kernel.on('kernel.verdict', ({ claim, verdict }) => {
        reflex.hear(claim, verdict)
        judgements.next({ claim, verdict })
        if (!verdict.permitted) log.info({ rule: verdict.rule }, `refused: ${verdict.message}`)
      })
      restrict()
    }
    const agent = find.agent()
    if (agent && agent !== agentHeard) {
      agentHeard = agent
      agent.on('order.given', ({ intent, epoch }) => carryOut(intent, epoch))
      agent.on('order.withdrawn', () => reflex.withdraw('agent'))
    }
  }

  /** Tells the kernel what this body, as it reported itself, may do. */
  const restrict = (): void => {
    if (!facts) return
    const rules = rulesFor(configuration, {
      simulated: body.kind === 'simulated',
      deadman: facts.deadman,
    })
    find.kernel()?.send({ type: 'kernel.restrict', rules })
  }

  const carryOut = (intent: Intent, epoch: number): void => {
    if (intent.type === 'setRelay') {
      find.relays()?.send({ type: 'relays.set', relay: intent.relay, on: intent.on })
    }
    if (intent.type === 'drive') {
      const untilMs = clock.now() + intent.durationMs
      reflex.give({ intent, source: 'agent', epoch, untilMs })
      return
    }
    reflex.withdraw('agent')
    find.motion()?.send({ type: 'motion.stop' })
  }

  let lastState = ''
  root.subscribe({
    next: (snapshot) => {
      attach()
      if (snapshot.status === 'active' && snapshot.hasTag('motion')) {
        guarded(() => gate.allow(snapshot.context.epoch))
      } else if (gate.isOpen) {
        gate.shut()
      }
      const state = stateOf(snapshot)
      if (state === lastState) return
      lastState = state
      log.info({ state, epoch: snapshot.context.epoch, causes: snapshot.context.causes }, state)
      if (state === 'standby') restrict()
      for (const listener of stateListeners) listener(state)
    },
    error: (error) => {
      void trip(`the root failed: ${messageOf(error)}`)
      log.error({ error: messageOf(error) }, 'the root failed; the motion gate is shut for good')
      for (const listener of stateListeners) listener('failed')
    },
    complete: () => gate.trip('the root has ended'),
  })

  const account = () => ({
    configuration,
    run: runName(configuration.name, seed, options.clock !== undefined, wallStartMs),
    seed: options.seed,
    brain: brain.name,
    body,
    facts,
    world: perceived.world.value,
    root: root.getSnapshot(),
    kernel: find.kernel(),
    agent: find.agent(),
    llm: find.llm(),
    sensors: Object.fromEntries(
      build.sensors.map(({ name }) => [name, String(find.sensor(name)?.getSnapshot().value ?? 'absent')]),
    ),
    halt: halted,
  })

  const booted = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const subscription = root.subscribe({
        next: (snapshot) => {
          if (snapshot.matches('booting')) return
          queueMicrotask(() => subscription.unsubscribe())
          if (snapshot.context.linked) resolve()
          else reject(bootError(find.board()?.getSnapshot().context.error, snapshot.context.causes))
        },
        error: reject,
      })
    })

  const halt = (cause = 'asked to halt'): Promise<HaltReport> => {
    const evidence = trip(cause)
    if (root.getSnapshot().status !== 'active') return evidence
    root.send({ type: 'robot.halt', cause })
    return confirmation ?? evidence
  }

  const finish = async (): Promise<Report> => {
    if (!root.getSnapshot().matches('halted')) await halt('end of run')
    await confirmation
    reflex.stop()
    const report = reportOf(account(), {
      seconds: round((clock.now() - began.robotMs) / 1000),
      wallSeconds: round((began.wallMs.now() - wallStartMs) / 1000),
      delay: {
        p50: round(loopDelay.percentile(50) / 1e6),
        p99: round(loopDelay.percentile(99) / 1e6),
        max: round(loopDelay.max / 1e6),
      },
    })
    root.send({ type: 'robot.shutdown' })
    loopDelay.disable()
    await Promise.all([body.close(), ...cameras.map((camera) => camera.close())])
    return report
  }

  return {
    async start() {
      loopDelay.enable()
      body.onReading((reading) => perceived.readings.next(reading))
      const isBooted = booted()
      root.start()
      reflex.start()
      for (const camera of cameras) watchCamera(camera)
      await isBooted
      if (body.kind === 'simulated' && options.selfArm !== false && !options.unclean) {
        root.send({ type: 'robot.arm', epoch: root.getSnapshot().context.epoch })
        root.send({ type: 'robot.resume' })
      }
    },
    send(command) {
      const before = root.getSnapshot()
      if (command.type === 'robot.halt') {
        void halt(command.cause)
      } else if (before.status === 'active' && before.can(command)) {
        root.send(command)
      } else {
        return { ok: false, message: whyNot(command, before) }
      }
      const after = root.getSnapshot()
      return { ok: true, state: stateOf(after), epoch: after.context.epoch }
    },
    drive({ linear, angular }) {
      const { epoch } = root.getSnapshot().context
      const intent = { type: 'drive', linear, angular, durationMs: manualLeaseMs } as const
      const claim: Claim = { source: 'operator', intent, epoch, renewal: false }
      let verdict: Verdict = refuse('kernel', 'absent', 'a kernel', 'the kernel is not running')
      const heard = judgements.subscribe((judgement) => {
        if (judgement.claim === claim) verdict = judgement.verdict
      })
      find.kernel()?.send({ type: 'kernel.judge', claim, scene: scene() })
      heard.unsubscribe()
      if (verdict.permitted) {
        reflex.give({ intent, source: 'operator', epoch, untilMs: clock.now() + manualLeaseMs })
      }
      return verdict
    },
    halt,
    snapshot: () => statusOf(account()),
    onState(listener) {
      stateListeners.add(listener)
      return () => stateListeners.delete(listener)
    },
    stop() {
      stopping ??= finish()
      return stopping
    },
  }

  function watchCamera(camera: Camera): void {
    camera.onFrame((frame) => perceived.readings.next(frame))
    camera.onLost((cause) => log.warn({ camera: camera.name }, cause))
    camera.open().catch((error: unknown) => log.warn({ camera: camera.name }, messageOf(error)))
  }
}

/** The most tokens that one reply may have. */
const replyTokensMax = 400

function endpointOf({ brain }: Configuration, key: string | undefined): Endpoint {
  return {
    url: brain.url,
    model: brain.model ?? 'default',
    key: key ?? 'none',
    deadlineMs: brain.deadlineMs,
  }
}

/** The root's children by name, as they are at the moment of asking. */
function finder(root: ActorRefFrom<typeof robotMachine>) {
  const get = <Machine extends AnyStateMachine>(name: string) => (): ActorRefFrom<Machine> | undefined =>
    root.system.get(name)
  return {
    board: get<typeof boardMachine>('board'),
    kernel: get<typeof kernelMachine>('kernel'),
    motion: get<typeof motionMachine>('motion'),
    relays: get<typeof relaysMachine>('relays'),
    perception: get<typeof perceptionMachine>('perception'),
    llm: get<typeof llmMachine>('llm'),
    agent: get<typeof agentMachine>('agent'),
    sensor: (name: string) => get<typeof sensorMachine>(`sensor.${name}`)(),
  }
}

/** Why a command was not carried out, and what would help. */
function whyNot(command: RobotCommand, snapshot: SnapshotFrom<typeof robotMachine>): string {
  const state = stateOf(snapshot)
  const { epoch, linked } = snapshot.context
  switch (command.type) {
    case 'robot.arm':
      if (state !== 'standby') return `arm: the robot is ${state}; it can be armed in standby only`
      return `arm: epoch ${command.epoch} is not allowed; the present one is ${epoch}`
    case 'robot.reset':
      if (state !== 'halted') return `reset: the robot is ${state}; only a halted robot is reset`
      return linked ? 'reset: a child is still missing' : 'reset: the body is not there yet'
    case 'robot.resume':
    case 'robot.takeOver':
      return `${command.type.slice(6)}: the robot is ${state}; arm it first`
    case 'robot.pause':
    case 'robot.release':
    case 'robot.goal':
    case 'robot.halt':
    case 'robot.shutdown':
      return `${command.type.slice(6)}: not possible while the robot is ${state}`
  }
}

function bootError(error: unknown, causes: readonly string[]): Error {
  if (error instanceof MechosError) return error
  return new MechosError('ERR_BOARD_LOST', causes.join('; ') || 'the body did not open', { cause: error })
}

function runName(name: string, seed: number, isRepeatable: boolean, wallMs: number): string {
  return isRepeatable ? `${name}-seed-${seed}` : `${name}-${Math.round(wallMs)}`
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
