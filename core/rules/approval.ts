import { describeIntent, type Intent } from '../vocabulary/intent.ts'
import type { Permission, Refusal, Verdict } from '../vocabulary/verdict.ts'
import { capabilityOf, refuse, type Rules } from './gatekeeper.ts'

/** How far the approval of one intent in one epoch has got. It is for no other intent, and for no other epoch. */
export interface Approval {
  readonly id: number
  /** The intent that it is for, as canonical JSON. */
  readonly key: string
  readonly epoch: number
  /** A person is asked; a person said yes; that yes is used up, and the intent may be renewed. */
  readonly stage: 'asked' | 'given' | 'used'
}

/** What was asked for, as far as approvals go. */
export interface Asking {
  readonly epoch: number
  readonly renewal: boolean
  /** The number of the question, should there be one. */
  readonly id: number
}

/** A verdict, and what is known of approvals after it. */
export interface Ruling {
  readonly verdict: Verdict
  readonly approval: Approval | undefined
}

/**
 * Puts what everything else permits before a person, where that is needed: an approval lifts no other rule, and what is
 * refused anyway is put before nobody. A first claim ends whatever was approved before, and uses up an approval of this
 * very intent; a renewal passes as long as it renews what was approved.
 */
export function ruleOn(
  verdict: Verdict,
  asking: Asking,
  rules: Rules,
  known: Approval | undefined,
): Ruling {
  if (!verdict.permitted) return { verdict, approval: asking.renewal ? known : undefined }
  const { intent } = verdict
  if (intent.type === 'askHuman') {
    return { verdict: withQuestion(verdict, asking.id, intent), approval: undefined }
  }
  if (!needsApproval(intent, rules)) {
    return { verdict, approval: asking.renewal ? known : undefined }
  }
  const key = JSON.stringify(intent)
  const isFor = known?.key === key && known.epoch === asking.epoch
  if (asking.renewal) {
    const isApproved = isFor && known.stage === 'used'
    return { verdict: isApproved ? verdict : unapproved(intent, rules), approval: known }
  }
  if (isFor && known.stage === 'given') return { verdict, approval: { ...known, stage: 'used' } }
  const { id, epoch } = asking
  return {
    verdict: unapproved(intent, rules, id),
    approval: { id, key, epoch, stage: 'asked' },
  }
}

/** A person's yes to question `id`, which counts only while that one is open in this epoch. */
export function approved(
  known: Approval | undefined,
  id: number,
  epoch: number,
): Approval | undefined {
  const isOpen = known?.stage === 'asked' && known.id === id && known.epoch === epoch
  return isOpen ? { ...known, stage: 'given' } : known
}

/** What is known once the time of that stage is over: neither a question nor a yes lasts. */
export function expired(
  known: Approval | undefined,
  over: Pick<Approval, 'id' | 'stage'>,
): Approval | undefined {
  return known?.id === over.id && known.stage === over.stage ? undefined : known
}

function needsApproval(intent: Intent, { approve = [] }: Rules): boolean {
  const capability = capabilityOf(intent)
  return capability !== undefined && approve.includes(capability)
}

function withQuestion(
  verdict: Permission,
  id: number,
  { question, choices }: Extract<Intent, { type: 'askHuman' }>,
): Permission {
  return { ...verdict, asks: { id, text: question, choices } }
}

/** Without an `id` nobody is asked. */
function unapproved(intent: Intent, rules: Rules, id?: number): Refusal {
  const text = wordingOf(intent, rules)
  const message = `${text}: a person has to approve that first`
  const refusal = refuse('approval', 'not approved', 'the yes of a person', message)
  return id === undefined ? refusal : { ...refusal, asks: { id, text, choices: ['yes', 'no'] } }
}

/** The intent and its limits in words that owe nothing to the model. */
function wordingOf(intent: Intent, { limits }: Rules): string {
  switch (intent.type) {
    case 'drive':
      return `${describeIntent(intent)} for ${intent.durationMs} ms, within ${limits.linear} m/s and ${limits.angular} rad/s`
    case 'setRelay':
      return `switch ${describeIntent(intent)}`
    case 'stop':
    case 'wait':
    case 'askHuman':
    case 'remember':
      return describeIntent(intent)
  }
}
