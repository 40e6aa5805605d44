import { type AnyStateMachine, StateMachine } from 'xstate'

/** Where a machine names something that is made elsewhere: a place for a fault. */
export interface Slot {
  /** As people find it in the files: `agent/actions/giveOrder`. */
  readonly name: string
  readonly kind: 'actions' | 'guards' | 'delays' | 'actors'
  /** `built-in` is what XState carries out itself (assign, sendTo, raise, and), `logic` an actor that is no machine. */
  readonly form: 'built-in' | 'function' | 'number' | 'logic' | 'machine'
}

/** Every slot of a machine and of all machines among its actors, whoever has provided them. */
export function slotsOf(machine: AnyStateMachine): readonly Slot[] {
  const own = kinds.flatMap((kind) =>
    Object.entries(machine.implementations[kind]).map(([key, made]): Slot => ({
      name: `${machine.id}/${kind}/${key}`,
      kind,
      form: formOf(made),
    })),
  )
  const inner = Object.values(machine.implementations.actors).flatMap((made) =>
    made instanceof StateMachine ? slotsOf(made) : [],
  )
  return [...own, ...inner]
}

const kinds = ['actions', 'guards', 'delays', 'actors'] as const

/** Throws a TypeError for what no fault is known for. */
export function formOf(made: unknown): Slot['form'] {
  if (made instanceof StateMachine) return 'machine'
  if (typeof made === 'number') return 'number'
  if (typeof made === 'function') {
    return 'resolve' in made || 'check' in made ? 'built-in' : 'function'
  }
  if (typeof made === 'object' && made !== null && 'start' in made) return 'logic'
  throw new TypeError(`a slot of a form that nobody knows: ${String(made)}`)
}
