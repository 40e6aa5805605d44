import type { IntervalHistogram } from 'node:perf_hooks'
import type { Subject } from 'rxjs'
import type { ActorRefFrom } from 'xstate'
import type { Build } from '../actors/anatomy.ts'
import type { Children } from '../actors/children.ts'
import type { Commanders } from '../actors/commanders.ts'
import type { Brain, Judgement } from '../actors/deliberation.ts'
import type { Halting } from '../actors/halting.ts'
import type { HazardWatch } from '../actors/hazards.ts'
import type { Outlook } from '../actors/outlook.ts'
import type { Reflex } from '../actors/reflex.ts'
import type { Senses } from '../actors/senses.ts'
import type { Configuration } from '../core/vocabulary/configuration.ts'
import type { Body, BodyFacts } from '../drivers/body.ts'
import type { Clock } from '../drivers/clock.ts'
import type { MotionGate } from '../drivers/gate.ts'
import type { robotMachine } from '../machines/robot.machine.ts'
import type { Log, RobotOptions } from './contract.ts'
import type { Enabling } from './enabling.ts'
import type { Recording } from './recording.ts'
import type { Remembering } from './remembering.ts'
import type { Thinking } from './thinking.ts'

/** Everything that a robot is made of, put together once by `robot.ts`. */
export interface Parts {
  readonly configuration: Configuration
  readonly options: RobotOptions
  readonly seed: number
  readonly log: Log
  /** Makes a listener total: whatever it throws halts the robot. */
  readonly listen: Listen
  readonly reach: Reach
  readonly clock: Clock
  readonly body: Body
  readonly gate: MotionGate
  readonly halting: Halting
  readonly build: Build
  readonly perceived: Senses
  readonly outlook: Outlook
  readonly brain: Brain
  /** Decides for a while when the brain goes round in circles; undefined where nobody does. */
  readonly wanderer: Brain | undefined
  readonly thinking: Thinking
  /** Undefined where no record is kept. */
  readonly recording: Recording | undefined
  /** Undefined where nothing is remembered. */
  readonly remembering: Remembering | undefined
  readonly judgements: Subject<Judgement>
  readonly reflex: Reflex
  readonly commanders: Commanders
  readonly hazards: HazardWatch
  readonly enabling: Enabling
  readonly root: ActorRefFrom<typeof robotMachine>
  readonly children: Children
  readonly stateListeners: Set<(state: string) => void>
  readonly noticeListeners: Set<(line: string) => void>
  readonly times: Times
  /** What the body said of itself when it was last opened. */
  readonly reported: { facts: BodyFacts | undefined }
}

/** A listener: it is told, and gives nothing back. */
export type Hear<Args extends readonly unknown[]> = (...args: Args) => void

type Listen = <Args extends readonly unknown[]>(name: string, hear: Hear<Args>) => Hear<Args>

/** Whether the root can be told anything. */
interface Reach {
  /** Why it cannot, for good: the gate alone keeps the robot still. */
  lost: string | undefined
  isTelling: boolean
}

interface Times {
  readonly startedMs: number
  readonly wall: Clock
  readonly wallStartedMs: number
  readonly loopDelay: IntervalHistogram
}
