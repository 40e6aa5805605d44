import { assign, enqueueActions, setup } from 'xstate'
import { judge, refuse, type Rules } from '../core/rules/gatekeeper.ts'
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
}

type Command =
  | { type: 'kernel.open'; epoch: number }
  | { type: 'kernel.override'; epoch: number }
  | { type: 'kernel.lock' }
  | { type: 'kernel.restrict'; rules: Rules }
  | { type: 'kernel.judge'; claim: Claim; scene: Scene }

/** Who may command: the agent, a person, or nobody. */
type Commander = Source | 'nobody'

/**
 * Decides who may command, and judges what they ask by the rules of `core/rules`. Locked until the root opens it.
 * Each claim gets exactly one emitted `kernel.verdict`.
 */
export const kernelMachine = setup({
  types: {
    context: {} as KernelContext,
    input: {} as { rules: Rules; grants: ReadonlySet<string> },
    events: {} as Command,
    emitted: {} as { type: 'kernel.verdict'; claim: Claim; verdict: Verdict },
  },
  actions: {
    noteEpoch: assign({ epoch: (_, params: { epoch: number }) => params.epoch }),
    noteRules: assign({ rules: (_, params: { rules: Rules }) => params.rules }),
    giveVerdict: enqueueActions(
      ({ context, enqueue }, params: { claim: Claim; scene: Scene; commander: Commander }) => {
        const verdict = verdictOn(params.claim, params.scene, params.commander, context)
        const first = params.claim.renewal ? 0 : 1
        enqueue.assign({
          proposed: context.proposed + first,
          permitted: context.permitted + (verdict.permitted ? first : 0),
          refused: context.refused + (verdict.permitted ? 0 : first),
          lastVerdict: verdict,
        })
        enqueue.emit({ type: 'kernel.verdict', claim: params.claim, verdict })
      },
    ),
  },
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
  }),
  initial: 'locked',
  on: {
    'kernel.lock': { target: '.locked' },
    'kernel.open': {
      target: '.open',
      actions: { type: 'noteEpoch', params: ({ event }) => event },
    },
    'kernel.override': {
      target: '.overridden',
      actions: { type: 'noteEpoch', params: ({ event }) => event },
    },
    'kernel.restrict': { actions: { type: 'noteRules', params: ({ event }) => event } },
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
  const grants = claim.source === 'operator' ? everything : context.grants
  return judge(claim.intent, context.rules, grants, scene)
}
