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
  body: { readonly simulated: boolean; readonly deadman: boolean },
): Rules {
  const rules = openRules(configuration)
  if (body.simulated || body.deadman) return rules
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

function openRules({ limits }: Configuration): Rules {
  return { limits }
}
