import { createActor, type EventObject, fromCallback } from 'xstate'
import type { Observation } from '../../core/vocabulary/observation.ts'
import type { Proposal } from '../../core/vocabulary/intent.ts'
import type { Sighting } from '../../core/space/world.ts'
import type { Verdict } from '../../core/vocabulary/verdict.ts'
import { virtualClock } from '../../drivers/clock.ts'
import { agentMachine, type Decision, type Orientation } from '../../machines/agent.machine.ts'
import { type BoardFacts, boardMachine } from '../../machines/board.machine.ts'
import { guardianMachine } from '../../machines/guardian.machine.ts'
import { kernelMachine } from '../../machines/kernel.machine.ts'
import { llmMachine } from '../../machines/llm.machine.ts'
import { motionMachine } from '../../machines/motion.machine.ts'
import { perceptionMachine } from '../../machines/perception.machine.ts'
import { relaysMachine } from '../../machines/relays.machine.ts'
import { type RobotInput, robotMachine } from '../../machines/robot.machine.ts'
import type { ChildName } from '../../machines/supervision.ts'
import type { Happening } from '../../machines/proof/step.ts'
import { held } from './held.ts'
import { robotInput } from './robot.input.ts'

function broken(): never {
  throw new Error('it broke')
}

/** For each child that a test may break: an event that its broken action does not survive. */
const blows = {
  kernel: { type: 'kernel.restrict', rules: robotInput.rules },
  relays: { type: 'relays.set', relay: 'lamp', on: true, leaseMs: 1_000 },
  perception: { type: 'perception.fresh', sensor: 'front' },
  llm: { type: 'llm.ask', question: { id: 1, messages: [], schema: {} } },
  agent: { type: 'agent.goal', text: 'break' },
} as const satisfies Partial<Record<ChildName, Happening>>

/** The root with its own children, each of which breaks when told to, on a clock that stands until it is moved. */
export function livingRobot(input: Partial<RobotInput> = {}) {
  const clock = virtualClock()
  const openBody = held<BoardFacts>()
  const verifyBody = held<void>()
  const closeBody = held<void>()
  const observe = held<Sighting>()
  const trips: (readonly string[])[] = []
  const armed: number[] = []
  let tellGuardian: (event: EventObject) => void = () => undefined
  const root = createActor(
    robotMachine.provide({
      actors: {
        guardian: guardianMachine.provide({
          actors: {
            watchGuardian: fromCallback<EventObject, undefined>(({ sendBack }) => {
              tellGuardian = sendBack
            }),
          },
        }),
        board: boardMachine.provide({
          actors: {
            openBody: openBody.logic,
            verifyBody: verifyBody.logic,
            closeBody: closeBody.logic,
            bodyLoss: fromCallback<EventObject, undefined>(() => undefined),
          },
        }),
        kernel: kernelMachine.provide({ actions: { noteRules: broken } }),
        relays: relaysMachine.provide({ actions: { switchRelay: broken } }),
        perception: perceptionMachine.provide({
          actors: { freshness: fromCallback<EventObject, undefined>(() => undefined) },
          actions: { noteFresh: broken },
        }),
        llm: llmMachine.provide({
          actors: { watchBudget: fromCallback<EventObject, undefined>(() => undefined) },
          actions: { noteQuestion: broken },
        }),
        agent: agentMachine.provide({
          actors: {
            observe: observe.logic,
            orient: held<Observation, Orientation>().logic,
            decide: held<Proposal, Decision>().logic,
            gatekeep: held<Verdict, { proposal: Proposal; epoch: number }>().logic,
          },
          actions: {
            noteGoal: (_, { text }) => {
              if (text === blows.agent.text) broken()
            },
          },
        }),
        motion: motionMachine,
      },
      actions: {
        tripGate: (_, { causes }) => {
          trips.push(causes)
        },
        armBody: (_, { epoch }) => {
          armed.push(epoch)
        },
        stampBeat() {},
      },
    }),
    { clock, input: { ...robotInput, ...input } },
  ).start()

  const valueOf = (child: ChildName): unknown => root.system.get(child)?.getSnapshot().value

  return {
    clock,
    root,
    openBody,
    verifyBody,
    closeBody,
    observe,
    trips,
    armed,
    valueOf,
    context: () => root.getSnapshot().context,
    state() {
      const { value } = root.getSnapshot()
      return typeof value === 'string' ? value : Object.entries(value).flat().join('.')
    },
    async boot() {
      await openBody.last().resolve({ firmware: 'StandardFirmata 2.5', deadman: true })
      await verifyBody.last().resolve()
    },
    guardian: (event: EventObject & { readonly cause?: string }) => tellGuardian(event),
    arm() {
      root.send({ type: 'robot.arm', epoch: root.getSnapshot().context.epoch })
    },
    break(child: keyof typeof blows) {
      root.system.get(child)?.send({ type: 'relays.permit' })
      root.system.get(child)?.send(blows[child])
    },
    children: () => ({
      kernel: valueOf('kernel'),
      motion: valueOf('motion'),
      relays: valueOf('relays'),
      agent: valueOf('agent'),
    }),
  }
}
