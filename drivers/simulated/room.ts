import type { Point } from '../../core/vocabulary/geometry.ts'
import { randomStream, type Random } from '../random.ts'

/** A straight wall between two points of `odom`, in metres. */
export interface Wall {
  readonly from: Point
  readonly to: Point
}

/** A round obstacle in `odom`, in metres. */
export interface Disc {
  readonly centre: Point
  readonly radius: number
}

/** All that a simulated robot can see and hit. A robot starts at (0, 0) with heading 0. */
export interface Room {
  readonly walls: readonly Wall[]
  readonly discs: readonly Disc[]
}

const roomMetres = { x: 6, y: 5 }
const startToWallMetres = 1.6
const startToObstacleMetres = 1
/** A robot of the usual size passes between any two things. */
const passageMetres = 0.5
const obstacles = { min: 6, max: 8 }
const placesMax = 4000

/**
 * A closed room of 6 by 5 metres with up to eight boxes and columns, the same for the same seed. No obstacle is nearer
 * to the start than 1 m, no wall nearer than 1.6 m, and all of them are at least 0.5 m apart.
 */
export function makeRoom(seed: number): Room {
  const random = randomStream(seed, 'room')
  const corner = {
    x: -random.between(startToWallMetres, roomMetres.x - startToWallMetres),
    y: -random.between(startToWallMetres, roomMetres.y - startToWallMetres),
  }
  const middle = { x: corner.x + roomMetres.x / 2, y: corner.y + roomMetres.y / 2 }
  const walls = [...boxWalls(middle, roomMetres, 0)]
  const discs: Disc[] = []
  for (const [index, hull] of placeHulls(random, corner).entries()) {
    if (index % 2 === 0) walls.push(...boxIn(hull, random))
    else discs.push({ centre: hull.centre, radius: hull.radius })
  }
  return { walls, discs }
}

/** The four sides of a box around `centre`, `size.x` by `size.y` metres, turned by `heading` radians. */
export function boxWalls(centre: Point, size: Point, heading: number): readonly Wall[] {
  const cos = Math.cos(heading)
  const sin = Math.sin(heading)
  const corner = (alongX: number, alongY: number): Point => {
    const x = (alongX * size.x) / 2
    const y = (alongY * size.y) / 2
    return { x: centre.x + x * cos - y * sin, y: centre.y + x * sin + y * cos }
  }
  const [a, b, c, d] = [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)]
  return [
    { from: a, to: b },
    { from: b, to: c },
    { from: c, to: d },
    { from: d, to: a },
  ]
}

/** Chooses circles that are free of each other; what goes into a circle is decided later. */
function placeHulls(random: Random, corner: Point): readonly Disc[] {
  const wanted = obstacles.min + Math.floor(random.uniform() * (obstacles.max - obstacles.min + 1))
  const hulls: Disc[] = []
  for (let tried = 0; tried < placesMax && hulls.length < wanted; tried++) {
    const radius = hulls.length % 2 === 0 ? random.between(0.18, 0.38) : random.between(0.1, 0.25)
    const margin = radius + passageMetres
    const centre = {
      x: corner.x + random.between(margin, roomMetres.x - margin),
      y: corner.y + random.between(margin, roomMetres.y - margin),
    }
    const isFree =
      distance(centre, { x: 0, y: 0 }) - radius >= startToObstacleMetres &&
      hulls.every((hull) => distance(centre, hull.centre) - hull.radius >= margin)
    if (isFree) hulls.push({ centre, radius })
  }
  return hulls
}

/** A box with its corners on the hull, at most twice as long as it is wide. */
function boxIn(hull: Disc, random: Random): readonly Wall[] {
  const corner = random.between(0.47, 1.1)
  const size = { x: 2 * hull.radius * Math.cos(corner), y: 2 * hull.radius * Math.sin(corner) }
  return boxWalls(hull.centre, size, random.between(0, Math.PI))
}

function distance(one: Point, other: Point): number {
  const x = one.x - other.x
  const y = one.y - other.y
  return Math.sqrt(x * x + y * y)
}
