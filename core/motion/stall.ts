import type { WheelSpeeds } from './kinematics.ts'

/** For how long a wheel may do other than it was told, in ms. */
export const strayMsMax = 500

/** Wheels turn at least that fast, in rad/s, before standing still is a fault. */
const commandedMin = 1
/** Of what it was told, a wheel that is not stalled does at least that much. */
const followedShare = 0.1
/** A wheel that turns slower than that, in rad/s, is at rest. */
const restMax = 0.5
/** Speeds are measured over that time, in ms: an encoder may have few ticks. */
const windowMs = 100
/** Two readings that are further apart say nothing of what was between them. */
const gapMsMax = 500

/** How far both wheels have turned, in radians, at a time in ms. */
export interface Turned extends WheelSpeeds {
  readonly stampMs: number
}

interface Strays {
  readonly stalledMs: number
  readonly strayMs: number
}

/** What is known of how the wheels obey. Never changed in place. */
export interface WheelWatch {
  readonly last: Turned | undefined
  readonly left: Strays
  readonly right: Strays
}

const obedient: Strays = { stalledMs: 0, strayMs: 0 }

/** A watch over wheels of which nothing is known. */
export const freshWatch: WheelWatch = { last: undefined, left: obedient, right: obedient }

/**
 * The watch after one more reading of the encoders, while the wheels were told to turn at `commanded` rad/s. Readings
 * that are not finite change nothing; one that comes late begins anew.
 */
export function watchWheels(watch: WheelWatch, turned: Turned, commanded: WheelSpeeds): WheelWatch {
  const { last } = watch
  if (![turned.left, turned.right, turned.stampMs].every(Number.isFinite)) return watch
  const elapsedMs = last ? turned.stampMs - last.stampMs : NaN
  if (!last || !(elapsedMs >= 0 && elapsedMs <= gapMsMax)) return { ...freshWatch, last: turned }
  if (elapsedMs < windowMs) return watch
  const judge = (side: 'left' | 'right') => {
    const speed = ((turned[side] - last[side]) / elapsedMs) * 1000
    return judged(watch[side], speed, commanded[side], elapsedMs)
  }
  return { last: turned, left: judge('left'), right: judge('right') }
}

/** The wheels that stand still, or turn the wrong way, though they have been told to turn for half a second. */
export function stalledWheels(watch: WheelWatch): readonly ('left' | 'right')[] {
  return sides.filter((side) => watch[side].stalledMs >= strayMsMax)
}

/** The wheels that turn though they have been told to stand still for half a second. */
export function strayWheels(watch: WheelWatch): readonly ('left' | 'right')[] {
  return sides.filter((side) => watch[side].strayMs >= strayMsMax)
}

const sides = ['left', 'right'] as const

function judged(before: Strays, speed: number, commanded: number, elapsedMs: number): Strays {
  const magnitude = Math.abs(commanded)
  const isStalled =
    magnitude >= commandedMin && speed * Math.sign(commanded) < magnitude * followedShare
  const isStray = commanded === 0 && Math.abs(speed) > restMax
  return {
    stalledMs: isStalled ? before.stalledMs + elapsedMs : 0,
    strayMs: isStray ? before.strayMs + elapsedMs : 0,
  }
}
