import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect } from 'vitest'
import { cliPath, type Place, test } from '../support/mechos.ts'

/** How a command ends whose reader takes the first bytes of what it says, at most, and closes the pipe then. */
async function readIn(place: Place, words: readonly string[], bytes: 'first' | 'none') {
  const child = spawn(process.execPath, [cliPath, ...words], {
    cwd: place.path,
    env: place.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (complaint += text))
  const closed = once(child, 'close')
  if (bytes === 'none') child.stdout.destroy()
  else child.stdout.once('data', () => child.stdout.destroy())
  await closed
  return { code: child.exitCode, signal: child.signalCode, complaint }
}

const quiet = { code: 0, signal: null, complaint: '' }

describe.concurrent('a command whose reader closes the pipe', { timeout: 120_000 }, () => {
  test('ends quietly, whatever it prints', async ({ place }) => {
    await place.run(...'run --headless --for 2 --seed 7 --state kept'.split(' '))
    const all = [
      'memory list --state kept',
      'memory list --state kept --json',
      'memory query drive --state kept',
      'replay rover --state kept --json',
      'export rover --state kept --mcap run.mcap',
      '--help',
    ]
    for (const line of all) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect([line, await readIn(place, line.split(' '), 'none')]).toEqual([line, quiet])
    }
  })

  test('ends quietly in the middle of what it says, as `mechos memory list | head -1` does', async ({
    place,
  }) => {
    await place.run(...'run --headless --for 30 --seed 7 --state kept'.split(' '))
    const list = 'memory list --state kept'.split(' ')
    const whole = await place.run(...list)
    expect(whole.stdout.split('\n').length).toBeGreaterThan(30)
    expect(await readIn(place, list, 'first')).toEqual(quiet)
    const shell = place.launch('/bin/bash', [
      '-c',
      `set -o pipefail; "${process.execPath}" "${cliPath}" ${list.join(' ')} | head -1`,
    ])
    const { code, stdout, stderr } = await shell.ended
    expect([code, stderr, stdout]).toEqual([0, '', `${whole.stdout.split('\n')[0]}\n`])
  })

  test('does to a robot what it was to do', async ({ place }) => {
    const robot = place.start(['run', '--headless', '--detach'])
    await place.reaches('rover', ({ state }) => state === 'active.autonomous')
    for (const line of ['status', 'halt']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect([line, await readIn(place, [line], 'none')]).toEqual([line, quiet])
    }
    expect((await place.statusOf('rover'))?.state).toBe('halted')
    robot.signal('SIGINT')
    await robot.ended
  })

  test('says with its code what went wrong', async ({ place }) => {
    const absent = await readIn(place, ['status'], 'none')
    const unknown = await readIn(place, ['replay', 'cat'], 'none')
    expect([absent.code, unknown.code]).toEqual([1, 2])
    expect(unknown.complaint).toMatch(/^run: cat is not allowed/)
  })
})
