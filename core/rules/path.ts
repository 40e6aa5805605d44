import type { Point, Twist } from '../vocabulary/geometry.ts'
import type { Scene, Sector } from '../vocabulary/scene.ts'
import type { Refusal } from '../vocabulary/verdict.ts'

/** The speed at which unknown space may be entered, in m/s (DESIGN §5). */
export const creepMetresPerSecond = 0.1

/** The gap that is kept between footprint and obstacle, in metres. */
export const clearanceMetres = 0.03

/** Time that passes, at worst, between an obstacle's appearing and the wheels' slowing: a scan, a tick and the motor. */
const reactionSeconds = 0.3

const stepMetres = 0.02

/** Judged anew on every tick, whatever were given away here would be given away fifty times a second. */
const roundingMetres = 1e-9

/** Nobody sees further than this many steps, and a verdict must not take longer. */
const stepsMax = 500

/** How fast a robot slows down, in m/s² and rad/s². */
export interface Braking {
  readonly linearBraking: number
  readonly angularBraking: number
}

/**
 * Refuses a command whose way ahead is occupied, unseen, or watched by a sensor that is stale. The way ahead is the
 * arc driven during the reaction time and the braking after it: d = v·t + v·T/2, where T is the longer of v/a and ω/α,
 * because both components brake by one ratio. Leaving an obstacle that is already
 * too near is allowed; coming nearer is not. Turning in place moves no footprint and is allowed.
 */
export function judgePath(twist: Twist, scene: Scene, braking: Braking): Refusal | undefined {
  if (twist.linear === 0 && twist.angular === 0) return undefined
  const [stale] = scene.stale
  if (stale !== undefined) {
    return path(
      'stale',
      stale,
      'a fresh reading',
      `${stale} has not been heard of: no motion without it`,
    )
  }
  if (twist.linear === 0) return undefined
  return judgeSpeed(twist, scene) ?? judgeObstacles(twist, scene, braking)
}

/** How far it drives, in metres, before it stands, if it were told to stop once it is as fast as that. */
export function stoppingMetres({ linear, angular }: Twist, braking: Braking): number {
  const speed = Math.abs(linear)
  const brakingSeconds = Math.max(
    speed / braking.linearBraking,
    Math.abs(angular) / braking.angularBraking,
  )
  return speed * (reactionSeconds + brakingSeconds / 2)
}

/** The places that it comes by until then, in `base_link` as it stands now; none for one that only turns. */
export function wayAhead(twist: Twist, braking: Braking): readonly Point[] {
  const distance = stoppingMetres(twist, braking)
  const steps = Math.min(stepsMax, Math.ceil(distance / stepMetres))
  return Array.from({ length: steps }, (_, step) =>
    arcPoint(twist, (distance * (step + 1)) / steps / Math.abs(twist.linear)),
  )
}

/** The greatest speed at which the robot may move forward (or backward), in m/s, for want of sight; Infinity with sight. */
export function speedCeiling(forward: boolean, scene: Scene): number {
  const direction = forward ? 0 : Math.PI
  const watching = scene.sectors.filter((sector) => covers(sector, direction))
  if (watching.some((sector) => sector.whole)) return Number.POSITIVE_INFINITY
  return watching.length > 0 || scene.blindCreep ? creepMetresPerSecond : 0
}

/** How far the footprint can move along a straight line in `direction` before it comes too near to anything, in metres. */
export function clearAhead(direction: number, scene: Scene): number {
  const cos = Math.cos(direction)
  const sin = Math.sin(direction)
  const reach = scene.footprintMetres + clearanceMetres
  let clear = Number.POSITIVE_INFINITY
  for (const point of scene.obstacles) {
    const along = point.x * cos + point.y * sin
    const across = Math.abs(point.y * cos - point.x * sin)
    if (along <= 0 || across >= reach) continue
    clear = Math.min(clear, Math.max(0, along - Math.sqrt(reach * reach - across * across)))
  }
  return clear
}

function judgeSpeed(twist: Twist, scene: Scene): Refusal | undefined {
  const ceiling = speedCeiling(twist.linear > 0, scene)
  const speed = Math.abs(twist.linear)
  if (speed <= ceiling) return undefined
  const way = twist.linear > 0 ? 'ahead' : 'behind'
  const allowed = ceiling > 0 ? `at most ${ceiling} m/s` : 'no motion that way'
  return path('unseen', speed, ceiling, `no sensor sees the whole way ${way}: ${allowed}`)
}

function judgeObstacles(twist: Twist, scene: Scene, braking: Braking): Refusal | undefined {
  const distance = stoppingMetres(twist, braking)
  const reach = scene.footprintMetres + clearanceMetres
  if (!(distance <= stepsMax * stepMetres)) {
    const message = `stopping would take ${distance.toFixed(0)} m: slower, or with less of a curve`
    return path('path', round(distance), stepsMax * stepMetres, message)
  }
  const way = wayAhead(twist, braking)
  for (const obstacle of scene.obstacles) {
    const start = Math.sqrt(obstacle.x * obstacle.x + obstacle.y * obstacle.y)
    if (start > distance + reach) continue
    for (const at of way) {
      const dx = obstacle.x - at.x
      const dy = obstacle.y - at.y
      const gap = Math.sqrt(dx * dx + dy * dy)
      if (gap < reach && gap < start - roundingMetres) {
        const away = Math.max(0, start - scene.footprintMetres)
        return path(
          'path',
          round(away),
          clearanceMetres,
          `the way is occupied ${away.toFixed(2)} m from the robot's edge; ${distance.toFixed(2)} m and ${clearanceMetres} m to spare are needed`,
        )
      }
    }
  }
  return undefined
}

/** Where the robot is after `seconds` of a constant twist: the exact arc (Siegwart, Autonomous Mobile Robots, §5.2.4). */
function arcPoint(twist: Twist, seconds: number): Point {
  const turned = twist.angular * seconds
  if (Math.abs(turned) < 1e-6) return { x: twist.linear * seconds, y: 0 }
  const radius = twist.linear / twist.angular
  return { x: radius * Math.sin(turned), y: radius * (1 - Math.cos(turned)) }
}

function covers(sector: Sector, direction: number): boolean {
  const difference = Math.atan2(
    Math.sin(direction - sector.facing),
    Math.cos(direction - sector.facing),
  )
  return Math.abs(difference) <= sector.halfAngle
}

function path(rule: string, value: unknown, limit: unknown, message: string): Refusal {
  return { permitted: false, rule, value, limit, message }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
