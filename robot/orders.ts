import { operatorDeadmanMs } from '../actors/commanders.ts'
import { refuse } from '../core/rules/gatekeeper.ts'
import type { Twist } from '../core/vocabulary/geometry.ts'
import type { Intent } from '../core/vocabulary/intent.ts'
import type { Verdict } from '../core/vocabulary/verdict.ts'
import type { Claim } from '../machines/kernel.machine.ts'
import type { Parts } from './parts.ts'

/** Has the kernel judge what a person's stick says, in m/s and rad/s, and the reflex loop carry out what it permits. */
export function driveByHand(parts: Parts, { linear, angular }: Twist, sequence?: number): Verdict {
  const { children, clock, commanders, judgements, outlook, reflex, root } = parts
  const unheard = commanders.hear('operator', { linear, angular }, sequence)
  const { epoch } = root.getSnapshot().context
  const intent = { type: 'drive', linear, angular, durationMs: operatorDeadmanMs } as const
  const claim: Claim = { source: 'operator', intent, epoch, renewal: false }
  let verdict: Verdict = refuse('kernel', 'absent', 'a kernel', 'the kernel is not running')
  const hearing = judgements.subscribe((judgement) => {
    if (judgement.claim === claim) verdict = judgement.verdict
  })
  children.kernel()?.send({ type: 'kernel.judge', claim, scene: outlook.scene() })
  hearing.unsubscribe()
  if (!verdict.permitted) commanders.silence('operator')
  else if (unheard) return unheard
  else reflex.give({ intent, source: 'operator', epoch, untilMs: clock.now() + operatorDeadmanMs })
  return verdict
}

/** Does what the agent was permitted to do in that epoch. */
export function carryOut({ children, clock, reflex }: Parts, intent: Intent, epoch: number): void {
  switch (intent.type) {
    case 'drive':
      reflex.give({ intent, source: 'agent', epoch, untilMs: clock.now() + intent.durationMs })
      return
    case 'setRelay':
      children.relays()?.send({ type: 'relays.set', relay: intent.relay, on: intent.on })
      return
    case 'stop':
    case 'wait':
      reflex.withdraw('agent')
      children.motion()?.send({ type: 'motion.stop' })
  }
}

/** What the agent may drive, it commands for as long as it may. */
export function noteAgent({ commanders }: Parts, verdict: Verdict): void {
  if (verdict.permitted && verdict.intent.type === 'drive') {
    commanders.hear('agent', verdict.intent)
  }
}
