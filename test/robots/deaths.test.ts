import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, vi } from 'vitest'
import { cliPath, type Place, reportOf, type Running, waitMsMax } from '../support/mechos.ts'
import { type Board, restedMs, test, wordsFor } from '../support/robot-on-uno.ts'
import { monotonicMs } from '../support/uno/monotonic.ts'

/** What a robot's own configuration does in the middle of a drive, in the process that runs it. */
interface Death {
  readonly how: string
  /** Carried out when the process gets SIGPWR. */
  readonly code: string
  /** Whether the process gets so far as to report. */
  readonly reports: boolean
}

const deaths: readonly Death[] = [
  { how: 'process.exit', code: 'process.exit(7)', reports: false },
  { how: 'process.abort', code: 'process.abort()', reports: false },
  {
    how: 'an exception that nobody catches',
    code: "setImmediate(() => { throw new Error('the user broke it') })",
    reports: true,
  },
  {
    how: 'a rejection that nobody handles',
    code: "void Promise.reject(new Error('the user broke it'))",
    reports: true,
  },
  {
    how: 'no memory left',
    code: 'const hoard = []; for (;;) hoard.push(Array.from({ length: 10_000 }, () => ({})))',
    reports: false,
  },
  {
    how: 'kill -9, with a grandchild that outlives it',
    code: "spawn('sleep', ['5'], { stdio: 'inherit', detached: true }); process.kill(process.pid, 'SIGKILL')",
    reports: false,
  },
]

/** A machine that is busy with other things may take longer than the bounds that the benchmark holds. */
const busyMsMax = 1_500

describe('in mid-drive, on a real firmware', { timeout: 120_000 }, () => {
  test.for(deaths)('$how leaves no wheel driven', async (death, { place, board }) => {
    const robot = start(place, board, death.code)
    await board.drives()
    const sinceMs = monotonicMs()
    robot.signal('SIGPWR')
    await board.rests()
    told(death.how, board, sinceMs)
    const ended = await robot.ended
    expect(await board.dutyOfWheels()).toEqual([0, 0])
    if (!death.reports) return expect(ended.code).not.toBe(0)
    expect(reportOf(ended)).toMatchObject({
      state: 'halted',
      exit: 1,
      causes: ['an error that nobody caught: the user broke it'],
    })
  })

  test('an endless loop is halted by the guardian, and the process by mechos halt', async ({
    place,
    board,
  }) => {
    const robot = start(place, board, 'for (;;);')
    await board.drives()
    const sinceMs = monotonicMs()
    robot.signal('SIGPWR')
    await board.rests()
    told('an endless loop', board, sinceMs)
    const halt = await place.run('halt')
    expect(halt.stdout).toContain('uno-rover: halted, evidence echoed')
    expect((await robot.ended).signal).toBe('SIGKILL')
    expect(await board.dutyOfWheels()).toEqual([0, 0])
  })

  test('a frozen process wakes up halted', async ({ place, board }) => {
    const robot = place.start(wordsFor(board, '--arm', '--for', '60'))
    await board.drives()
    const sinceMs = monotonicMs()
    robot.signal('SIGSTOP')
    await board.rests()
    told('SIGSTOP', board, sinceMs)
    robot.signal('SIGCONT')
    const { causes } = await place.reaches('uno-rover', ({ state }) => state === 'halted')
    expect(causes.join()).toMatch(/silent|heart stopped/)
    expect(await board.dutyOfWheels()).toEqual([0, 0])
    robot.signal('SIGINT')
    expect((await robot.ended).code).toBe(1)
  })

  test.for(['SIGINT', 'SIGHUP', 'SIGQUIT'] as const)(
    '%s ends the run halted',
    async (signal, { place, board }) => {
      const robot = place.start(wordsFor(board, '--arm', '--for', '60'))
      await board.drives()
      robot.signal(signal)
      const ended = await robot.ended
      expect([ended.code, reportOf(ended).causes]).toEqual([0, [`end of run: ${signal}`]])
      expect(await board.dutyOfWheels()).toEqual([0, 0])
    },
  )

  test('a killed guardian halts, and after a reset another one guards', async ({
    place,
    board,
  }) => {
    const robot = place.start(wordsFor(board, '--arm', '--for', '60'))
    await board.drives()
    const sinceMs = monotonicMs()
    process.kill(guardianOf(robot), 'SIGKILL')
    await board.rests()
    told('guardian killed', board, sinceMs)
    const halted = await place.reaches(
      'uno-rover',
      ({ state, halt }) => state === 'halted' && halt !== null,
    )
    expect([halted.causes[0], halted.halt?.evidence]).toEqual([
      'the guardian process died',
      'echoed',
    ])
    await expectResets(place)
    robot.signal('SIGINT')
    expect((await robot.ended).code).toBe(0)
  })

  test('a frozen guardian is killed, and the board halted without it', async ({ place, board }) => {
    const robot = place.start(wordsFor(board, '--arm', '--for', '60'))
    await board.drives()
    const guardian = guardianOf(robot)
    const sinceMs = monotonicMs()
    process.kill(guardian, 'SIGSTOP')
    await board.rests()
    told('guardian stopped', board, sinceMs)
    const { causes } = await place.reaches('uno-rover', ({ state }) => state === 'halted')
    expect(causes[0]).toMatch(/^the guardian was silent/)
    await expectResets(place)
    expect(existsSync(`/proc/${guardian}`)).toBe(false)
    robot.signal('SIGINT')
    await robot.ended
  })

  test('a board that resets in mid-drive halts', async ({ place, board }) => {
    const robot = place.start(wordsFor(board, '--arm', '--for', '60'))
    await board.drives()
    await board.uno.reset()
    const since = board.changes.length
    const { causes } = await place.reaches('uno-rover', ({ state }) => state === 'halted')
    expect(causes[0]).toMatch(/the board (restarted|said nothing)/)
    // It takes two seconds to boot and keeps what it is sent meanwhile: none of that may turn a wheel.
    await expectResets(place)
    // Pin 13 blinks the version.
    const driven = board.changes.slice(since).filter(({ pin, duty }) => pin !== 13 && duty > 0)
    expect(driven).toEqual([])
    expect(await board.dutyOfWheels()).toEqual([0, 0])
    robot.signal('SIGTERM')
    expect((await robot.ended).code).toBe(0)
  })

  test('a board that takes and says nothing any more is no reason to wait for it', async ({
    place,
    board,
  }) => {
    const robot = place.start(wordsFor(board, '--arm', '--for', '60'))
    await board.drives()
    await board.uno.hang()
    const { causes, halt } = await place.reaches(
      'uno-rover',
      ({ state, halt: report }) => state === 'halted' && report !== null,
    )
    expect(causes[0]).toBe('the board said nothing for 1 s')
    expect(halt?.evidence).toMatch(/^(none|written)$/)
    robot.signal('SIGTERM')
    const ended = await robot.ended
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(/HALTED, NOT CONFIRMED \((none|written)\): CUT MOTOR POWER/)
  })

  test('a device node that vanishes keeps nobody from halting', async ({ place, board }) => {
    const node = join(place.path, 'ttyRover')
    symlinkSync(board.uno.path, node)
    const words = wordsFor(board, '--arm', '--for', '60')
    const robot = place.start(words.map((word) => (word === board.uno.path ? node : word)))
    await board.drives()
    rmSync(node)
    robot.signal('SIGTERM')
    const ended = await robot.ended
    expect(reportOf(ended)).toMatchObject({ exit: 0, halt: { evidence: 'echoed' } })
    expect(await board.dutyOfWheels()).toEqual([0, 0])
  })

  test('a halt during a halt adds to it, and nothing gets in between', async ({ place, board }) => {
    const robot = place.start(wordsFor(board, '--arm', '--for', '60'))
    await board.drives()
    const before = await place.reaches('uno-rover', ({ state }) => state === 'active.autonomous')
    await Promise.all([place.run('halt'), place.run('halt'), place.run('halt')])
    await board.rests()
    const { epoch, state } = await place.reaches('uno-rover', (status) => status.halt !== null)
    expect([state, epoch >= before.epoch + 3]).toEqual(['halted', true])
    expect(await board.dutyOfWheels()).toEqual([0, 0])
    robot.signal('SIGINT')
    expect((await robot.ended).code).toBe(0)
  })

  test('a halt during the warning before arming is not overtaken by it', async ({
    place,
    board,
  }) => {
    const robot = place.start(wordsFor(board, '--arm', '--for', '60'))
    await robot.says(/ARMING in 3 s/)
    expect((await place.run('halt')).code).toBe(1)
    const { state } = await place.reaches('uno-rover', (status) => status.state === 'halted')
    expect(state).toBe('halted')
    // The arming names the epoch that the halt has ended, so that waiting for it to be refused is enough.
    await robot.says(/arm: the robot is halted|epoch: \d+ is not allowed/)
    expect(board.changes.filter(({ duty }) => duty > 0)).toEqual([])
    robot.signal('SIGINT')
    await robot.ended
  })

  test('a mark that cannot be written keeps it from moving', async ({ place, board }) => {
    const robot = place.start(wordsFor(board, '--arm', '--for', '60'))
    await robot.says(/ARMING in 3 s/)
    // A folder of that name stands in for a full disk: the write is refused.
    mkdirSync(join(dirname(place.socketOf('uno-rover')), 'running'))
    const { causes } = await place.reaches('uno-rover', ({ state }) => state === 'halted')
    expect(causes[0]).toMatch(/EISDIR|illegal operation/)
    expect(board.changes.filter(({ duty }) => duty > 0)).toEqual([])
    robot.signal('SIGINT')
    const ended = await robot.ended
    expect([ended.code, reportOf(ended).state]).toEqual([1, 'halted'])
    expect(ended.stderr).toContain('the next one will start halted')
  })
})

/** A run of the example whose configuration carries out `code` on SIGPWR. */
function start(place: Place, board: Board, code: string): Running {
  const [verb = '', config = '', ...rest] = wordsFor(board, '--arm', '--for', '60')
  place.write(
    'robot.config.ts',
    `import { spawn } from 'node:child_process'
     import robot from ${JSON.stringify(config)}
     void spawn
     process.on('SIGPWR', () => { ${code} })
     export default robot
    `,
  )
  const memory = 'NODE_OPTIONS=--max-old-space-size=64'
  return place.launch('env', [memory, process.execPath, cliPath, verb, 'robot.config.ts', ...rest])
}

function told(how: string, board: Board, sinceMs: number): void {
  const tookMs = restedMs(board, sinceMs)
  console.log(`${how} to still: ${tookMs.toFixed(1)} ms`)
  expect(tookMs).toBeLessThan(busyMsMax)
}

function guardianOf({ pid }: Running): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  const guardian = children.map(Number).find((child) => commOf(child) === 'mechos-guardian')
  if (guardian === undefined) throw new Error(`${pid} has no guardian`)
  return guardian
}

function commOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
}

/** The body opens again on a new guardian, and then a person may reset it. */
async function expectResets(place: Place): Promise<void> {
  const reset = async () => expect((await place.run('reset')).code).toBe(0)
  await vi.waitFor(reset, { timeout: waitMsMax, interval: 200 })
}
