import type { Point } from '../../core/vocabulary/geometry.ts'
import type { Room, Wall } from './room.ts'

/** The free way in metres between a circle around `centre` (in `odom`) and the nearest thing; negative when they overlap. */
export function gapAt(room: Room, centre: Point, radius: number): number {
  let nearest = Infinity
  eachThing(room, centre, (x, y, thickness) => {
    nearest = Math.min(nearest, Math.sqrt(x * x + y * y) - thickness)
  })
  return nearest - radius
}

/** The directions in `odom`, in radians, of everything that is within `reach` metres of `centre`. */
export function bearingsWithin(room: Room, centre: Point, reach: number): readonly number[] {
  const bearings: number[] = []
  eachThing(room, centre, (x, y, thickness) => {
    if (Math.sqrt(x * x + y * y) - thickness <= reach) bearings.push(Math.atan2(y, x))
  })
  return bearings
}

/** Tells the way from `centre` to the nearest point of each wall, and to the middle of each disc, which has a thickness. */
function eachThing(
  room: Room,
  centre: Point,
  visit: (x: number, y: number, thickness: number) => void,
): void {
  for (const wall of room.walls) {
    const fraction = nearestFraction(wall, centre)
    visit(
      wall.from.x + fraction * (wall.to.x - wall.from.x) - centre.x,
      wall.from.y + fraction * (wall.to.y - wall.from.y) - centre.y,
      0,
    )
  }
  for (const disc of room.discs) {
    visit(disc.centre.x - centre.x, disc.centre.y - centre.y, disc.radius)
  }
}

function nearestFraction(wall: Wall, point: Point): number {
  const alongX = wall.to.x - wall.from.x
  const alongY = wall.to.y - wall.from.y
  const lengthSquared = alongX * alongX + alongY * alongY
  if (lengthSquared === 0) return 0
  const along = (point.x - wall.from.x) * alongX + (point.y - wall.from.y) * alongY
  return Math.min(1, Math.max(0, along / lengthSquared))
}
