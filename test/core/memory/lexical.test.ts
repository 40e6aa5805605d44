import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lexicalDimensions, lexicalVector } from '../../../core/memory/lexical.ts'
import { cosine, normalised, sparse, sparseCosine } from '../../../core/memory/vector.ts'

const like = (one: string, other: string) => cosine(lexicalVector(one), lexicalVector(other))

describe('the lexical embedding', () => {
  test('is the same on every machine', () => {
    // These very numbers are on disks: another result needs another name.
    const vector = lexicalVector('The dock is by the red door.')
    const written = [...vector].flatMap((value, at) =>
      value === 0 ? [] : `${at} ${value.toFixed(6)}`,
    )
    expect(written).toEqual([
      '29 0.154274',
      '36 0.154274',
      '39 -0.061710',
      '101 -0.514247',
      '111 0.087271',
      '125 0.061710',
      '189 0.118428',
      '204 -0.205699',
      '212 -0.061710',
      '219 -0.205699',
      '229 -0.087271',
      '256 0.205699',
      '263 -0.205699',
      '283 -0.290902',
      '332 -0.061710',
      '335 -0.061710',
      '340 0.154274',
      '349 -0.205699',
      '354 0.218176',
      '356 -0.514247',
      '364 -0.061710',
      '381 0.061710',
    ])
  })

  test('has length 1, whatever the text, and is nought where there is no word', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3_000 }), (text) => {
        const vector = lexicalVector(text)
        expect(vector.length).toBe(lexicalDimensions)
        const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
        expect(length === 0 || Math.abs(length - 1) < 1e-5).toBe(true)
      }),
    )
    expect([...lexicalVector(' ?! \n')].every((value) => value === 0)).toBe(true)
  })

  test('finds the same words, other endings, and whatever case and marks', () => {
    const note = 'The charging dock is next to the kitchen door'
    expect(like(note, 'go to the dock')).toBeGreaterThan(0.2)
    expect(like(note, 'go to the dock')).toBeGreaterThan(like(note, 'look at the cat') + 0.1)
    expect(like(note, 'kitchens')).toBeGreaterThan(0.1)
    expect(like('Straße, Größe', 'STRASSE größe')).toBeGreaterThan(0.6)
    expect(like('ＤＯＣＫ!', 'dock')).toBeCloseTo(1)
    expect(like('充電器はどこ', '充電器はどこ')).toBeCloseTo(1)
  })

  test('is about rare words rather than the mortar between them', () => {
    const asked = 'where is the dock'
    expect(like(asked, 'a dock was seen')).toBeGreaterThan(like(asked, 'it is in the hall'))
  })
})

describe('a vector', () => {
  test('without a direction is none', () => {
    expect(normalised([0, 0])).toBe(undefined)
    expect(normalised([])).toBe(undefined)
    expect(normalised([1, Number.NaN])).toBe(undefined)
    expect(normalised([1, Infinity])).toBe(undefined)
    expect(normalised([3, 4])).toEqual(Float32Array.from([0.6, 0.8]))
  })

  test('is compared with one of the same dimensions only', () => {
    const three = Float32Array.from([1, 0, 0])
    expect(cosine(three, Float32Array.from([1, 0]))).toBe(Number.NaN)
    expect(sparseCosine(sparse(three), Float32Array.from([1, 0]))).toBe(Number.NaN)
  })

  test('gives the same cosine by all of it and by what is not nought', () => {
    const number = fc.oneof(fc.constant(0), fc.float({ min: -1, max: 1, noNaN: true }))
    const vector = fc
      .array(number, { minLength: 7, maxLength: 7 })
      .map((all) => Float32Array.from(all))
    fc.assert(
      fc.property(vector, vector, (one, other) => {
        let sum = 0
        for (const [at, value] of one.entries()) sum += value * (other[at] ?? 0)
        expect(cosine(one, other)).toBeCloseTo(sum, 5)
        expect(sparseCosine(sparse(one), other)).toBeCloseTo(sum, 5)
      }),
    )
  })
})
