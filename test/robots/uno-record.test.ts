import { expect } from 'vitest'
import { z } from 'zod'
import { readRecord } from '../../store/record-reader.ts'
import { reportOf } from '../support/mechos.ts'
import { test, wordsFor } from '../support/robot-on-uno.ts'

test(
  'a run of a real firmware is replayed without a difference',
  { timeout: 120_000 },
  async ({ place, board }) => {
    const robot = place.start(wordsFor(board, '--arm', '--for', '60'))
    await board.drives()
    await place.run('status')
    await place.run('pause')
    await place.run('resume')
    robot.signal('SIGTERM')
    const report = reportOf(await robot.ended)
    const counts = new Map<string, number>()
    for await (const entry of readRecord(report.recordDir ?? '')) {
      const what = entry.kind === 'out' ? entry.what : 'door' in entry ? entry.door : entry.kind
      counts.set(what, (counts.get(what) ?? 0) + 1)
    }
    // By the wall's clock, from a process of its own: the guardian's news, readings, and a person's words.
    expect(counts.get('guardian')).toBeGreaterThan(1)
    expect(counts.get('reading')).toBeGreaterThan(20)
    expect(counts.get('send')).toBe(4)
    expect(counts.get('write')).toBeGreaterThan(10)
    expect(counts.get('gap')).toBe(undefined)
    const ended = await place.run('replay', report.recordDir ?? '', '--json')
    const came = z
      .object({ differences: z.int(), first: z.unknown(), gap: z.unknown() })
      .parse(JSON.parse(ended.stdout))
    expect([ended.code, came]).toEqual([0, { differences: 0, first: null, gap: null }])
  },
)
