import { setImmediate as turn } from 'node:timers/promises'
import { fromPromise, type PromiseActorLogic } from 'xstate'

/** One call of a promise source whose end the test decides. */
export interface HeldCall<Output, Input> {
  readonly input: Input
  readonly signal: AbortSignal
  resolve(output: Output): Promise<void>
  reject(error: unknown): Promise<void>
}

/** A promise source that settles when a test says so, and what was asked of it so far. */
export interface Held<Output, Input> {
  readonly logic: PromiseActorLogic<Output, Input>
  readonly calls: readonly HeldCall<Output, Input>[]
  /** The latest call. Throws when there was none. */
  last(): HeldCall<Output, Input>
}

/** `resolve` and `reject` return once whoever waited has heard of it. */
export function held<Output, Input = void>(): Held<Output, Input> {
  const calls: HeldCall<Output, Input>[] = []
  const logic = fromPromise<Output, Input>(
    ({ input, signal }) =>
      new Promise((resolve, reject) => {
        calls.push({
          input,
          signal,
          async resolve(output) {
            resolve(output)
            await turn()
          },
          async reject(error) {
            reject(error)
            await turn()
          },
        })
      }),
  )
  return {
    logic,
    calls,
    last() {
      const call = calls.at(-1)
      if (!call) throw new TypeError('it was never called')
      return call
    },
  }
}
