import { type AnyActorRef, isMachineSnapshot } from 'xstate'

/** An actor of a system, and what it is called there. */
export interface FoundActor {
  /** `robot`, `agent`, `sensor.front`, `board.bodyLoss`: the name that the system knows, or its key below its parent's. */
  readonly id: string
  /** The name that the system knows, or its key. */
  readonly name: string
  readonly parent: FoundActor | undefined
  readonly ref: AnyActorRef
}

/** The root and everybody below it, each before its children. */
export function actorsIn(root: AnyActorRef): readonly FoundActor[] {
  const names = new Map(Object.entries(root.system.getAll()).map(([name, ref]) => [ref, name]))
  const below = (found: FoundActor): readonly FoundActor[] => {
    const snapshot: unknown = found.ref.getSnapshot()
    const children = isMachineSnapshot(snapshot) ? Object.entries(snapshot.children) : []
    return [
      found,
      ...children.flatMap(([key, ref]) => {
        if (!isActor(ref)) return []
        const known = names.get(ref)
        return below({ id: known ?? `${found.id}.${key}`, name: known ?? key, parent: found, ref })
      }),
    ]
  }
  const snapshot: unknown = root.getSnapshot()
  const id = isMachineSnapshot(snapshot) ? snapshot.machine.id : root.id
  return below({ id, name: id, parent: undefined, ref: root })
}

/** True for an actor that runs, as XState's inspection hands it out. */
export function isActor(ref: unknown): ref is AnyActorRef {
  return typeof ref === 'object' && ref !== null && 'getSnapshot' in ref && 'system' in ref
}
