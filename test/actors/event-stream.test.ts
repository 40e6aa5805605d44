import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { eventsOf } from '../../actors/event-stream.ts'

async function heard(pieces: readonly Uint8Array[]): Promise<string[]> {
  const events: string[] = []
  for await (const data of eventsOf(ReadableStream.from(pieces))) events.push(data)
  return events
}
const bytes = (text: string) => Buffer.from(text)

test.each([
  ['events', 'data: 1\n\ndata: 2\n\n', ['1', '2']],
  ['no blank behind the colon', 'data:1\n\n', ['1']],
  ['two blanks behind the colon', 'data:  1\n\n', [' 1']],
  ['several lines', 'data: {\ndata: }\n\n', ['{\n}']],
  ['line ends of every kind', 'data: 1\r\n\r\ndata: 2\r\rdata: 3\n\r\n', ['1', '2', '3']],
  ['comments, names, ids and blank lines', ':alive\n\nevent: x\nid: 7\ndata: 1\n\n\n\n', ['1']],
  ['an event without data', 'event: thread.x\n\ndata: 1\n\n', ['1']],
  ['an empty one', 'data:\n\n', ['']],
  ['an event that was broken off', 'data: 1\n\ndata: 2\n', ['1']],
  ['a line that was broken off', 'data: 1\n\ndata: 2', ['1']],
  ['nothing', '', []],
  ['other data', 'database: 1\n\n', []],
])('a stream may hold %s', async (_, text, events) => {
  expect(await heard([bytes(text)])).toEqual(events)
})

test('it does not matter in which pieces a stream comes', async () => {
  const line = fc.constantFrom('data: é', 'data:😀x', 'data', ': c', 'event: thread.x', '')
  const end = fc.constantFrom('\n', '\r\n', '\r')
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(line, end), { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 30 }),
      async (lines, cuts) => {
        const whole = bytes(lines.flat().join(''))
        const at = cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b)
        const pieces = [...at, whole.length].map((to, index) =>
          whole.subarray(at[index - 1] ?? 0, to),
        )
        expect(await heard(pieces)).toEqual(await heard([whole]))
      },
    ),
  )
})

test('a long line in single bytes takes no longer than its bytes', async () => {
  const line = `data: ${'x'.repeat(256 * 1024)}\n\n`
  const pieces = [...bytes(line)].map((byte) => Uint8Array.of(byte))
  expect((await heard(pieces)).map((data) => data.length)).toEqual([256 * 1024])
}, 10_000)
