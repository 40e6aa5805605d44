import { expect } from 'vitest'
import { config, test } from '../support/robot-on-uno.ts'

test('doctor says what a board without a deadman lacks, and leaves it alone', async ({
  place,
  board,
}) => {
  const ended = await place.run('doctor', config, '--port', board.uno.path)
  expect([ended.code, ended.stderr]).toEqual([0, ''])
  expect(ended.stdout).toMatch(/^ok {3}port: \/dev\/pts\/\d+, held by a guardian process$/m)
  expect(ended.stdout).toMatch(/^ok {3}firmware: StandardFirmata/m)
  expect(ended.stdout).toMatch(/^WEAK halt: echoed: /m)
  expect(ended.stdout).toMatch(/^WEAK deadman: none: .*docs\/firmware\.md.*0\.25 m\/s at most$/m)
  expect(board.changes.filter(({ duty }) => duty > 0)).toEqual([])
  expect(await place.run('status').then(({ stderr }) => stderr)).toContain('no robot is running')
})

test('doctor refuses a body that this firmware would harm', async ({ place, board }) => {
  place.write(
    'robot.config.ts',
    `import { defineRobot } from 'mechos'
     export default defineRobot({
       name: 'arm',
       body: { kind: 'firmata', servos: [{ name: 'gripper', pin: 9, halt: 'hold' }] },
       limits: { linear: 0.3, angular: 1.5 },
     })
    `,
  )
  const ended = await place.run('doctor', '--port', board.uno.path, '--json')
  expect(ended.code).toBe(1)
  const { findings } = JSON.parse(ended.stdout)
  expect(findings).toContainEqual({
    topic: 'firmware',
    verdict: 'bad',
    says: expect.stringMatching(/servo gripper must be held, .* flash MechosFirmata/),
  })
  const run = await place.run('run', '--port', board.uno.path, '--headless', '--for', '1')
  expect([run.code, run.stderr]).toEqual([
    1,
    expect.stringMatching(/^servo gripper must be held, .* flash MechosFirmata/),
  ])
})

test('doctor names a port that is not there, and wants one for a board', async ({ place }) => {
  const absent = await place.run('doctor', config, '--port', '/dev/no-such-port')
  expect([absent.code, absent.stdout]).toEqual([
    1,
    expect.stringMatching(/^BAD {2}board: cannot open \/dev\/no-such-port: no such file/m),
  ])
  const missing = await place.run('doctor', config)
  expect([missing.code, missing.stdout]).toEqual([
    1,
    expect.stringMatching(/^BAD {2}port: missing; --port PATH of the board$/m),
  ])
})

test('doctor has nothing to say against a simulated body', async ({ place }) => {
  const ended = await place.run('doctor')
  expect([ended.code, ended.stdout]).toEqual([0, expect.stringMatching(/body: simulated/)])
})
