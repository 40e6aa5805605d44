import { assign, enqueueActions, setup } from 'xstate'
import { type Approval, approved, expired, type Ruling, ruleOn } from '../core/rules/approval.ts'
import { judge, refuse, type Rules } from '../core/rules/gatekeeper.ts'
import { inquiryMs } from '../core/vocabulary/inquiry.ts'
import type { Scene } from '../core/vocabulary/scene.ts'
import type { Source, Verdict } from '../core/vocabulary/verdict.ts'

/** Something that somebody wants to be done, and when it was asked for. */
export interface Claim {
  readonly source: Source
  readonly intent: unknown
  /** The epoch in which it was asked for: a claim from an older one is dropped. */
  readonly epoch: number
  /** A renewal asks again for what was permitted before; only first claims are counted. */
  readonly renewal: boolean
}

export interface KernelContext {
  readonly rules: Rules
  readonly grants: ReadonlySet<string>
  readonly epoch: number
  readonly proposed: number
  readonly permitted: number
  readonly refused: number
  readonly lastVerdict: Verdict | undefined
  /** The number of the last question that a person was to be asked. */
  readonly lastAskedId: number
  readonly approval: Approval | undefined
}

type Command =
  | { type: 'kernel.open'; epoch: number }
  | { type: 'kernel.override'; epoch: number }
  | { type: 'kernel.lock' }
  | { type: 'kernel.restrict'; rules: Rules }
  | { type: 'kernel.judge'; claim: Claim; scene: Scene }
  /** Questions are numbered from above this, so that they are not taken for those of another run. */
  | { type: 'kernel.number'; above: number }
  /** A person said yes to that question. No agent and no model has this event to send. */
  | { type: 'kernel.approve'; id: number }
type Fact = { type: 'approval.expired'; id: number; stage: 'asked' | 'given' }

/** Who may command: the agent, a person, or nobody. */
type Commander = Source | 'nobody'

/**
 * Decides who may command, and judges what they ask by the rules of `core/rules`. Locked until the root opens it.
 * Each claim gets exactly one emitted `kernel.verdict`. What needs a person's approval is refused with the question that a
 * person has to be asked; the same claim passes once after the yes, and neither question nor yes lasts for more than 10 s,
 * nor outlives the kernel's being opened, overridden or locked.
 */
export const kernelMachine = setup({
  types: {
    context: {} as KernelContext,
    input: {} as { rules: Rules; grants: ReadonlySet<string> },
    events: {} as Command | Fact,
    emitted: {} as { type: 'kernel.verdict'; claim: Claim; verdict: Verdict },
  },
  actions: {
    noteEpoch: assign({ epoch: (_, params: { epoch: number }) => params.epoch }),
    noteRules: assign({ rules: (_, params: { rules: Rules }) => params.rules }),
    noteNumber: assign({
      lastAskedId: ({ context }, params: { above: number }) =>
        Math.max(context.lastAskedId, params.above),
    }),
    noteExpiry: assign({
      approval: ({ context }, params: Pick<Approval, 'id' | 'stage'>) =>
        expired(context.approval, params),
    }),
    forgetApproval: assign({ approval: undefined }),
    noteApproval: enqueueActions(({ context, enqueue }, { id }: { id: number }) => {
      const approval = approved(context.approval, id, context.epoch)
      enqueue.assign({ approval })
      if (approval === context.approval) return
      enqueue.raise({ type: 'approval.expired', id, stage: 'given' }, { delay: 'approvalLimit' })
    }),
    giveVerdict: enqueueActions(
      ({ context, enqueue }, params: { claim: Claim; scene: Scene; commander: Commander }) => {
        const { verdict, approval } = rulingOn(
          params.claim,
          params.scene,
          params.commander,
          context,
        )
        const first = params.claim.renewal ? 0 : 1
        enqueue.assign({
          proposed: context.proposed + first,
          permitted: context.permitted + (verdict.permitted ? first : 0),
          refused: context.refused + (verdict.permitted ? 0 : first),
          lastVerdict: verdict,
          lastAskedId: verdict.asks?.id ?? context.lastAskedId,
          approval,
        })
        if (approval?.stage === 'asked' && approval !== context.approval) {
          const { id } = approval
          enqueue.raise(
            { type: 'approval.expired', id, stage: 'asked' },
            { delay: 'approvalLimit' },
          )
        }
        enqueue.emit({ type: 'kernel.verdict', claim: params.claim, verdict })
      },
    ),
  },
  delays: { approvalLimit: inquiryMs.approval },
}).createMachine({
  id: 'kernel',
  context: ({ input }) => ({
    rules: input.rules,
    grants: input.grants,
    epoch: 0,
    proposed: 0,
    permitted: 0,
    refused: 0,
    lastVerdict: undefined,
    lastAskedId: 0,
    approval: undefined,
  }),
  initial: 'locked',
  on: {
    'kernel.lock': { target: '.locked', actions: 'forgetApproval' },
    'kernel.open': {
      target: '.open',
      actions: ['forgetApproval', { type: 'noteEpoch', params: ({ event }) => event }],
    },
    'kernel.override': {
      target: '.overridden',
      actions: ['forgetApproval', { type: 'noteEpoch', params: ({ event }) => event }],
    },
    'kernel.restrict': { actions: { type: 'noteRules', params: ({ event }) => event } },
    'kernel.number': { actions: { type: 'noteNumber', params: ({ event }) => event } },
    'approval.expired': { actions: { type: 'noteExpiry', params: ({ event }) => event } },
  },
  states: {
    locked: {
      on: {
        'kernel.judge': {
          actions: {
            type: 'giveVerdict',
            params: ({ event }) => ({ ...event, commander: 'nobody' }),
          },
        },
      },
    },
    open: {
      on: {
        'kernel.approve': { actions: { type: 'noteApproval', params: ({ event }) => event } },
        'kernel.judge': {
          actions: {
            type: 'giveVerdict',
            params: ({ event }) => ({ ...event, commander: 'agent' }),
          },
        },
      },
    },
    overridden: {
      on: {
        'kernel.judge': {
          actions: {
            type: 'giveVerdict',
            params: ({ event }) => ({ ...event, commander: 'operator' }),
          },
        },
      },
    },
  },
})

const everything: ReadonlySet<string> = new Set(['drive'])

/** Only what the agent claims in the present epoch is put before a person, or changes what was. */
function rulingOn(
  claim: Claim,
  scene: Scene,
  commander: Commander,
  context: KernelContext,
): Ruling {
  const verdict = verdictOn(claim, scene, commander, context)
  const { approval, lastAskedId, rules } = context
  const isAgents = commander === 'agent' && claim.source === 'agent'
  if (!isAgents || claim.epoch !== context.epoch) return { verdict, approval }
  return ruleOn(verdict, { ...claim, id: lastAskedId + 1 }, rules, approval)
}

function verdictOn(
  claim: Claim,
  scene: Scene,
  commander: Commander,
  context: KernelContext,
): Verdict {
  if (commander === 'nobody') {
    return refuse('locked', claim.source, 'nobody', 'the robot is not armed for motion')
  }
  if (claim.epoch !== context.epoch) {
    return refuse(
      'epoch',
      claim.epoch,
      context.epoch,
      'it was asked for before the last halt or arm',
    )
  }
  if (claim.source !== commander) {
    const override = { ...context.rules, override: true }
    if (claim.source === 'agent') return judge(claim.intent, override, context.grants, scene)
    return refuse('override', claim.source, commander, 'take over before driving by hand')
  }
  if (claim.source === 'agent') return judge(claim.intent, context.rules, context.grants, scene)
  const { unheld: _, ...rules } = context.rules
  return judge(claim.intent, rules, everything, scene)
}
