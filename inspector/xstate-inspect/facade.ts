import { chartForV4, type Fields, fieldsOf } from './chart.ts'

/** What `@xstate/inspect` looks at of a service of XState 4. Nothing that is sent to it reaches anybody. */
export interface Facade {
  readonly id: string
  readonly sessionId: string
  readonly machine: { readonly definition: Fields; toJSON(): Fields }
  readonly initialState: Fields
  state: Fields
  /** Takes an event for those who look on; replaced by the inspector, which tells them. */
  send(event: Fields): void
  subscribe(listener: (state: Fields) => void): { unsubscribe(): void }
  onStop(listener: () => void): void
}

/**
 * Takes what the robot says, one message of the Stately schema at a time, and shows each of its machines as a service of
 * XState 4 that is told to `register`. Actors that are no machines are left out: XState 4 has no word for them.
 */
export function createFacades(register: (facade: Facade) => void): (message: Fields) => void {
  const shown = new Map<string, Shown>()
  return (message) => {
    const sessionId = String(message['sessionId'])
    const known = shown.get(sessionId)
    switch (message['type']) {
      case '@xstate.actor': {
        const chart = chartForV4(String(message['definition']))
        if (!chart) return
        const state = stateForV4(sessionId, message['snapshot'], { type: 'xstate.init' })
        if (known) return known.turn(state)
        const made = facadeOf({ id: String(message['name']), sessionId, chart, state })
        shown.set(sessionId, made)
        return register(made.facade)
      }
      case '@xstate.event':
        return known?.facade.send(fieldsOf(message['event']))
      case '@xstate.snapshot': {
        const { snapshot } = message
        known?.turn(stateForV4(sessionId, snapshot, fieldsOf(message['event'])))
        if (fieldsOf(snapshot)['status'] === 'active') return
        shown.delete(sessionId)
        return known?.stop()
      }
    }
  }
}

interface Shown {
  readonly facade: Facade
  turn(state: Fields): void
  stop(): void
}

function facadeOf(given: {
  readonly id: string
  readonly sessionId: string
  readonly chart: Fields
  readonly state: Fields
}): Shown {
  const { id, sessionId, chart, state } = given
  const listeners = new Set<(state: Fields) => void>()
  const stopped = new Set<() => void>()
  const facade: Facade = {
    id,
    sessionId,
    machine: { definition: chart, toJSON: () => chart },
    initialState: state,
    state,
    send() {
      // It is shown, and cannot be steered.
    },
    subscribe(listener) {
      listeners.add(listener)
      return { unsubscribe: () => void listeners.delete(listener) }
    },
    onStop: (listener) => void stopped.add(listener),
  }
  return {
    facade,
    turn(next) {
      facade.state = next
      for (const listener of listeners) listener(next)
    },
    stop() {
      for (const listener of stopped) listener()
    },
  }
}

function stateForV4(sessionId: string, snapshot: unknown, event: Fields): Fields {
  const { value, context, status, tags } = fieldsOf(snapshot)
  return {
    value,
    context,
    event,
    _event: { name: event['type'], data: event, $$type: 'scxml', type: 'external' },
    _sessionid: sessionId,
    actions: [],
    activities: {},
    meta: {},
    events: [],
    configuration: [],
    transitions: [],
    children: {},
    done: status === 'done',
    tags,
    changed: true,
  }
}
