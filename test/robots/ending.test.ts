import { describe, expect } from 'vitest'
import { cliPath, expectSafe, type Place, reportOf, type Running, test } from '../support/mechos.ts'

/** A robot in real time that would run for an hour. */
const anHour = [
  'run',
  '--headless',
  '--for',
  '3600',
  '--speed',
  '1',
  '--seed',
  '7',
  '--state',
  'here',
]
const wordsOf = (place: Place) => [...anHour.slice(0, -1), `${place.path}/state/mechos/rover`]

async function inMidDrive(place: Place, more: readonly string[] = []): Promise<Running> {
  const robot = place.start([...wordsOf(place), ...more, '--report', '-'])
  await place.reaches('rover', ({ pose }) => pose !== null && pose.x > 0.05)
  return robot
}

describe.concurrent(
  'a signal in mid-drive ends the run halted, with exit code 0:',
  { timeout: 120_000 },
  () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
      test(signal, async ({ place }) => {
        const robot = await inMidDrive(place)
        robot.signal(signal)
        const ended = await robot.ended
        expect([ended.code, ended.stderr]).toEqual([0, ''])
        const report = reportOf(ended)
        expect(report).toMatchObject({
          state: 'halted',
          exit: 0,
          causes: [`end of run: ${signal}`],
          halt: { evidence: 'measured' },
        })
        expectSafe(report)
        expect(report.distanceM).toBeGreaterThan(0.05)
      })
    }

    test('twice SIGINT is not worse than once', async ({ place }) => {
      const robot = await inMidDrive(place)
      robot.signal('SIGINT')
      robot.signal('SIGINT')
      const ended = await robot.ended
      expect([ended.code, ended.stderr]).toEqual([0, ''])
      expect(reportOf(ended).state).toBe('halted')
    })
  },
)

describe.concurrent(
  'an error that nobody caught ends the run halted, with exit code 1:',
  { timeout: 120_000 },
  () => {
    const config = (stray: string) =>
      `import { defineRobot } from 'mechos'
     setTimeout(() => { ${stray} }, 1_000)
     export default defineRobot({ name: 'rover', body: { kind: 'simulated',
       wheels: { radiusMetres: 0.03, trackMetres: 0.15 }, lidar: {} }, limits: { linear: 0.3, angular: 1.5 } })`
    const strays = {
      'a throw': `throw new Error('a stray throw')`,
      'a rejection': `void Promise.reject(new Error('a stray throw'))`,
    }
    for (const [title, stray] of Object.entries(strays)) {
      test(title, async ({ place }) => {
        place.write('robot.config.ts', config(stray))
        const ended = await place.run(...wordsOf(place), '--report', '-')
        expect(ended.code).toBe(1)
        expect(ended.stderr).not.toMatch(/\n\s+at /)
        const report = reportOf(ended)
        expect(report).toMatchObject({
          state: 'halted',
          exit: 1,
          causes: ['an error that nobody caught: a stray throw'],
        })
        expectSafe(report)
      })
    }
  },
)

/** Starts the program that it is given and waits for it, as npx does; passes on nothing. */
const launcher = `
  import { spawn } from 'node:child_process'
  const [, , ...words] = process.argv
  spawn(process.execPath, words, { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1))
  process.on('SIGTERM', () => {})
  console.error('launcher ' + process.pid)`

describe.concurrent(
  'a robot whose launcher was killed ends by itself:',
  { timeout: 120_000 },
  () => {
    const launch = async (place: Place, more: readonly string[] = []) => {
      const script = place.write('launcher.mjs', launcher)
      const words = [process.execPath, script, cliPath, ...wordsOf(place), ...more, '--report', '-']
      // The second command keeps the shell from becoming the launcher.
      const shell = place.launch('sh', ['-c', `${words.join(' ')}; true`])
      const { pid } = await place.reaches('rover', ({ pose }) => pose !== null && pose.x > 0.05)
      const launcherPid = Number(/launcher (\d+)/.exec(shell.text())?.[1])
      return { shell, pid, launcherPid }
    }

    test('its parent', async ({ place }) => {
      const { shell, launcherPid } = await launch(place)
      process.kill(launcherPid, 'SIGKILL')
      expectLauncherMissed(await shell.ended)
    })

    test("its parent's parent, as when npx is killed", async ({ place }) => {
      const { shell } = await launch(place)
      shell.signal('SIGKILL')
      expectLauncherMissed(await shell.ended)
    })

    test('but not with --detach', async ({ place }) => {
      const { shell, launcherPid, pid } = await launch(place, ['--detach'])
      process.kill(launcherPid, 'SIGKILL')
      const before = await place.reaches('rover', () => true)
      // It goes on driving for longer than it would take to notice.
      await place.reaches(
        'rover',
        ({ pose }) =>
          Math.abs((pose?.x ?? 0) - (before.pose?.x ?? 0)) +
            Math.abs((pose?.y ?? 0) - (before.pose?.y ?? 0)) >
          0.3,
      )
      process.kill(pid, 'SIGTERM')
      expect(reportOf(await shell.ended).causes).toEqual(['end of run: SIGTERM'])
    })

    function expectLauncherMissed(ended: Awaited<Running['ended']>): void {
      const report = reportOf(ended)
      expect(report).toMatchObject({
        state: 'halted',
        exit: 1,
        causes: ['the process that launched this robot is gone'],
      })
      expectSafe(report)
    }
  },
)
