import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseLocated } from '../../../core/settings/located-json.ts'

const faultIn = (text: string) => {
  const located = parseLocated(text)
  return located.ok ? 'none' : `${located.line}: ${located.message}`
}

describe('JSON with its lines', () => {
  test('is the value that JSON is, with line breaks wherever they may be', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        const located = parseLocated(text)
        expect(located.ok && located.value).toEqual(JSON.parse(text))
      }),
    )
  })

  test('knows the line of each part, and of the nearest where there is none', () => {
    const located = parseLocated('{\n  "a": [\n    1,\n    {"b":\n 2}],\n\n  "": 3\n}\n')
    if (!located.ok) throw new TypeError('it is JSON')
    expect(
      [[], ['a'], ['a', 0], ['a', 1], ['a', 1, 'b'], [''], ['a', 7, 'x'], ['c']].map(
        located.lineOf,
      ),
    ).toEqual([1, 2, 3, 4, 5, 7, 2, 1])
  })

  test.each([
    ['', '1: it ends in the middle'],
    ['{\n"a": 1', '2: a comma or } is missing before the end'],
    ['{\n"a": 1\n"b": 2}', '3: a comma or } is missing before "b"'],
    ['{\n"a": 1,\n}', '3: a name in quotes is missing before }'],
    ['[1,\n]', '2: a value is missing before ]'],
    ['{a: 1}', '1: "a: 1}" is no JSON'],
    ['{"a" 1}', '1: a colon is missing after "a"'],
    ['{"a": 1,\n "a": 2}', '2: a is there twice'],
    ['{"p": {"d": 1, "d": 2}}', '1: p.d is there twice'],
    ["{'a': 1}", `1: "'a': 1}" is no JSON`],
    ['{"a": 01}', '1: a comma or } is missing before 1'],
    ['{"a": NaN}', '1: "NaN}" is no JSON'],
    ['{"a": "line\nbreak"}', '1: "\\"line\\nbreak\\"" is no JSON'],
    ['{} // note', '1: "// note" is no JSON'],
    ['{}\n{}', '2: { comes after the end'],
    ['['.repeat(100), '1: it is nested too deeply'],
  ])('says where %j is none, and why', (text, fault) => {
    expect(faultIn(text)).toBe(fault)
  })

  test('never throws, and finds fault exactly where JSON does', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '1',
      'true',
      ' ',
      '\n',
      'x',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        const located = parseLocated(text)
        let isJson = true
        try {
          JSON.parse(text)
        } catch {
          isJson = false
        }
        const isTwice = !located.ok && located.message.endsWith('is there twice')
        // What is there twice is found before whatever comes after it.
        if (!isTwice) expect(located.ok).toBe(isJson)
      }),
      { numRuns: 5_000 },
    )
  })
})
