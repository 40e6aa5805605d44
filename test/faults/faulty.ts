import { type AnyActorLogic, type AnyStateMachine, StateMachine } from 'xstate'
import { formOf } from './slots.ts'

/** How a slot fails. To hang is to be asked and never to answer; a delay hangs by being endless. */
export type Fault = 'throw' | 'reject' | 'hang' | 'NaN'

/** Asked at each use of a slot: how it is to fail this time, if it is. */
export type Ask = (slot: string) => Fault | undefined

/** What a driver's or a user's function gives back: nothing, a promise, or something that is needed at once. */
export type Gift = 'nothing' | 'a promise' | 'a value'
export type Note = (slot: string, given: Gift) => void

/** What is thrown, and what is rejected with. */
export function broken(slot: string): Error {
  return new Error(`${slot} is broken`)
}

/** Puts a question into every slot of a machine and of all machines among its actors. Changes the machine that it is given. */
export function makeFaulty<Machine extends AnyStateMachine>(machine: Machine, ask: Ask): Machine {
  const { actions, guards, delays, actors } = machine.implementations
  const wrap = <Made>(
    made: Record<string, Made>,
    kind: string,
    wrapped: (slot: string, each: Made) => unknown,
  ) => {
    for (const [key, each] of Object.entries(made)) {
      Object.assign(made, { [key]: wrapped(`${machine.id}/${kind}/${key}`, each) })
    }
  }
  wrap(actions, 'actions', (slot, made) => faultyAct(slot, made, 'resolve', ask))
  wrap(guards, 'guards', (slot, made) => faultyAct(slot, made, 'check', ask))
  wrap(delays, 'delays', (slot, made) => faultyDelay(slot, made, ask))
  wrap(actors, 'actors', (slot, made) => {
    if (made instanceof StateMachine)
      return faultyMachine(slot, makeFaulty(made.provide({}), ask), ask)
    if ('transition' in made) return faultyLogic(slot, made, ask)
    throw new TypeError(`${slot} is no actor logic`)
  })
  return machine
}

type Called = (...args: readonly unknown[]) => unknown

/** A function, or one of XState's own actions and guards, which carries what it does in `inside`. */
function faultyAct(slot: string, made: unknown, inside: string, ask: Ask): unknown {
  if (typeof made !== 'function') throw new TypeError(`${slot} is no function`)
  if (formOf(made) === 'function') return faultyCall(slot, calling(made), ask)
  const does: unknown = Reflect.get(made, inside)
  if (typeof does !== 'function') throw new TypeError(`${slot} has no ${inside}`)
  return Object.assign(() => undefined, made, { [inside]: faultyCall(slot, calling(does), ask) })
}

function calling(made: object): Called {
  return (...args) => (typeof made === 'function' ? Reflect.apply(made, undefined, args) : made)
}

/** The same function, with a question before each call. */
export function faultyCall<Args extends readonly unknown[]>(
  slot: string,
  act: (...args: Args) => unknown,
  ask: Ask,
): (...args: Args) => unknown {
  return (...args) => failing(slot, ask(slot)) ?? act(...args)
}

/** Throws, or the promise that is not kept; undefined for no fault. */
function failing(slot: string, fault: Fault | undefined): Promise<never> | undefined {
  switch (fault) {
    case undefined:
      return undefined
    case 'reject':
      return Promise.reject(broken(slot))
    case 'hang':
      return new Promise(() => {})
    case 'throw':
    case 'NaN':
      throw broken(slot)
  }
}

function faultyDelay(slot: string, made: unknown, ask: Ask): Called {
  return (...args) => {
    const fault = ask(slot)
    if (fault === 'NaN') return NaN
    if (fault === 'hang') return Infinity
    if (fault !== undefined) throw broken(slot)
    return typeof made === 'function' ? Reflect.apply(made, undefined, args) : made
  }
}

/** A chart that throws at its next event, or takes no event from then on: it is deaf, and says that it is well. */
function faultyMachine<M extends AnyStateMachine>(slot: string, machine: M, ask: Ask): M {
  const { transition, getInitialSnapshot } = machine
  const provide = machine.provide.bind(machine)
  return Object.assign(machine, {
    // Whoever clones it clones its fault.
    provide: (more: Parameters<typeof provide>[0]) => faultyMachine(slot, provide(more), ask),
    getInitialSnapshot(...args: Parameters<typeof getInitialSnapshot>) {
      if (ask(slot) === 'throw') throw broken(slot)
      return getInitialSnapshot(...args)
    },
    transition(...[snapshot, event, scope]: Parameters<typeof transition>) {
      const fault = ask(slot)
      if (fault === 'throw') throw broken(slot)
      if (fault === 'hang') deafen(scope.self)
      return fault === 'hang' ? snapshot : transition(snapshot, event, scope)
    },
  })
}

function deafen(actor: object): void {
  const mailbox: unknown = Reflect.get(actor, 'mailbox')
  if (typeof mailbox !== 'object' || mailbox === null) throw new TypeError('no mailbox')
  Object.assign(mailbox, { enqueue() {} })
}

const poison = 'fault.poison'

/** A promise or a stream: throws as it starts, fails soon after, or says nothing of what happens. */
function faultyLogic(slot: string, logic: AnyActorLogic, ask: Ask): AnyActorLogic {
  return {
    ...logic,
    start(snapshot, scope) {
      const fault = ask(slot)
      if (fault === 'throw') throw broken(slot)
      if (fault === 'reject') {
        queueMicrotask(() => scope.self.send({ type: poison }))
        return
      }
      if (fault === 'hang') return
      const relay: Called = Reflect.get(scope.system, '_relay')
      const system = Object.create(scope.system, {
        _relay: {
          value: (...args: readonly unknown[]) => {
            const now = ask(slot)
            if (now === undefined) return relay(...args)
            // It fails where it would have told something, or tells nothing from now on.
            return now === 'hang' ? undefined : scope.self.send({ type: poison })
          },
        },
      })
      logic.start?.(snapshot, { ...scope, system })
    },
    transition(snapshot, event, scope) {
      if (event.type === poison) throw broken(slot)
      return logic.transition(snapshot, event, scope)
    },
  }
}

/** The same object, with a question before each call of a method. */
export function faultyObject<T extends object>(name: string, made: T, ask: Ask, note: Note): T {
  return new Proxy(made, {
    get(target, key) {
      const found: unknown = Reflect.get(target, key)
      if (typeof found !== 'function') return found
      const slot = `${name}/${String(key)}`
      return (...args: readonly unknown[]) => {
        const failed = failing(slot, ask(slot))
        if (failed) return failed
        const given: unknown = Reflect.apply(found, target, args)
        note(
          slot,
          given === undefined ? 'nothing' : given instanceof Promise ? 'a promise' : 'a value',
        )
        return given
      }
    },
  })
}
