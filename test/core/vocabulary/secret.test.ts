import { format, inspect } from 'node:util'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Secret } from '../../../core/vocabulary/secret.ts'

const key = 'sk-abc123'
const secret = new Secret(key)

test('a secret is revealed to who asks for it, and to nobody else', () => {
  expect(secret.reveal()).toBe(key)
  const prints: Record<string, string> = {
    text: String(secret),
    join: [secret].join(','),
    json: JSON.stringify({ secret }),
    inspect: inspect({ secret }, { depth: null, showHidden: true }),
    'inspect without custom words': inspect(secret, { customInspect: false, showHidden: true }),
    '%s': format('%s', secret),
    '%o': format('%o', secret),
    '%O': format('%O', secret),
    '%j': format('%j', secret),
    '%d': format('%d', secret),
    error: inspect(new Error('failed', { cause: { secret } })),
    clone: inspect(structuredClone(secret), { showHidden: true }),
    keys: inspect([
      Reflect.ownKeys(secret),
      Object.entries(secret),
      Object.getOwnPropertyDescriptors(secret),
    ]),
  }
  expect(Object.entries(prints).filter(([, print]) => print.includes(key))).toEqual([])
  expect(prints).toMatchObject({
    text: '[secret]',
    join: '[secret]',
    json: '{"secret":"[secret]"}',
    inspect: '{ secret: [secret] }',
    '%s': '[secret]',
    '%O': '[secret]',
    '%j': '"[secret]"',
    '%d': 'NaN',
  })
})

test('a secret cannot be given another value, nor words of its own', () => {
  expect(() => Object.assign(secret, { toString: () => 'x' })).toThrow(TypeError)
})

test('no secret is printed, whatever it is', () => {
  // Shorter ones may be part of the words that are printed instead.
  fc.assert(
    fc.property(fc.string({ minLength: 9, maxLength: 100 }), (value) => {
      const hidden = new Secret(value)
      const printed = `${inspect({ hidden })}${JSON.stringify([hidden])}${format('%s %o', hidden, hidden)}`
      expect(printed).toBe('{ hidden: [secret] }["[secret]"][secret] [secret]')
      expect(hidden.reveal()).toBe(value)
    }),
  )
})
