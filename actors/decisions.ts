import type { Observable } from 'rxjs'
import type { ActorSystem, InspectionEvent } from 'xstate'
import { poseOf, type World } from '../core/space/world.ts'
import type { Clock } from '../drivers/clock.ts'
import type { Judgement } from './deliberation.ts'
import type { Tape } from './tape.ts'

/** Where a robot's decisions are seen. */
export interface DecisionSources {
  readonly system: Pick<ActorSystem<never>, 'inspect'>
  readonly judgements: Observable<Judgement>
  readonly world: Observable<World>
  readonly clock: Clock
  /** False for a robot that has no wheels to find its place by. */
  readonly hasPose: boolean
}

/** The place is noted no more often than this, in ms. */
const poseMs = 100

/** Notes every state of every chart, every proposal, every verdict with its claim, and where the robot believes to be. */
export function noteDecisions(tape: Tape, sources: DecisionSources): void {
  const { clock, hasPose, judgements, system, world } = sources
  system.inspect(chartWatch(tape))
  judgements.subscribe(({ claim, verdict }) => tape.note('verdict', { claim, verdict }))
  let notedMs = Number.NEGATIVE_INFINITY
  if (!hasPose) return
  world.subscribe((seen) => {
    const now = clock.now()
    if (now - notedMs < poseMs) return
    notedMs = now
    tape.note('pose', poseOf(seen))
  })
}

/** What is seen of a chart, as far as it is looked at. */
interface Seen {
  readonly status?: unknown
  readonly value?: unknown
  readonly context?: {
    readonly epoch?: unknown
    readonly intent?: unknown
    readonly causes?: unknown
  }
}

function chartWatch(tape: Tape): (event: InspectionEvent) => void {
  const last = new Map<string, string>()
  return (inspected) => {
    const { actorRef, rootId } = inspected
    const id = actorRef.sessionId === rootId ? 'robot' : idOf(actorRef)
    if (inspected.type === '@xstate.event') {
      const { event } = inspected
      if (event.type === 'xstate.done.actor.decide' && 'output' in event) {
        tape.note('proposal', event['output'])
      }
    } else if (inspected.type === '@xstate.snapshot') {
      const { status, value, context }: Seen = inspected.snapshot
      if (value === undefined) return
      const epoch = typeof context?.epoch === 'number' ? { epoch: context.epoch } : {}
      const causes = value === 'halted' ? { causes: context?.causes } : {}
      const place = { chart: id, value, status, ...epoch, ...causes }
      const key = JSON.stringify(place)
      if (last.get(id) === key) return
      last.set(id, key)
      tape.note('state', value === 'acting' ? { ...place, order: context?.intent } : place)
    }
  }
}

function idOf(ref: object): string {
  return 'id' in ref ? String(ref.id) : ''
}
