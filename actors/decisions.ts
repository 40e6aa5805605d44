import type { Observable } from 'rxjs'
import type { ActorSystem, AnyActor, InspectionEvent } from 'xstate'
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
  readonly machine?: { readonly id: string }
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
    const id = nameOf(actorRef, rootId)
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
      tape.note('state', {
        ...place,
        ...(value === 'acting' && { order: context?.intent }),
        ...(last.has(id) ? { event: inspected.event.type } : { actor: whoIs(inspected) }),
      })
      last.set(id, key)
    }
  }
}

/** What a chart is called among the running actors, and whose it is: said once of each. */
function whoIs({ actorRef, rootId, snapshot }: Inspected): object {
  const { machine }: Seen = snapshot
  // Underscored, but in XState's types: there is no other way to know it.
  const { _parent: parent } = isActor(actorRef) ? actorRef : { _parent: undefined }
  return {
    id: calledIn(actorRef, rootId),
    machine: machine?.id ?? '',
    parent: parent ? calledIn(parent, rootId) : null,
  }
}

type Inspected = Extract<InspectionEvent, { type: '@xstate.snapshot' }>

/** As the system knows it: `robot`, `agent`, `sensor.front`. */
function calledIn(ref: Inspected['actorRef'], rootId: string): string {
  const known = isActor(ref) ? ref.systemId : undefined
  return known ?? nameOf(ref, rootId)
}

function nameOf(ref: Inspected['actorRef'], rootId: string): string {
  if (ref.sessionId === rootId) return 'robot'
  return isActor(ref) ? ref.id : ''
}

function isActor(ref: object): ref is AnyActor {
  return 'id' in ref && 'systemId' in ref
}
