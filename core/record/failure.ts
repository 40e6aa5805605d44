import { z } from 'zod'
import { type ErrorCode, MechosError } from '../vocabulary/errors.ts'

const code = z.custom<ErrorCode>(
  (value) => typeof value === 'string' && value.startsWith('ERR_'),
  'a code of an error',
)

export const failureSchema = z.union([
  z.strictObject({ message: z.string(), code: code.optional() }),
  z.strictObject({ value: z.unknown() }),
])

/** Something that was thrown, as far as anybody looks at it: message and code of an error, any other value as it is. */
export type Failure = z.infer<typeof failureSchema>

export function failureOf(thrown: unknown): Failure {
  if (!(thrown instanceof Error)) return { value: thrown }
  const { message } = thrown
  return thrown instanceof MechosError ? { message, code: thrown.code } : { message }
}

/** What is to be thrown in its place. */
export function thrownBy(failure: Failure): unknown {
  if ('value' in failure) return failure.value
  if (failure.code === undefined) return new Error(failure.message)
  return new MechosError(failure.code, failure.message)
}
