import { openLedger, remainingTokens } from '../../core/budget/ledger.ts'
import { foot, type Hazard, type Ladder } from '../../core/rules/failsafe.ts'
import { emptyWorld } from '../../core/space/world.ts'
import type { Intent } from '../../core/vocabulary/intent.ts'
import type { Observation } from '../../core/vocabulary/observation.ts'
import type { Verdict } from '../../core/vocabulary/verdict.ts'
import type { Claim } from '../kernel.machine.ts'
import type { AttemptFailure, Completion, LlmContext } from '../llm.machine.ts'
import type { WatchedSensor } from '../perception.machine.ts'
import type { RobotInput } from '../robot.machine.ts'
import type { Literal } from './marks.ts'

/** What a machine is told when it is explored: an example or two of each thing that may happen to it. */
export interface Examples {
  readonly input?: unknown
  /** What comes with each type of event. A type that carries nothing needs no example. */
  readonly events?: Readonly<Record<string, readonly Literal[]>>
  /** How its actors may end well, by their ids. */
  readonly outputs?: Readonly<Record<string, readonly unknown[]>>
  /** How they may fail, where it matters how. */
  readonly errors?: Readonly<Record<string, readonly unknown[]>>
  /** What tells two of its states apart beside their names. Default: which parts of its context are there at all. */
  facts?(context: object): unknown
}

/** The examples for each chart, by its id. */
export function examplesFor(input: RobotInput): Readonly<Record<string, Examples>> {
  return {
    agent,
    board,
    failsafe,
    guardian,
    kernel: kernelWith(input),
    llm,
    motion,
    perception: perceptionWith(input),
    relays: { events: { 'relays.set': [{ relay: 'lamp', on: true, leaseMs: 15_000 }] } },
    sensor: { input: { name: 'front' } },
  }
}

const still: Intent = { type: 'stop' }
const permitted: Verdict = { permitted: true, intent: { type: 'wait', durationMs: 100 } }
const refused: Verdict = {
  permitted: false,
  rule: 'locked',
  value: 'agent',
  limit: 'nobody',
  message: 'the robot is not armed for motion',
}
const scene = { footprintMetres: 0.2, obstacles: [], sectors: [], stale: [], blindCreep: false }

const board: Examples = {
  events: { 'board.lost': [{ cause: 'the cable was pulled' }] },
  outputs: { openBody: [{ firmware: 'StandardFirmata 2.5', deadman: true }] },
}

const hazard: Hazard = {
  name: 'low battery',
  rung: 'warn',
  clears: 'byItself',
  takeover: 'afterHold',
}

/** One hazard for each way in which they differ. */
const hazards: readonly Hazard[] = [
  hazard,
  { ...hazard, name: 'near obstacle', rung: 'slow' },
  { ...hazard, name: 'stale lidar', rung: 'hold' },
  { ...hazard, name: 'out of reach', rung: 'hold', clears: 'byOperator', takeover: 'bySwitch' },
  { ...hazard, name: 'far from home', rung: 'return' },
  { ...hazard, name: 'flat battery', rung: 'halt', clears: 'byOperator', takeover: 'never' },
  { ...hazard, name: 'tilted over', rung: 'halt', clears: 'never', takeover: 'never' },
]

const failsafe: Examples = {
  events: {
    'failsafe.sensed': [[], ...hazards.map((one) => [one])].flatMap((sensed) =>
      [0, 20_000].flatMap((stampMs) =>
        [true, false].map((isArmed) => ({ hazards: sensed, stampMs, isArmed, canReturn: isArmed })),
      ),
    ),
  },
  facts: ({ ladder = foot }: { readonly ladder?: Ladder }) => [
    ladder.rung,
    ladder.causes.map(({ name, stands }) => `${name} ${stands}`).toSorted(),
    ladder.isTakenOver,
    ladder.isArmed,
    ladder.pauseMs > 0,
    ladder.allowanceMs > 0,
  ],
}

const guardian: Examples = {
  events: {
    'guardian.tripped': [{ cause: 'the guardian halted the body' }],
    'guardian.lost': [{ cause: 'the guardian process ended' }],
  },
}

function kernelWith({ rules }: RobotInput): Examples {
  const claims: readonly Claim[] = [
    { source: 'agent', intent: still, epoch: 1, renewal: false },
    { source: 'operator', intent: still, epoch: 1, renewal: true },
    { source: 'agent', intent: still, epoch: 0, renewal: false },
  ]
  return {
    events: {
      'kernel.open': [{ epoch: 1 }],
      'kernel.override': [{ epoch: 1 }],
      'kernel.restrict': [{ rules }],
      'kernel.judge': claims.map((claim) => ({ claim, scene })),
    },
  }
}

const motion: Examples = {
  input: { stopLimitMs: 3_000 },
  events: { 'motion.drive': [{ twist: { linear: 0.1, angular: 0 }, leaseMs: 500 }] },
}

/** Sensors are alike: a few of those that the robot has stand for all, beside one of either kind. */
const sensorsMax = 3

function perceptionWith({ sensors: all }: RobotInput): Examples {
  const sensors: readonly WatchedSensor[] = [
    ...all.slice(0, sensorsMax),
    { name: 'one that guards motion', guardsMotion: true },
    { name: 'one that does not', guardsMotion: false },
  ]
  const named = [...sensors.map(({ name }) => name), 'nobody'].map((sensor) => ({ sensor }))
  return {
    input: { sensors },
    events: {
      'perception.fresh': named,
      'perception.stale': named,
      'perception.unsound': named,
    },
    facts: ({ stale }: { readonly stale?: readonly string[] }) => stale?.toSorted(),
  }
}

const observation: Observation = {
  stampMs: 0,
  goal: undefined,
  pose: { x: 0, y: 0, heading: 0 },
  velocity: { linear: 0, angular: 0 },
  scene,
  nearest: [],
  battery: undefined,
  limits: { linear: 0.3, angular: 1.5 },
  canDrive: true,
  relays: [],
  history: [],
}

const agent: Examples = {
  events: {
    'agent.resume': [{ epoch: 1 }],
    'agent.goal': [{ text: 'find the door' }],
    'intent.refused': [{ message: refused.message }],
  },
  outputs: {
    observe: [{ stampMs: 0, world: emptyWorld() }],
    orient: [observation],
    decide: [{ reason: 'nothing to do', intent: still }],
    gatekeep: [permitted, refused],
  },
}

/** A budget of a few calls, so that every way of spending it is short. */
const limitTokens = 1_000
const capTokens = 100
const replyTokens = 166

const failure: AttemptFailure = {
  code: 'ERR_BRAIN_UNREACHABLE',
  message: 'the endpoint is busy',
  outcome: { kind: 'unsent' },
  retryable: true,
}

const completion: Completion = { content: '{}', usedTokens: replyTokens, finish: 'stop' }

const llm: Examples = {
  input: { limitTokens, capTokens, deadlineMs: 1_000 },
  events: {
    'llm.ask': [
      { question: { id: 1, messages: [], schema: {} } },
      {
        question: {
          id: 2,
          messages: [{ role: 'user', content: 'x'.repeat(limitTokens) }],
          schema: {},
        },
      },
    ],
  },
  outputs: { complete: [completion, { ...completion, usedTokens: undefined }] },
  errors: {
    complete: [
      failure,
      { ...failure, retryable: false },
      { ...failure, retryable: false, blameless: true },
      new Error('the connection broke'),
    ],
  },
  facts: ({ ledger, failuresInRow, retriesLeft, question }: Partial<LlmContext>) => [
    remainingTokens(ledger ?? openLedger(0)),
    failuresInRow,
    retriesLeft,
    question?.id,
  ],
}
