import { courseOf } from '../core/motion/course.ts'
import { twistFor } from '../core/motion/kinematics.ts'
import type {
  ChartValue,
  PastChart,
  PastReading,
  PastState,
  PastTurn,
} from '../core/record/past.ts'
import { type Anatomy, perceive } from '../core/space/perceive.ts'
import { boxesAround } from '../core/space/boxes.ts'
import { emptyWorld, obstaclesOf, type World } from '../core/space/world.ts'
import { type Pose, STILL, type Twist } from '../core/vocabulary/geometry.ts'
import type { ActorView, LoopView, Past, WorldView } from '../inspector/cockpit/protocol.ts'
import type { Recorded } from '../inspector/cockpit/steered.ts'
import type { RecordPast } from '../store/record-past.ts'
import type { Parts } from './parts.ts'
import { refusedMsMax, refusedSecondsMin, thinned, toMillimetre } from './view.ts'

type Configured = Pick<Parts, 'build' | 'configuration'>

/** What a robot's record shows of it, in the forms in which people are shown the present. */
export function pastOf(parts: Configured, record: RecordPast): Recorded {
  return {
    get reach() {
      return record.reach
    },
    at: async (atMs, signal) => shown(parts, await record.at(atMs, signal)),
  }
}

function shown(parts: Configured, state: PastState): Past {
  const { atMs, charts, events, turns } = state
  return {
    atMs,
    causes: charts.get('robot')?.causes ?? [],
    actors: [...charts].map(([name, chart]) => actorOf(name, chart)),
    world: worldOf(parts, state),
    turns: turns.map(turnOf),
    events,
  }
}

function actorOf(name: string, { actor, value, status, last }: PastChart): ActorView {
  const { id, machine, parent } = actor ?? { id: name, machine: name, parent: null }
  const active = activeIn(machine, value)
  return {
    id,
    parent,
    machine,
    status,
    active,
    last: last && {
      event: last.event,
      from: leavesOf(activeIn(machine, last.from)),
      to: leavesOf(active),
      transitions: [],
      atMs: last.atMs,
    },
    refused: [],
    context: {},
  }
}

/** Every state that is active, the machine first. */
function activeIn(id: string, value: ChartValue): readonly string[] {
  if (typeof value === 'string') return [id, `${id}.${value}`]
  return [id, ...Object.entries(value).flatMap(([key, inner]) => activeIn(`${id}.${key}`, inner))]
}

/** Those of them that hold no other. */
function leavesOf(active: readonly string[]): readonly string[] {
  return active.filter((id) => !active.some((other) => other.startsWith(`${id}.`)))
}

function turnOf(turn: PastTurn): LoopView {
  return { ...turn, prompt: 'not in the record', memories: null }
}

function worldOf({ build, configuration }: Configured, state: PastState): WorldView {
  const hasWheels = configuration.body.wheels !== undefined
  const { anatomy } = build
  const world = seenBy(state, anatomy)
  const pose = hasWheels ? state.pose : null
  return {
    atMs: state.atMs,
    pose: pose && { ...toMillimetre(pose), heading: pose.heading },
    covariance: null,
    planned: plannedIn(state),
    refused: refusedIn(state),
    geofence: configuration.geofence ?? null,
    velocity: hasWheels ? velocityOf(state, anatomy) : null,
    commanded: commandedIn(state, anatomy),
    obstacles: boxesAround(obstaclesOf(world)),
    scan: thinned(world.scan).map(toMillimetre),
    battery: world.battery?.charge ?? null,
    outputs: outputsOf(configuration, state),
  }
}

/** Where the drive that was under way led, as in the present; its end is that which it asked for. */
function plannedIn({ atMs, driven, pose }: PastState): WorldView['planned'] {
  const leftMs = (driven?.untilMs ?? 0) - atMs
  if (!driven || !pose || !(leftMs > 0)) return null
  const { source, twist } = driven
  return { source, twist, leftMs, way: courseOf(pose, twist, leftMs / 1_000).map(toMillimetre) }
}

function refusedIn({ atMs: nowMs, refused }: PastState): WorldView['refused'] {
  if (!refused?.pose || !(nowMs - refused.atMs <= refusedMsMax)) return null
  const { atMs, message, pose, rule, source, twist, untilMs } = refused
  const seconds = Math.max(refusedSecondsMin, (untilMs - atMs) / 1_000)
  return {
    source,
    twist,
    rule,
    message,
    atMs,
    way: courseOf(pose, twist, seconds).map(toMillimetre),
  }
}

/** What the robot made of the last readings of its sensors, each from where it was when it heard it. */
function seenBy({ heard, pose }: PastState, anatomy: Anatomy): World {
  const folded = Object.values(heard)
    .filter(({ reading }) => reading.kind !== 'encoders')
    .reduce((world, { reading, pose: from }: PastReading) => {
      return perceive(placed(world, from), reading, anatomy)
    }, emptyWorld())
  return placed(folded, pose)
}

function placed(world: World, pose: Pose | null): World {
  return pose ? { ...world, odometry: { ...world.odometry, pose } } : world
}

/** The mean over the last readings of the wheels, as the odometry has it; null without them. */
function velocityOf({ encoders }: PastState, { drive }: Anatomy): Twist | null {
  const first = encoders[0]
  const last = encoders.at(-1)
  if (!first || !last || !drive) return null
  const seconds = (last.stampMs - first.stampMs) / 1_000
  const left = (last.left - first.left) / seconds
  const right = (last.right - first.right) / seconds
  return Number.isFinite(left) && Number.isFinite(right) ? twistFor({ left, right }, drive) : null
}

function commandedIn({ told: { wheels } }: PastState, { drive }: Anatomy): Twist {
  return wheels && drive ? twistFor(wheels, drive) : STILL
}

/** What the outputs were told: whether they did it is not in the record. */
function outputsOf({ body }: Parts['configuration'], { told }: PastState): WorldView['outputs'] {
  const { wheels } = body
  const share = (speed: number) => Math.max(-1, Math.min(1, speed / (wheels?.fullSpeed ?? 1)))
  const { left, right } = told.wheels ?? { left: 0, right: 0 }
  return [
    ...(wheels
      ? [
          { name: 'left', output: share(left), safe: left === 0 },
          { name: 'right', output: share(right), safe: right === 0 },
        ]
      : []),
    ...body.relays.map(({ name, halt }) => {
      const isHigh = told.relays[name] ?? halt === 'high'
      return { name, output: isHigh ? 1 : 0, safe: isHigh === (halt === 'high') }
    }),
    ...body.servos.map(({ name }) => {
      const radians = told.servos[name]
      return { name, output: radians ?? null, safe: radians === undefined }
    }),
  ]
}
