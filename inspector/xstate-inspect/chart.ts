/** Plain data that came as JSON. */
export type Fields = Readonly<Record<string, unknown>>

/**
 * The chart of an XState 5 machine, as the robot tells it, in the words of XState 4. What those have no word for is left
 * out: `onSnapshot`, and wildcards within a name. Undefined for what has no states, such as a promise.
 */
export function chartForV4(definition: string): Fields | undefined {
  const chart = fieldsOf(JSON.parse(definition))
  if (!('states' in chart)) return undefined
  return { ...nodeForV4(chart), predictableActionArguments: true }
}

/** A value as the fields that it has; none for what is no object. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function nodeForV4(node: Fields): Fields {
  const { always, after, invoke, on, onDone, states, ...same } = node
  return {
    ...same,
    ...(on !== undefined && { on: each(on, transitionsForV4) }),
    ...(after !== undefined && { after: each(after, transitionsForV4) }),
    ...(always !== undefined && { always: transitionsForV4(always) }),
    ...(onDone !== undefined && { onDone: transitionsForV4(onDone) }),
    ...(invoke !== undefined && { invoke: listOf(invoke).map(invocationForV4) }),
    ...(states !== undefined && {
      states: each(states, (inner) => nodeForV4(fieldsOf(inner))),
    }),
  }
}

function invocationForV4(invoked: unknown): Fields {
  const { id, src, onDone, onError } = fieldsOf(invoked)
  return {
    id,
    src,
    ...(onDone !== undefined && { onDone: transitionsForV4(onDone) }),
    ...(onError !== undefined && { onError: transitionsForV4(onError) }),
  }
}

/** XState 5 enters a state again only where it says `reenter`; XState 4 does unless it says `internal`. */
function transitionsForV4(transitions: unknown): readonly Fields[] {
  return listOf(transitions).map((transition) => {
    const { guard, reenter, ...same } = fieldsOf(transition)
    return {
      ...same,
      ...(guard !== undefined && { cond: guard }),
      ...('target' in same && { internal: reenter !== true }),
    }
  })
}

function each(fields: unknown, told: (value: unknown) => unknown): Fields {
  return Object.fromEntries(
    Object.entries(fieldsOf(fields)).map(([key, value]) => [key, told(value)]),
  )
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}
