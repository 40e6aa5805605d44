import type { Point } from '../vocabulary/geometry.ts'

/** True when no two sides of the polygon cross or touch but neighbours in their common corner. */
export function isSimple(corners: readonly Point[]): boolean {
  const sides = sidesOf(corners)
  return sides.every(([from, to], index) => {
    if (from.x === to.x && from.y === to.y) return false
    return sides.slice(index + 1).every(([next, end], offset) => {
      const isBefore = index === 0 && offset === sides.length - 2
      if (offset === 0) return !turnsBack(from, to, end)
      if (isBefore) return !turnsBack(to, from, next)
      return !meet(from, to, next, end)
    })
  })
}

/** How far within the polygon a point is: metres to its nearest side, negative outside. NaN for a point that is none. */
export function marginWithin(point: Point, corners: readonly Point[]): number {
  if (!Number.isFinite(point.x + point.y)) return Number.NaN
  const sides = sidesOf(corners)
  const away = Math.min(...sides.map(([from, to]) => distanceTo(point, from, to)))
  return isWithin(point, sides) ? away : -away
}

type Side = readonly [from: Point, to: Point]

function sidesOf(corners: readonly Point[]): readonly Side[] {
  return corners.map((from, index) => [from, corners[(index + 1) % corners.length] ?? from])
}

/** A ray to the right crosses the sides of what is around it an odd number of times. */
function isWithin({ x, y }: Point, sides: readonly Side[]): boolean {
  const crossed = sides.filter(
    ([from, to]) =>
      from.y > y !== to.y > y && x < from.x + ((to.x - from.x) * (y - from.y)) / (to.y - from.y),
  )
  return crossed.length % 2 === 1
}

function distanceTo(point: Point, from: Point, to: Point): number {
  const dx = to.x - from.x
  const dy = to.y - from.y
  const along = ((point.x - from.x) * dx + (point.y - from.y) * dy) / (dx * dx + dy * dy)
  const share = Math.max(0, Math.min(1, along))
  return Math.hypot(point.x - from.x - share * dx, point.y - from.y - share * dy)
}

/** Positive where `third` is to the left of the way from `first` to `second`. */
function turn(first: Point, second: Point, third: Point): number {
  return (second.x - first.x) * (third.y - first.y) - (second.y - first.y) * (third.x - first.x)
}

/** The way from `corner` on to `end` goes back over the side that came from `from`. */
function turnsBack(from: Point, corner: Point, end: Point): boolean {
  const dot = (corner.x - from.x) * (end.x - corner.x) + (corner.y - from.y) * (end.y - corner.y)
  return turn(from, corner, end) === 0 && dot < 0
}

function meet(a: Point, b: Point, c: Point, d: Point): boolean {
  const sides = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)] as const
  if (sides[0] * sides[1] < 0 && sides[2] * sides[3] < 0) return true
  return (
    (sides[0] === 0 && isBetween(c, a, b)) ||
    (sides[1] === 0 && isBetween(d, a, b)) ||
    (sides[2] === 0 && isBetween(a, c, d)) ||
    (sides[3] === 0 && isBetween(b, c, d))
  )
}

function isBetween({ x, y }: Point, from: Point, to: Point): boolean {
  return (
    Math.min(from.x, to.x) <= x &&
    x <= Math.max(from.x, to.x) &&
    Math.min(from.y, to.y) <= y &&
    y <= Math.max(from.y, to.y)
  )
}
