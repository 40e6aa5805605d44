import {
  fromCallback,
  fromPromise,
  type CallbackActorLogic,
  type EventObject,
  type PromiseActorLogic,
} from 'xstate'
import { MechosError } from '../core/vocabulary/errors.ts'

const REQUIRED = new WeakSet<object>()

/** A promise source that a machine names and the composition root must provide; until then it rejects. */
export function requiredPromise<Output, Input = void>(
  name: string,
): PromiseActorLogic<Output, Input> {
  return mark(fromPromise<Output, Input>(() => Promise.reject(missing(name))))
}

/** A callback source that a machine names and the composition root must provide; until then it throws. */
export function requiredCallback(name: string): CallbackActorLogic<EventObject, undefined> {
  const refuse = () => {
    throw missing(name)
  }
  return mark(fromCallback<EventObject, undefined>(refuse))
}

/** An action that a machine names and the composition root must provide; until then it throws. */
export function requiredAction<Params = undefined>(
  name: string,
): (_: unknown, params: Params) => void {
  return mark(() => {
    throw missing(name)
  })
}

/** True for a source that nobody has provided yet. The composition root refuses to start while one is left. */
export function isRequired(source: unknown): boolean {
  return typeof source === 'object' || typeof source === 'function'
    ? source !== null && REQUIRED.has(source)
    : false
}

function missing(name: string): MechosError {
  return new MechosError('ERR_NOT_PROVIDED', `${name} was not provided`)
}

function mark<T extends object>(source: T): T {
  REQUIRED.add(source)
  return source
}
