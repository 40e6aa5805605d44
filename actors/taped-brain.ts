import { proposalSchema } from '../core/record/answers.ts'
import type { Brain } from './deliberation.ts'
import type { Tape } from './tape.ts'

/** The same brain behind the doors of a tape. What it is told follows from what came in before, and is not kept. */
export function tapedBrain(tape: Tape, brain: Brain): Brain {
  return {
    name: brain.name,
    decide: (seen, signal) =>
      tape.ask({ name: 'decide', schema: proposalSchema, act: () => brain.decide(seen, signal) }),
  }
}
