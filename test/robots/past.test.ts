import { once } from 'node:events'
import { describe, expect, vi } from 'vitest'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { reportOf, type Status, test } from '../support/mechos.ts'

const drives = ({ state, pose }: Status) => state === 'active.autonomous' && (pose?.x ?? 0) > 0.3
const running = ['run', '--headless', '--for', '3600', '--speed', '1', '--report', '-']
const linkIn = /http:\/\/127\.0\.0\.1:\d+\/login\?token=[\w-]{43}/

const pastSchema = z.object({
  type: z.literal('past'),
  reach: z.object({ fromMs: z.number(), toMs: z.number() }).nullable(),
  past: z
    .object({
      atMs: z.number(),
      actors: z.array(z.object({ id: z.string(), active: z.array(z.string()) })),
      events: z.array(z.object({ text: z.string() })),
    })
    .nullable(),
})
type PastWord = z.infer<typeof pastSchema>

/** A page that has followed the link, and the last that it was told of the past. */
async function pageAt(link: string) {
  const { headers } = await fetch(link, { redirect: 'manual' })
  const cookie = (headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const { host } = new URL(link)
  const page = new WebSocket(`ws://${host}/live`, { headers: { cookie } })
  let last: PastWord | undefined
  page.on('message', (data: Buffer) => {
    const heard = pastSchema.safeParse(JSON.parse(data.toString('utf8')))
    if (heard.success) last = heard.data
  })
  await once(page, 'open')
  const hears = (passes: (word: PastWord) => boolean) =>
    vi.waitFor(
      () => {
        if (!last || !passes(last)) throw new Error(`it was told ${JSON.stringify(last)}`)
        return last
      },
      { interval: 20, timeout: 20_000 },
    )
  return { say: (word: object) => page.send(JSON.stringify(word)), hears }
}

describe.concurrent('the past of a run', { timeout: 120_000 }, () => {
  test('is looked at while it goes on, and is that of before the halt after it', async ({
    place,
  }) => {
    const robot = place.start([...running, '--cockpit-port', '0'])
    await robot.says(/^cockpit: http/m)
    await place.reaches('rover', drives)
    const { say, hears } = await pageAt(linkIn.exec(robot.text())?.[0] ?? '')
    say({ type: 'halt' })
    await place.reaches('rover', ({ state }) => state === 'halted')
    const asked = setInterval(() => say({ type: 'past', atMs: null }), 150)
    const { reach } = await hears((word) => (word.reach?.toMs ?? 0) > 500)
    clearInterval(asked)
    say({ type: 'past', atMs: 400 })
    const { past } = await hears((word) => word.past !== null)
    expect(past?.atMs).toBe(400)
    expect(past?.actors.find(({ id }) => id === 'robot')?.active).toEqual([
      'robot',
      'robot.active',
      'robot.active.autonomous',
    ])
    expect(past?.events.map(({ text }) => text)).toEqual(['start'])
    expect(reach?.fromMs).toBe(0)
    robot.signal('SIGTERM')
    expect(reportOf(await robot.ended)).toMatchObject({ state: 'halted', exit: 0 })
    // Having been looked at, the record is whole.
    const replayed = await place.run('replay', 'rover', '--json')
    expect([replayed.code, JSON.parse(replayed.stdout)]).toMatchObject([0, { differences: 0 }])
  })
})
