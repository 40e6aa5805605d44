import type { Judgement } from '../actors/deliberation.ts'
import type { Order } from '../actors/reflex.ts'
import { total } from '../actors/total.ts'
import { courseOf } from '../core/motion/course.ts'
import { boxesAround } from '../core/space/boxes.ts'
import { obstaclesOf, poseOf, velocityOf } from '../core/space/world.ts'
import { intentSchema } from '../core/vocabulary/intent.ts'
import type { Point, Pose } from '../core/vocabulary/geometry.ts'
import type { ImageReading } from '../core/vocabulary/reading.ts'
import type { WorldView } from '../inspector/cockpit/protocol.ts'
import type { Sighted } from '../inspector/cockpit/steered.ts'
import type { Parts } from './parts.ts'

/** The robot for people to look at. Nothing that moves is decided by it, and nothing in here halts the robot. */
export interface View {
  /** What it senses and does now. */
  world(): WorldView
  /** Of each camera the last frame. */
  frames(): readonly Sighted[]
}

/** The most points of a scan that people are shown: they are spread over all of it. */
const pointsMax = 720

/** For how long a drive that was refused is shown, in ms, and for how long its course is drawn at least, in seconds. */
export const refusedMsMax = 5_000
export const refusedSecondsMin = 1

/** Keeps of what comes by the last drive that was refused, and the last frame of each camera, until it is looked at. */
export function createView(parts: Parts): View {
  const { configuration, judgements, log, options, perceived } = parts
  const names = [...configuration.body.cameras, ...(options.cameras ?? [])].map(({ name }) => name)
  const frames = new Map<string, ImageReading | undefined>(names.map((name) => [name, undefined]))
  let refused: Refused | undefined
  const failed = (cause: string) => log.warn({}, `the view of the robot: ${cause}`)
  judgements.subscribe(
    total(failed, (judgement: Judgement) => {
      const { verdict } = judgement
      if (!verdict.permitted) refused = refusedBy(judgement, parts) ?? refused
      else if (verdict.intent.type === 'drive') refused = undefined
    }),
  )
  perceived.readings.subscribe(
    total(failed, (reading) => {
      if (reading.kind === 'image' && frames.has(reading.name)) frames.set(reading.name, reading)
    }),
  )
  return {
    world: () => worldOf(parts, refused),
    frames: () => [...frames].map(([name, frame]) => ({ name, frame })),
  }
}

type Refused = NonNullable<WorldView['refused']>

function worldOf(parts: Parts, refused: Refused | undefined): WorldView {
  const { body, clock, configuration, perceived, reflex } = parts
  const world = perceived.world.value
  const now = clock.now()
  const hasWheels = configuration.body.wheels !== undefined
  const { heading, ...at } = poseOf(world)
  return {
    atMs: now,
    pose: hasWheels ? { ...toMillimetre(at), heading } : null,
    covariance: hasWheels ? world.odometry.covariance : null,
    velocity: hasWheels ? velocityOf(world) : null,
    commanded: reflex.commanded,
    planned: parts.gate.isOpen ? plannedBy(reflex.order, poseOf(world), now) : null,
    refused: refused && now - refused.atMs <= refusedMsMax ? refused : null,
    geofence: configuration.geofence ?? null,
    obstacles: boxesAround(obstaclesOf(world)),
    scan: thinned(world.scan).map(toMillimetre),
    battery: world.battery?.charge ?? null,
    outputs: body.outputs().map(({ name, output, safe }) => ({ name, output, safe })),
  }
}

/** Where the order that is carried out leads until it ends by itself. */
function plannedBy(order: Order | undefined, pose: Pose, now: number): WorldView['planned'] {
  if (order?.intent.type !== 'drive') return null
  const { linear, angular } = order.intent
  const leftMs = order.untilMs - now
  if (!(leftMs > 0)) return null
  const way = courseOf(pose, { linear, angular }, leftMs / 1_000).map(toMillimetre)
  return { source: order.source, way, twist: { linear, angular }, leftMs }
}

/** A proposal that is no drive has no course. */
function refusedBy({ claim, verdict }: Judgement, parts: Parts): Refused | undefined {
  const { data: intent } = intentSchema.safeParse(claim.intent)
  if (verdict.permitted || intent?.type !== 'drive') return undefined
  const { angular, durationMs, linear } = intent
  const seconds = Math.max(refusedSecondsMin, durationMs / 1_000)
  const pose = poseOf(parts.perceived.world.value)
  return {
    source: claim.source,
    way: courseOf(pose, { linear, angular }, seconds).map(toMillimetre),
    twist: { linear, angular },
    rule: verdict.rule,
    message: verdict.message,
    atMs: parts.clock.now(),
  }
}

/** A scan with no more points than people are shown. */
export function thinned(points: readonly Point[]): readonly Point[] {
  const step = Math.ceil(points.length / pointsMax)
  return step > 1 ? points.filter((_, index) => index % step === 0) : points
}

/** A point as people are shown it. */
export function toMillimetre({ x, y }: Point): Point {
  return { x: Math.round(x * 1_000) / 1_000, y: Math.round(y * 1_000) / 1_000 }
}
