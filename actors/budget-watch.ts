import { type CallbackActorLogic, type EventObject, fromCallback } from 'xstate'
import type { Budget } from './budget.ts'

/** Tells what a budget has come to, now and each time that changes. Where there is none nothing is paid for. */
export function watchBudget(
  find: () => Budget | undefined,
): CallbackActorLogic<EventObject, undefined> {
  return fromCallback<EventObject, undefined>(({ sendBack }) => {
    const budget = find()
    if (!budget) return undefined
    sendBack({ type: 'budget.noted', note: budget.note })
    return budget.onNote((note) => sendBack({ type: 'budget.noted', note }))
  })
}
