/** Whose messages these are: version 0.7.2 of `@statelyai/inspect`, which a test compares them with. */
export const schemaVersion = '0.7.2'

/** What the Stately Inspector is told, one JSON object a message. */
export type StatelyMessage = StatelyActor | StatelyEvent | StatelySnapshotMessage

/** How an actor is, in plain data: its context in a few words a field. */
export interface StatelySnapshot {
  readonly status: string
  readonly value?: unknown
  readonly context?: Readonly<Record<string, string>>
  readonly children?: Readonly<Record<string, { readonly xstate$$type: 1; readonly id: string }>>
  readonly historyValue?: Readonly<Record<string, never>>
  readonly tags?: readonly string[]
  readonly error?: string
}

interface Message {
  readonly _version: typeof schemaVersion
  /** In ms since 1970. */
  readonly createdAt: string
  readonly id: null
  readonly rootId: string
  readonly sessionId: string
}

/** An actor that has not been told of yet. */
interface StatelyActor extends Message {
  readonly type: '@xstate.actor'
  readonly name: string
  /** The configuration of its machine, as JSON. */
  readonly definition: string
  readonly parentId?: string
  readonly snapshot: StatelySnapshot
}

interface StatelyEvent extends Message {
  readonly type: '@xstate.event'
  readonly event: TypedEvent
  readonly sourceId?: string
}

interface StatelySnapshotMessage extends Message {
  readonly type: '@xstate.snapshot'
  /** What it came of. */
  readonly event: TypedEvent
  readonly snapshot: StatelySnapshot
}

/** An event with its fields in a few words. */
type TypedEvent = Readonly<Record<string, string>> & { readonly type: string }
