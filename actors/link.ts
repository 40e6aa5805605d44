import {
  type CallbackActorLogic,
  type EventObject,
  fromCallback,
  fromPromise,
  type PromiseActorLogic,
} from 'xstate'
import { MechosError } from '../core/vocabulary/errors.ts'
import type { Body, BodyFacts } from '../drivers/body.ts'

/**
 * Opens the body and resolves to what it says of itself. A body for which `unfit` knows a reason is let go of again:
 * ERR_BOARD_REFUSED.
 */
export function openBody(
  body: Body,
  unfit: (facts: BodyFacts) => string | undefined,
  onFacts: (facts: BodyFacts) => void,
): PromiseActorLogic<BodyFacts, void> {
  return fromPromise(async ({ signal }) => {
    // Whoever does not wait for it any more does not want it later either.
    signal.addEventListener('abort', () => void body.close().catch(ignore), { once: true })
    const facts = await body.open()
    const reason = unfit(facts)
    if (reason !== undefined) {
      await body.close()
      throw new MechosError('ERR_BOARD_REFUSED', reason)
    }
    onFacts(facts)
    return facts
  })
}

/** Halts the body once and rejects with ERR_BOARD_REFUSED unless at least the bytes of that halt left this machine. */
export function verifyBody(body: Body): PromiseActorLogic<void, void> {
  return fromPromise(async () => {
    body.halt()
    const evidence = await body.confirm()
    if (evidence === 'none') {
      await body.close()
      throw new MechosError(
        'ERR_BOARD_REFUSED',
        'the board did not take a halt: motors cannot be stopped',
      )
    }
  })
}

/** Reports the loss of an open body, once. */
export function bodyLoss(body: Body): CallbackActorLogic<EventObject, undefined> {
  return fromCallback<EventObject, undefined>(({ sendBack }) =>
    body.onLost?.((cause) => sendBack({ type: 'board.lost', cause })),
  )
}

/** Halts the body and lets go of its ports. */
export function closeBody(body: Body): PromiseActorLogic<void, void> {
  return fromPromise(() => body.close())
}

/** Tells what is heard of the process that holds the body's ports. */
export function watchGuardian(body: Body): CallbackActorLogic<EventObject, undefined> {
  return fromCallback<EventObject, undefined>(({ sendBack }) =>
    body.onGuardian?.(({ kind, ...rest }) => sendBack({ type: `guardian.${kind}`, ...rest })),
  )
}

/** A body that does not close is told of where the robot lets go of it. */
function ignore(): void {}
