import { boxesAround } from '../core/space/boxes.ts'
import { obstaclesOf, poseOf, velocityOf } from '../core/space/world.ts'
import type { Point } from '../core/vocabulary/geometry.ts'
import type { WorldView } from '../inspector/cockpit/protocol.ts'
import type { Parts } from './parts.ts'

/** The most points of a scan that people are shown: they are spread over all of it. */
const pointsMax = 720

/** What the robot senses and does now, for people to look at. */
export function viewOf({ body, clock, configuration, perceived, reflex }: Parts): WorldView {
  const world = perceived.world.value
  const hasWheels = configuration.body.wheels !== undefined
  const { heading, ...at } = poseOf(world)
  return {
    atMs: clock.now(),
    pose: hasWheels ? { ...toMillimetre(at), heading } : null,
    velocity: hasWheels ? velocityOf(world) : null,
    commanded: reflex.commanded,
    obstacles: boxesAround(obstaclesOf(world)),
    scan: thinned(world.scan).map(toMillimetre),
    battery: world.battery?.charge ?? null,
    outputs: body.outputs().map(({ name, output, safe }) => ({ name, output, safe })),
  }
}

function thinned(points: readonly Point[]): readonly Point[] {
  const step = Math.ceil(points.length / pointsMax)
  return step > 1 ? points.filter((_, index) => index % step === 0) : points
}

function toMillimetre({ x, y }: Point): Point {
  return { x: Math.round(x * 1_000) / 1_000, y: Math.round(y * 1_000) / 1_000 }
}
