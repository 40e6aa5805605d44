/** A stream of pseudo-random numbers that is the same on every machine and every Node. */
export interface Random {
  /** The next number of at least 0 and below 1. */
  readonly uniform: () => number
  /** The next number of at least `low` and below `high`. */
  readonly between: (low: number, high: number) => number
  /** The next number of a normal distribution with mean 0 and standard deviation 1. */
  readonly gaussian: () => number
}

/**
 * The stream called `name` of a run that has this `seed`. Streams of different names do not disturb each other, so
 * that one more sensor leaves the noise of all others as it was. Throws TypeError unless the seed is an integer.
 * Not for secrets. Source: xoshiro128** (Blackman and Vigna, 2018), seeded by splitmix32 and FNV-1a; Box-Muller.
 */
export function randomStream(seed: number, name: string): Random {
  if (!Number.isSafeInteger(seed)) throw new TypeError(`a seed is an integer, not ${seed}`)
  const next = xoshiro(splitmix(hash(`${seed}/${name}`)))
  const uniform = () => next() / 4_294_967_296
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    // The logarithm of 0 has no value, hence 1 less a number that never reaches 1.
    gaussian: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  }
}

function xoshiro(word: () => number): () => number {
  let [a, b, c, d] = [word(), word(), word(), word()]
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return result
  }
}

function splitmix(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return mixed ^ (mixed >>> 15)
  }
}

function hash(text: string): number {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
  }
  return state
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
