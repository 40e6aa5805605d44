import fc from 'fast-check'
import { expect, test } from 'vitest'
import { textOf, valueOf } from '../../../core/record/text.ts'

const numbers = [
  NaN,
  Infinity,
  -Infinity,
  -0,
  0,
  5e-324,
  0.1 + 0.2,
  2 ** 53,
  1.7976931348623157e308,
]

test('every number comes back bit for bit', () => {
  const back = valueOf(textOf(numbers))
  expect(back).toEqual(numbers)
  expect(bitsOf(back)).toEqual(bitsOf(numbers))
})

test('so does any double at all', () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      expect(bitsOf([valueOf(textOf(value))])).toEqual(bitsOf([value]))
    }),
    { numRuns: 1_000, seed: 1 },
  )
})

test('what JSON has no form for comes back as it was', () => {
  const value = {
    map: new Map([['front', [1, NaN]]]),
    set: new Set(['a', -0]),
    bytes: Uint8Array.from({ length: 20_000 }, (_, index) => index % 256),
    big: 12_345_678_901_234_567_890n,
    list: [undefined, null, 1],
    nothing: null,
  }
  expect(valueOf(textOf(value))).toEqual(value)
})

test("somebody else's field with the name of a mark is no mark", () => {
  const value = { $: 'NaN', is: { $: 'map' }, deep: [{ $: 1 }] }
  expect(valueOf(textOf(value))).toEqual(value)
})

test('any value that can be written comes back equal, and its text is the same again', () => {
  const anything = fc.anything({
    withBigInt: true,
    withMap: true,
    withSet: true,
    withNullPrototype: false,
    withSparseArray: false,
    key: fc.string().filter((key) => key !== '__proto__' && key !== 'toJSON'),
  })
  fc.assert(
    fc.property(anything, (value) => {
      const text = textOf([value])
      expect(textOf(valueOf(text))).toBe(text)
    }),
    { numRuns: 500, seed: 1 },
  )
})

test('what holds itself is refused', () => {
  const value: { self?: unknown } = {}
  value.self = value
  expect(() => textOf(value)).toThrow(TypeError)
})

test('a text with a mark that is none is refused', () => {
  expect(() => valueOf('{"$":"cat"}')).toThrow(new SyntaxError('cat marks nothing'))
})

function bitsOf(values: unknown): readonly bigint[] {
  if (!Array.isArray(values)) throw new TypeError('no list')
  return [...new BigUint64Array(Float64Array.from(values).buffer)]
}
