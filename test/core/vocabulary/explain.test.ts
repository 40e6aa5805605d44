import { expect, test } from 'vitest'
import { z } from 'zod'
import { explainIssues, show } from '../../../core/vocabulary/explain.ts'

const schema = z.strictObject({
  list: z.array(z.strictObject({ count: z.number({ error: 'a number' }) })),
})

function explained(value: unknown): string {
  const parsed = schema.safeParse(value)
  return parsed.success ? 'fine' : explainIssues(parsed.error.issues, value)
}

test('what is wrong is said in one line: where, what, and what is allowed', () => {
  expect(explained({ list: [{ count: 1 }] })).toBe('fine')
  expect(explained({ list: [{ count: 1 }, { count: 'x' }] })).toBe(
    'list[1].count: "x" is not allowed; a number',
  )
  expect(explained({ list: [{}] })).toBe('list[0].count: missing; a number')
  expect(explained({ list: [], more: 1 })).toBe('more: no such field')
  expect(explained({ list: [{ count: 1, more: 1 }] })).toBe('list[0].more: no such field')
  expect(explained(3)).toMatch(/^configuration: 3 is not allowed; /)
  expect(explainIssues([], {})).toBe('not valid')
})

test('a value is shown as a person would write it, and never at length', () => {
  expect(
    [undefined, null, NaN, -Infinity, 5n, 'a\nb', [1], () => 1, Symbol('x')].map(show),
  ).toEqual(['nothing', 'null', 'NaN', '-Infinity', '5', '"a\\nb"', '[1]', 'a function', 'symbol'])
  expect(show('x'.repeat(100))).toBe(`"${'x'.repeat(56)}...`)
  const endless: { self?: object } = {}
  endless.self = endless
  expect([show(endless), show({ big: 5n })]).toEqual(['object', 'object'])
})
