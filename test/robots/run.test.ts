import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { expectSafe, reportOf, type RunReport, test } from '../support/mechos.ts'

const sameEachTime = ({ run, wallSeconds, eventLoopDelayMs, recordDir, ...rest }: RunReport) => rest

describe('a run in simulation', { timeout: 120_000 }, () => {
  test('drives, and ends halted with a report of just these fields', async ({ place }) => {
    const ended = await place.run(
      'run',
      '--headless',
      '--for',
      '20',
      '--seed',
      '7',
      '--report',
      '-',
    )
    expect([ended.code, ended.stderr]).toEqual([0, ''])
    const report = reportOf(ended)
    expect(report).toMatchObject({
      seconds: 20,
      seed: 7,
      goal: null,
      state: 'halted',
      exit: 0,
      causes: ['end of run'],
      body: 'simulated',
      deadman: false,
      halt: { evidence: 'measured' },
      collisions: 0,
      tokens: { limit: 100_000, spent: 0, assumed: 0, held: 0 },
      recordDir: expect.stringContaining('/records/rover-'),
    })
    expect(report.actuators).toEqual({
      left: { output: 0, safe: true },
      right: { output: 0, safe: true },
      lamp: { output: 0, safe: true },
    })
    expect(report.distanceM).toBeGreaterThan(2)
    expect(report.intents.permitted).toBeGreaterThan(10)
    expect(report.wallSeconds).toBeLessThan(10)
  })

  test('is the same for the same seed, and another for another', async ({ place }) => {
    const runs = [7, 7, 8].map((seed) =>
      place.run('run', '--headless', '--for', '10', '--seed', String(seed), '--report', '-'),
    )
    const [first, second, other] = (await Promise.all(runs)).map(reportOf).map(sameEachTime)
    expect(second).toEqual(first)
    expect(other?.distanceM).not.toEqual(first?.distanceM)
  })

  test('simulates a configuration that is meant for hardware', async ({ place }) => {
    place.write('robot.config.ts', unoRover)
    const ended = await place.run(
      'run',
      '--sim',
      '--headless',
      '--for',
      '20',
      '--seed',
      '3',
      '--report',
      '-',
    )
    const report = reportOf(ended)
    expect(report).toMatchObject({ body: 'simulated', state: 'halted', exit: 0, collisions: 0 })
    expect(Object.keys(report.actuators)).toEqual(['left', 'right', 'lamp', 'gripper'])
    expectSafe(report)
    // Its one range finder does not see the whole way: it creeps, at 0.10 m/s.
    expect(report.distanceM).toBeGreaterThan(0.3)
    expect(report.distanceM).toBeLessThan(2.1)
  })

  test('finds robot.config.ts in the current folder, and its goal and name in it', async ({
    place,
  }) => {
    place.write(
      'robot.config.ts',
      `import { defineRobot } from 'mechos'
       export default defineRobot({ name: 'mole', goal: 'dig',
         body: { kind: 'simulated', wheels: { radiusMetres: 0.03, trackMetres: 0.15 }, lidar: {} },
         limits: { linear: 0.3, angular: 1.5 } })`,
    )
    const asConfigured = await place.run(
      'run',
      '--headless',
      '--for',
      '1',
      '--seed',
      '1',
      '--report',
      '-',
    )
    expect(reportOf(asConfigured)).toMatchObject({
      run: expect.stringMatching(/^mole-/),
      goal: 'dig',
      exit: 0,
    })
    const told = await place.run(
      'run',
      '--headless',
      '--for',
      '1',
      '--goal',
      'rest',
      '--report',
      '-',
    )
    expect(reportOf(told).goal).toBe('rest')
  })

  test('writes its report to a file, and then nothing on standard output', async ({ place }) => {
    const ended = await place.run('run', '--headless', '--for', '1', '--report', 'end.json')
    expect([ended.code, ended.stdout, ended.stderr]).toEqual([0, '', ''])
    const stdout = readFileSync(join(place.path, 'end.json'), 'utf8')
    expect(reportOf({ ...ended, stdout }).state).toBe('halted')
  })

  test('prints plain lines when it is piped', async ({ place }) => {
    const ended = await place.run('run', '--for', '5', '--speed', '20', '--seed', '7')
    expect(ended.code).toBe(0)
    expect(ended.stdout).not.toContain('\r')
    expect(ended.stdout).not.toContain('\u001B')
    const lines = ended.stdout.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^rover: simulated body, brain explorer, seed 7, state in /)
    expect(lines).toContainEqual(expect.stringMatching(/^autonomous · x .* · drive .* · permitted/))
    expect(lines.at(-1)).toMatch(
      /^halted: end of run\. [\d.]+ m in [\d.]+ s, 0 collisions; every output safe \(measured\)$/,
    )
  })
})

const unoRover = `import { defineRobot } from 'mechos'
export default defineRobot({
  name: 'rover',
  body: { kind: 'firmata', board: 'uno',
    wheels: { left: { pwm: 3, dir: 2, halt: 'coast' }, right: { pwm: 11, dir: 12, halt: 'coast' }, radiusMetres: 0.03, trackMetres: 0.15 },
    ranges: [{ name: 'front', pin: 'A0', model: 'GP2Y0A21' }],
    relays: [{ name: 'lamp', pin: 7, halt: 'low' }], servos: [{ name: 'gripper', pin: 9, halt: 'hold' }] },
  limits: { linear: 0.3, angular: 1.5 }, leaseMs: 500,
})`
