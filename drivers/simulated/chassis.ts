import { footprintOf } from '../../core/vocabulary/configuration.ts'
import { type BodyConfiguration } from '../../core/vocabulary/parts.ts'
import { STILL, type Point, type Pose, type Twist } from '../../core/vocabulary/geometry.ts'
import type { Truth } from '../body.ts'
import { randomStream } from '../random.ts'
import { bearingsWithin, gapAt } from './contact.ts'
import type { Room } from './room.ts'
import { subStepSeconds } from './sub-step.ts'
import { makeWheel, type Wheel } from './wheel.ts'

/** What drives the wheels: the effort from -1 to 1 of each, and whether their motors have power at all. */
export interface Drive {
  readonly left: number
  readonly right: number
  readonly isPowered: boolean
}

/** The body of the robot in its room, as it really moves. Poses are in `odom`, bearings and velocity in `base_link`. */
export interface Chassis {
  readonly left: Wheel
  readonly right: Wheel
  readonly truth: Truth
  /** True velocity over the last sub-step. */
  readonly velocity: Twist
  /** Directions of what the footprint touches, in radians. */
  readonly contacts: readonly number[]
  /** Moves on by one sub-step. */
  advance(drive: Drive): void
}

const timeConstantMs = { powered: 80, coast: 40, brake: 10 }
/** Nearer is a touch; a further collision is counted only after the robot was at least `partedMetres` away. */
const touchMetres = 0.001
const partedMetres = 0.005
const approachSteps = 12

/** A robot at (0, 0) with heading 0, at rest. It is a circle of its footprint, and nothing lets it through. */
export function makeChassis(body: BodyConfiguration, room: Room, seed: number): Chassis {
  const radius = footprintOf(body)
  const left = makeWheel(randomStream(seed, 'slip:left'))
  const right = makeWheel(randomStream(seed, 'slip:right'))
  let truth: Truth = { pose: { x: 0, y: 0, heading: 0 }, distanceMetres: 0, collisions: 0 }
  let velocity = STILL
  let contacts: readonly number[] = []
  let isTouching = false

  const feel = () => {
    const { pose } = truth
    const gap = gapAt(room, pose, radius)
    contacts =
      gap <= touchMetres
        ? bearingsWithin(room, pose, radius + touchMetres).map((bearing) => bearing - pose.heading)
        : []
    if (gap <= touchMetres && !isTouching) {
      truth = { ...truth, collisions: truth.collisions + 1 }
      isTouching = true
    }
    if (gap > partedMetres) isTouching = false
  }

  const move = (forward: number, turn: number) => {
    const middle = truth.pose.heading + turn / 2
    const reached = reach(room, radius, truth.pose, {
      x: forward * Math.cos(middle),
      y: forward * Math.sin(middle),
    })
    const pose: Pose = { ...reached.point, heading: truth.pose.heading + turn }
    const travelled = forward * reached.fraction
    truth = { ...truth, pose, distanceMetres: truth.distanceMetres + Math.abs(travelled) }
    velocity = { linear: travelled / subStepSeconds, angular: turn / subStepSeconds }
    feel()
  }

  feel()
  return {
    left,
    right,
    get truth() {
      return truth
    },
    get velocity() {
      return velocity
    },
    get contacts() {
      return contacts
    },
    advance(drive) {
      if (!body.wheels) return
      const { radiusMetres, trackMetres, fullSpeed } = body.wheels
      const slow = unpoweredTimeConstants(body)
      const lag = (side: 'left' | 'right') =>
        drive.isPowered ? timeConstantMs.powered : slow[side]
      const leftMetres = left.advance(drive.left * fullSpeed, lag('left')) * radiusMetres
      const rightMetres = right.advance(drive.right * fullSpeed, lag('right')) * radiusMetres
      if (leftMetres === 0 && rightMetres === 0) velocity = STILL
      else move((leftMetres + rightMetres) / 2, (rightMetres - leftMetres) / trackMetres)
    },
  }
}

/** How each wheel runs down without power. A simulated body that declares nothing coasts. */
function unpoweredTimeConstants(body: BodyConfiguration): { left: number; right: number } {
  if (body.kind === 'simulated' || !body.wheels) {
    return { left: timeConstantMs.coast, right: timeConstantMs.coast }
  }
  return {
    left: timeConstantMs[body.wheels.left.halt],
    right: timeConstantMs[body.wheels.right.halt],
  }
}

interface Reached {
  readonly point: Point
  readonly fraction: number
}

/**
 * Goes from `from` by `way` until something is in the way. Long ways are looked at in parts of half the radius, so
 * that nothing is jumped over; who starts inside of something may only go where it is less deep.
 */
function reach(room: Room, radius: number, from: Point, way: Point): Reached {
  const length = Math.sqrt(way.x * way.x + way.y * way.y)
  const parts = Math.max(1, Math.ceil((2 * length) / radius))
  const at = (fraction: number): Point => ({
    x: from.x + way.x * fraction,
    y: from.y + way.y * fraction,
  })
  const lowest = Math.min(0, gapAt(room, from, radius))
  const isFree = (fraction: number) => gapAt(room, at(fraction), radius) >= lowest
  for (let part = 1; part <= parts; part++) {
    if (isFree(part / parts)) continue
    const fraction = lastFree(isFree, (part - 1) / parts, part / parts)
    return { point: at(fraction), fraction }
  }
  return { point: at(1), fraction: 1 }
}

function lastFree(isFree: (fraction: number) => boolean, free: number, blocked: number): number {
  let [low, high] = [free, blocked]
  for (let step = 0; step < approachSteps; step++) {
    const middle = (low + high) / 2
    if (isFree(middle)) low = middle
    else high = middle
  }
  return low
}
