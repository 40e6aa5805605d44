import { MechosError } from '../../core/vocabulary/errors.ts'
import { foot, type Hazard, type Ladder } from '../../core/rules/failsafe.ts'
import { emptyWorld } from '../../core/space/world.ts'
import type { Intent } from '../../core/vocabulary/intent.ts'
import type { Observation } from '../../core/vocabulary/observation.ts'
import type { AttemptFailure, Completion } from '../../core/vocabulary/question.ts'
import type { Verdict } from '../../core/vocabulary/verdict.ts'
import type { AgentContext } from '../agent.machine.ts'
import type { Claim, KernelContext } from '../kernel.machine.ts'
import type { LlmContext } from '../llm.machine.ts'
import type { MemoryContext, Written } from '../memory.machine.ts'
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
    cockpit,
    enabling,
    failsafe,
    guardian,
    kernel: kernelWith(input),
    llm,
    memory,
    motion,
    perception: perceptionWith(input),
    recorder: { events: { 'recorder.failed': [{ cause: 'the disk is full' }] } },
    relays: { events: { 'relays.set': [{ relay: 'lamp', on: true, leaseMs: 15_000 }] } },
    sensor: { input: { name: 'front' } },
  }
}

const still: Intent = { type: 'stop' }
const atRest: Intent = { type: 'drive', linear: 0, angular: 0, durationMs: 100 }
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

const cockpit: Examples = {
  events: {
    'cockpit.seated': [{ seats: { pages: 1, isDriven: true } }],
    'cockpit.faulted': [{ cause: 'the hub is broken' }],
    'cockpit.lost': [{ cause: 'the port is gone' }],
  },
  outputs: { bindCockpit: ['http://127.0.0.1:7077'] },
}

/** Two devices: who holds it, and who else there is. */
const devices = [{ device: 'thumb' }, { device: 'pedal' }]
const enabling: Examples = {
  events: { 'enabling.press': devices, 'enabling.release': devices },
  facts: ({
    device,
    proven = [],
  }: {
    readonly device?: string
    readonly proven?: readonly string[]
  }) => [device, proven.toSorted()],
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
    { source: 'agent', intent: atRest, epoch: 1, renewal: false },
  ]
  const { limits } = rules
  return {
    events: {
      'kernel.open': [{ epoch: 1 }],
      'kernel.override': [{ epoch: 1 }],
      'kernel.restrict': [{ rules }, { rules: { limits, approve: ['drive'] } }],
      'kernel.judge': claims.map((claim) => ({ claim, scene })),
      'kernel.number': [{ above: 0 }],
      'kernel.approve': [{ id: 1 }, { id: 7 }],
      'approval.expired': [
        { id: 1, stage: 'asked' },
        { id: 1, stage: 'given' },
      ],
    },
    facts: ({ approval, rules: present }: Partial<KernelContext>) => [
      approval?.stage,
      approval?.id === 1,
      present?.approve,
    ],
  }
}

const written: Written = { tally: { episodes: 1, notes: 0 }, left: 0 }

const memory: Examples = {
  events: { 'memory.noted': [{ isUrgent: false }, { isUrgent: true }] },
  outputs: {
    openMemories: [written.tally],
    writeMemories: [written, { ...written, left: 1 }],
    mendMemories: [written, { ...written, left: 1 }],
  },
  facts: ({ fault, isUrgent, waiting = 0 }: Partial<MemoryContext>) => [
    waiting > 0,
    isUrgent,
    fault !== undefined,
  ],
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
  obstacles: [],
  battery: undefined,
  limits: { linear: 0.3, angular: 1.5 },
  canDrive: true,
  relays: [],
  approve: [],
  history: [],
  answers: [],
  loop: undefined,
}

const asks = { id: 1, text: 'drive 0.00 m/s', choices: ['yes', 'no'] }

const agent: Examples = {
  events: {
    'agent.resume': [{ epoch: 1 }],
    'agent.goal': [{ text: 'find the door' }],
    'agent.answer': [
      { id: 1, text: 'yes' },
      { id: 1, text: 'no' },
      { id: 7, text: 'yes' },
    ],
    'intent.refused': [{ message: refused.message }],
  },
  outputs: {
    observe: [{ stampMs: 0, world: emptyWorld() }],
    orient: [observation],
    decide: [{ reason: 'nothing to do', intent: still }],
    gatekeep: [permitted, refused, { ...permitted, asks }, { ...refused, rule: 'approval', asks }],
  },
  facts: ({ question }: Partial<AgentContext>) => question?.kind,
}

const failure: AttemptFailure = {
  code: 'ERR_BRAIN_UNREACHABLE',
  message: 'the endpoint is busy',
  outcome: { kind: 'unsent' },
  retryable: true,
}

const completion: Completion = {
  content: '{"reason":"to rest","intent":{"type":"stop"}}',
  finish: 'stop',
  usage: { promptTokens: 100, completionTokens: 20 },
}

const endpointLimits = { capTokens: 100, deadlineMs: 1_000 }

const llm: Examples = {
  input: { endpoints: [endpointLimits, endpointLimits] },
  events: {
    'llm.ask': [1, 2].map((id) => ({ question: { id, messages: [], schema: {} } })),
    'llm.abort': [{ id: 1 }, { id: 2 }],
    'endpoint.rested': [{ endpoint: 0 }, { endpoint: 1 }],
    'budget.noted': (['ample', 'low', 'exhausted'] as const).map((level) => ({
      note: { level, cause: level },
    })),
  },
  outputs: {
    reserve: [{ id: 'run-1', worst: { tokens: 200, nanoUsd: 0 }, capTokens: 100 }],
    complete: [completion, { ...completion, finish: 'oversized' }],
    settle: [{ overbilled: false }, { overbilled: true }],
  },
  errors: {
    reserve: [
      new MechosError('ERR_BUDGET_EXHAUSTED', 'nothing is left'),
      new MechosError('ERR_BUDGET_UNKEPT', 'the disk is full'),
    ],
    complete: [
      failure,
      { ...failure, adapted: true },
      { ...failure, retryable: false },
      { ...failure, retryable: false, retryAfterMs: 20_000 },
      new Error('the connection broke'),
    ],
  },
  facts: (context: Partial<LlmContext>) => [
    context.endpoint,
    // A server that asks for a pause opens its circuit at once, so that nobody has to count up to that.
    context.failures?.map((count, index) => [index === 0 && count > 0, count > 3, count > 4]),
    context.next?.id,
    [context.failure?.retryable, context.failure?.adapted, context.failure?.blameless],
    context.failure?.retryAfterMs,
    context.completion?.finish,
  ],
}
