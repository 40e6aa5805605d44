import { describe, expect } from 'vitest'
import { type Place, reportOf } from '../support/mechos.ts'
import { type Board, config, restedMs, test, wordsFor } from '../support/robot-on-uno.ts'
import { monotonicMs } from '../support/uno/monotonic.ts'

describe('a robot on a real firmware', { timeout: 120_000 }, () => {
  test('moves nothing without --arm', async ({ place, board }) => {
    const robot = place.start(wordsFor(board, '--for', '3'))
    await place.reaches('uno-rover', ({ state }) => state === 'standby')
    expect((await place.run('resume')).code).toBe(2)
    const ended = await robot.ended
    expect(ended.code).toBe(0)
    expect(reportOf(ended)).toMatchObject({
      state: 'halted',
      distanceM: 0,
      intents: { permitted: 0 },
    })
    expect(board.changes.filter(({ duty }) => duty > 0)).toEqual([])
  })

  test('halts when the cable is pulled in mid-drive', async ({ place, board }) => {
    const robot = place.start(wordsFor(board, '--arm', '--for', '60'))
    await board.drives()
    await board.uno.unplug()
    const halted = await place.reaches('uno-rover', ({ state }) => state === 'halted')
    expect(halted.causes).toHaveLength(1)
    expect((await place.run('resume')).code).toBe(2)
    robot.signal('SIGTERM')
    const ended = await robot.ended
    expect(ended.code).toBe(1)
    expect(reportOf(ended)).toMatchObject({ state: 'halted', exit: 1, halt: { evidence: 'none' } })
    expect(ended.stderr).toContain('HALTED, NOT CONFIRMED (none): CUT MOTOR POWER')
    expect(ended.stderr).not.toMatch(/\n\s+at /)
  })
})

describe.concurrent('a board that never answers', { timeout: 120_000 }, () => {
  test('is given up within 12 s, in one line', async ({ place, board }) => {
    await board.uno.hang()
    const sinceMs = monotonicMs()
    const ended = await place.run(...wordsFor(board, '--arm', '--for', '60'))
    expect([ended.code, ended.stdout]).toEqual([2, ''])
    expect(ended.stderr).toMatch(/^[^\n]+\n$/)
    // 12 s on a machine that has time; this one may be busy.
    expect(monotonicMs() - sinceMs).toBeLessThan(30_000)
    expect(board.changes).toEqual([])
  })

  test('is not waited for after a SIGTERM', async ({ place, board }) => {
    await board.uno.hang()
    const robot = place.start(wordsFor(board, '--for', '60'))
    await place.reaches('uno-rover', ({ state }) => state === 'booting')
    robot.signal('SIGTERM')
    const ended = await robot.ended
    expect([ended.code, ended.signal]).toEqual([0, null])
    expect(reportOf(ended)).toMatchObject({ state: 'halted', causes: ['end of run: SIGTERM'] })
    expect(ended.stderr).not.toMatch(/\n\s+at /)
  })
})

test(
  'after a kill -9 the next run is refused, and a person must look first',
  { timeout: 120_000 },
  async ({ place, board }) => {
    const first = place.start(wordsFor(board, '--arm', '--for', '60'))
    await board.drives()
    const sinceMs = monotonicMs()
    first.signal('SIGKILL')
    await board.rests()
    console.log(`kill -9 to still: ${restedMs(board, sinceMs).toFixed(1)} ms`)
    await first.ended

    const second = await place.run(...wordsFor(board, '--arm', '--for', '60'))
    expect([second.code, second.stdout]).toEqual([1, ''])
    expect(second.stderr).toMatch(
      /^the last run died: the (?:robot process has ended|\w+ pipe to the robot broke); its guardian halted the board \(evidence echoed, \d+ ms\): it starts halted\. Look at the robot.*\n/,
    )
    expect(await board.dutyOfWheels()).toEqual([0, 0])

    const third = place.start(['run', config, '--port', board.uno.path, '--report', 'end.json'])
    await third.says(/halted · .*the last run died/)
    const { epoch } = await place.reaches('uno-rover', ({ state }) => state === 'halted')
    expect((await place.run('arm', '--epoch', String(epoch))).code).toBe(2)
    const reset = await place.run('reset')
    expect(reset.stdout).toBe(
      `uno-rover: standby, epoch ${epoch}. When all are clear of it: mechos arm uno-rover --epoch ${epoch}\n`,
    )
    expect((await place.run('arm', '--epoch', String(epoch))).code).toBe(0)
    expect(await board.dutyOfWheels()).toEqual([0, 0])
    third.signal('SIGINT')
    expect((await third.ended).code).toBe(0)

    await expectClean(place, board)
  },
)

async function expectClean(place: Place, board: Board): Promise<void> {
  const ended = await place.run(...wordsFor(board, '--for', '1'))
  expect([ended.code, reportOf(ended).causes]).toEqual([0, ['end of run']])
}
