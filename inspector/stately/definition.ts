import type { AnyStateMachine } from 'xstate'

/**
 * The configuration of a machine as JSON that viewers can draw: states, transitions, and what is done in them, by name.
 * Whatever is no name (contexts, inputs, parameters, functions) is not in it.
 */
export function definitionOf(machine: AnyStateMachine): string {
  const config: unknown = machine.config
  return JSON.stringify(nodeOf({ ...recordOf(config), id: machine.id }))
}

type Fields = Readonly<Record<string, unknown>>

const plainFields = ['id', 'type', 'history', 'target', 'tags', 'description'] as const

function nodeOf(config: unknown): Fields {
  const node = recordOf(config)
  const { initial } = node
  return {
    ...plainIn(node),
    ...('initial' in node && {
      initial: typeof initial === 'string' ? initial : recordOf(initial)['target'],
    }),
    ...named(node, 'entry', namesOf),
    ...named(node, 'exit', namesOf),
    ...named(node, 'invoke', (invoked) => listOf(invoked).map(invocationOf)),
    ...named(node, 'on', (on) => each(on, transitionsOf)),
    ...named(node, 'after', (after) => each(after, transitionsOf)),
    ...named(node, 'always', transitionsOf),
    ...named(node, 'onDone', transitionsOf),
    ...named(node, 'states', (states) => each(states, nodeOf)),
  }
}

function invocationOf(invoked: unknown): Fields {
  const { id, src, ...reactions } = recordOf(invoked)
  return {
    ...(typeof id === 'string' && { id }),
    src: nameOf(src),
    ...named(reactions, 'onDone', transitionsOf),
    ...named(reactions, 'onError', transitionsOf),
    ...named(reactions, 'onSnapshot', transitionsOf),
  }
}

function transitionsOf(config: unknown): readonly Fields[] {
  return listOf(config).map((transition) => {
    if (typeof transition === 'string') return { target: transition }
    const fields = recordOf(transition)
    return {
      ...plainIn(fields),
      ...named(fields, 'guard', nameOf),
      ...named(fields, 'actions', namesOf),
      ...(typeof fields['reenter'] === 'boolean' && { reenter: fields['reenter'] }),
    }
  })
}

function namesOf(actions: unknown): readonly Fields[] {
  return listOf(actions).map((action) => ({ type: nameOf(action) }))
}

/** The name of an action, a guard or an actor; `a and b` for guards that were put together. */
function nameOf(source: unknown): string {
  if (typeof source === 'string') return source
  if (typeof source === 'function') {
    const inner: unknown = 'guards' in source ? source.guards : undefined
    if (!Array.isArray(inner)) return source.name || 'inline'
    const names = inner.map(nameOf)
    return source.name === 'not' ? `not ${names.join()}` : names.join(` ${source.name} `)
  }
  const { type } = recordOf(source)
  return typeof type === 'string' ? type : 'inline'
}

function plainIn(fields: Fields): Fields {
  return Object.fromEntries(
    plainFields.flatMap((key) => {
      const value = fields[key]
      const isPlain = typeof value === 'string' || (Array.isArray(value) && value.every(isText))
      return isPlain ? [[key, value]] : []
    }),
  )
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function named(fields: Fields, key: string, told: (value: unknown) => unknown): Fields {
  return fields[key] === undefined ? {} : { [key]: told(fields[key]) }
}

function each(fields: unknown, told: (value: unknown) => unknown): Fields {
  return Object.fromEntries(
    Object.entries(recordOf(fields)).map(([key, value]) => [key, told(value)]),
  )
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

function recordOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
