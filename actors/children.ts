import type { ActorRefFrom, ActorSystem, AnyStateMachine } from 'xstate'
import type { agentMachine } from '../machines/agent.machine.ts'
import type { boardMachine } from '../machines/board.machine.ts'
import type { failsafeMachine } from '../machines/failsafe.machine.ts'
import type { kernelMachine } from '../machines/kernel.machine.ts'
import type { llmMachine } from '../machines/llm.machine.ts'
import type { motionMachine } from '../machines/motion.machine.ts'
import type { perceptionMachine } from '../machines/perception.machine.ts'
import type { relaysMachine } from '../machines/relays.machine.ts'
import type { sensorMachine } from '../machines/sensor.machine.ts'

type Found<Machine extends AnyStateMachine> = ActorRefFrom<Machine> | undefined

/**
 * The root's children, each as it is at the moment of asking: the root may have replaced it, or not have started it.
 * Hold on to none of them.
 */
export interface Children {
  board(): Found<typeof boardMachine>
  failsafe(): Found<typeof failsafeMachine>
  kernel(): Found<typeof kernelMachine>
  motion(): Found<typeof motionMachine>
  relays(): Found<typeof relaysMachine>
  perception(): Found<typeof perceptionMachine>
  llm(): Found<typeof llmMachine>
  agent(): Found<typeof agentMachine>
  sensor(name: string): Found<typeof sensorMachine>
}

type Names = 'board' | 'failsafe' | 'kernel' | 'motion' | 'relays' | 'perception' | 'llm' | 'agent'
interface Systems {
  actors: { [Name in Names]: NonNullable<ReturnType<Children[Name]>> } & Record<
    `sensor.${string}`,
    ActorRefFrom<typeof sensorMachine>
  >
}

/** `system` is asked for anew each time, so that children can be handed out before the root exists. */
export function childrenOf(system: () => ActorSystem<Systems>): Children {
  return {
    board: () => system().get('board'),
    failsafe: () => system().get('failsafe'),
    kernel: () => system().get('kernel'),
    motion: () => system().get('motion'),
    relays: () => system().get('relays'),
    perception: () => system().get('perception'),
    llm: () => system().get('llm'),
    agent: () => system().get('agent'),
    sensor: (name) => system().get(`sensor.${name}`),
  }
}
