import type { Message } from '../budget/bound.ts'
import { intentDurationMs } from './intent.ts'
import type { Observation } from './observation.ts'

/**
 * What a model is told: first what never changes, so that endpoints can cache it, then the present state as JSON.
 * Goal and history are data in quotes, never instructions of ours.
 */
export function briefingFor(seen: Observation): readonly Message[] {
  return [
    { role: 'system', content: standing },
    { role: 'user', content: JSON.stringify(stateOf(seen)) },
  ]
}

const standing = [
  'You steer a small wheeled robot. You only propose: a kernel checks every intent and refuses what is unsafe, and tells you why.',
  'Frame base_link: x forward, y left, metres; angles in radians, counter-clockwise; linear in m/s, angular in rad/s.',
  `Answer with one JSON object {"reason": string, "intent": {...}} and nothing else. Durations are ${intentDurationMs.min} to ${intentDurationMs.max} ms.`,
  'After a refusal propose something that its limit allows.',
].join('\n')

function stateOf(seen: Observation): object {
  return {
    goal: seen.goal ?? 'explore',
    pose: {
      frame: 'odom',
      x: round(seen.pose.x),
      y: round(seen.pose.y),
      heading: round(seen.pose.heading),
    },
    velocity: { linear: round(seen.velocity.linear), angular: round(seen.velocity.angular) },
    limits: { linear: seen.limits.linear, angular: seen.limits.angular },
    nearest: seen.nearest.map((point) => ({ x: round(point.x), y: round(point.y) })),
    blind: seen.scene.stale,
    battery: seen.battery === undefined ? null : round(seen.battery),
    may: [
      ...(seen.canDrive ? ['drive'] : []),
      'stop',
      'wait',
      ...seen.relays.map((relay) => `setRelay ${relay}`),
    ],
    last: seen.history,
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
