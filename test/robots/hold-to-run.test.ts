import { once } from 'node:events'
import { describe, expect, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { reportOf, type Running } from '../support/mechos.ts'
import { config, restedMs, test } from '../support/robot-on-uno.ts'
import { reply, startModel } from '../support/model-server.ts'
import { mechosHex } from '../support/uno/firmware.ts'
import { monotonicMs } from '../support/uno/monotonic.ts'

const statusWord = z.object({
  type: z.literal('status'),
  status: z.object({
    state: z.string(),
    causes: z.array(z.string()),
    enabling: z.object({ state: z.string(), device: z.string().nullable() }).nullable(),
  }),
})
const worldWord = z.object({ type: z.literal('world'), world: z.object({ atMs: z.number() }) })
type Seen = z.infer<typeof statusWord>['status']

const ahead = () => reply('onward', { type: 'drive', linear: 0.1, angular: 0, durationMs: 5_000 })
const nobody = 'nobody holds the enabling device'

/** A page of the cockpit with a thumb. */
async function thumbOn(robot: Running) {
  await robot.says(/^cockpit: http/m)
  const link = /http:\/\/127\.0\.0\.1:\d+\/login\?token=[\w-]{43}/.exec(robot.text())?.[0] ?? ''
  const { headers } = await fetch(link, { redirect: 'manual' })
  const cookie = (headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const line = new WebSocket(`${new URL(link).origin.replace('http', 'ws')}/live`, {
    headers: { cookie },
  })
  await once(line, 'open')
  let hand: NodeJS.Timeout | undefined
  let seenMs = -1
  line.on('message', (data: Buffer) => {
    const { success, data: word } = worldWord.safeParse(JSON.parse(data.toString()))
    if (success) seenMs = word.world.atMs
  })
  const say = (held: boolean) => line.send(JSON.stringify({ type: 'enable', held, seenMs }))
  const fallSilent = () => clearInterval(hand)
  onTestFinished(() => {
    fallSilent()
    line.terminate()
  })
  return {
    line,
    say,
    fallSilent,
    /** Says that it is held, every 50 ms, as a page does. */
    keepSaying() {
      say(true)
      hand = setInterval(() => say(true), 50)
    },
    release() {
      fallSilent()
      say(false)
    },
    /** Resolves to the next status that is so. */
    sees: (condition: (status: Seen) => boolean) =>
      new Promise<Seen>((resolve) => {
        line.on('message', (data: Buffer) => {
          const { success, data: word } = statusWord.safeParse(JSON.parse(data.toString()))
          if (success && condition(word.status)) resolve(word.status)
        })
      }),
  }
}

describe('a model on a board', { timeout: 120_000 }, () => {
  test('moves it only while somebody holds the enabling device, and by a new intent each time', async ({
    place,
    board,
  }) => {
    const model = await startModel(ahead)
    onTestFinished(model.close)
    const words = ['--headless', '--cockpit-port', '0', '--arm', '--report', '-', '--for', '90']
    const brain = ['--brain', model.url, '--model', 'm', '--port', board.uno.path]
    const robot = place.start(['run', config, ...words, ...brain])
    const thumb = await thumbOn(robot)
    const waiting = await thumb.sees(({ state }) => state === 'active.holding')
    expect(waiting.causes).toEqual([nobody])
    expect(waiting.enabling).toEqual({ state: 'released', device: null })
    expect([model.requests.length, board.changes.filter(({ duty }) => duty > 0)]).toEqual([0, []])

    // Held down from the start, it is nobody's hand.
    thumb.keepSaying()
    await thumb.sees(() => true)
    expect((await thumb.sees(() => true)).state).toBe('active.holding')
    thumb.release()
    thumb.keepSaying()
    const held = await thumb.sees(({ state }) => state === 'active.autonomous')
    expect(held.enabling).toEqual({ state: 'held', device: 'page 1' })
    await board.drives()

    const letGoMs = monotonicMs()
    thumb.release()
    await board.rests()
    const releaseMs = restedMs(board, letGoMs)
    console.log(`let go to still: ${releaseMs.toFixed(1)} ms`)
    // A tick, on a machine that has time; this one may be busy.
    expect(releaseMs).toBeLessThan(300)
    expect((await thumb.sees(() => true)).causes).toEqual([nobody])

    const asked = model.requests.length
    board.forget()
    thumb.keepSaying()
    await board.drives()
    expect(model.requests.length).toBeGreaterThan(asked)
    const silentMs = monotonicMs()
    thumb.fallSilent()
    await board.rests()
    const silenceMs = restedMs(board, silentMs)
    console.log(`silent to still: ${silenceMs.toFixed(1)} ms`)
    expect(silenceMs).toBeLessThan(600)

    // What fell silent has to be let go first.
    board.forget()
    thumb.keepSaying()
    for (let looks = 0; looks < 3; looks++) {
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      expect((await thumb.sees(() => true)).state).toBe('active.holding')
    }
    thumb.release()
    thumb.keepSaying()
    await board.drives()
    thumb.fallSilent()
    thumb.line.terminate()
    await board.rests()

    robot.signal('SIGTERM')
    const report = reportOf(await robot.ended)
    expect(report).toMatchObject({ state: 'halted', exit: 0 })
    const replayed = await place.run('replay', report.recordDir ?? '', '--json')
    expect(JSON.parse(replayed.stdout)).toMatchObject({ differences: 0, complete: true })
  })

  test('is let go by a contact on the board, and by its cable', async ({ place, board }) => {
    const model = await startModel(ahead)
    onTestFinished(model.close)
    place.write('robot.config.ts', fenced.replace('ranges:', 'enabling: { pin: 4 }, ranges:'))
    const [closed, open] = [0, 1] as const
    await board.uno.setInput(4, open)
    const words = ['--headless', '--arm', '--report', '-', '--for', '60', '--port', board.uno.path]
    const robot = place.start(['run', ...words, '--brain', model.url, '--model', 'm'])
    await place.reaches('fenced', ({ state }) => state === 'active.holding')
    await board.uno.setInput(4, closed)
    await board.drives()
    const letGoMs = monotonicMs()
    await board.uno.setInput(4, open)
    await board.rests()
    const releaseMs = restedMs(board, letGoMs)
    console.log(`contact opened to still: ${releaseMs.toFixed(1)} ms`)
    expect(releaseMs).toBeLessThan(300)
    robot.signal('SIGTERM')
    expect(reportOf(await robot.ended)).toMatchObject({ state: 'halted', exit: 0 })
  })

  test('is not left alone without a geofence, nor without a deadman', async ({ place, board }) => {
    const brain = ['--brain', 'http://127.0.0.1:9/v1', '--model', 'm', '--port', board.uno.path]
    const words = ['--headless', '--unattended', '--arm', '--for', '5', ...brain]
    const unfenced = await place.run('run', config, ...words)
    expect([unfenced.code, unfenced.stderr]).toEqual([
      2,
      expect.stringMatching(
        /^geofence: missing; a robot that a model drives unattended needs one/m,
      ),
    ])
    place.write('fenced.config.ts', fenced)
    const fencedRun = await place.run('run', 'fenced.config.ts', ...words)
    expect([fencedRun.code, fencedRun.stderr]).toEqual([
      1,
      expect.stringMatching(/^arm: unattended: this board has no deadman/m),
    ])
    expect(board.changes.filter(({ duty }) => duty > 0)).toEqual([])
  })
})

const fenced = `
  import { defineRobot } from 'mechos'
  export default defineRobot({
    name: 'fenced',
    body: {
      kind: 'firmata',
      wheels: { left: { pwm: 3, dir: 2 }, right: { pwm: 11, dir: 12 }, radiusMetres: 0.03, trackMetres: 0.15 },
      ranges: [{ name: 'front', pin: 'A0' }],
    },
    limits: { linear: 0.3, angular: 1.5 },
    acceptNoDeadman: true,
    geofence: [{ x: -1, y: -1 }, { x: 0.4, y: -1 }, { x: 0.4, y: 1 }, { x: -1, y: 1 }],
  })
`

const supply = mechosHex()
const hexFile = supply.firmware
if (!hexFile) console.log(`NOT TESTED: unattended robots. ${supply.reason}`)
// oxlint-disable-next-line no-empty-pattern -- a fixture names the fixtures that it needs, and this one needs none
const guarded = test.extend({ hex: async ({}, use) => use(hexFile ?? { path: '' }) })

describe.skipIf(!hexFile)('a model on a board with a deadman', { timeout: 120_000 }, () => {
  guarded('drives unattended, and not out of its geofence', async ({ place, board }) => {
    const model = await startModel(({ last }) =>
      last.some(({ outcome }) => outcome.includes('geofence'))
        ? reply('far enough', { type: 'wait', durationMs: 5_000 })
        : reply('onward', { type: 'drive', linear: 0.1, angular: 0, durationMs: 5_000 }),
    )
    onTestFinished(model.close)
    place.write('robot.config.ts', fenced)
    const words = ['run', '--headless', '--unattended', '--arm', '--report', '-', '--for', '12']
    const brain = ['--brain', model.url, '--model', 'm', '--port', board.uno.path]
    const ended = await place.run(...words, ...brain)
    const report = reportOf(ended)
    expect(report).toMatchObject({ exit: 0, deadman: true, causes: ['end of run'] })
    // The fence is 0.4 m ahead, and the robot 0.125 m around its middle.
    expect(report.distanceM).toBeGreaterThan(0.15)
    expect(report.distanceM).toBeLessThan(0.28)
    expect(model.briefings.at(-1)?.last.some(({ outcome }) => outcome.includes('geofence'))).toBe(
      true,
    )
  })
})
