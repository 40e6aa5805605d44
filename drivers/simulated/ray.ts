import type { Point } from '../../core/vocabulary/geometry.ts'
import type { Disc, Room, Wall } from './room.ts'

/**
 * The distance in metres from `origin` along `angle` (both in `odom`) to the first thing in the room; `Infinity` when
 * nothing is within `reachMetres`. An origin inside a disc is at distance 0.
 */
export function castRay(room: Room, origin: Point, angle: number, reachMetres: number): number {
  const toX = Math.cos(angle)
  const toY = Math.sin(angle)
  let nearest = Infinity
  for (const wall of room.walls) nearest = Math.min(nearest, toWall(wall, origin, toX, toY))
  for (const disc of room.discs) nearest = Math.min(nearest, toDisc(disc, origin, toX, toY))
  return nearest <= reachMetres ? nearest : Infinity
}

function toWall(wall: Wall, origin: Point, toX: number, toY: number): number {
  const alongX = wall.to.x - wall.from.x
  const alongY = wall.to.y - wall.from.y
  const x = wall.from.x - origin.x
  const y = wall.from.y - origin.y
  // Zero for a ray along the wall: both quotients are then infinite or NaN, and pass none of the comparisons.
  const cross = toX * alongY - toY * alongX
  const range = (x * alongY - y * alongX) / cross
  const fraction = (x * toY - y * toX) / cross
  return range >= 0 && fraction >= 0 && fraction <= 1 ? range : Infinity
}

function toDisc(disc: Disc, origin: Point, toX: number, toY: number): number {
  const x = disc.centre.x - origin.x
  const y = disc.centre.y - origin.y
  const outside = x * x + y * y - disc.radius * disc.radius
  if (outside <= 0) return 0
  const along = x * toX + y * toY
  const chord = along * along - outside
  return along > 0 && chord >= 0 ? along - Math.sqrt(chord) : Infinity
}
