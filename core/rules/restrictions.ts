import type { Configuration } from '../vocabulary/configuration.ts'
import type { Rules } from './gatekeeper.ts'

/** The most that a robot without a deadman may drive by itself, in m/s (DESIGN §1, promise 5). */
export const noDeadmanMetresPerSecond = 0.25

/** The rules before the body has reported itself: nothing moves. */
export function closedRules(configuration: Configuration): Rules {
  return { ...openRules(configuration), immovable: 'the body has not reported itself yet' }
}

/**
 * The rules for a body as it reported itself. Hardware that nothing below this process would stop moves by itself
 * only where the configuration accepts that, and then slowly.
 */
export function rulesFor(
  configuration: Configuration,
  body: {
    readonly simulated: boolean
    readonly deadman: boolean
    /** A model drives it, and no person holds an enabling device. */
    readonly isUnattended?: boolean
  },
): Rules {
  const rules = openRules(configuration)
  if (body.simulated || body.deadman) return rules
  if (body.isUnattended) {
    const immovable =
      'unattended: this board has no deadman: flash MechosFirmata (docs/firmware.md), or have somebody hold the enabling device'
    // Nor does it switch anything.
    return { ...rules, immovable, unheld: immovable }
  }
  if (!configuration.acceptNoDeadman) {
    return {
      ...rules,
      immovable:
        'this board has no deadman: it would go on driving if this computer died. Set acceptNoDeadman: true to accept that, at 0.25 m/s at most',
    }
  }
  const linear = Math.min(rules.limits.linear, noDeadmanMetresPerSecond)
  return { ...rules, limits: { ...rules.limits, linear } }
}

/**
 * Why a body cannot be used with the board that reported itself, or undefined when it can. A firmware without a deadman
 * drives its pins low whenever the board starts or restarts, and stops the pulses of its servos: parts that are safe
 * only high, or held, would then do what nobody asked for.
 */
export function unfitness(
  { body }: Configuration,
  reported: { readonly simulated: boolean; readonly deadman: boolean },
): string | undefined {
  if (reported.simulated || reported.deadman || body.kind !== 'firmata') return undefined
  const sensing = [
    ...body.ranges.filter(({ model }) => model === 'HC-SR04').map(({ name }) => `range ${name}`),
    ...(body.wheels?.left.encoder ? ['wheel encoders'] : []),
  ]
  if (sensing.length > 0) {
    return `this firmware cannot read ${sensing.join(', ')}: flash MechosFirmata (docs/firmware.md), which can`
  }
  const high = body.relays.filter(({ halt }) => halt === 'high')
  const held = body.servos.filter(({ halt }) => halt === 'hold')
  if (high.length + held.length === 0) return undefined
  const parts = [
    ...high.map(({ name }) => `relay ${name} is safe only high`),
    ...held.map(({ name }) => `servo ${name} must be held`),
  ]
  return `${parts.join(', ')}, and this firmware drops both whenever the board restarts: flash MechosFirmata (docs/firmware.md), or declare halt: 'low' and halt: 'release'`
}

/** How much of its limits a robot keeps while it has to be slow. */
export const slowShare = 0.5

/** The same rules for a robot that has to be slow. */
export function slowedRules(rules: Rules): Rules {
  const { linear, angular } = rules.limits
  const limits = { ...rules.limits, linear: linear * slowShare, angular: angular * slowShare }
  return { ...rules, limits }
}

function openRules({ limits, approve, geofence }: Configuration): Rules {
  return { limits, ...(approve.length > 0 && { approve }), ...(geofence && { geofence }) }
}
