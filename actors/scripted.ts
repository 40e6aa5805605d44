import type { Intent } from '../core/vocabulary/intent.ts'
import type { Brain } from './deliberation.ts'

/** A brain that proposes each intent of a script in turn, and then waits. For tests of robots, not for robots. */
export function scriptedBrain(script: readonly Intent[]): Brain {
  let next = 0
  return {
    name: 'script',
    async decide() {
      const intent = script[next++] ?? ({ type: 'wait', durationMs: 1000 } as const)
      return { reason: `step ${next} of the script`, intent }
    },
  }
}
