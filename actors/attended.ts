import type { Body } from '../drivers/body.ts'
import { heed, total } from './total.ts'

/**
 * The same body, and nobody's promise: a driver whose `arm`, `write`, `halt`, `beat` or `step` is asynchronous against
 * its contract is told of to `failed` when it rejects, rather than to the whole process. A body that cannot even halt is
 * let go of, and no beat reaches it any more: who stands below this process halts it then.
 */
export function attended(body: Body, failed: (cause: string) => void): Body {
  const { beat, onGuardian, onLost, step, truth } = body
  let canHalt = true
  const letGo = () => {
    if (!canHalt) return
    canHalt = false
    total(failed, () => body.close())()
  }
  return {
    kind: body.kind,
    ...(body.senses && { senses: body.senses }),
    async open() {
      canHalt = true
      return body.open()
    },
    arm: () => heed(failed, body.arm()),
    write: (command) => heed(failed, body.write(command)),
    halt() {
      try {
        heed((cause) => {
          letGo()
          failed(cause)
        }, body.halt())
      } catch (error) {
        letGo()
        throw error
      }
    },
    confirm: async () => body.confirm(),
    outputs: () => body.outputs(),
    onReading: (listener) => body.onReading(listener),
    ...(onLost && { onLost: (listener) => onLost.call(body, listener) }),
    ...(beat && {
      beat() {
        if (canHalt) heed(failed, beat.call(body))
      },
    }),
    ...(onGuardian && { onGuardian: (listener) => onGuardian.call(body, listener) }),
    ...(step && { step: (milliseconds) => heed(failed, step.call(body, milliseconds)) }),
    ...(truth && { truth: () => truth.call(body) }),
    close: async () => body.close(),
  }
}
