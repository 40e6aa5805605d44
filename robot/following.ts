import type { SnapshotFrom } from 'xstate'
import { stateOf } from '../actors/account.ts'
import type { Judgement } from '../actors/deliberation.ts'
import type { Children } from '../actors/children.ts'
import { rulesFor, slowedRules } from '../core/rules/restrictions.ts'
import { messageOf } from '../core/vocabulary/errors.ts'
import { numberedAbove } from '../core/vocabulary/inquiry.ts'
import type { Intent } from '../core/vocabulary/intent.ts'
import type { agentMachine } from '../machines/agent.machine.ts'
import type { robotMachine } from '../machines/robot.machine.ts'
import { questionLine, tellPerson } from './notice.ts'
import { carryOut, noteAgent } from './orders.ts'
import type { Parts } from './parts.ts'
import type { RobotOptions } from './contract.ts'
import { asksModels, type Configuration } from '../core/vocabulary/configuration.ts'

/** Binds the gate to the root, before the root starts: motion needs its positive evidence, and its end shuts for good. */
export function followRoot(parts: Parts): void {
  const { enabling, gate, halting, listen, log, root, stateListeners } = parts
  const attach = attacher(parts)
  let lastState = ''
  let lastEpoch = 0
  let wasSlow = false
  const announce = (state: string) => {
    lastState = state
    enabling.follow(state)
    for (const listener of stateListeners) listen('state', listener)(state)
  }
  root.subscribe({
    next: listen('root.next', (snapshot: SnapshotFrom<typeof robotMachine>) => {
      attach()
      const { epoch, causes } = snapshot.context
      if (snapshot.status === 'active' && snapshot.hasTag('motion')) gate.allow(epoch)
      else if (gate.isOpen) gate.shut()
      const state = stateOf(snapshot)
      if (epoch !== lastEpoch) parts.commanders.forget()
      lastEpoch = epoch
      if (isSlow(parts) !== wasSlow) restrict(parts)
      wasSlow = isSlow(parts)
      if (state === lastState) return
      log.info({ epoch, causes }, state)
      if (state === 'standby') restrict(parts)
      announce(state)
    }),
    error: listen('root.error', (error: unknown) => {
      void halting.trip(`the root failed: ${messageOf(error)}`)
      log.error({ error: messageOf(error) }, 'the root failed; the motion gate is shut for good')
      announce('failed')
    }),
    complete: listen('root.complete', () => gate.trip('the root has ended')),
  })
}

/** Listens to kernel and agent, and anew whenever the root has replaced them. */
function attacher(parts: Parts): () => void {
  const { children, judgements, listen, log, reflex } = parts
  let kernelHeard: ReturnType<Children['kernel']>
  let agentHeard: unknown
  return () => {
    const kernel = children.kernel()
    if (kernel && kernel !== kernelHeard) {
      const above = kernelHeard?.getSnapshot().context.lastAskedId ?? numberedAbove(runOf(parts))
      kernelHeard = kernel
      kernel.send({ type: 'kernel.number', above })
      const hear = listen('kernel.verdict', ({ claim, verdict }: Judgement) => {
        reflex.hear(claim, verdict)
        if (claim.source === 'agent') noteAgent(parts, { claim, verdict })
        judgements.next({ claim, verdict })
        if (!verdict.permitted) log.info({ rule: verdict.rule }, `refused: ${verdict.message}`)
      })
      kernel.on('kernel.verdict', hear)
      restrict(parts)
    }
    const agent = children.agent()
    if (agent && agent !== agentHeard) {
      agentHeard = agent
      const obey = listen('order.given', ({ intent, epoch }: Given) =>
        carryOut(parts, intent, epoch),
      )
      const withdraw = listen('order.withdrawn', () => {
        reflex.withdraw('agent')
        parts.commanders.silence('agent')
      })
      agent.on('order.given', obey)
      agent.on('order.withdrawn', withdraw)
      // What a dead agent ordered is not carried out to its end.
      const question = questioner(parts)
      const next = listen('agent.next', (snapshot: SnapshotFrom<typeof agentMachine>) => {
        question(snapshot)
        parts.remembering?.follow(snapshot)
      })
      agent.subscribe({ next, error: withdraw })
    }
  }
}

/** Says each question once, when it is asked. */
function questioner(parts: Parts): (agent: SnapshotFrom<typeof agentMachine>) => void {
  let toldId: number | undefined
  return ({ context: { question } }) => {
    if (!question || question.id === toldId) return
    toldId = question.id
    tellPerson(parts, questionLine(parts.configuration.name, question))
  }
}

function runOf({ configuration, options }: Parts): string {
  return options.run ?? configuration.name
}

interface Given {
  readonly intent: Intent
  readonly epoch: number
}

/** Has kernel and failsafe know at once whether a hand is on the enabling device. */
export function heedHand(parts: Parts): void {
  restrict(parts)
  parts.hazards.note(parts.clock.now())
}

/** Goes on for a person who holds the device, unless something besides has it stand still. */
export function resumeByHand({ children, root }: Parts): void {
  const isClear = children.failsafe()?.getSnapshot().hasTag('clear') === true
  if (isClear && root.getSnapshot().can({ type: 'robot.resume' }))
    root.send({ type: 'robot.resume' })
}

/** A model that the configuration names decides; a brain that a program brings along answers for itself. */
export function isDrivenByModel(configuration: Configuration, { brain }: RobotOptions): boolean {
  return brain === undefined && asksModels(configuration)
}

/** Tells the kernel what this body, as it reported itself, may do. Until then the kernel permits no motion. */
function restrict(parts: Parts): void {
  const { body, children, configuration, enabling, options, reported } = parts
  if (!reported.facts) return
  const { deadman } = reported.facts
  const open = rulesFor(configuration, {
    simulated: body.kind === 'simulated',
    deadman,
    isUnattended: options.unattended === true && isDrivenByModel(configuration, options),
  })
  const unheld = enabling.cause
  const rules = unheld === undefined ? open : { ...open, unheld }
  children.kernel()?.send({
    type: 'kernel.restrict',
    rules: isSlow(parts) ? slowedRules(rules) : rules,
  })
}

/** The failsafe has the robot go slowly. */
function isSlow({ children }: Parts): boolean {
  return children.failsafe()?.getSnapshot().hasTag('slow') === true
}
