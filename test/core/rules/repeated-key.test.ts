import fc from 'fast-check'
import { expect, test } from 'vitest'
import { repeatedKey } from '../../../core/rules/repeated-key.ts'

test.each([
  ['{"a":1,"a":2}', 'a'],
  ['{"a":{"b":1,"c":[{"d":1 , "d" :2}]}}', 'd'],
  [String.raw`{"a":1,"\u0061":2}`, 'a'],
  ['{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}', undefined],
  ['{"text":"{\\"a\\":1,\\"a\\":2}"}', undefined],
  ['["a","a"]', undefined],
])('in %s it is %s', (text, key) => {
  expect(repeatedKey(text)).toBe(key)
})

test('is never found in what JSON.stringify has written', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(repeatedKey(JSON.stringify(value))).toBe(undefined)
    }),
  )
})
