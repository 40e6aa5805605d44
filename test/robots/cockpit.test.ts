import { once } from 'node:events'
import { describe, expect } from 'vitest'
import { WebSocket } from 'ws'
import { reportOf, type Status, test } from '../support/mechos.ts'

const drives = ({ state, pose }: Status) => state === 'active.autonomous' && (pose?.x ?? 0) > 0.05
const running = ['run', '--headless', '--for', '3600', '--speed', '1', '--report', '-']
const linkIn = /http:\/\/127\.0\.0\.1:\d+\/login\?token=[\w-]{43}/

/** Follows a link and answers with the cookie, where there is one. */
async function follow(link: string): Promise<{ status: number; cookie: string }> {
  const { headers, status } = await fetch(link, { redirect: 'manual' })
  return { status, cookie: (headers.get('set-cookie') ?? '').split(';')[0] ?? '' }
}

describe.concurrent('the cockpit of a run', { timeout: 120_000 }, () => {
  test('is entered by the link that was printed, or one of the status, and halts', async ({
    place,
  }) => {
    const robot = place.start([...running, '--cockpit-port', '0'])
    await robot.says(/^cockpit: http/m)
    await place.reaches('rover', drives)
    const printed = linkIn.exec(robot.text())?.[0] ?? ''
    const { origin } = new URL(printed)
    expect((await follow(printed)).status).toBe(303)
    expect((await follow(printed)).status).toBe(401)

    const json = await place.run('status', 'rover', '--json')
    const { cockpit }: { cockpit?: string } = JSON.parse(json.stdout)
    expect(cockpit).toMatch(linkIn)
    expect(cockpit?.startsWith(origin)).toBe(true)
    const text = await place.run('status', 'rover')
    expect(text.stdout).toMatch(new RegExp(`^cockpit +${origin} \\(`, 'm'))
    expect(text.stdout).not.toContain('token=')

    const { cookie } = await follow(cockpit ?? '')
    const page = new WebSocket(`${origin.replace('http', 'ws')}/live`, { headers: { cookie } })
    const closed = once(page, 'close')
    await once(page, 'open')
    page.send('{"type":"halt"}')
    const { causes } = await place.reaches('rover', ({ state }) => state === 'halted')
    expect(causes).toEqual(['asked to halt in the cockpit'])

    robot.signal('SIGTERM')
    expect(reportOf(await robot.ended)).toMatchObject({ state: 'halted', exit: 0 })
    await closed
  })

  test('says nothing where nobody looks, and is there all the same', async ({ place }) => {
    const robot = place.start(running)
    await place.reaches('rover', drives)
    expect(robot.text()).not.toContain('cockpit')
    const { cockpit }: { cockpit?: string } = JSON.parse(
      (await place.run('status', 'rover', '--json')).stdout,
    )
    expect((await follow(cockpit ?? '')).status).toBe(303)
  })

  test('at a port that is taken is refused before anything moves', async ({ place }) => {
    const robot = place.start([...running, '--cockpit-port', '0'])
    await robot.says(/^cockpit: http/m)
    const { port } = new URL(linkIn.exec(robot.text())?.[0] ?? '')
    const other = await place.run(...running, '--state', 'other', '--cockpit-port', port)
    expect([other.code, other.stdout]).toEqual([2, ''])
    expect(other.stderr).toMatch(
      new RegExp(`^cockpit-port: ${port} is not allowed; .*; 0 is any that is free$`, 'm'),
    )
    const wrong = await place.run('run', '--cockpit-port', '70000')
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('from 0 to 65535')])
  })
})
