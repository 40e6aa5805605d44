import type { Point } from '../vocabulary/geometry.ts'

/** A rectangle along the axes of `base_link` that holds something, in metres. */
export interface Box {
  readonly xMin: number
  readonly xMax: number
  readonly yMin: number
  readonly yMax: number
}

/** The most boxes that the surroundings are told in. */
export const boxesMax = 8

/**
 * The nearest obstacles as boxes, nearest first, at most eight. Points of `base_link` that nothing could pass between
 * share a box. A box is long or wide but not both: in its narrower direction it is never more than a share of its distance
 * from the robot, so that it says little of being occupied that is free, and never that the robot stands in it.
 */
export function boxesAround(points: readonly Point[]): readonly Box[] {
  const around = points.filter(isFinitePoint).toSorted(byBearing)
  const exact = shares.map((share) => boxesOf(around, share))
  const boxes = exact.find((some) => some.length <= boxesMax) ?? exact.at(-1) ?? []
  return boxes.toSorted((a, b) => distanceTo(a, origin) - distanceTo(b, origin)).slice(0, boxesMax)
}

/** How wide a box may be for each metre of its distance: as exact as eight boxes allow. */
const shares = [0.15, 0.3, 0.6] as const

/** The gap that belongs to a box: nothing passes this one, in metres. */
const gapMetres = 0.2
/** Beams part with the distance: the same, for each metre of it. */
const gapShare = 0.15

const origin: Point = { x: 0, y: 0 }

function boxesOf(points: readonly Point[], share: number): readonly Box[] {
  const boxes: Box[] = []
  for (const point of points) {
    const gap = Math.max(gapMetres, lengthOf(point.x, point.y) * gapShare)
    const index = boxes.findIndex(
      (box) => distanceTo(box, point) <= gap && isTrueEnough(grown(box, point), share),
    )
    const box = boxes[index]
    if (box) boxes[index] = grown(box, point)
    else boxes.push({ xMin: point.x, xMax: point.x, yMin: point.y, yMax: point.y })
  }
  return boxes
}

function grown(box: Box, { x, y }: Point): Box {
  return {
    xMin: Math.min(box.xMin, x),
    xMax: Math.max(box.xMax, x),
    yMin: Math.min(box.yMin, y),
    yMax: Math.max(box.yMax, y),
  }
}

function isTrueEnough(box: Box, share: number): boolean {
  const width = Math.min(box.xMax - box.xMin, box.yMax - box.yMin)
  const distance = distanceTo(box, origin)
  return distance > 0 && width <= distance * share
}

function distanceTo(box: Box, { x, y }: Point): number {
  const dx = Math.max(box.xMin - x, 0, x - box.xMax)
  const dy = Math.max(box.yMin - y, 0, y - box.yMax)
  return lengthOf(dx, dy)
}

function lengthOf(dx: number, dy: number): number {
  return Math.sqrt(dx * dx + dy * dy)
}

function byBearing(a: Point, b: Point): number {
  return Math.atan2(a.y, a.x) - Math.atan2(b.y, b.x)
}

function isFinitePoint({ x, y }: Point): boolean {
  return Number.isFinite(x) && Number.isFinite(y)
}
