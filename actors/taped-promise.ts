import type { z } from 'zod'
import { fromPromise, type PromiseActorLogic } from 'xstate'
import type { Tape } from './tape.ts'

/** The same actor behind the doors of a tape. `outline` is what is kept of its input. */
export function tapedPromise<Output, Input>(
  tape: Tape,
  logic: PromiseActorLogic<Output, Input>,
  kept: {
    readonly name: string
    readonly schema: z.ZodType<Output>
    outline(input: Input): unknown
  },
): PromiseActorLogic<Output, Input> {
  const { config: act } = logic
  if (typeof act !== 'function') throw new TypeError(`${kept.name} is no promise`)
  return fromPromise((scope) =>
    tape.ask<Output>({
      name: kept.name,
      value: kept.outline(scope.input),
      schema: kept.schema,
      // The very scope: whoever is called away is told by its signal.
      act: () => Reflect.apply(act, undefined, [scope]),
    }),
  )
}
