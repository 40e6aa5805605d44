import { operatorDeadmanMs } from '../actors/commanders.ts'
import type { Judgement } from '../actors/deliberation.ts'
import { refuse } from '../core/rules/gatekeeper.ts'
import { poseOf } from '../core/space/world.ts'
import type { Configuration } from '../core/vocabulary/configuration.ts'
import type { Twist } from '../core/vocabulary/geometry.ts'
import type { Intent } from '../core/vocabulary/intent.ts'
import type { Spot } from '../core/vocabulary/memory.ts'
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
export function carryOut(parts: Parts, intent: Intent, epoch: number): void {
  const { children, clock, configuration, reflex } = parts
  switch (intent.type) {
    case 'drive':
      reflex.give({ intent, source: 'agent', epoch, untilMs: clock.now() + intent.durationMs })
      return
    case 'setRelay':
      children.relays()?.send({
        type: 'relays.set',
        relay: intent.relay,
        on: intent.on,
        leaseMs: thinkingMsMax(configuration) + actMsMax,
      })
      return
    case 'remember':
      parts.remembering?.remember(intent.text, hereIn(parts))
      reflex.withdraw('agent')
      children.motion()?.send({ type: 'motion.stop' })
      return
    case 'stop':
    case 'wait':
    case 'askHuman':
      reflex.withdraw('agent')
      children.motion()?.send({ type: 'motion.stop' })
  }
}

/** Where the robot is now. */
export function hereIn({ perceived }: Pick<Parts, 'perceived'>): Spot {
  return { frame: 'odom', ...poseOf(perceived.world.value) }
}

/** The longest that the agent may think of the next act: each of its brains in turn. */
function thinkingMsMax({ brains }: Configuration): number {
  return brains.reduce((sum, { deadlineMs }) => sum + deadlineMs, 0)
}

/** The longest that the agent may be about one act before it thinks of the next, in ms (DESIGN §5). */
const actMsMax = 5_000

/**
 * What the agent may drive, it commands for as long as it may; and whatever else it may do shows that it is there, and
 * renews what it has switched. A renewal of what was permitted before is the reflex loop's and shows nothing.
 */
export function noteAgent({ children, commanders }: Parts, { claim, verdict }: Judgement): void {
  if (!verdict.permitted) return
  if (verdict.intent.type === 'drive') commanders.hear('agent', verdict.intent)
  if (!claim.renewal) children.relays()?.send({ type: 'relays.renew' })
}
