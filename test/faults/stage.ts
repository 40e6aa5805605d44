import type { EventEmitter } from 'node:events'
import type { AnyActorRef, AnyActorScope, EventObject, InspectionEvent } from 'xstate'
import { prepareChat } from '../../actors/chat.ts'
import type { Brain } from '../../actors/deliberation.ts'
import { explorer } from '../../actors/explorer.ts'
import type { RobotConfiguration } from '../../core/vocabulary/configuration.ts'
import type { ImageReading, Reading } from '../../core/vocabulary/reading.ts'
import type { Body, GuardianFact } from '../../drivers/body.ts'
import type { Camera } from '../../drivers/camera.ts'
import { type VirtualClock, virtualClock } from '../../drivers/clock.ts'
import { subscribe } from '../../drivers/listeners.ts'
import { randomStream } from '../../drivers/random.ts'
import type { robotMachine } from '../../machines/robot.machine.ts'
import { createRobotWith } from '../../robot.ts'
import type { Robot, RobotOptions } from '../../robot/contract.ts'
import { type HandMadeBody, handMadeBody, twoWheels } from '../support/hand-made-body.ts'
import {
  type Ask,
  broken,
  type Fault,
  faultyCall,
  faultyObject,
  type Gift,
  makeFaulty,
  type Note,
} from './faulty.ts'
import { type Slot, slotsOf } from './slots.ts'

// What takes real time when it is done for the first time is done before any time is made up.
await prepareChat()

/** One slot that fails in one way, from the start of the robot or once it has moved. */
export interface Injection {
  readonly slot: string
  readonly fault: Fault
  readonly since: 'start' | 'motion'
}

/** What a person and the world do while the robot runs. Begins with a robot that was made and nothing more. */
export interface Scenario {
  readonly name: string
  readonly configuration?: RobotConfiguration
  readonly options?: RobotOptions
  /** Default: it lights its lamp and explores. `configured` is what the configuration names. */
  readonly brain?: Brain | 'configured'
  /** Changes the charts before any fault is put in. */
  readonly machine?: (bound: typeof robotMachine, isBroken: () => boolean) => void
  play(stage: Stage): Promise<void>
}

export interface Stage {
  readonly robot: Robot
  readonly body: StageBody
  readonly camera: StageCamera
  readonly clock: VirtualClock
  /** Lets that much time pass; ends the play when the fault has shown itself. */
  pass(milliseconds: number): Promise<void>
  /** Starts, arms and resumes, and lets it drive until it has moved; from now on a fault since `motion` is there. */
  drive(): Promise<void>
  /** Starts it, and lets a tenth of a second pass. */
  begin(): Promise<void>
  /** From now on a fault since `motion` is there. */
  moved(): void
  /** Takes the hand off the enabling device, which it holds while the robot is armed. */
  letGo(): void
  takeHold(): void
  /** What the scenario itself has made breakable is broken until it is mended. */
  break(): void
  mend(): void
  tellChild(systemId: string, event: EventObject): void
}

/** A body by hand with everything that a body may have. */
export type StageBody = HandMadeBody & Required<Body> & Mouth

/** A camera that shows what it is told to. */
export interface StageCamera extends Camera {
  show(frame: ImageReading): void
  lose(cause: string): void
}

interface Mouth {
  tell(fact: GuardianFact): void
  say(reading: Reading): void
}

/** How often a slot is used, before and after the robot has moved. */
export interface Uses {
  start: number
  motion: number
  /** True when the body is armed at the first use after it. */
  isArmed: boolean
}

/** What became of one run. */
export interface Outcome {
  /** When the fault first showed itself, in ms on the robot's clock; undefined when its slot was never used. */
  readonly atMs: number | undefined
  /** Ms from then until every output was safe for the rest of that second, or for the first time after it. */
  readonly stillAfterMs: number | undefined
  /** True when every output was safe during the five seconds after that second. */
  readonly staysStill: boolean
  /** The same of the wheels alone. */
  readonly wheelsStill: boolean
  /** True when every output was safe at the end of them. */
  readonly isStillAtEnd: boolean
  /** The state then, before anybody did anything about it. `not made` when there is no robot. */
  readonly state: string
  readonly causes: readonly string[]
  /** After a person has halted it: every output was safe at once, and a while later. */
  readonly haltedSafe: boolean
  readonly haltedState: string
  /** How often the body was told that the robot lives, after the scenario. */
  readonly beats: number
  /** What reached the process itself. */
  readonly uncaught: readonly string[]
  /** How each slot was used in the scenario itself. */
  readonly uses: ReadonlyMap<string, Uses>
  /** What drivers and users gave back in each. */
  readonly gives: ReadonlyMap<string, Gift>
  readonly attached: ReadonlySet<string>
  readonly slots: readonly Slot[]
}

/** The end of a scenario in which the fault has shown itself: from then on nobody touches the robot. */
class Shown extends Error {}

/** Plays a scenario with a fault in it, and looks on for six seconds. Without a fault it finds out which slots are used. */
export async function perform(scenario: Scenario, injection?: Injection): Promise<Outcome> {
  const clock = virtualClock()
  const body = stageBody(clock)
  const watch = watchSlots(injection, clock, body)
  const processWide = listenToProcess()
  let made: Made
  try {
    made = makeRobot(scenario, body, clock, watch, injection)
  } catch {
    processWide.end()
    return { ...notMade, atMs: watch.atMs }
  }
  const { robot } = made
  try {
    await scenario.play(stageOf(made, body, clock, watch))
  } catch (error) {
    if (!(error instanceof Shown)) throw error
  }
  watch.isPlayed = true
  // Without a fault there is nothing to look for.
  const seen = await lookOn(made, body, clock, injection ? watch.shownMs : -Infinity)
  const { state, causes } = robot.snapshot()
  const halting = robot.halt('end of the test')
  const isSafeAtOnce = isSafe(body)
  await clock.advance(200)
  const haltedSafe = isSafeAtOnce && isSafe(body)
  const haltedState = robot.snapshot().state
  // What hangs is waited for on the wall's clock, which is somebody else's test.
  if (injection?.fault === 'hang') watch.isOver = true
  await Promise.allSettled([halting, robot.stop()])
  watch.isOver = true
  await allReported()
  const uncaught = processWide.end()
  const { atMs, beats, gives, uses } = watch
  const { attached, slots } = made
  return {
    ...seen,
    atMs,
    state,
    causes,
    haltedSafe,
    haltedState,
    beats,
    uncaught,
    uses,
    gives,
    attached,
    slots,
  }
}

const notMade = {
  stillAfterMs: 0,
  staysStill: true,
  wheelsStill: true,
  isStillAtEnd: true,
  state: 'not made',
  causes: [],
  haltedSafe: true,
  haltedState: 'not made',
  beats: 0,
  uncaught: [],
  uses: new Map(),
  gives: new Map(),
  attached: new Set<string>(),
  slots: [],
}

/** Counts the uses of slots, and has one of them fail. */
interface Watch {
  readonly ask: Ask
  readonly note: Note
  readonly uses: Map<string, Uses>
  readonly gives: Map<string, Gift>
  readonly beats: number
  readonly atMs: number | undefined
  /** Since when the robot is looked at. */
  readonly shownMs: number
  /** The fault is there, and whoever plays may go. */
  readonly isShown: boolean
  hasMoved: boolean
  isPlayed: boolean
  isOver: boolean
}

function watchSlots(injection: Injection | undefined, clock: VirtualClock, body: StageBody): Watch {
  const uses = new Map<string, Uses>()
  const gives = new Map<string, Gift>()
  let atMs: number | undefined
  let beats = 0
  const watch = {
    uses,
    gives,
    hasMoved: false,
    isPlayed: false,
    isOver: false,
    get beats() {
      return beats
    },
    get atMs() {
      return atMs
    },
    get shownMs() {
      return injection?.since === 'motion' ? (atMs ?? clock.now()) : clock.now()
    },
    get isShown() {
      return atMs !== undefined && (watch.hasMoved || injection?.since === 'motion')
    },
    ask(slot: string) {
      if (watch.isOver) return undefined
      if (watch.isPlayed && slot === 'body/beat') beats += 1
      if (!watch.isPlayed) {
        const count = uses.get(slot) ?? { start: 0, motion: 0, isArmed: false }
        uses.set(slot, count)
        count[watch.hasMoved ? 'motion' : 'start'] += 1
        if (watch.hasMoved && count.motion === 1) count.isArmed = body.isArmed
      }
      if (slot !== injection?.slot) return undefined
      if (injection.since === 'motion' && !watch.hasMoved) return undefined
      if (!watch.isPlayed) atMs ??= clock.now()
      return injection.fault
    },
    note: (slot: string, given: Gift) => void gives.set(slot, given),
  }
  return watch
}

interface Made {
  readonly robot: Robot
  readonly camera: StageCamera
  /** The names of all listeners that it has attached. */
  readonly attached: ReadonlySet<string>
  readonly slots: readonly Slot[]
  /** What the scenario has made breakable is broken now. */
  isBroken: boolean
  /** A person holds the enabling device whenever the robot is armed. */
  isHeld: boolean
  root: AnyActorRef | undefined
}

/** The real robot, with a question in every slot of it. */
function makeRobot(
  scenario: Scenario,
  body: StageBody,
  clock: VirtualClock,
  { ask, note }: Watch,
  injection: Injection | undefined,
): Made {
  const { brain = wanderer(), options = {} } = scenario
  const faulty = <T extends object>(name: string, made: T) => faultyObject(name, made, ask, note)
  const state: Pick<Made, 'isBroken' | 'isHeld' | 'root'> = {
    isBroken: false,
    isHeld: true,
    root: undefined,
  }
  let slots: readonly Slot[] = []
  const camera = stageCamera()
  const attached = new Set<string>()
  const robot = createRobotWith(
    scenario.configuration ?? rover,
    {
      ...options,
      seed: 7,
      body: faulty('body', body),
      clock: faulty('clock', clock),
      ...(brain !== 'configured' && { brain: faulty('brain', brain) }),
      log: faulty('log', { info() {}, warn() {}, error() {} }),
      cameras: [faulty('camera', camera)],
      beforeMotion: faulty('user', { beforeMotion() {} }).beforeMotion,
    },
    {
      machine(bound) {
        scenario.machine?.(bound, () => state.isBroken)
        slots = slotsOf(bound)
        return watched(makeFaulty(bound, ask), (self) => {
          state.root = self
          // An observer costs as much as the charts that it watches.
          if (!injection || injection.slot.includes('inspection')) observe(self, ask)
        })
      },
      listener(name, hear) {
        attached.add(`listener/${name}`)
        return faultyCall(`listener/${name}`, hear, ask)
      },
    },
  )
  robot.onState(faulty('user', { onState() {} }).onState)
  return Object.assign(state, { robot, camera, attached, slots })
}

function stageOf(made: Made, body: StageBody, clock: VirtualClock, watch: Watch): Stage {
  const { robot } = made
  const isWaiting = () =>
    Math.hypot(body.at.x, body.at.y) < 0.1 && robot.snapshot().state === 'active.autonomous'
  const pass = async (milliseconds: number) => {
    for (let left = milliseconds; left > 0; left -= 20) {
      // oxlint-disable-next-line no-await-in-loop -- time passes step by step
      await clock.advance(Math.min(20, left))
      hold(made, clock)
      if (watch.isShown) throw new Shown()
    }
  }
  const moved = () => {
    watch.hasMoved = true
    if (watch.isShown) throw new Shown()
  }
  const begin = async () => {
    // A start that is refused is told by the state, which is looked at.
    robot.start().catch(() => undefined)
    await pass(100)
  }
  return {
    robot,
    body,
    camera: made.camera,
    clock,
    pass,
    begin,
    async drive() {
      await begin()
      robot.send({ type: 'robot.arm', epoch: robot.snapshot().epoch })
      robot.enable('hand', true)
      robot.send({ type: 'robot.resume' })
      // oxlint-disable-next-line no-await-in-loop -- time passes step by step
      for (let left = 75; left > 0 && isWaiting(); left--) await pass(20)
      moved()
    },
    moved,
    letGo() {
      made.isHeld = false
    },
    takeHold() {
      made.isHeld = true
    },
    break() {
      made.isBroken = true
    },
    mend() {
      made.isBroken = false
    },
    tellChild: (systemId, event) => made.root?.system.get(systemId)?.send(event),
  }
}

/** Says ten times a second whether a hand is on the enabling device. */
function hold({ isHeld, robot }: Made, clock: VirtualClock): void {
  if (clock.now() % 100 !== 0) return
  robot.enable('hand', isHeld && robot.snapshot().state.startsWith('active'))
}

function isSafe(body: StageBody): boolean {
  return body.outputs().every(({ safe }) => safe)
}

async function lookOn(made: Made, body: StageBody, clock: VirtualClock, shownMs: number) {
  let stillAfterMs: number | undefined
  let staysStill = true
  let wheelsStill = true
  for (let since = clock.now() - shownMs; since < 6_000; since = clock.now() - shownMs) {
    if (since > 1_000) wheelsStill &&= body.wheels.left === 0 && body.wheels.right === 0
    if (isSafe(body)) stillAfterMs ??= since
    else if (since <= 1_000) stillAfterMs = undefined
    else staysStill = false
    // oxlint-disable-next-line no-await-in-loop -- time passes step by step
    await clock.advance(20)
    hold(made, clock)
  }
  return { stillAfterMs, staysStill, wheelsStill, isStillAtEnd: isSafe(body) }
}

const processEvents = ['uncaughtException', 'unhandledRejection'] as const

/** Hears what nobody caught, in place of whoever would end the process because of it. */
function listenToProcess() {
  const heard: string[] = []
  const note = (error: unknown) => void heard.push(String(error))
  const emitter: EventEmitter = process
  const others = processEvents.map((event) => ({ event, listeners: emitter.rawListeners(event) }))
  for (const event of processEvents) {
    emitter.removeAllListeners(event)
    emitter.on(event, note)
  }
  return {
    end() {
      for (const { event, listeners } of others) {
        emitter.removeAllListeners(event)
        for (const listener of listeners) emitter.on(event, (...args) => listener(...args))
      }
      return heard
    },
  }
}

/** XState and RxJS report by a timer what nobody listens to. */
async function allReported(): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, 0)
  })
}

/** Tells of the root as it starts. */
function watched(root: typeof robotMachine, met: (self: AnyActorRef) => void): typeof robotMachine {
  const { start } = root
  return Object.assign(root, {
    start(snapshot: Parameters<typeof start>[0], { self }: AnyActorScope) {
      met(self)
      start(snapshot)
    },
  })
}

/** As whoever watches a robot's charts would. */
function observe({ system }: AnyActorRef, ask: Ask): void {
  system.inspect(({ type, actorRef }: InspectionEvent) => {
    const who = 'id' in actorRef && typeof actorRef.id === 'string' ? actorRef.id : ''
    const slot = `inspection/${type}/${who.startsWith('x:') ? 'robot' : who}`
    if (ask(slot) !== undefined) throw broken(slot)
  })
}

export const rover: RobotConfiguration = {
  ...twoWheels,
  body: { ...twoWheels.body, stopButtons: [], cameras: [{ name: 'eye' }] },
}

/** Switches the lamp on, then explores. */
function wanderer(): Brain {
  const { decide } = explorer(randomStream(7, 'explorer').uniform)
  let isLit = false
  return {
    name: 'wanderer',
    async decide(seen, signal) {
      if (isLit) return decide(seen, signal)
      isLit = true
      return { reason: 'light', intent: { type: 'setRelay', relay: 'lamp', on: true } }
    },
  }
}

function stageCamera(): StageCamera {
  const onFrames = new Set<(frame: ImageReading) => void>()
  const onLosses = new Set<(cause: string) => void>()
  return {
    name: 'eye',
    open: async () => {},
    onFrame: (listener) => subscribe(onFrames, listener),
    onLost: (listener) => subscribe(onLosses, listener),
    close: async () => {},
    show(frame) {
      for (const listener of onFrames) listener(frame)
    },
    lose(cause) {
      for (const listener of onLosses) listener(cause)
    },
  }
}

export function stageBody(clock: VirtualClock): StageBody {
  const made = handMadeBody(clock)
  const heir: HandMadeBody = Object.create(made)
  const guardians = new Set<(fact: GuardianFact) => void>()
  const listeners = new Set<(reading: Reading) => void>()
  return Object.assign(heir, {
    senses: ['encoders'] as const,
    beat() {},
    step: (milliseconds: number) => made.step?.(milliseconds),
    truth: () => ({
      pose: { stampMs: clock.now(), ...made.at },
      distanceMetres: 0,
      collisions: 0,
    }),
    onLost: (listener: (cause: string) => void) => made.onLost?.(listener) ?? (() => {}),
    onGuardian: (listener: (fact: GuardianFact) => void) => subscribe(guardians, listener),
    onReading(listener: (reading: Reading) => void) {
      const stop = made.onReading(listener)
      const stopToo = subscribe(listeners, listener)
      return () => {
        stop()
        stopToo()
      }
    },
    tell(fact: GuardianFact) {
      for (const listener of guardians) listener(fact)
    },
    say(reading: Reading) {
      for (const listener of listeners) listener(reading)
    },
  })
}
