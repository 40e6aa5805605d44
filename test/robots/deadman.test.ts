import { readFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { reportOf, type Running } from '../support/mechos.ts'
import { type Board, restedMs, test as onUno } from '../support/robot-on-uno.ts'
import { mechosHex } from '../support/uno/firmware.ts'
import { monotonicMs } from '../support/uno/monotonic.ts'

const supply = mechosHex()
const hexFile = supply.firmware
if (!hexFile) console.log(`NOT TESTED: robots on a board with a deadman. ${supply.reason}`)

/** `test` on a board with a deadman. */
// oxlint-disable-next-line no-empty-pattern -- a fixture names the fixtures that it needs, and this one needs none
const test = onUno.extend({ hex: async ({}, use) => use(hexFile ?? { path: '' }) })

/** A lock that is open while its pin is low, and an arm: neither may be on a board without a deadman. */
const configuration = `
  import { defineRobot } from 'mechos'
  export default defineRobot({
    name: 'keeper',
    body: {
      kind: 'firmata',
      wheels: { left: { pwm: 3, dir: 2 }, right: { pwm: 11, dir: 12 }, radiusMetres: 0.03, trackMetres: 0.15 },
      ranges: [{ name: 'front', pin: 'A0' }],
      relays: [{ name: 'lock', pin: 7, halt: 'high' }],
      servos: [{ name: 'gripper', pin: 9, halt: 'hold' }],
    },
    limits: { linear: 0.3, angular: 1.5 },
  })
`
const lock = 7

describe.skipIf(!hexFile)('a robot on a board with a deadman', { timeout: 120_000 }, () => {
  const start = ['run', '--headless', '--report', '-', '--arm', '--for', '60', '--port']

  test('measures its halts', async ({ place, board }) => {
    place.write('robot.config.ts', configuration)
    const robot = place.start([...start, board.uno.path])
    await board.drives()
    robot.signal('SIGINT')
    const ended = await robot.ended
    expect(reportOf(ended)).toMatchObject({
      exit: 0,
      deadman: true,
      halt: { evidence: 'measured' },
      actuators: { lock: { output: 1, safe: true } },
    })
    expect(ended.stderr).not.toContain('NOT CONFIRMED')
    const doctor = await place.run('doctor', '--port', board.uno.path)
    expect(doctor.stdout).toMatch(/^ok {3}halt: measured/m)
    expect(doctor.stdout).toMatch(/^ok {3}deadman: the board stops by itself/m)
    expect(locked(board)).toBe(true)
  })

  test('is refused with the board of another robot, until it is adopted', async ({
    place,
    board,
  }) => {
    place.write('robot.config.ts', configuration)
    place.write('other.config.ts', configuration.replace("'keeper'", "'other'"))
    expect((await place.run('doctor', '--port', board.uno.path)).code).toBe(0)
    const refused = await place.run(
      'run',
      'other.config.ts',
      '--headless',
      '--port',
      board.uno.path,
    )
    expect([refused.code, refused.stderr]).toEqual([
      1,
      'the board belongs to keeper, not to other: plug in the right one, or mechos doctor --adopt\n',
    ])
    const adopt = ['doctor', 'other.config.ts', '--port', board.uno.path]
    expect((await place.run(...adopt)).code).toBe(1)
    expect((await place.run(...adopt, '--adopt')).code).toBe(0)
    expect((await place.run(...adopt)).code).toBe(0)
  })

  test('stops when robot and guardian are killed at once', async ({ place, board }) => {
    place.write('robot.config.ts', configuration)
    const robot = place.start([...start, board.uno.path])
    await board.drives()
    const guardian = guardianOf(robot)
    const sinceMs = monotonicMs()
    process.kill(guardian, 'SIGKILL')
    robot.signal('SIGKILL')
    await board.rests()
    console.log(`both killed to still: ${restedMs(board, sinceMs).toFixed(1)} ms`)
    expect(await board.uno.levelOf(lock)).toBe(1)
    expect(locked(board)).toBe(true)
  })

  test('keeps its lock through a board that resets, and says why it halted', async ({
    place,
    board,
  }) => {
    place.write('robot.config.ts', configuration)
    const robot = place.start([...start, board.uno.path])
    await board.drives()
    await board.uno.reset()
    const { causes } = await place.reaches('keeper', ({ state }) => state === 'halted')
    expect(causes[0]).toBe('the board restarted')
    expect(await board.uno.levelOf(lock)).toBe(1)
    robot.signal('SIGINT')
    await robot.ended
  })
})

/** Whether the lock's pin, once driven high, was never driven or let low again. */
function locked({ changes }: Board): boolean {
  return changes.filter(({ pin }) => pin === lock).every(({ duty }) => duty === 1)
}

function guardianOf({ pid }: Running): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  const guardian = children
    .map(Number)
    .find((child) => readFileSync(`/proc/${child}/comm`, 'utf8').trim() === 'mechos-guardian')
  if (guardian === undefined) throw new Error(`${pid} has no guardian`)
  return guardian
}
