import type { Limits } from './configuration.ts'
import type { Point, Pose, Twist } from './geometry.ts'
import type { Scene } from './scene.ts'

/** One earlier intent and what became of it. */
export interface PastIntent {
  readonly intent: string
  readonly outcome: string
}

/** Everything that a brain is told before it proposes. Obstacles and scene in `base_link`, pose in `odom`. */
export interface Observation {
  readonly stampMs: number
  readonly goal: string | undefined
  readonly pose: Pose
  readonly velocity: Twist
  readonly scene: Scene
  /** The nearest obstacle of each eighth of the circle, nearest first. */
  readonly nearest: readonly Point[]
  readonly battery: number | undefined
  readonly limits: Pick<Limits, 'linear' | 'angular'>
  readonly canDrive: boolean
  readonly relays: readonly string[]
  readonly history: readonly PastIntent[]
}

/** The nearest point in each eighth of the circle around the robot, nearest first. */
export function nearestByEighths(points: readonly Point[]): readonly Point[] {
  const best = new Map<number, { point: Point; squared: number }>()
  for (const point of points) {
    const eighth = Math.round((Math.atan2(point.y, point.x) * 4) / Math.PI) & 7
    const squared = point.x * point.x + point.y * point.y
    const known = best.get(eighth)
    if (!known || squared < known.squared) best.set(eighth, { point, squared })
  }
  return [...best.values()].toSorted((a, b) => a.squared - b.squared).map(({ point }) => point)
}
