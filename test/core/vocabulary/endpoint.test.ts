import { BlockList } from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressProblem, isLoopback } from '../../../core/vocabulary/endpoint.ts'

const allowed = [
  'https://api.example.com/v1',
  'https://api.example.com',
  'https://10.0.0.7:8443/v1/',
  'HTTPS://API.EXAMPLE.COM/v1',
  'http://localhost:11434/v1',
  'http://LOCALHOST/v1',
  'http://127.0.0.1:8080/v1',
  'http://127.255.255.254/v1',
  'http://127.1/v1',
  'http://0x7f000001/v1',
  'http://[::1]:8080/v1',
  'http://[0:0:0:0:0:0:0:1]/v1',
]

const refused = {
  'plain http to elsewhere': 'http://api.example.com/v1',
  'plain http to the neighbourhood': 'http://192.168.1.7/v1',
  'plain http to every interface': 'http://0.0.0.0:8080/v1',
  'a user that looks like this machine': 'http://localhost@evil.example/v1',
  'an address as a user': 'http://127.0.0.1:80@evil.example/v1',
  'a domain that begins like this machine': 'http://localhost.evil.example/v1',
  'a domain that begins like an address of it': 'http://127.0.0.1.evil.example/v1',
  'a name below localhost': 'http://evil.localhost/v1',
  'an address that a host may map to this machine': 'http://[::ffff:127.0.0.1]/v1',
  'a user': 'https://user@api.example.com/v1',
  'a password': 'https://user:password@api.example.com/v1',
  'a password without a user': 'https://:password@api.example.com/v1',
  'a query': 'https://api.example.com/v1?key=1',
  'an empty query': 'https://api.example.com/v1?',
  'a fragment': 'https://api.example.com/v1#here',
  'an empty fragment': 'https://api.example.com/v1#',
  'another scheme': 'ftp://api.example.com/v1',
  'a file': 'file:///etc/passwd',
  'a program': 'javascript:alert(1)',
  'a backslash': 'http://localhost\\@evil.example/v1',
  'a line break': 'https://api.exam\nple.com/v1',
  'a blank': ' https://api.example.com/v1',
  'no scheme': 'api.example.com/v1',
  'no host': 'https://',
  'a port that there is not': 'https://api.example.com:99999/v1',
  nothing: '',
}

describe("an endpoint's address", () => {
  test.each(allowed)('may be %s', (address) => {
    expect(addressProblem(address)).toBe(undefined)
  })

  test.each(Object.entries(refused))('must not have %s', (_, address) => {
    expect(addressProblem(address)).toBe(
      'an https address without user, password, query and fragment; http only to 127.0.0.1, [::1] or localhost',
    )
  })

  test('is never plain http to a host that is not this machine', () => {
    const loopback = new BlockList()
    loopback.addSubnet('127.0.0.0', 8)
    const labels = fc.constantFrom('localhost', '127.0.0.1', '[::1]', 'a', 'example', '127', '0')
    const joints = fc.constantFrom('', '.', '@', ':', '/', '\\', '%', '#', '?', '-')
    const texts = fc.array(fc.tuple(labels, joints), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(texts, (pieces) => {
        const address = `http://${pieces.flat().join('')}`
        if (addressProblem(address) !== undefined) return
        const { hostname, username, search } = new URL(address)
        const isHere = ['localhost', '[::1]'].includes(hostname) || loopback.check(hostname)
        expect([isHere, username, search]).toEqual([true, '', ''])
      }),
      { numRuns: 2000 },
    )
  })
})

describe('this machine', () => {
  test.each(allowed.filter((address) => address.startsWith('http:')))('is %s', (address) => {
    expect([isLoopback(address), isLoopback(new URL(address))]).toEqual([true, true])
  })

  test.each([
    'http://localhost@evil.example/v1',
    'http://localhost.evil.example/v1',
    'http://127.0.0.1.evil.example/v1',
    'http://128.0.0.1/v1',
    'https://api.example.com/v1',
    'localhost',
    '',
  ])('is not %s', (address) => {
    expect(isLoopback(address)).toBe(false)
  })
})
