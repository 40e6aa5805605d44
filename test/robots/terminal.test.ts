import { describe, expect } from 'vitest'
import { test } from '../support/mechos.ts'

const anHour = ['run', '--for', '3600', '--seed', '7', '--state', 'here']
/** How a line that updates begins: back to the left edge, and clear. */
const anew = '\r\u001B\\[2K'

describe.concurrent('on a terminal', { timeout: 120_000 }, () => {
  test('one line updates, space halts, and Ctrl-C ends with exit code 0', async ({ place }) => {
    const terminal = place.open(anHour)
    await terminal.says(/rover: simulated body, brain explorer, seed 7, state in \/.*\/here\r\n/)
    await terminal.says(
      /space halts; then r resets, a arms, g goes on; w says why it does not move; q ends; \? shows this\r\n/,
    )
    await terminal.says(
      new RegExp(`${anew}autonomous · x 0\\.[1-9].* · drive .* m/s .* · permitted · battery`),
    )
    // Everything after the greeting is in one line, however often it was written.
    const afterGreeting = terminal.text().split('shows this\r\n')[1] ?? ''
    expect(afterGreeting).not.toContain('\n')
    expect(afterGreeting.split('\r').length).toBeGreaterThan(3)

    // Two keys in one piece, as they come from a slow line.
    terminal.type('w ')
    await terminal.says(new RegExp(`${anew}halted · .*asked to halt by key`))
    terminal.type('g')
    await terminal.says(/resume: the robot is halted; reset it, then arm it\r\n/)
    terminal.type('r')
    await terminal.says(new RegExp(`${anew}standby · `))
    terminal.type('a')
    await terminal.says(new RegExp(`${anew}active?\\.?holding · |${anew}holding · `))
    terminal.type('g')
    await terminal.says(new RegExp(`standby[^]*${anew}autonomous · `))

    terminal.type('\u0003')
    expect(await terminal.ended).toBe(0)
    expect(terminal.text()).toMatch(
      /\r\nhalted: end of run: asked by key\. [\d.]+ m in [\d.]+ s, 0 collisions; every output safe \(measured\)\r\n$/,
    )
  })

  test('a run of some seconds ends by itself', async ({ place }) => {
    const terminal = place.open(['run', '--for', '2', '--speed', '4', '--seed', '7'])
    expect(await terminal.ended).toBe(0)
    expect(terminal.text()).toMatch(
      /\r\nhalted: end of run\. [\d.]+ m in [\d.]+ s, 0 collisions; every output safe \(measured\)\r\n$/,
    )
  })

  test('a terminal that is taken away halts the robot', async ({ place }) => {
    const terminal = place.open(['run', '--for', '3600', '--seed', '7', '--report', 'end.json'])
    await terminal.says(/permitted/)
    process.kill(terminal.pid, 'SIGHUP')
    expect(await terminal.ended).toBe(0)
    expect(terminal.text()).toMatch(/halted: end of run: SIGHUP/)
  })
})

describe.concurrent('a bare mechos on a terminal', { timeout: 120_000 }, () => {
  test('is a prompt that takes the same words', async ({ place }) => {
    const terminal = place.open([])
    await terminal.says(/mechos> /)
    terminal.type('status\r')
    await terminal.says(/no robot is running\r\n[^]*mechos> /)
    terminal.type('help\r')
    await terminal.says(/Usage: mechos[^]*\n {2}halt\|stop [^]*mechos> /)
    terminal.type('run --headless --for 1 --seed 7 --report -\r')
    await terminal.says(/"causes":\["end of run"\][^]*mechos> /)
    terminal.type('run --for 0\r')
    await terminal.says(/'--for <seconds>' argument '0' is invalid[^]*mechos> /)
    terminal.type('fly\r')
    await terminal.says(/fly is not allowed[^]*mechos> /)
    terminal.type('\r')
    terminal.type('quit\r')
    expect(await terminal.ended).toBe(0)
  })

  test('steers a robot that runs elsewhere', async ({ place }) => {
    place.start(['run', '--headless', '--for', '3600', '--speed', '1'])
    await place.reaches('rover', ({ state }) => state === 'active.autonomous')
    const terminal = place.open([])
    await terminal.says(/mechos> /)
    terminal.type('status\r')
    await terminal.says(/state +active\.autonomous\r\n[^]*mechos> /)
    terminal.type('halt\r')
    await terminal.says(/rover: halted, evidence measured\r\n[^]*mechos> /)
    expect((await place.statusOf('rover'))?.state).toBe('halted')
    terminal.type('\u0004')
    expect(await terminal.ended).toBe(0)
  })
})
