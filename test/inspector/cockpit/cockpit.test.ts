import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Intent } from '../../../core/vocabulary/intent.ts'
import type { Brain } from '../../../index.ts'
import { behindMsMax } from '../../../inspector/cockpit/audience.ts'
import {
  driverMsMax,
  handoverMs,
  movingDriverMsMax,
  stickMsMax,
} from '../../../inspector/cockpit/hands.ts'
import type { RobotWord } from '../../../inspector/cockpit/protocol.ts'
import { type CockpitBench, cockpitOf, type PageClient, pathOf } from '../../support/cockpit.ts'
import { benchWith } from '../../support/hand-made-body.ts'

const json = { 'content-type': 'application/json' }
const wait: Intent = { type: 'wait', durationMs: 1_000 }
const still = { left: 0, right: 0 }

const benches: CockpitBench[] = []

/** A robot that is armed and holds, with its cockpit. */
async function aRobot(
  given: Parameters<typeof cockpitOf>[1] = {},
  brain: Brain = { name: 'waiting', decide: async () => ({ reason: 'to rest', intent: wait }) },
): Promise<CockpitBench> {
  const bench = await cockpitOf(benchWith({ brain }), given)
  benches.push(bench)
  await bench.start()
  bench.robot.send({ type: 'robot.arm', epoch: 1 })
  return bench
}

afterEach(async () => {
  for (const bench of benches.splice(0)) {
    expect(bench.failures).toEqual([])
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await bench.leave()
  }
})

const stateOf = ({ robot }: CockpitBench) => robot.snapshot().state

/** Says drive words at 20 Hz for so long, on the robot's clock. */
async function hold(
  bench: CockpitBench,
  page: PageClient,
  linear: number,
  ms: number,
  from = 0,
): Promise<void> {
  for (let sequence = from; sequence < from + ms / 50; sequence++) {
    page.say({ type: 'drive', linear, angular: 0, sequence })
    // oxlint-disable-next-line no-await-in-loop -- one word after the other, each in its time
    await settled(page)
    // oxlint-disable-next-line no-await-in-loop -- as above
    await bench.clock.advance(50)
  }
}

/** Resolves when everything that a page has said was heard. */
async function settled(page: PageClient): Promise<void> {
  await new Promise<void>((resolve) => {
    page.socket.once('pong', () => resolve())
    page.socket.ping()
  })
}

/** A page that drives at 0.4 m/s. */
async function aDriver(bench: CockpitBench): Promise<PageClient> {
  const page = await bench.join()
  page.say({ type: 'takeOver' })
  await page.hears('driver', ({ driver }) => driver === 'you')
  await hold(bench, page, 0, 50)
  await hold(bench, page, 0.4, 1_000, 1)
  expect(bench.body.wheels.left * 0.05).toBeCloseTo(0.4, 6)
  return page
}

const last = <T extends RobotWord['type']>(page: PageClient, type: T) =>
  page.heard.findLast((word) => word.type === type)

describe('a person', () => {
  test('follows the link once, and is let in by it', async () => {
    const bench = await aRobot()
    const cookie = await bench.logIn()
    const page = await bench.ask({ headers: { cookie, 'sec-fetch-site': 'none' } })
    expect([page.status, page.body, page.headers['content-type']]).toEqual([
      200,
      'the page',
      'text/html',
    ])
    const { port } = bench.cockpit
    const byName = { host: `localhost:${port}`, origin: `http://localhost:${port}` }
    expect((await bench.ask({ headers: { cookie, ...byName } })).status).toBe(200)
    const live = await bench.open({ cookie, ...byName })
    expect(await live.hears('hello')).toEqual({
      type: 'hello',
      role: 'drive',
      name: 'hand-made',
      run: 'hand-made-seed-7',
    })
  })

  test('who has a link to drive may give one away that only watches', async () => {
    const bench = await aRobot()
    const path = `${pathOf(bench.cockpit.link('drive'))}&as=watch`
    const { headers } = await bench.ask({ path })
    const live = await bench.open({
      cookie: (headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '',
    })
    expect((await live.hears('hello')).role).toBe('watch')
    const up = await bench.ask({ path: `${pathOf(bench.cockpit.link('watch'))}&as=drive` })
    const cookie = (up.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? ''
    expect((await (await bench.open({ cookie })).hears('hello')).role).toBe('watch')
  })

  test('watches: five times a second the status, ten times the world', async () => {
    const bench = await aRobot()
    const page = await bench.join('watch')
    await page.hears('world')
    const before = page.heard.length
    await bench.clock.advance(1_000)
    await settled(page)
    const told = page.heard.slice(before)
    const count = (type: RobotWord['type']) => told.filter((word) => word.type === type).length
    expect([count('status'), count('world')]).toEqual([5, 10])
    expect(last(page, 'status')).toEqual({ type: 'status', status: bench.robot.snapshot() })
    expect(last(page, 'world')).toMatchObject({
      world: {
        pose: { x: 0, y: 0, heading: 0 },
        commanded: { linear: 0, angular: 0 },
        outputs: [
          { name: 'left', output: 0, safe: true },
          { name: 'right', output: 0, safe: true },
          { name: 'lamp', output: 0, safe: true },
        ],
      },
    })
  })

  test.each(['watch', 'drive'] as const)('halts with the role %s, by either way', async (role) => {
    const bench = await aRobot()
    const page = await bench.join(role)
    const other = await bench.join(role)
    page.say({ type: 'halt' })
    await page.hears('driver')
    await bench.within(100, () => stateOf(bench) === 'halted')
    // Everybody sees it with the next beat.
    await bench.within(50, () => last(other, 'status')?.type === 'status')
    const seen = await other.hears('status', ({ status }) => status.state === 'halted')
    expect(seen.status.causes).toEqual(['asked to halt in the cockpit'])

    const { epoch } = bench.robot.snapshot()
    const cookie = await bench.logIn(role)
    const halted = await bench.ask({ method: 'POST', path: '/halt', headers: { cookie, ...json } })
    expect([halted.status, JSON.parse(halted.body)]).toEqual([
      200,
      { evidence: 'measured', ms: expect.any(Number) },
    ])
    expect(bench.robot.snapshot().epoch).toBe(epoch + 1)
  })

  test('resets, arms with the epoch that it has seen, and lets it go on', async () => {
    const bench = await aRobot()
    const page = await bench.join()
    page.say({ type: 'halt' })
    await bench.within(100, () => stateOf(bench) === 'halted')
    page.say({ type: 'resume' })
    expect(await page.hears('refused')).toEqual({
      type: 'refused',
      word: 'resume',
      message: 'resume: the robot is halted; reset it, then arm it',
    })
    page.say({ type: 'reset' })
    await bench.within(100, () => stateOf(bench) === 'standby')
    const { epoch } = bench.robot.snapshot()
    page.say({ type: 'arm', epoch: epoch - 1 })
    expect((await page.hears('refused', ({ word }) => word === 'arm')).message).toBe(
      `epoch: ${epoch - 1} is not allowed; the present one is ${epoch}`,
    )
    page.say({ type: 'arm', epoch })
    await bench.within(0, () => stateOf(bench) === 'active.holding')
    page.say({ type: 'goal', text: 'find the kitchen' })
    await bench.within(0, () => stateOf(bench) === 'active.autonomous')
    expect(bench.robot.snapshot().goal).toBe('find the kitchen')
    page.say({ type: 'pause' })
    await bench.within(0, () => stateOf(bench) === 'active.holding')
  })

  test('answers a question, and the answer is in the next observation', async () => {
    const answers: string[] = []
    let asked = 0
    const brain: Brain = {
      name: 'asking',
      async decide(observation) {
        answers.push(...observation.answers.map(({ answer }) => answer))
        asked += 1
        const ask = { type: 'askHuman', question: 'Left or right?', choices: ['left', 'right'] }
        return { reason: 'unsure', intent: asked === 1 ? ask : wait }
      },
    }
    const bench = await aRobot({}, brain)
    const page = await bench.join()
    page.say({ type: 'resume' })
    await bench.within(0, () => stateOf(bench) === 'active.autonomous')
    await bench.clock.advance(400)
    const { status } = await page.hears('status', (word) => word.status.question !== null)
    expect(await page.hears('notice')).toMatchObject({
      text: expect.stringMatching(/^hand-made asks/),
    })
    page.say({ type: 'answer', id: status.question?.id ?? 0, text: 'up' })
    expect((await page.hears('refused')).message).toBe(
      'answer: "up" is not allowed; one of "left", "right"',
    )
    page.say({ type: 'answer', id: status.question?.id ?? 0, text: 'right' })
    await bench.within(0, () => bench.robot.snapshot().question === null)
    await bench.clock.advance(500)
    expect(answers).toEqual(['right'])
  })
})

describe('the one who drives', () => {
  test('moves the robot, and it stands still as soon as it lets go', async () => {
    const bench = await aRobot()
    const page = await aDriver(bench)
    expect(stateOf(bench)).toBe('active.manual')
    page.say({ type: 'release' })
    await page.hears('driver', ({ driver }) => driver === 'nobody')
    await bench.clock.advance(20)
    expect([stateOf(bench), bench.body.wheels]).toEqual(['active.holding', still])
  })

  test('has to be seen at zero first, and again after somebody else', async () => {
    const bench = await aRobot()
    const first = await aDriver(bench)
    const second = await bench.join()
    first.say({ type: 'release' })
    await second.hears('driver', ({ driver }) => driver === 'nobody')
    second.say({ type: 'takeOver' })
    expect((await second.hears('refused')).message).toBe(
      'takeOver: somebody has only just let go; say it again',
    )
    await bench.clock.advance(handoverMs)
    second.say({ type: 'takeOver' })
    await second.hears('driver', ({ driver }) => driver === 'you')
    const { length } = bench.body.writes
    await hold(bench, second, 0.4, 300)
    expect(await second.hears('refused', ({ word }) => word === 'drive')).toEqual({
      type: 'refused',
      word: 'drive',
      message: 'drive: let go of the stick first: it was not seen at zero',
    })
    expect([bench.body.wheels, bench.body.writes.slice(length)]).toEqual([still, []])
    await hold(bench, second, 0, 50, 100)
    await hold(bench, second, 0.4, 200, 101)
    expect(bench.body.wheels.left).toBeGreaterThan(0)
    second.say({ type: 'drive', linear: 0.1, angular: 0, sequence: 50 })
    expect((await second.hears('refused', ({ message }) => message.includes('younger'))).word).toBe(
      'drive',
    )
  })

  test('who closes the page in mid-drive stops the robot within 0.2 s', async () => {
    const bench = await aRobot()
    const page = await aDriver(bench)
    const watcher = await bench.join('watch')
    page.socket.terminate()
    await watcher.hears('driver', ({ driver }) => driver === 'nobody')
    await bench.clock.advance(20)
    expect([stateOf(bench), bench.body.wheels]).toEqual(['active.holding', still])
  })

  test('whose stick falls silent is at zero after 0.2 s, and gone after half a second', async () => {
    const bench = await aRobot()
    const page = await aDriver(bench)
    // The page itself lives: it talks, but not of the stick.
    await bench.clock.advance(stickMsMax - 60)
    expect(bench.body.wheels.left * 0.05).toBeCloseTo(0.4, 6)
    page.say({ type: 'goal', text: 'anything' })
    await settled(page)
    await bench.clock.advance(60 + 20)
    expect(bench.body.wheels.left * 0.05).toBeLessThan(0.4)
    await bench.clock.advance(movingDriverMsMax)
    expect([stateOf(bench), bench.body.wheels]).toEqual(['active.holding', still])
    expect((await page.hears('driver', ({ driver }) => driver === 'nobody')).driver).toBe('nobody')
  })

  test('who rests may do so as long as zeros are said, and is gone after 2 s without', async () => {
    const bench = await aRobot()
    const page = await bench.join()
    page.say({ type: 'takeOver' })
    await page.hears('driver', ({ driver }) => driver === 'you')
    await hold(bench, page, 0, 3_000)
    expect(stateOf(bench)).toBe('active.manual')
    await bench.clock.advance(driverMsMax - 100)
    expect(stateOf(bench)).toBe('active.manual')
    await bench.clock.advance(200)
    expect(stateOf(bench)).toBe('active.holding')
  })

  test('is alone: another is refused until it lets go', async () => {
    const bench = await aRobot()
    const first = await aDriver(bench)
    const second = await bench.join()
    expect((await second.hears('driver')).driver).toBe('another')
    second.say({ type: 'takeOver' })
    expect(await second.hears('refused')).toEqual({
      type: 'refused',
      word: 'takeOver',
      message: 'takeOver: another page drives; it has to let go first',
    })
    for (const word of [
      { type: 'drive', linear: 0, angular: 0, sequence: 1 },
      { type: 'release' },
    ] as const) {
      second.say(word)
      expect((await second.hears('refused', (refused) => refused.word === word.type)).message).toBe(
        word.type === 'drive' ? 'drive: take over first' : 'release: this page does not drive',
      )
    }
    first.say({ type: 'release' })
    await second.hears('driver', ({ driver }) => driver === 'nobody')
    await bench.clock.advance(handoverMs)
    second.say({ type: 'takeOver' })
    await second.hears('driver', ({ driver }) => driver === 'you')
    expect(last(first, 'driver')).toEqual({ type: 'driver', driver: 'another' })
  })

  test('is halted like anybody else, and drives no more after that', async () => {
    const bench = await aRobot()
    const page = await aDriver(bench)
    const watcher = await bench.join('watch')
    watcher.say({ type: 'halt' })
    await page.hears('driver', ({ driver }) => driver === 'nobody')
    expect([stateOf(bench), bench.body.wheels]).toEqual(['halted', still])
    await hold(bench, page, 0.4, 200, 1_000)
    expect(bench.body.wheels).toEqual(still)
    expect((await page.hears('refused')).message).toBe('drive: take over first')
  })

  test('cannot take over a robot that is not armed', async () => {
    const bench = await aRobot()
    const page = await bench.join()
    page.say({ type: 'halt' })
    await bench.within(100, () => stateOf(bench) === 'halted')
    page.say({ type: 'takeOver' })
    expect((await page.hears('refused')).message).toBe(
      'takeOver: the robot is halted; reset it, then arm it',
    )
    expect(last(page, 'driver')).toEqual({ type: 'driver', driver: 'nobody' })
  })

  test('is refused what is over a hard limit', async () => {
    const bench = await aRobot()
    const page = await aDriver(bench)
    page.say({ type: 'drive', linear: 40, angular: 0, sequence: 1_000 })
    expect(await page.hears('refused')).toMatchObject({ word: 'drive' })
    await bench.clock.advance(400)
    expect(bench.body.wheels.left * 0.05).toBeLessThan(0.41)
  })
})

describe('an audience', () => {
  const actor = {
    id: 'robot',
    parent: null,
    machine: 'robot',
    status: 'active',
    active: ['robot'],
    last: null,
    refused: [],
    context: {},
  }

  test('costs nothing while nobody watches: nothing is attached and no timer is set', async () => {
    const attached: string[] = []
    const setTimeout = vi.fn<(fire: () => void, milliseconds: number) => number>(() => 0)
    const bench = await aRobot({
      clock: { now: () => 0, setTimeout, clearTimeout: () => {} },
      watch() {
        attached.push('attached')
        return () => attached.push('let go')
      },
    })
    await bench.clock.advance(1_000)
    expect([attached, setTimeout.mock.calls.length]).toEqual([[], 0])
    const [page, other] = [await bench.join('watch'), await bench.join('watch')]
    expect([attached, setTimeout.mock.calls.length]).toEqual([['attached'], 1])
    await Promise.all([page.close(), other.close()])
    await bench.within(0, () => attached.length === 2)
    expect([attached, setTimeout.mock.calls.length]).toEqual([['attached', 'let go'], 1])
  })

  test('is told of drawings once, and of actors as they change, together', async () => {
    let say: (word: RobotWord) => void = () => {}
    const bench = await aRobot({
      drawings: [{ machine: 'robot', svg: '<svg/>' }],
      watch(tell) {
        say = tell
        return () => {}
      },
    })
    const page = await bench.join('watch')
    expect(await page.hears('drawing')).toEqual({
      type: 'drawing',
      drawing: { machine: 'robot', svg: '<svg/>' },
    })
    for (const status of ['active', 'done', 'error'])
      say({ type: 'actors', actors: [{ ...actor, status }] })
    await bench.clock.advance(40)
    const told = await page.hears('actors')
    expect(told.actors).toEqual([{ ...actor, status: 'error' }])
    // Who comes later is told of what there is.
    const late = await bench.join('watch')
    expect(await late.hears('actors')).toEqual(told)
    await bench.clock.advance(200)
    await settled(page)
    expect(page.heard.filter(({ type }) => type === 'actors').length).toBe(1)
    expect(page.heard.filter(({ type }) => type === 'drawing').length).toBe(1)
  })

  test('a page that comes late is told the turns, and of the last ten what was said to the model', async () => {
    let say: (word: RobotWord) => void = () => {}
    const bench = await aRobot({
      watch(tell) {
        say = tell
        return () => {}
      },
    })
    const page = await bench.join('watch')
    await page.hears('world')
    const turn = (id: number) => ({
      id,
      atMs: id,
      prompt: 'explore',
      sent: [{ role: 'user', content: 'what now?' }],
      reply: '{}',
      memories: [],
      proposal: null,
      verdict: null,
      action: null,
    })
    for (let id = 1; id <= 60; id++) say({ type: 'loop', turn: turn(id) })
    const late = await bench.join('watch')
    await late.hears('loop', (word) => word.turn.id === 60)
    const told = late.heard.flatMap((word) => (word.type === 'loop' ? [word.turn] : []))
    expect(told.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, at) => at + 11))
    expect(told.filter(({ sent }) => sent !== null).map(({ id }) => id)).toEqual([
      51, 52, 53, 54, 55, 56, 57, 58, 59, 60,
    ])
    expect(told[0]).toEqual({ ...turn(11), sent: null, reply: null })
  })

  test('a page that does not read is left out, and in the end dropped; nobody waits for it', async () => {
    let say: (word: RobotWord) => void = () => {}
    const bench = await aRobot({
      watch(tell) {
        say = tell
        return () => {}
      },
    })
    const slow = await bench.join('watch')
    const quick = await bench.join('watch')
    await slow.hears('world')
    slow.socket.pause()
    const wide = { ...actor, context: { text: 'x'.repeat(1_000_000) } }
    const before = process.memoryUsage().arrayBuffers
    let isGone = false
    slow.socket.once('close', () => {
      isGone = true
    })
    for (let round = 0; round < (behindMsMax + 2_000) / 50; round++) {
      say({ type: 'actors', actors: [{ ...wide, status: String(round) }] })
      // oxlint-disable-next-line no-await-in-loop -- one round after the other
      await bench.clock.advance(50)
    }
    slow.socket.resume()
    await bench.within(0, () => isGone)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20)
    expect(quick.heard.length).toBeGreaterThan(slow.heard.length)
    expect(stateOf(bench)).toBe('active.holding')
  })

  test('a page that does not answer any more is dropped', async () => {
    const bench = await aRobot()
    const page = await bench.join('watch')
    const closed = new Promise<void>((resolve) => {
      page.socket.on('close', () => resolve())
    })
    // It reads, and says nothing: not even that it is there.
    page.socket.pong = () => {}
    await bench.clock.advance(11_000)
    await closed
  })

  test('a failure of what it watches stays in the cockpit', async () => {
    const failures: string[] = []
    const bench = await aRobot({
      failed: (cause) => failures.push(cause),
      watch() {
        throw new Error('the hub is broken')
      },
    })
    await expect(bench.join('watch').then((page) => page.hears('hello'))).resolves.toBeDefined()
    await bench.within(0, () => failures.length > 0)
    expect(failures).toEqual(['the hub is broken'])
    const cookie = await bench.logIn('watch')
    const halted = await bench.ask({ method: 'POST', path: '/halt', headers: { cookie, ...json } })
    expect(halted.status).toBe(200)
  })
})

describe('an enabling device on a page', () => {
  test('is held for as long as the page hears what is going on, and let go whenever it says so', async () => {
    const inner = benchWith({
      brain: { name: 'waiting', decide: async () => ({ reason: 'to rest', intent: wait }) },
    })
    const told: unknown[] = []
    const robot = {
      ...inner.robot,
      enable: (device: string, isHeld: boolean) => void told.push([device, isHeld]),
    }
    const bench = await cockpitOf(inner, { robot })
    benches.push(bench)
    await bench.start()
    const page = await bench.join()
    const seenMs = (await page.hears('world')).world.atMs
    page.say({ type: 'enable', held: true, seenMs })
    await settled(page)
    expect(told).toEqual([['page 1', true]])

    // What was said then is heard now: it lay about on its way.
    await bench.within(400, () =>
      page.heard.some((word) => word.type === 'world' && word.world.atMs > seenMs),
    )
    for (const old of [seenMs, seenMs + 1e6, -1])
      page.say({ type: 'enable', held: true, seenMs: old })
    await settled(page)
    expect(told).toEqual([['page 1', true]])
    page.say({ type: 'enable', held: false, seenMs })
    await settled(page)
    expect(told.at(-1)).toEqual(['page 1', false])

    const watching = await bench.join('watch')
    watching.say({ type: 'enable', held: true, seenMs: (await watching.hears('world')).world.atMs })
    await settled(watching)
    expect(told.length).toBe(2)
    await page.close()
    await vi.waitFor(() => expect(told.length).toBe(3))
    expect(told.at(-1)).toEqual(['page 1', false])
  })
})
