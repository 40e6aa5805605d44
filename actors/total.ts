import { messageOf } from '../core/vocabulary/errors.ts'

/**
 * Makes an effect total: what it throws, and what a promise that it gives back is rejected with, is told to `failed` and
 * goes no further.
 */
export function total<Args extends readonly unknown[]>(
  failed: (cause: string) => void,
  act: (...args: Args) => unknown,
): (...args: Args) => void {
  return (...args) => {
    try {
      heed(failed, act(...args))
    } catch (error) {
      failed(messageOf(error))
    }
  }
}

/** Tells `failed` what a promise is rejected with. Whatever is no promise is none of its business. */
export function heed(failed: (cause: string) => void, given: unknown): void {
  if (given instanceof Promise) given.catch((error: unknown) => failed(messageOf(error)))
}
