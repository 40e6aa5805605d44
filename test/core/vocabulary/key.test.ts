import { expect, test } from 'vitest'
import { keyVariableOf } from '../../../core/vocabulary/key.ts'

test('the usual key goes to those who gave it out and to this machine, any other only where it is named', () => {
  const usual = ['https://api.openai.com/v1', 'http://127.0.0.1:1/v1', 'http://[::1]:1/v1']
  const foreign = [
    'https://openai.com.evil.example/v1',
    'https://notopenai.com/v1',
    'https://api.openai.com@evil.example/v1',
    'https://house.example/v1',
    'no address',
  ]
  expect(usual.map((url) => keyVariableOf({ url }))).toEqual(usual.map(() => 'OPENAI_API_KEY'))
  expect(foreign.map((url) => keyVariableOf({ url }))).toEqual(foreign.map(() => undefined))
  expect(foreign.map((url) => keyVariableOf({ url, keyEnv: 'HOUSE' }))).toEqual(
    foreign.map(() => 'HOUSE'),
  )
})
