import { messageOf } from '../../core/vocabulary/errors.ts'

/** The same, and nobody's trouble: what it throws is told to `failed` and goes no further. */
export function contained<Args extends readonly unknown[]>(
  failed: (cause: string) => void,
  act: (...args: Args) => void,
): (...args: Args) => void {
  return (...args) => {
    try {
      act(...args)
    } catch (error) {
      failed(messageOf(error))
    }
  }
}
