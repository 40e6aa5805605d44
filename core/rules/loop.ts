import { describeIntent, describeProposed, intentSchema } from '../vocabulary/intent.ts'
import type { Pose } from '../vocabulary/geometry.ts'

/** What a brain proposes again and again. */
export interface Repetition {
  /** The intents of one round, in words, which may be the brain's own. */
  readonly what: string
  /** How many rounds there were, as far as they are remembered. */
  readonly times: number
  /** The robot got somewhere by it. */
  readonly headway: boolean
  /** It was asked no more because of it. */
  readonly caught: boolean
  /** What became of the last intent of it. */
  readonly outcome: string
}

/** What is remembered of a brain's proposals, in order to see it go round in circles. */
export interface Loops {
  readonly steps: readonly Step[]
  /** What it was caught at, until it has been told so and has proposed again. */
  readonly caught: Repetition | undefined
  /** How many of the next decisions are not the brain's. */
  readonly fallbacksLeft: number
}

export const noLoops: Loops = { steps: [], caught: undefined, fallbacksLeft: 0 }

/** One proposal, and where the robot was when it was made, in `odom`. */
interface Step {
  readonly key: string
  readonly what: string
  readonly drives: boolean
  readonly pose: Pose
}

/** The longest cycle that is seen, how often it must be seen, and how much longer it may go on. */
const cycleMax = 4
const roundsMin = 3
const roundsMax = 2 * roundsMin
const stepsMax = cycleMax * roundsMax

/** How many decisions are the fallback's before the brain is asked again. */
const fallbackDecisions = 5

/** Less than this is no headway, in metres and radians. */
const headwayMetres = 0.1
const headwayRadians = 0.35

/**
 * The memory once the robot is at `pose` and `outcome` became of the last intent. A brain that has gone round twice as long
 * as makes a loop, and got nowhere in that time, is caught: the next decisions are not its own.
 */
export function watchLoops(loops: Loops, pose: Pose, outcome: string): Loops {
  if (loops.fallbacksLeft > 0) return loops
  const found = repetition(loops.steps, pose, outcome)
  if (!found || found.headway || !(found.times >= roundsMax)) return loops
  return { steps: [], caught: { ...found, caught: true }, fallbacksLeft: fallbackDecisions }
}

/** What a brain is to be told of its repeating itself, or undefined when it does not. */
export function repetitionIn(loops: Loops, pose: Pose, outcome: string): Repetition | undefined {
  return loops.caught ?? repetition(loops.steps, pose, outcome)
}

/** The memory after one decision: an intent that was proposed at `pose`, or nothing, for want of one. */
export function noteDecision(
  loops: Loops,
  decided?: { readonly intent: unknown; readonly pose: Pose },
): Loops {
  if (loops.fallbacksLeft > 0) return { ...loops, fallbacksLeft: loops.fallbacksLeft - 1 }
  if (!decided) return loops
  const steps = [...loops.steps, stepOf(decided.intent, decided.pose)].slice(-stepsMax)
  return { steps, caught: undefined, fallbacksLeft: 0 }
}

function repetition(steps: readonly Step[], pose: Pose, outcome: string): Repetition | undefined {
  for (let length = 1; length <= cycleMax; length++) {
    const rounds = Math.floor(repeated(steps, length) / length)
    if (rounds < roundsMin) continue
    const round = steps.slice(-length)
    const span = steps.slice(-length * Math.min(rounds, roundsMax))
    return {
      what: round.map(({ what }) => what).join(', then '),
      times: rounds,
      headway: makesHeadway(span, pose),
      caught: false,
      outcome,
    }
  }
  return undefined
}

/** How many of the last steps go round in `length`. */
function repeated(steps: readonly Step[], length: number): number {
  let same = 0
  for (let index = steps.length - 1; index >= length; index--) {
    if (steps[index]?.key !== steps[index - length]?.key) break
    same += 1
  }
  return same + length
}

/** Whoever never drives gets nowhere; whoever does must be elsewhere at the end than at the beginning. */
function makesHeadway(span: readonly Step[], now: Pose): boolean {
  const [first] = span
  if (!first || !span.some(({ drives }) => drives)) return false
  const dx = now.x - first.pose.x
  const dy = now.y - first.pose.y
  const turned = Math.abs(now.heading - first.pose.heading)
  return dx * dx + dy * dy >= headwayMetres * headwayMetres || turned >= headwayRadians
}

function stepOf(intent: unknown, pose: Pose): Step {
  const { success, data } = intentSchema.safeParse(intent)
  return {
    key: normalised(intent),
    what: success ? describeIntent(data) : describeProposed(intent),
    drives: success && data.type === 'drive',
    pose,
  }
}

/** What is the same for two ways of saying the same: coarse numbers, and words without case, blanks and punctuation. */
function normalised(intent: unknown): string {
  try {
    return JSON.stringify(intent, coarse) ?? ''
  } catch {
    // Whatever cannot be written down is taken for the same.
    return ''
  }
}

function coarse(key: string, value: unknown): unknown {
  if (typeof value === 'number') return Math.round(value / (grains[key] ?? grainOfOthers))
  if (typeof value === 'string') return folded(value)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Numbers that differ by less are the same: m/s, rad/s, ms. */
const grains: Readonly<Record<string, number | undefined>> = {
  linear: 0.05,
  angular: 0.1,
  durationMs: 250,
}
const grainOfOthers = 0.05

function folded(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s]+/gu, '')
    .trim()
    .replaceAll(/\s+/g, ' ')
}
