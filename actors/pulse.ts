import type { AnyActorRef } from 'xstate'

/**
 * True when a chart takes an event that it does not know within this call, and be it by failing: whoever supervises it
 * hears of that. Not to be called from within that chart.
 */
export function hasPulse(chart: AnyActorRef): boolean {
  let isAlive = false
  const answer = () => {
    isAlive = true
  }
  const subscription = chart.subscribe({ next: answer, error: answer })
  chart.send({ type: 'pulse' })
  subscription.unsubscribe()
  return isAlive
}
