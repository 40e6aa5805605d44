/**
 * The same direction with length 1. Undefined for what has none: where a number is not finite, or all are nought.
 */
export function normalised(values: ArrayLike<number>): Float32Array | undefined {
  const vector = Float32Array.from(values)
  let squares = 0
  for (const value of vector) squares += value * value
  const length = Math.sqrt(squares)
  if (!(length > 0 && length < Infinity)) return undefined
  for (let at = 0; at < vector.length; at++) vector[at] = (vector[at] ?? 0) / length
  return vector
}

/** The cosine of two vectors of length 1. NaN when they differ in dimensions, so that no comparison takes it. */
export function cosine(one: Float32Array, other: Float32Array): number {
  const { length } = one
  if (length !== other.length) return Number.NaN
  // Four sums at a time, since each addition waits for the one before it: this runs for every memory.
  let [a, b, c, d] = [0, 0, 0, 0]
  let at = 0
  for (; at + 3 < length; at += 4) {
    a += (one[at] ?? 0) * (other[at] ?? 0)
    b += (one[at + 1] ?? 0) * (other[at + 1] ?? 0)
    c += (one[at + 2] ?? 0) * (other[at + 2] ?? 0)
    d += (one[at + 3] ?? 0) * (other[at + 3] ?? 0)
  }
  for (; at < length; at++) a += (one[at] ?? 0) * (other[at] ?? 0)
  return a + b + (c + d)
}

/** A vector by what is not nought in it: of a few words there is little. */
export interface Sparse {
  readonly dimensions: number
  readonly places: Uint16Array
  readonly values: Float32Array
}

export function sparse(vector: Float32Array): Sparse {
  const places = Uint16Array.from([...vector.keys()].filter((at) => vector[at] !== 0))
  const values = Float32Array.from(places, (at) => vector[at] ?? 0)
  return { dimensions: vector.length, places, values }
}

/** The same as `cosine`, in as much less time as there is less in `one`. */
export function sparseCosine(one: Sparse, other: Float32Array): number {
  const { dimensions, places, values } = one
  if (dimensions !== other.length) return Number.NaN
  let sum = 0
  for (let at = 0; at < places.length; at++)
    sum += (values[at] ?? 0) * (other[places[at] ?? 0] ?? 0)
  return sum
}
